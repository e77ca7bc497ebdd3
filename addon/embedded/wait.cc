// SPDX-License-Identifier: GPL-2.0
// Collecting wait statuses. Every wait is for one tid: waitpid(-1) would take children that belong
// to others (libuv's), and costs O(threads) a call.
#include "procfs.h"
#include "server.h"
#include "sigchld.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>

#include <algorithm>
#include <utility>

namespace ntrace::embedded
{

namespace
{

// Up to so many running threads are asked one by one instead of peeking who has news.
constexpr size_t kScanLimit = 16;
// News of many threads are taken in for so long before the caller gets a turn.
constexpr uint64_t kNewsTurn = 2 * kNanosPerMilli;
// Range steps go on in pump() for so long before the caller gets a turn.
constexpr uint64_t kRangeTurn = 2 * kNanosPerMilli;
// A new thread needs no more than a turn of a processor to stop.
constexpr uint64_t kBirthTimeout = 1000 * kNanosPerMilli;

} // namespace

uint64_t now_ns()
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ull + ts.tv_nsec;
}

// True when the thread had news, which arrive() has taken in.
bool Server::collect(Thread &thread)
{
	int status;
	pid_t got;
	do
		got = waitpid(thread.tid, &status, __WALL | WNOHANG);
	while (got < 0 && errno == EINTR);
	if (got == thread.tid) {
		arrive(thread, status);
		return true;
	}
	if (got < 0 && errno == ECHILD) {
		// not ours any more: it vanished in an exec, or somebody else reaped it
		died(thread, 0);
		return true;
	}
	return false;
}

// A child that has news, which it keeps. False: nobody has, or the turn is over: threads may stop
// faster than they can be let go, and others are to have theirs.
bool Server::peek_news(int kinds, uint64_t until, siginfo_t &info)
{
	if (now_ns() >= until) {
		missed_ = true;
		return false;
	}
	info.si_pid = 0;
	return waitid(P_ALL, 0, &info, WNOHANG | kinds | WNOWAIT | __WALL | __WNOTHREAD) == 0 &&
	       info.si_pid != 0;
}

// Takes in whatever running threads have to say.
void Server::collect_running()
{
	if (running_.size() <= kScanLimit) {
		// arrive() changes the list: go by tid
		pid_t tids[kScanLimit];
		size_t n = 0;
		for (Thread *t : running_)
			tids[n++] = t->tid;
		for (size_t i = 0; i < n; i++)
			if (Thread *t = find_thread(tids[i]); t && t->stop == Stop::none)
				collect(*t);
		return;
	}
	siginfo_t info;
	for (uint64_t until = now_ns() + kNewsTurn;;) {
		if (!peek_news(WEXITED | WSTOPPED, until, info))
			return;
		Thread *t = find_thread(info.si_pid);
		if (t) {
			if (!collect(*t))
				break;
			continue;
		}
		if (info.si_code != CLD_TRAPPED && info.si_code != CLD_STOPPED)
			break; // somebody else's child: it would stay in front for ever
		int status;
		if (waitpid(info.si_pid, &status, __WALL | WNOHANG) == info.si_pid)
			early_[info.si_pid] = status;
	}
	std::vector<pid_t> tids;
	for (Thread *t : running_)
		tids.push_back(t->tid);
	for (pid_t tid : tids)
		if (Thread *t = find_thread(tid); t && t->stop == Stop::none)
			collect(*t);
}

// A thread can be killed while it is stopped. True when one of ours was.
bool Server::collect_dead()
{
	bool any = false;
	siginfo_t info;
	for (uint64_t until = now_ns() + kNewsTurn;;) {
		// stops of tracees are told here too
		if (!peek_news(WEXITED, until, info))
			return any;
		Thread *t = find_thread(info.si_pid);
		if (t && collect(*t)) {
			any = true;
			continue;
		}
		break;
	}
	// a stranger's dead child is in front of ours: ask for each that is stopped
	std::vector<pid_t> tids;
	for (auto &entry : by_tid_)
		if (entry.second->stop != Stop::none)
			tids.push_back(entry.first);
	for (pid_t tid : tids)
		if (Thread *t = find_thread(tid))
			any |= collect(*t);
	return any;
}

// A leader that ended before its threads gives no status: it is a zombie until they are gone.
void Server::check_leader(Thread &t)
{
	Process &p = *t.process;
	TaskStat stat;
	if (t.tid != p.pid || t.zombie || t.stop != Stop::none || p.threads.size() < 2 ||
	    !read_stat(p.pid, t.tid, stat) || (stat.state != 'Z' && stat.state != 'X'))
		return;
	t.zombie = true;
	struct ntrace_event e;
	fill(e, t, NTRACE_EV_DEAD, false);
	for (Attachment &a : p.attachments)
		if ((a.sets.life_stop | a.sets.life_note) & NTRACE_LIFE(NTRACE_EV_DEAD))
			post_note(*a.engine, e);
}

void Server::pump()
{
	Depth depth(depth_);
	uint64_t hits = unseen_hits_;
	if (sigchld_pending() || missed_) {
		missed_ = false;
		pid_t hint = sigchld_take();
		if (hint > 0)
			if (Thread *t = find_thread(hint); t && !collect(*t))
				check_leader(*t);
		collect_running();
		if (by_tid_.size() > 1)
			collect_dead();
	}
	if (unseen_hits_ != hits)
		keep_up();
	if (grace_is_over())
		end_grace();
	tend_windows();
	if (!ranging_.empty()) {
		std::vector<pid_t> tids;
		for (Thread *t : ranging_)
			tids.push_back(t->tid);
		ranging_.clear();
		for (pid_t tid : tids)
			if (Thread *t = find_thread(tid); t && t->stop != Stop::none)
				step_range(*t);
	}
	if (depth_ == 1)
		bury();
}

