// SPDX-License-Identifier: GPL-2.0
// NTRACE_RESUME_GRACE: of many threads that are let go, the one that stopped last runs first.
#include "grace.h"
#include "server.h"

#include <algorithm>

namespace ntrace::embedded
{

namespace
{

// With fewer, keeping them would save nothing.
constexpr size_t kFewest = 8;
// How long they are kept for one resume.
constexpr uint64_t kGrace = kNanosPerMilli / 2;
// After so much of it without running once they go before the one that stopped last.
constexpr uint64_t kMostDebt = 10 * kNanosPerMilli;

// It is only to run on: it may as well do so a moment later.
bool may_wait(const Thread &t)
{
	return t.stop != Stop::none && !t.gone && !t.frozen && t.holds.empty() && !t.stepper &&
	       !t.inject && !t.passing.active && t.deferred.empty() && t.unasked.empty() &&
	       t.collecting.empty() && !t.job_stopped && !t.process->leaving;
}

} // namespace

// Lets these threads go, the first one at once.
void Server::run_first(std::vector<pid_t> tids, pid_t first)
{
	tids.erase(std::remove(tids.begin(), tids.end(), first), tids.end());
	bool keep = tids.size() + 1 >= kFewest && grace_.count == 0;
	if (keep && grace_.debt > kMostDebt) {
		grace_.debt = 0;
		keep = false;
	}
	if (!keep)
		tids.push_back(first);
	else if (Thread *t = find_thread(first))
		settle(*t);
	for (pid_t tid : tids) {
		Thread *t = find_thread(tid);
		if (!t)
			continue;
		if (keep && may_wait(*t)) {
			t->parked = true;
			grace_.parked.push_back(tid);
			grace_.count++;
		} else {
			settle(*t);
		}
	}
	if (grace_.count && keep) {
		grace_.began = now_ns();
		grace_.until = grace_.began + kGrace;
	}
}

// It is held again before it ran, or it is no more.
void Server::unpark(Thread &t)
{
	if (!t.parked)
		return;
	t.parked = false;
	if (--grace_.count)
		return;
	grace_.parked.clear();
	grace_.until = UINT64_MAX;
	grace_.debt += now_ns() - grace_.began;
}

// Everybody who still is kept runs.
void Server::end_grace()
{
	std::vector<pid_t> tids;
	tids.swap(grace_.parked);
	grace_.until = UINT64_MAX;
	grace_.count = 0;
	grace_.debt = 0;
	std::vector<pid_t> kept;
	for (pid_t tid : tids)
		if (Thread *t = find_thread(tid); t && t->parked) {
			t->parked = false;
			kept.push_back(tid);
		}
	for (pid_t tid : kept)
		if (Thread *t = find_thread(tid))
			settle(*t);
}

bool Server::grace_is_over() const
{
	return grace_.count && now_ns() >= grace_.until;
}

// Nanoseconds until pump() has something to do even if nothing happens; negative: never.
int64_t Server::patience() const
{
	if (!grace_.count)
		return -1;
	uint64_t now = now_ns();
	return now < grace_.until ? grace_.until - now : 0;
}

} // namespace ntrace::embedded
