// SPDX-License-Identifier: GPL-2.0
// The provider's one object: all calls, all wait statuses, all threads.
//
// A thread runs when no engine holds it and nothing froze it: settle() is the only place that
// decides so, run() the only one that lets go. arrive() is the only place that takes a stop in.
// Nothing here blocks without a bound.
#pragma once

#include "grace.h"
#include "guard.h"
#include "model.h"
#include "tick.h"

#include <signal.h>

#include <atomic>
#include <unordered_map>

namespace ntrace::embedded
{

class Server
{
      public:
	Server();
	~Server();

	int open();
	int ioctl(int handle, unsigned long request, void *record, size_t size);
	ssize_t read(int handle, void *buf, size_t size);
	bool readable(int handle);
	void close(int handle);
	void pump();
	bool wants_pump() const;
	bool runs_any() const { return !running_.empty(); }
	int event_fd() const { return event_fd_; }
	void prepare_wait();
	int wait(int handle, int timeout_ms);
	int64_t patience() const;

      private:
	friend class Freeze;
	using Call = int (Server::*)(Engine &, void *);
	struct CallEntry {
		unsigned long request;
		bool changes; // refused to observers
		Call call;
	};
	static const CallEntry kCalls[];
	// Where a thread that stopped had been, as to slots.
	enum class Left {
		outside,   // it was not in a slot
		before,	   // it stands before the instruction again
		repeating, // stepped one turn of a rep, more are to come
		again,	   // in the middle: step once more
		done,
	};

	// calls (one file each family)
	int hello(Engine &, void *);
	int attach(Engine &, void *);
	int detach(Engine &, void *);
	int threads(Engine &, void *);
	int resume(Engine &, void *);
	int stop(Engine &, void *);
	int get_regs(Engine &, void *);
	int set_regs(Engine &, void *);
	int read_mem(Engine &, void *);
	int write_mem(Engine &, void *);
	int set_break(Engine &, void *);
	int clear_break(Engine &, void *);
	int break_stats(Engine &, void *);
	int sets(Engine &, void *);
	int signal(Engine &, void *);
	int who(Engine &, void *);
	int release_holds(Engine &, void *);
	int set_tracepoint(Engine &, void *);
	int trace_control(Engine &, void *);
	int trace_query(Engine &, void *);
	int trace_read(Engine &, void *);
	int variable(Engine &, void *);

	// lookups
	Engine *engine(int handle);
	Process *process_of(Engine &, pid_t pid); // nullptr: not attached by it
	Thread *thread_of(Engine &, pid_t tid);
	Thread *find_thread(pid_t tid);

	// attach.cc
	int seize_all(Process &, bool stopping, uint32_t &count);
	static unsigned options_of(const Process &);
	void set_options(Thread &);
	void add_attachment(Process &, Engine &, uint32_t release);

	// detach.cc
	void end(Engine &); // and it is gone
	void drop_attachment(Process &, Engine &, uint32_t release, int signo, pid_t tid);
	void let_go(Process &, uint32_t release);
	void let_thread_go(Thread &);
	void kill_process(Process &);
	void end_killed(Process &);

	// wait.cc
	bool collect(Thread &);
	bool peek_news(int kinds, uint64_t until, siginfo_t &info);
	bool collect_dead();
	void check_leader(Thread &);
	void collect_running();
	void go_deaf();
	bool hear();
	void sleep_for_child(uint64_t until_ns);
	bool wait_status(Thread &, int &status, uint64_t timeout_ns);
	void await_born();
	void look_for(Engine &, const std::vector<pid_t> &tids, uint64_t timeout_ns);

	// keepup.cc
	bool any_events() const;
	bool take_next();
	void keep_up();

	// arrive.cc
	void arrive(Thread &, int status);
	void arrive_event_stop(Thread &, int signo);
	void arrive_signal(Thread &, int signo);
	bool arrive_trap(Thread &, const siginfo_t &info, Left);
	void arrive_debug(Thread &, const siginfo_t &info, unsigned int hit, bool stepped);
	void arrive_syscall(Thread &);
	void died(Thread &, int status);
	bool resolve_pending_trap(Thread &);

	// children.cc
	Thread &add_thread(Process &, pid_t tid);
	Process &add_process(pid_t pid);
	void remove_thread(Thread &);
	void remove_process(Process &);
	void arrive_clone(Thread &, int event);
	void arrive_fork(Thread &, int event, pid_t child);
	void arrive_exec(Thread &);
	void arrive_fresh(Thread &);
	void forget_birth(Thread &);

