// SPDX-License-Identifier: GPL-2.0
// Threads and processes that come, change their program and go.
#include "procfs.h"
#include "server.h"

#include <algorithm>
#include <string.h>
#include <linux/kcmp.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace ntrace::embedded
{

namespace
{

constexpr uint64_t kFirstStopTimeout = 1000 * kNanosPerMilli;

bool shares_memory(pid_t a, pid_t b)
{
	return syscall(SYS_kcmp, a, b, KCMP_VM, 0, 0) == 0;
}

} // namespace

Thread &Server::add_thread(Process &p, pid_t tid)
{
	auto owned = std::make_unique<Thread>();
	Thread &t = *owned;
	t.tid = tid;
	t.process = &p;
	p.threads[tid] = std::move(owned);
	by_tid_[tid] = &t;
	mark_running(t);
	return t;
}

Process &Server::add_process(pid_t pid)
{
	auto owned = std::make_unique<Process>();
	Process &p = *owned;
	p.pid = pid;
	p.space = std::make_shared<AddressSpace>();
	p.space->processes.push_back(&p);
	processes_[pid] = std::move(owned);
	return p;
}

void Server::remove_thread(Thread &t)
{
	mark_stopped(t);
	lift_fence(t);
	unpark(t);
	if (t.fresh)
		forget_birth(t);
	t.gone = true;
	t.stop = Stop::none;
	by_tid_.erase(t.tid);
	ranging_.erase(std::remove(ranging_.begin(), ranging_.end(), &t), ranging_.end());
	auto found = t.process->threads.find(t.tid);
	if (found == t.process->threads.end())
		return;
	dead_threads_.push_back(std::move(found->second));
	t.process->threads.erase(found);
}

void Server::remove_process(Process &p)
{
	while (!p.threads.empty())
		remove_thread(*p.threads.begin()->second);
	forget_tracepoints(p, nullptr);
	auto &sharers = p.space->processes;
	sharers.erase(std::remove(sharers.begin(), sharers.end(), &p), sharers.end());
	for (auto &engine : engines_) {
		auto &breaks = engine.second->breaks;
		for (auto it = breaks.begin(); it != breaks.end();)
			it = it->second.process == &p ? breaks.erase(it) : std::next(it);
	}
	p.attachments.clear();
	auto found = processes_.find(p.pid);
	if (found != processes_.end() && found->second.get() == &p) {
		dead_processes_.push_back(std::move(found->second));
		processes_.erase(found);
	}
}

// Objects that a caller further up may still use go when the outermost call ends.
void Server::bury()
{
	dead_threads_.clear();
	dead_processes_.clear();
}

// PTRACE_EVENT_CLONE, FORK or VFORK in its creator.
void Server::arrive_clone(Thread &t, int event)
{
	unsigned long message = 0;
	if (ptrace(PTRACE_GETEVENTMSG, t.tid, 0, &message) < 0)
		return;
	pid_t child = message;
	if (event != PTRACE_EVENT_CLONE || !is_thread_of(t.process->pid, child)) {
		arrive_fork(t, event, child);
		return;
	}
	if (find_thread(child))
		return;
	Thread &made = add_thread(*t.process, child);
	made.fresh = true;
	made.creator = t.tid;
	made.frozen = t.frozen;
	auto early = early_.find(child);
	if (early != early_.end()) {
		int status = early->second;
		early_.erase(early);
		arrive(made, status);
	} else {
		born_.push_back(child);
	}
}

void Server::forget_birth(Thread &t)
{
	t.fresh = false;
	born_.erase(std::remove(born_.begin(), born_.end(), t.tid), born_.end());
}

// A new thread stands before its first instruction.
void Server::arrive_fresh(Thread &t)
{
	forget_birth(t);
	if (t.creator == 0)
		return;
	struct ntrace_event e;
	bool wanted = false;
	for (Attachment &a : t.process->attachments)
		wanted |= (a.sets.life_stop & NTRACE_LIFE(NTRACE_EV_NEWTHREAD)) != 0;
	fill(e, t, NTRACE_EV_NEWTHREAD, wanted);
	e.child = t.creator;
	post_life(t, e, NTRACE_EV_NEWTHREAD);
	for (Attachment &a : t.process->attachments) {
		if (!a.quiesced || a.engine->observer)
			continue;
		bool held = false;
		for (const Hold &hold : t.holds)
			held |= hold.engine == a.engine;
		if (!held)
			add_hold(*a.engine, t, NTRACE_EV_STOPPED, ++a.engine->last_stop_id, true);
	}
}

// A new process: those who follow get it held, otherwise it is cleaned and let go.
void Server::arrive_fork(Thread &t, int event, pid_t child)
{
	Process &parent = *t.process;
	bool vfork = event == PTRACE_EVENT_VFORK;
	uint32_t type = vfork ? NTRACE_EV_VFORK : NTRACE_EV_FORK;
	uint32_t follow = vfork ? NTRACE_FOLLOW_VFORK : NTRACE_FOLLOW_FORK;
	if (processes_.count(child))
		return;
	Process &p = add_process(child);
	p.owned = parent.owned;
	Thread &leader = add_thread(p, child);
	leader.frozen = t.frozen + 1; // stays while it is looked at
	int status;
	auto early = early_.find(child);
	bool there = early != early_.end();
	if (there) {
		status = early->second;
		early_.erase(early);
	} else {
		there = wait_status(leader, status, kFirstStopTimeout);
	}
	if (!there || !WIFSTOPPED(status)) {
		if (there)
			died(leader, status);
		// otherwise its first stop is taken in when it comes
	} else {
		mark_stopped(leader);
		leader.stop = Stop::trap;
	}
	if (processes_.count(child)) {
		if (vfork || shares_memory(parent.pid, child)) {
			p.space->processes.clear();
			p.space = parent.space;
			p.space->processes.push_back(&p);
			// its hits are others than the parent's
			close_windows(parent, 0, ~0ull, &t);
		} else {
			clean_child(p, *parent.space);
		}
		for (Attachment &a : parent.attachments) {
			if (!(a.sets.follow & follow))
				continue;
			p.attachments.push_back({a.engine, a.release, true, a.sets, now_ns()});
			struct ntrace_event e;
			fill(e, leader, NTRACE_EV_CHILD, true);
			e.child = parent.pid;
			if (a.engine->observer)
				post_note(*a.engine, e);
			else
				post_stop(*a.engine, leader, e);
		}
	}
	struct ntrace_event e;
	fill(e, t, type, true);
	e.child = child;
	post_life(t, e, type);
	if (!processes_.count(child))
		return;
	if (p.attachments.empty()) {
		p.transparent = p.space == parent.space;
		p.leaving = !p.transparent;
	}
	leader.frozen--;
	if (leader.stop != Stop::none)
		settle(leader);
}

// The address space is new, and the thread is the only one: it is the leader now.
void Server::arrive_exec(Thread &t)
{
	Process &p = *t.process;
	unsigned long former = t.tid;
	ptrace(PTRACE_GETEVENTMSG, t.tid, 0, &former);
	std::vector<Thread *> others;
	for (auto &entry : p.threads)
		if (entry.second.get() != &t)
			others.push_back(entry.second.get());
	for (Thread *other : others) {
		if (other->tid != static_cast<pid_t>(former)) {
			int status;
			waitpid(other->tid, &status, __WALL | WNOHANG); // reap what can be
		}
		struct ntrace_event e;
		fill(e, *other, NTRACE_EV_DEAD, false);
		for (Attachment &a : p.attachments)
			if ((a.sets.life_stop | a.sets.life_note) & NTRACE_LIFE(NTRACE_EV_DEAD))
				post_note(*a.engine, e);
		remove_thread(*other);
	}
	forget_tracepoints(p, nullptr);
	t.collecting.clear();
	auto &sharers = p.space->processes;
	sharers.erase(std::remove(sharers.begin(), sharers.end(), &p), sharers.end());
	p.space = std::make_shared<AddressSpace>();
	p.space->processes.push_back(&p);
	if (p.mem_fd >= 0)
		::close(p.mem_fd);
	p.mem_fd = -1;
	for (DebugRegister &reg : p.debug)
		reg = DebugRegister();
	p.debug_generation = t.debug_generation = 0;
	t.has_debug_registers = false;
	for (auto &engine : engines_) {
		auto &breaks = engine.second->breaks;
		for (auto it = breaks.begin(); it != breaks.end();)
			it = it->second.process == &p ? breaks.erase(it) : std::next(it);
	}
	t.reported_generation = 0;
	t.stepper = nullptr;
	t.syscall_nr = -1;
	t.frozen = 0;
	for (Attachment &a : p.attachments)
		a.quiesced = false;
	if (p.transparent) {
		p.transparent = false;
		p.leaving = true;
	}
	struct ntrace_event e;
	fill(e, t, NTRACE_EV_EXEC, true);
	e.child = former;
	post_life(t, e, NTRACE_EV_EXEC);
}

} // namespace ntrace::embedded
