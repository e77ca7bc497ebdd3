// SPDX-License-Identifier: GPL-2.0
// Hits that nobody is told of come one after the other, microseconds apart. While they do, they are
// waited for in a blocking wait, without a signal for each and without a turn of the caller's loop.
#include "processor.h"
#include "procfs.h"
#include "server.h"

#include <errno.h>
#include <sched.h>
#include <sys/wait.h>

namespace ntrace::embedded
{

namespace
{

// Sockets and timers of the caller wait so long at most.
constexpr uint64_t kTurn = 2 * kNanosPerMilli;
// When none came in such a time, the caller waits for the next.
constexpr long kInterval = 250000;
// So many threads are searched at each wait for who stopped.
constexpr size_t kMostThreads = 64;
// Where a hit takes longer, two processors wake each other from sleep for it.
constexpr uint64_t kSlowHit = 30000;

} // namespace

bool Server::any_events() const
{
	for (auto &entry : engines_)
		if (!entry.second->events.empty())
			return true;
	return false;
}

// Waits for the next stop of a running thread and takes it in. False: there will be none here, or
// somebody else has to take something in first.
bool Server::take_next()
{
	if (running_.size() == 1) {
		Thread &t = *running_.front();
		int status;
		pid_t got = waitpid(t.tid, &status, __WALL);
		if (got != t.tid)
			return got < 0 && errno == EINTR;
		arrive(t, status);
		return true;
	}
	siginfo_t info;
	info.si_pid = 0;
	if (waitid(P_ALL, 0, &info, WEXITED | WSTOPPED | WNOWAIT | __WALL | __WNOTHREAD) < 0)
		return errno == EINTR;
	Thread *t = find_thread(info.si_pid);
	return t && t->stop == Stop::none && collect(*t);
}

void Server::keep_up()
{
	if (running_.empty() || running_.size() > kMostThreads || any_events() ||
	    !tick_.start(kInterval))
		return;
	go_deaf();
	TaskStat stat;
	Thread *last = slow_hits_ ? find_thread(last_hit_) : nullptr;
	if (last && read_stat(last->process->pid, last->tid, stat) && stat.core != sched_getcpu())
		move_to_processor(stat.core);
	uint64_t began = now_ns(), until = began + kTurn;
	uint64_t first = unseen_hits_, seen = first;
	while (!running_.empty() && ranging_.empty() && hot_.empty() && take_next() &&
	       !any_events() && !grace_is_over()) {
		if (!Tick::taken())
			continue;
		if (unseen_hits_ == seen || now_ns() >= until)
			break;
		seen = unseen_hits_;
	}
	tick_.stop();
	slow_hits_ = now_ns() - began > (unseen_hits_ - first) * kSlowHit;
	hear();
}

} // namespace ntrace::embedded
