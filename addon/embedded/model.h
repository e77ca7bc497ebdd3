// SPDX-License-Identifier: GPL-2.0
// What the provider knows: engines, processes, address spaces, threads and who holds them.
#pragma once

#include "fence.h"
#include "guard.h"

#include <agent_pad.h>
#include <ntrace.h>
#include <ool.h>
#include <signal.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/user.h>

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace ntrace::embedded
{

struct Engine;
struct Plan;
struct Process;
struct Thread;
struct Trace;
struct TracePoint;

// One engine keeps one thread stopped.
struct Hold {
	Engine *engine;
	uint64_t stop_id;
	uint64_t since_ns;
	uint32_t why; // enum ntrace_event_type
	bool told;    // its event was read, or there was none
};

// A stop that was asked for and is not there yet.
struct Ask {
	Engine *engine;
	bool quiet;
};

// A signal on its way through the engines to the thread.
struct Passing {
	bool active = false;
	bool fault = false;
	bool changed = false;
	int signo = 0; // as it is now; 0: discarded
	int original = 0;
	uint32_t next = 0; // attach position of the engine to ask next
};

// What of a stopped thread's cached registers the kernel does not know yet.
enum class Dirty {
	none,
	pc,
	all,
};

// A thread single-steps after a hit and collects again.
struct Collecting {
	Engine *engine;
	TracePoint *point;
	uint32_t step; // done
};

enum class Stop {
	none,
	trap,  // PTRACE_EVENT_STOP: an interrupt, a new thread; or a step into a handler
	group, // PTRACE_EVENT_STOP of a job-control stop
	event, // fork, clone, exec, exit, vfork-done
	syscall,
	signal, // signal delivery, SIGTRAP included: a signal can be injected
};

struct Thread {
	pid_t tid = 0;
	Process *process = nullptr;
	uint64_t cookie = 0;
	Stop stop = Stop::none; // none: it runs, as far as we know
	bool gone = false;
	bool fresh = false;	  // its first stop is still to come
	bool zombie = false;	  // a leader that exited before its threads
	bool interrupted = false; // PTRACE_INTERRUPT is on its way
	bool job_stopped = false; // PTRACE_LISTEN instead of CONT
	bool drop_step = false;	  // the trap of an abandoned step-over is not news
	bool stepped = false;	  // last resumed by SINGLESTEP
	pid_t creator = 0;
	bool parked = false; // let go, but kept for a moment (grace.h)
	int frozen = 0;	     // kept stopped by step-overs and detaches of others
	int running_at = -1; // index in Server::running_
	std::vector<Hold> holds;
	std::vector<Ask> asks;
	Passing passing;
	std::vector<siginfo_t> deferred; // arrived in the middle of a step-over
	bool masked = false;		 // no others are let in: signal_mask is its own
	uint64_t signal_mask = 0;
	int inject = 0;		     // deliver at the next resume
	Engine *self_sent = nullptr; // who sent the signal of "inject" by tgkill
	int self_sent_signo = 0;
	Engine *stepper = nullptr;	   // whose step this is
	uint32_t action = NTRACE_ACT_CONT; // STEP or RANGE while stepper is set
	uint64_t lo = 0, hi = 0;
	std::unique_ptr<Fence> fence; // it runs through its range
	uint32_t range_steps = 0;     // in this range, one by one
	uint32_t fence_after = 0;     // so many of them
	std::vector<Collecting> collecting;
	uint64_t reported_at = 0;	  // the site whose hit was told at this stop
	uint32_t reported_generation = 0; // 0: none
	bool regs_valid = false;
	Dirty dirty = Dirty::none;
	struct user_regs_struct regs;
	std::shared_ptr<Plan> plan; // stepping its slot
	bool own_trap_flag = false; // while doing so: the program has TF set itself
	bool slot_trap = false;	    // the trap at the end of a slot is still to come
	uint64_t restart_at = 0;    // a system call there was run in a slot, with this stack
	uint64_t restart_sp = 0;
	std::unique_ptr<struct user_regs_struct> before_call; // in the middle of a call of ours
	uint32_t debug_generation = 0;
	bool has_debug_registers = false;
	int64_t syscall_nr = -1;
	bool at_entry = false;	       // of the system call it stands at
	std::vector<Engine *> unasked; // about this system call stop, the next one last
};

inline bool held_by(const Thread &t, const Engine &engine)
{
	for (const Hold &hold : t.holds)
		if (hold.engine == &engine)
			return true;
	return false;
}

using Code = std::vector<uint8_t>;

struct Owner {
	Engine *engine;
	uint32_t id;
	uint64_t hits = 0;
	uint64_t evaluated = 0, true_hits = 0, false_hits = 0, errors = 0, cost_ns = 0;
	uint64_t native = 0;	      // of hits, those the program decided itself
	std::vector<Code> conditions; // none: every hit counts
	std::vector<Code> actions;    // run at a hit, which is told nobody then
	bool persist = false;	      // they go on without the engine

	Owner(Engine *e, uint32_t i) : engine(e), id(i) {}
};

// How an instruction is run away from its place.
struct Plan {
	struct nt_ool_plan ool;
	uint8_t bytes[NT_INSN_MAX]; // what it was made from
	uint32_t length;	    // of them
	bool repeats;		    // a string instruction under rep: a step is one turn
	bool stable;		    // text of a file that nobody writes: not compared at each use
};

// Bytes of the jump that stands in the text instead of a breakpoint.
constexpr uint32_t kWindow = 5;
// Passed over so often without a pause, a breakpoint is worth a pad.
constexpr uint32_t kHot = 256;

// The conditions of a site as code in the program (agent_pad.h), and the jump there. It stays when
// the jump goes: the same conditions may come back.
struct Pad {
	struct nt_pad code;
	std::vector<Code> conditions;  // what it was made from
	std::vector<uint8_t> original; // the instructions that begin in the window
	uint8_t patch[kWindow];
	std::vector<uint64_t> inner; // instructions that begin inside the window
	uint64_t counted = 0;	     // of its counter, what the owners have got
	uint64_t looked = 0;	     // its counter when it was last asked whether it pays
};

// A tracepoint at a site.
struct Traced {
	Engine *engine;
	TracePoint *point;
};

// Patched bytes: breakpoints and tracepoints of one or more engines.
struct Site {
	uint64_t addr;
	uint8_t original;
	uint32_t generation; // tells a removed and re-inserted one apart
	std::vector<Owner> owners;
	std::vector<Traced> tracepoints;
	std::vector<Thread *> fenced; // threads to be caught here
	std::shared_ptr<Plan> plan;   // when it was needed
	std::shared_ptr<Pad> pad;     // a jump to it stands there
	bool inside;		      // the window of a pad: its byte is one of the jump's
	Guarded guarded, guarded_jump;
	uint32_t unheard;  // hits in a row that nobody was told of
	uint32_t patience; // so many of them, and it is hot

	Site() : addr(0), original(0), generation(0), inside(false), unheard(0), patience(kHot) {}
};

// Memory of ours in the program, never used twice: slots of NT_OOL_SLOT bytes, or pads and behind
// them their counters.
struct Area {
	uint64_t start;
	uint32_t used; // bytes
	uint32_t size;
	uint32_t counters; // used; 0: slots are here
};

// Processes between vfork and exec share one.
struct AddressSpace {
	std::map<uint64_t, Site> sites;
	std::vector<Process *> processes;
	std::vector<Area> areas;
	bool no_areas = false;					   // they cannot be had
	std::unordered_map<uint64_t, std::shared_ptr<Plan>> plans; // the last one of each address
	std::unordered_map<uint64_t, std::shared_ptr<Plan>> slots; // every one, by its slot
	std::map<uint64_t, std::shared_ptr<Pad>> pads;		   // every one, by its address
	std::map<std::string, bool> plain; // files whose text a pad may be entered from
};

// A site that is to be looked at when nothing else is being done.
struct Hot {
	std::weak_ptr<AddressSpace> space;
	uint64_t addr;
	uint64_t sp; // of a thread there
};

struct DebugRegister {
	uint32_t type = 0; // NTRACE_BREAK_HW, NTRACE_WATCH_*
	uint64_t addr = 0;
	uint32_t len = 0;
	std::vector<Owner> owners; // empty: free
};

constexpr int kDebugRegisters = 4;
constexpr uint32_t kNoteCapacity = 65536; // where nobody asks for more
constexpr uint8_t kInt3 = 0xcc;

struct Attachment {
	Engine *engine;
	uint32_t release;
	bool quiesced; // stopped by a wildcard, nothing resumed since
	struct ntrace_sets sets;
	uint64_t since_ns; // attached
};

struct Process {
	pid_t pid = 0;
	uint64_t cookie = 0;
	bool owned = false;
	bool killed = false;	  // SIGKILL was sent: it ends although it is held
	bool leaving = false;	  // no engine any more: threads are let go as they stop
	bool transparent = false; // a vfork child nobody follows, until it has its own memory
	int mem_fd = -1;
	uint32_t debug_generation = 0;
	DebugRegister debug[kDebugRegisters];
	Guarded debug_guarded;
	std::shared_ptr<AddressSpace> space;
	std::vector<Attachment> attachments; // in attach order
	std::map<pid_t, std::unique_ptr<Thread>> threads;

	~Process();
	Attachment *attachment(const Engine *engine);
	Thread *leader();
};

// One NTRACE_IOC_BREAK, by its id.
struct Break {
	Process *process;
	uint32_t type;
	uint64_t addr;
	uint32_t len;
};

struct Engine {
	int handle = -1;
	bool hello = false;
	bool observer = false;
	uint64_t id = 0;
	char label[NTRACE_LABEL_LEN] = {};
	struct ntrace_sets defaults;
	std::deque<struct ntrace_event> events;
	size_t notes = 0; // of events, those nobody is held for
	uint32_t note_capacity = kNoteCapacity;
	uint64_t lost = 0;
	uint64_t seq = 0;
	uint64_t last_stop_id = 0;
	uint32_t last_break_id = 0;
	std::unordered_map<uint32_t, Break> breaks;
	std::shared_ptr<Trace> trace; // made when first asked for
};

} // namespace ntrace::embedded
