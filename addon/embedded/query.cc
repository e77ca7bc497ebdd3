// SPDX-License-Identifier: GPL-2.0
// What engines ask and tell about themselves: handshake, threads, sets, signals, who holds what.
#include "procfs.h"
#include "server.h"

#include <elf.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace ntrace::embedded
{

namespace
{

constexpr int kFeatures[] = {
    NTRACE_F_ATTACH,	     NTRACE_F_HARD_STOP,     NTRACE_F_STEP,
    NTRACE_F_RANGE_STEP,     NTRACE_F_REGSETS,	     NTRACE_F_MEMORY,
    NTRACE_F_BREAK,	     NTRACE_F_HWBREAK,	     NTRACE_F_WATCH,
    NTRACE_F_SIGNALS,	     NTRACE_F_SYSCALL_ENTRY, NTRACE_F_SYSCALL_EXIT,
    NTRACE_F_SYSCALL_CHANGE, NTRACE_F_FORK,	     NTRACE_F_FOLLOW,
    NTRACE_F_NEWTHREAD,	     NTRACE_F_EXEC,	     NTRACE_F_EXITING,
    NTRACE_F_DEAD,	     NTRACE_F_RECORD,	     NTRACE_F_WHO,
    NTRACE_F_CONDITIONS,     NTRACE_F_LEAVE_STOPPED, NTRACE_F_RELEASE,
    NTRACE_F_ACTIONS,	     NTRACE_F_OUT_OF_LINE,   NTRACE_F_TRACEPOINTS,
    NTRACE_F_GRACE,
};

constexpr uint64_t kLifeEvents = NTRACE_LIFE(NTRACE_EV_NEWTHREAD) | NTRACE_LIFE(NTRACE_EV_FORK) |
				 NTRACE_LIFE(NTRACE_EV_VFORK) | NTRACE_LIFE(NTRACE_EV_VFORK_DONE) |
				 NTRACE_LIFE(NTRACE_EV_EXEC) | NTRACE_LIFE(NTRACE_EV_EXITING) |
				 NTRACE_LIFE(NTRACE_EV_DEAD) | NTRACE_LIFE(NTRACE_EV_PROC_DEAD) |
				 NTRACE_LIFE(NTRACE_EV_CHILD);

void merge(struct ntrace_sets &into, const struct ntrace_sets &from)
{
	if (from.valid & NTRACE_SET_SIGNALS) {
		into.signal_stop = from.signal_stop;
		into.signal_note = from.signal_note;
		into.fault_stop = from.fault_stop;
		into.signal_step = from.signal_step;
	}
	if (from.valid & NTRACE_SET_LIFE) {
		into.life_stop = from.life_stop;
		into.life_note = from.life_note;
	}
	if (from.valid & NTRACE_SET_FOLLOW)
		into.follow = from.follow;
	if (from.valid & NTRACE_SET_SYSCALLS) {
		memcpy(into.entry_stop, from.entry_stop, sizeof(into.entry_stop));
		memcpy(into.exit_stop, from.exit_stop, sizeof(into.exit_stop));
		memcpy(into.entry_note, from.entry_note, sizeof(into.entry_note));
		memcpy(into.exit_note, from.exit_note, sizeof(into.exit_note));
	}
}

} // namespace

int Server::hello(Engine &engine, void *record)
{
	auto &h = *static_cast<struct ntrace_hello *>(record);
	if (h.abi_version == 0 || h.flags & ~NTRACE_HELLO_OBSERVER || h.reserved)
		return -EINVAL;
	if (engine.hello)
		return -EALREADY;
	engine.hello = true;
	engine.observer = h.flags & NTRACE_HELLO_OBSERVER;
	memcpy(engine.label, h.label, sizeof(engine.label));
	engine.label[sizeof(engine.label) - 1] = '\0';
	h.abi_version = NTRACE_ABI_VERSION;
	memset(h.features, 0, sizeof(h.features));
	for (int feature : kFeatures)
		h.features[feature / 64] |= 1ull << (feature % 64);
	memset(h.provider, 0, sizeof(h.provider));
	strcpy(h.provider, "embedded");
	h.engine_id = engine.id;
	h.machine = EM_X86_64;
	h.page_size = sysconf(_SC_PAGESIZE);
	h.event_size = sizeof(struct ntrace_event);
	h.thread_size = sizeof(struct ntrace_thread);
	h.max_batch = NTRACE_MAX_BATCH;
	engine.note_capacity =
	    std::min(std::max<uint32_t>(h.event_capacity, kNoteCapacity), NTRACE_MAX_EVENTS);
	h.event_capacity = engine.note_capacity;
	h.hw_breaks = h.hw_watches = kDebugRegisters;
	h.hw_watch_len = 8;
	return 0;
}

int Server::threads(Engine &engine, void *record)
{
	auto &r = *static_cast<struct ntrace_threads *>(record);
	if (r.flags & ~NTRACE_THREADS_BRIEF)
		return -EINVAL;
	if (r.pid && !process_of(engine, r.pid))
		return -ESRCH;
	auto *out = reinterpret_cast<struct ntrace_thread *>(r.buf);
	if (!out && r.capacity)
		return -EFAULT;
	r.count = 0;
	for (auto &entry : processes_) {
		Process &p = *entry.second;
		if (!p.attachment(&engine) || (r.pid && p.pid != r.pid))
			continue;
		for (auto &owned : p.threads) {
			Thread &t = *owned.second;
			if (t.zombie)
				continue;
			if (r.count++ >= r.capacity)
				continue;
			struct ntrace_thread &to = out[r.count - 1];
			memset(&to, 0, sizeof(to));
			TaskStat stat;
			// a file of /proc for each thread: milliseconds where there are many
			if (!(r.flags & NTRACE_THREADS_BRIEF) && read_stat(p.pid, t.tid, stat))
				t.cookie = stat.start_time;
			to.tid = t.tid;
			to.tgid = p.pid;
			to.cookie = t.cookie;
			to.core = stat.core;
			memcpy(to.comm, stat.comm, sizeof(to.comm));
			to.state =
			    stat.state == 'Z' || stat.state == 'X' ? NTRACE_THREAD_EXITING
			    : t.stop == Stop::none
				? (t.asks.empty() ? NTRACE_THREAD_RUNNING : NTRACE_THREAD_STOPPING)
			    : t.holds.empty() ? NTRACE_THREAD_RUNNING
					      : NTRACE_THREAD_STOPPED;
			if (t.tid == p.pid)
				to.flags |= NTRACE_THREAD_LEADER;
			if (t.stepper)
				to.flags |= NTRACE_THREAD_STEPPING;
			for (const Hold &hold : t.holds) {
				if (hold.engine == &engine) {
					to.flags |= NTRACE_THREAD_HELD;
					to.stop_id = hold.stop_id;
				} else {
					to.flags |= NTRACE_THREAD_HELD_BY_OTHER;
				}
			}
		}
	}
	return 0;
}

int Server::sets(Engine &engine, void *record)
{
	auto &s = *static_cast<struct ntrace_sets *>(record);
	if (s.valid &
		~(NTRACE_SET_SIGNALS | NTRACE_SET_LIFE | NTRACE_SET_SYSCALLS | NTRACE_SET_FOLLOW) ||
	    s.follow & ~(NTRACE_FOLLOW_FORK | NTRACE_FOLLOW_VFORK) || s.life_stop & ~kLifeEvents ||
	    s.life_note & ~kLifeEvents)
		return -EINVAL;
	if (s.tid)
		return -EOPNOTSUPP;
	if (s.pid && !process_of(engine, s.pid))
		return -ESRCH;
	if (engine.observer) {
		uint64_t stops = 0;
		if (s.valid & NTRACE_SET_SIGNALS)
			stops |= s.signal_stop | s.fault_stop | s.signal_step;
		if (s.valid & NTRACE_SET_LIFE)
			stops |= s.life_stop;
		if (s.valid & NTRACE_SET_SYSCALLS)
			for (int i = 0; i < NTRACE_SYSCALL_WORDS; i++)
				stops |= s.entry_stop[i] | s.exit_stop[i];
		if (stops)
			return -EROFS;
	}
	if (!s.pid)
		merge(engine.defaults, s);
	for (auto &entry : processes_) {
		Process &p = *entry.second;
		Attachment *a = p.attachment(&engine);
		if (!a || (s.pid && p.pid != s.pid))
			continue;
		bool traced = wants_syscalls(p);
		bool exiting = a->sets.life_stop & NTRACE_LIFE(NTRACE_EV_EXITING) ||
			       a->sets.life_note & NTRACE_LIFE(NTRACE_EV_EXITING);
		merge(a->sets, s);
		bool exiting_now =
		    (a->sets.life_stop | a->sets.life_note) & NTRACE_LIFE(NTRACE_EV_EXITING);
		// threads that run were resumed for the old sets: a short stop applies the new ones
		if (traced == wants_syscalls(p) && exiting == exiting_now)
			continue;
		std::shared_ptr<AddressSpace> space = p.space;
		freeze(*space, nullptr, 20 * kNanosPerMilli);
		for (auto &t : p.threads)
			set_options(*t.second);
		unfreeze(*space, nullptr);
	}
	return 0;
}

int Server::signal(Engine &engine, void *record)
{
	auto &s = *static_cast<struct ntrace_signal *>(record);
	if (s.reserved || s.signo < 0 || s.signo > 64)
		return -EINVAL;
	Process *p = process_of(engine, s.pid);
	if (!p)
		return -ESRCH;
	if (s.tid > 0 && !thread_of(engine, s.tid))
		return -ESRCH;
	long result =
	    s.tid > 0 ? syscall(SYS_tgkill, s.pid, s.tid, s.signo) : ::kill(s.pid, s.signo);
	if (result < 0)
		return -errno;
	if (s.signo == SIGKILL)
		end_killed(*p);
	return 0;
}

int Server::who(Engine &engine, void *record)
{
	auto &w = *static_cast<struct ntrace_who *>(record);
	auto *out = reinterpret_cast<struct ntrace_holder *>(w.buf);
	if (!out && w.capacity)
		return -EFAULT;
	if (w.tid > 0 && !thread_of(engine, w.tid))
		return -ESRCH;
	if (w.pid > 0 && !processes_.count(w.pid))
		return -ESRCH;
	w.count = 0;
	auto add = [&](const Engine &e, pid_t tid, uint32_t why, uint64_t since) {
		if (w.count++ >= w.capacity)
			return;
		struct ntrace_holder &to = out[w.count - 1];
		memset(&to, 0, sizeof(to));
		to.engine_id = e.id;
		to.since_ns = since;
		to.pid = getpid();
		to.uid = geteuid();
		to.tid = tid;
		to.why = why;
		memcpy(to.label, e.label, sizeof(to.label));
	};
	for (auto &entry : processes_) {
		Process &p = *entry.second;
		if (w.pid > 0 && p.pid != w.pid)
			continue;
		std::vector<const Engine *> holding;
		for (auto &owned : p.threads) {
			Thread &t = *owned.second;
			if (w.tid > 0 && t.tid != w.tid)
				continue;
			for (const Hold &hold : t.holds) {
				add(*hold.engine, t.tid, hold.why, hold.since_ns);
				holding.push_back(hold.engine);
			}
		}
		if (w.tid > 0)
			continue;
		for (const Attachment &a : p.attachments) {
			bool listed = false;
			for (const Engine *e : holding)
				listed |= e == a.engine;
			if (!listed)
				add(*a.engine, 0, 0, a.since_ns);
		}
	}
	return 0;
}

} // namespace ntrace::embedded
