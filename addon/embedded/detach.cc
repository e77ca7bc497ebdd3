// SPDX-License-Identifier: GPL-2.0
// Letting go: text clean, pending traps swallowed, signals passed on, nobody left stopped.
#include "procfs.h"
#include "server.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

namespace ntrace::embedded
{

namespace
{

constexpr uint64_t kStopTimeout = 2000 * kNanosPerMilli;
constexpr uint64_t kDeathTimeout = 5000 * kNanosPerMilli;

} // namespace

// One engine lets go of one process; the last one lets the process go.
void Server::drop_attachment(Process &p, Engine &engine, uint32_t release, int signo, pid_t tid)
{
	if (release == NTRACE_RELEASE_RESUME)
		keep_persistent(p, engine);
	std::vector<uint32_t> ids;
	for (auto &entry : engine.breaks)
		if (entry.second.process == &p)
			ids.push_back(entry.first);
	bool last = p.attachments.size() == 1;
	if (!last) {
		pid_t pid = p.pid;
		for (uint32_t id : ids)
			if (engine.breaks.count(id))
				close_windows(p, engine.breaks[id].addr, 1);
		if (!processes_.count(pid))
			return;
	}
	if (last && release != NTRACE_RELEASE_KILL) {
		// stopped first: a site must not go while its trap is on the way
		std::shared_ptr<AddressSpace> space = p.space;
		pid_t pid = p.pid;
		freeze(*space, nullptr, kStopTimeout);
		if (!processes_.count(pid)) {
			unfreeze(*space, nullptr);
			return;
		}
	}
	for (uint32_t id : ids)
		remove_break(engine, id);
	forget_tracepoints(p, &engine);
	for (auto &entry : p.threads) {
		Thread &t = *entry.second;
		t.asks.erase(std::remove_if(t.asks.begin(), t.asks.end(),
					    [&](const Ask &ask) { return ask.engine == &engine; }),
			     t.asks.end());
		if (t.stepper == &engine) {
			lift_fence(t);
			t.stepper = nullptr;
		}
		if (t.self_sent == &engine)
			t.self_sent = nullptr;
		unpark(t);
		bool chosen = t.tid == tid;
		for (size_t i = 0; i < t.holds.size(); i++) {
			if (t.holds[i].engine != &engine)
				continue;
			// the client saw it and decided; otherwise it goes on as it came
			if (chosen && t.passing.active && t.holds[i].why == NTRACE_EV_SIGNAL)
				t.passing.signo = signo;
			else if (chosen && signo)
				t.inject = signo;
			t.holds.erase(t.holds.begin() + i);
			break;
		}
	}
	size_t position = p.attachment(&engine) - p.attachments.data();
	p.attachments.erase(p.attachments.begin() + position);
	for (auto &entry : p.threads)
		if (entry.second->passing.active && entry.second->passing.next > position)
			entry.second->passing.next--;
	forget_events(engine, p.pid);
	if (last) {
		let_go(p, release);
		return;
	}
	std::vector<pid_t> tids;
	for (auto &entry : p.threads)
		tids.push_back(entry.first);
	for (pid_t each : tids)
		if (Thread *t = find_thread(each))
			settle(*t);
}

// Nobody wants it any more. Its threads are frozen once, except when it is to be killed.
void Server::let_go(Process &p, uint32_t release)
{
	if (release == NTRACE_RELEASE_KILL) {
		kill_process(p);
		return;
	}
	std::shared_ptr<AddressSpace> space = p.space;
	unmap_areas(p);
	if (release == NTRACE_RELEASE_STOP)
		::kill(p.pid, SIGSTOP);
	// others may share the sites (vfork): then they are theirs
	pid_t pid = p.pid;
	p.leaving = true;
	unfreeze(*space, nullptr);
	// threads born meanwhile come to their first stop, those in a job-control stop to another
	// one
	uint64_t until = now_ns() + kStopTimeout;
	while (processes_.count(pid) && now_ns() < until) {
		std::vector<pid_t> tids;
		for (auto &entry : p.threads)
			tids.push_back(entry.first);
		bool any = false, left = false;
		for (pid_t tid : tids) {
			Thread *t = find_thread(tid);
			if (!t || t->stop != Stop::none || t->zombie)
				continue;
			left = true;
			interrupt(*t);
			any |= collect(*t);
		}
		if (!left)
			return;
		if (!any)
			sleep_for_child(until);
	}
}

// The last thing done to a stopped thread.
void Server::let_thread_go(Thread &t)
{
	Process &p = *t.process;
	if (t.has_debug_registers)
		write_debug(t);
	int signo = 0;
	if (t.stop == Stop::signal) {
		signo = t.inject ? t.inject : t.passing.active ? t.passing.signo : 0;
	} else if (t.inject) {
		syscall(SYS_tgkill, p.pid, t.tid, t.inject);
	}
	requeue_deferred(t);
	flush_regs(t);
	if (ptrace(PTRACE_DETACH, t.tid, 0, static_cast<long>(signo)) < 0 && errno == ESRCH) {
		mark_running(t); // killed meanwhile: to be reaped
		return;
	}
	remove_thread(t);
	if (p.threads.empty())
		remove_process(p);
}

// After SIGKILL. It wakes every thread but one that stands at its own end (PTRACE_EVENT_EXIT).
void Server::end_killed(Process &p)
{
	p.killed = true;
	for (auto &entry : p.threads) {
		Thread &t = *entry.second;
		if (t.stop != Stop::event)
			continue;
		t.holds.clear();
		request(t, PTRACE_CONT, 0);
	}
}

void Server::kill_process(Process &p)
{
	pid_t pid = p.pid;
	::kill(pid, SIGKILL);
	end_killed(p);
	uint64_t until = now_ns() + kDeathTimeout;
	p.leaving = true;
	while (processes_.count(pid) && now_ns() < until) {
		std::vector<pid_t> tids;
		for (auto &entry : p.threads)
			tids.push_back(entry.first);
		bool any = false;
		// the leader's status comes last
		for (auto it = tids.rbegin(); it != tids.rend(); ++it)
			if (Thread *t = find_thread(*it)) {
				t->frozen = 1; // not to be resumed on the way
				any |= collect(*t);
			}
		if (!any && processes_.count(pid))
			sleep_for_child(std::min(until, now_ns() + 50 * kNanosPerMilli));
	}
}

int Server::detach(Engine &engine, void *record)
{
	auto &d = *static_cast<struct ntrace_detach *>(record);
	if (d.release > NTRACE_RELEASE_STOP || d.signo < 0 || d.signo > 64)
		return -EINVAL;
	Process *p = process_of(engine, d.pid);
	if (!p)
		return -ESRCH;
	drop_attachment(*p, engine, d.release, d.signo, d.tid);
	return 0;
}

void Server::close(int handle)
{
	Engine *e = engine(handle);
	if (e)
		end(*e);
}

void Server::end(Engine &e)
{
	{
		Depth depth(depth_);
		std::vector<pid_t> pids;
		for (auto &entry : processes_)
			if (entry.second->attachment(&e))
				pids.push_back(entry.first);
		for (pid_t pid : pids) {
			auto found = processes_.find(pid);
			if (found == processes_.end())
				continue;
			Attachment *a = found->second->attachment(&e);
			if (a)
				drop_attachment(*found->second, e, a->release, 0, 0);
		}
		if (&e == keeper_)
			keeper_ = nullptr;
		int handle = e.handle;
		engines_.erase(handle);
	}
	if (depth_ == 0)
		bury();
}

} // namespace ntrace::embedded