	// deliver.cc
	void fill(struct ntrace_event &, Thread &, uint32_t type, bool with_regs);
	void post_stop(Engine &, Thread &, struct ntrace_event &);
	void post_note(Engine &, struct ntrace_event &);
	void post_lost(Engine &);
	void post_life(Thread &, struct ntrace_event &, uint32_t type);
	bool ask_next(Thread &);
	bool ask_next_call(Thread &);
	void forget_events(Engine &, pid_t pid);
	void add_hold(Engine &, Thread &, uint32_t why, uint64_t stop_id, bool told);
	bool release_hold(Engine &, Thread &);

	// resume.cc
	bool settled(pid_t tid, const Engine &);
	uint32_t unheld(const Engine &, const struct ntrace_stop &, std::vector<pid_t> &moving);

	// run.cc
	void settle(Thread &);
	void run(Thread &);
	void request(Thread &, int ptrace_request, int signo);
	void mark_running(Thread &);
	void mark_stopped(Thread &);
	void interrupt(Thread &);
	bool wants_syscalls(const Process &) const;
	void finish_step(Thread &);
	void apply_asks(Thread &);
	void step_range(Thread &);

	// outofline.cc
	friend struct Execution;
	bool must_step_over(Thread &);
	void step_over(Thread &);
	bool emulate(Thread &, const Plan &);
	void run_slot(Thread &, const std::shared_ptr<Plan> &);
	Left leave_slot(Thread &, siginfo_t *info);
	bool restarts_call(Thread &, uint64_t pc);
	bool defer_signal(Thread &, const siginfo_t &info);
	void requeue_deferred(Thread &);
	void mask_signals(Thread &);
	void unmask_signals(Thread &);
	bool translate_fault(Thread &, siginfo_t &info, uint64_t pc);

	// slots.cc
	bool map_area(Thread &, uint64_t addr);
	void unmap_areas(Process &);
	bool in_area(const AddressSpace &, uint64_t pc) const;
	std::shared_ptr<Plan> plan_at(const AddressSpace &, uint64_t pc) const;
	bool give_slot(Thread &, std::shared_ptr<Plan> &);
	void lose_areas(AddressSpace &);
	std::shared_ptr<Plan> plan_for(Thread &, Site &);
	void forget_plans(AddressSpace &, uint64_t addr, uint64_t len);

	// pads.cc
	uint64_t find_pad(Thread &, uint64_t addr, uint32_t mask, uint32_t size, Area *&);
	bool map_pads(Thread &, uint64_t start);
	void mark_page(Process &, Area &, uint64_t addr);
	void mark_patched(Process &, uint64_t addr, uint32_t len);
	bool takes_jump(Thread &, uint64_t addr, uint64_t len, uint64_t sp);
	bool contains(Process &, uint64_t addr, uint64_t len, const uint8_t *, size_t);
	std::shared_ptr<Pad> pad_for(Thread &, Site &, uint64_t sp);
	bool build_pad(Thread &, Pad &, const std::vector<uint8_t> &text);

	// windows.cc
	void heat(Thread &, Site &);
	void tend_windows();
	void open_window(const std::shared_ptr<AddressSpace> &, uint64_t addr, uint64_t sp);
	bool suits_pad(const AddressSpace &, const Site &) const;
	Thread *caller_of(AddressSpace &, uint64_t addr);
	void close_windows(Process &, uint64_t addr, uint64_t len, Thread *except = nullptr);
	void shut_windows(Process &, uint64_t addr, uint64_t len);
	void shut_window(Process &, Site &);
	void count_natives(Process &, Site &);
	Left leave_pad(Thread &, siginfo_t *info);

	// inject.cc
	static bool can_call(const Thread &);
	uint64_t find_syscall(Thread &);
	bool overlaps_site(Thread &, uint64_t addr, uint64_t len);
	long call_in(Thread &, uint64_t at, long nr, const std::vector<uint64_t> &args);
	void end_call(Thread &);

	// stepover.cc
	void step_in_place(Thread &);
	void freeze(AddressSpace &, Thread *except, uint64_t timeout_ns);
	void unfreeze(AddressSpace &, Thread *except);

	// grace.cc
	void run_first(std::vector<pid_t> tids, pid_t first);
	void unpark(Thread &);
	void end_grace();
	bool grace_is_over() const;

	// fence.cc
	bool run_fenced(Thread &);
	void lift_fence(Thread &);

	// conditions.cc
	friend struct Evaluation;
	int take_codes(uint64_t entries, uint32_t count, bool condition, std::vector<Code> &out);
	bool condition_holds(Thread &, Owner &);
	void run_actions(Thread &, Owner &);
	bool wants_hit(Thread &, Owner &);