bool Server::wants_pump() const
{
	return missed_ || sigchld_pending() || !ranging_.empty() || !hot_.empty() ||
	       grace_is_over();
}

void Server::prepare_wait()
{
	if (!by_tid_.empty())
		sigchld_install();
	hear();
}

// For a while in which stops are looked for, not slept for: a signal for each would only interrupt.
void Server::go_deaf()
{
	if (!std::exchange(deaf_, true))
		sigchld_for_stops(false);
}

// Ends that. True when somebody may have stopped unheard.
bool Server::hear()
{
	if (!std::exchange(deaf_, false))
		return false;
	sigchld_for_stops(true);
	return missed_ = true;
}

// Sleeps until a child has news or the time is over.
void Server::sleep_for_child(uint64_t until_ns)
{
	sigchld_install();
	bool unheard = hear();
	missed_ = true; // the news may be about others than those the caller looks at
	if (unheard || sigchld_pending()) {
		sigchld_take();
		return;
	}
	uint64_t now = now_ns();
	if (now >= until_ns)
		return;
	struct pollfd fd = {sigchld_fd(), POLLIN, 0};
	struct timespec ts;
	ts.tv_sec = (until_ns - now) / 1000000000ull;
	ts.tv_nsec = (until_ns - now) % 1000000000ull;
	ppoll(&fd, 1, &ts, nullptr);
	sigchld_take();
}

// The next status of one thread, not taken in by arrive(). False when the time is over.
bool Server::wait_status(Thread &thread, int &status, uint64_t timeout_ns)
{
	uint64_t began = now_ns(), until = began + timeout_ns;
	for (;;) {
		pid_t got = waitpid(thread.tid, &status, __WALL | WNOHANG);
		if (got == thread.tid)
			return true;
		if (got < 0 && errno != EINTR)
			return false;
		uint64_t now = now_ns();
		if (now >= until)
			return false;
		if (now - began < kLook)
			sched_yield();
		else
			sleep_for_child(until);
	}
}

// Who is told of a stop knows all threads there are: one that is just born has its first stop soon.
void Server::await_born()
{
	for (pid_t tid : std::exchange(born_, {})) {
		Thread *t = find_thread(tid);
		int status;
		if (t && t->fresh && t->stop == Stop::none &&
		    wait_status(*t, status, kBirthTimeout))
			arrive(*t, status);
	}
}

// Looks at threads that step, for as long as a step takes at most, until the engine has news.
void Server::look_for(Engine &engine, const std::vector<pid_t> &tids, uint64_t timeout_ns)
{
	uint64_t until = now_ns() + std::min(timeout_ns, kLook);
	do {
		for (pid_t tid : tids)
			if (Thread *t = find_thread(tid); t && t->stop == Stop::none)
				collect(*t);
		if (!engine.events.empty())
			return;
		sched_yield();
	} while (now_ns() < until);
}

int Server::wait(int handle, int timeout_ms)
{
	uint64_t until = timeout_ms < 0 ? UINT64_MAX : now_ns() + timeout_ms * kNanosPerMilli;
	for (;;) {
		prepare_wait();
		pump();
		if (readable(handle))
			return 1;
		if (!engine(handle) || now_ns() >= until)
			return 0;
		if (ranging_.empty()) {
			// sleep_for_child() empties the flag: look once more after it
			uint64_t slice = now_ns() + 1000 * kNanosPerMilli;
			struct pollfd fd = {sigchld_fd(), POLLIN, 0};
			uint64_t stop_at = slice < until ? slice : until;
			if (grace_.count && grace_.until < stop_at)
				stop_at = grace_.until;
			uint64_t now = now_ns();
			uint64_t left = stop_at > now ? stop_at - now : 0;
			struct timespec ts;
			ts.tv_sec = left / 1000000000ull;
			ts.tv_nsec = left % 1000000000ull;
			if (!wants_pump())
				ppoll(&fd, 1, &ts, nullptr);
		}
	}
}

// Steps on while the thread stays in its range and has no other news, for one turn.
void Server::step_range(Thread &thread)
{
	uint64_t until = now_ns() + kRangeTurn;
	pid_t tid = thread.tid;
	for (;;) {
		lift_fence(thread);
		if (thread.frozen || !thread.holds.empty())
			return; // goes on when it is let go
		if (thread.passing.active || !thread.asks.empty() || must_step_over(thread)) {
			settle(thread);
			return;
		}
		if (thread.range_steps++ >= thread.fence_after && run_fenced(thread))
			return; // pump() will see it
		request(thread, PTRACE_SINGLESTEP, 0);
		int status;
		if (thread.stop != Stop::none || !wait_status(thread, status, kRangeTurn))
			return; // it blocks: pump() will see it
		bool was_ranging = thread.action == NTRACE_ACT_RANGE;
		arrive(thread, status);
		Thread *again = find_thread(tid);
		if (again != &thread || thread.stop == Stop::none || !was_ranging ||
		    !thread.holds.empty())
			return;
		// arrive() queued it for going on
		bool queued = false;
		for (size_t i = 0; i < ranging_.size(); i++)
			if (ranging_[i] == &thread) {
				ranging_.erase(ranging_.begin() + i);
				queued = true;
				break;
			}
		if (!queued)
			return;
		if (now_ns() >= until) {
			ranging_.push_back(&thread);
			return;
		}
	}
}

} // namespace ntrace::embedded
