// SPDX-License-Identifier: GPL-2.0
#include "precedence.h"

#include <atomic>

#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace ntrace
{

namespace
{

// Of work without a sleep, in microseconds; the kernel looks at each of its ticks.
constexpr rlim_t kUrgent = 8000;

// What the signal's handler needs.
std::atomic<pid_t> holder{0}; // 0: nobody
static_assert(std::atomic<pid_t>::is_always_lock_free, "used in a signal handler");

void give_up()
{
	const sched_param ordinary = {};
	pid_t thread = holder.exchange(0);
	if (thread)
		sched_setscheduler(thread, SCHED_OTHER, &ordinary);
}

void on_limit(int)
{
	give_up();
}

bool limit_work()
{
	struct sigaction action = {};
	rlimit limit;
	action.sa_handler = on_limit;
	action.sa_flags = SA_RESTART | SA_ONSTACK;
	if (getrlimit(RLIMIT_RTTIME, &limit) || limit.rlim_max < kUrgent ||
	    sigaction(SIGXCPU, &action, nullptr))
		return false;
	limit.rlim_cur = kUrgent;
	return setrlimit(RLIMIT_RTTIME, &limit) == 0;
}

} // namespace

void Precedence::take()
{
	const sched_param lowest = {1};
	if (holder.load() || forbidden_)
		return;
	holder = pid_t(syscall(SYS_gettid));
	if (sched_getscheduler(0) == SCHED_OTHER && limit_work() &&
	    sched_setscheduler(0, SCHED_RR | SCHED_RESET_ON_FORK, &lowest) == 0)
		return;
	forbidden_ = true;
	holder = 0;
}

void Precedence::want(bool on)
{
	if (on == wanted_)
		return;
	wanted_ = on;
	if (on)
		take();
	else
		give_up();
}

void Precedence::before_sleep()
{
	if (wanted_)
		take();
}

} // namespace ntrace