	// trace.cc
	Trace &trace_of(Engine &);
	int insert_tracepoint(Engine &, TracePoint &);
	void remove_tracepoints(Engine &, const Process *only);
	void forget_tracepoints(Process &, Engine *only);
	int start_trace(Engine &);
	void stop_trace(Engine &);
	int setup_trace(Engine &, uint32_t flags, uint64_t size);

	// trace_hit.cc
	friend struct Collection;
	void trace_hit(Thread &, Site &);
	void trace_stepped(Thread &);
	void trace_ended(Engine &, Thread &);

	// sites.cc
	Site *arm_site(Process &, uint64_t addr);
	bool drop_site(Process &, Site &);
	Owner *insert_site(Process &, Engine &, uint64_t addr);
	void keep_persistent(Process &, Engine &);
	bool remove_site(Process &, Engine &, uint64_t addr);
	void clean_child(Process &child, const AddressSpace &parent);

	// memory.cc
	int mem_fd(Process &);
	ssize_t peek(Process &, uint64_t addr, void *buf, size_t len);
	ssize_t poke(Process &, uint64_t addr, const void *buf, size_t len);
	bool is_armed(Process &, uint64_t addr);
	ssize_t read_shadowed(Process &, uint64_t addr, void *buf, size_t len);
	ssize_t write_shadowed(Process &, uint64_t addr, const void *buf, size_t len);

	// regs.cc
	bool load_regs(Thread &);
	bool flush_regs(Thread &);
	bool set_pc(Thread &, uint64_t pc);
	static bool is_native(const Thread &);
	static bool has_shadow_stack(const Thread &);
	Thread *entry_thread(Engine &, struct ntrace_regset &, bool change);
	void get_regset(Thread &, struct ntrace_regset &);
	void set_regset(Thread &, struct ntrace_regset &);
	int each_regset(Engine &, void *record, bool change);

	// debugreg.cc
	int insert_debug(Process &, Engine &, uint32_t type, uint64_t addr, uint32_t len,
			 uint32_t &id, uint32_t &owners);
	void remove_debug(Process &, Engine &, uint32_t id);
	void guard_debug(Process &);
	int write_debug(Thread &);
	void refresh_debug(Process &);
	unsigned int hit_debug(Thread &); // a bit for each register that fired
	void tell_watches(Thread &, unsigned int hit);
	void tell_hardware_breaks(Thread &, unsigned int hit);

	bool remove_break(Engine &, uint32_t id);
	void bury();

	Guard guard_; // outlives what it guards
	std::unordered_map<int, std::unique_ptr<Engine>> engines_;
	std::map<pid_t, std::unique_ptr<Process>> processes_;
	std::unordered_map<pid_t, Thread *> by_tid_;
	std::unordered_map<pid_t, int> early_; // statuses of children not known yet
	std::vector<Thread *> running_;
	std::vector<pid_t> born_;	// new threads whose first stop is still to come
	std::vector<Thread *> ranging_; // in the middle of a range step, to go on with
	std::vector<std::unique_ptr<Thread>> dead_threads_; // until no caller can use them
	std::vector<std::unique_ptr<Process>> dead_processes_;
	bool missed_ = false; // a wake-up was consumed before everybody was looked at
	bool deaf_ = false;   // stops raise no signal: nobody may sleep
	std::vector<Hot> hot_;
	uint64_t unseen_hits_ = 0; // of breakpoints, that held nobody
	pid_t last_hit_ = 0;	   // whose the last one was
	bool slow_hits_ = false;   // they took long, the last time
	Tick tick_;
	Engine *keeper_ = nullptr; // of breakpoints whose engines have left
	Grace grace_;
	int depth_ = 0;
	int next_handle_ = 0;
	uint64_t next_engine_ = 1;
	uint32_t next_generation_ = 1;
	int event_fd_ = -1;
};

// Lets buried objects go when the outermost call returns.
class Depth
{
      public:
	Depth(int &depth) : depth_(depth) { depth_++; }
	~Depth() { depth_--; }

      private:
	int &depth_;
};

// Sent by somebody, not caused by the instruction itself.
bool is_async(const siginfo_t &info);
uint64_t now_ns();
// The last bit of a set stands for every number from there on.
inline bool bit(const __u64 *words, uint64_t n, uint64_t limit)
{
	if (n >= limit)
		n = limit - 1;
	return words[n / 64] >> (n % 64) & 1;
}
constexpr uint64_t kNanosPerMilli = 1000000;
// So many signals in front of one instruction are put off until it is done. A thread that waits for
// a processor can have thousands; more come faster than they can be taken.
constexpr size_t kMostDeferred = 1 << 16;
// A step mostly ends within microseconds: so long a wait looks again and again, giving way to
// whoever wants this processor (the thread itself, when there is no other), before it sleeps.
constexpr uint64_t kLook = 60 * 1000;

} // namespace ntrace::embedded
