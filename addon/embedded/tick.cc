// SPDX-License-Identifier: GPL-2.0
#include "tick.h"

#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>

namespace ntrace::embedded
{

namespace
{

// A signal handler has no other way to its state.
thread_local std::atomic<bool> came{false};

void handler(int)
{
	came.store(true, std::memory_order_relaxed);
}

// A real-time signal nobody uses gets our handler, without SA_RESTART; 0: there is none.
int choose_signal()
{
	for (int signo = SIGRTMAX; signo >= SIGRTMIN; signo--) {
		struct sigaction present;
		if (sigaction(signo, nullptr, &present) != 0 || present.sa_flags & SA_SIGINFO)
			continue;
		if (present.sa_handler == handler)
			return signo;
		if (present.sa_handler != SIG_DFL)
			continue;
		struct sigaction ours = {};
		ours.sa_handler = handler;
		sigemptyset(&ours.sa_mask);
		return sigaction(signo, &ours, nullptr) == 0 ? signo : 0;
	}
	return 0;
}

} // namespace

Tick::~Tick()
{
	if (made_)
		timer_delete(timer_);
}

bool Tick::make()
{
	int signo = choose_signal();
	if (!signo)
		return false;
	struct sigevent event = {};
	event.sigev_notify = SIGEV_THREAD_ID;
	event.sigev_signo = signo;
	event._sigev_un._tid = syscall(SYS_gettid);
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, signo);
	return timer_create(CLOCK_MONOTONIC, &event, &timer_) == 0 &&
	       pthread_sigmask(SIG_UNBLOCK, &set, nullptr) == 0;
}

bool Tick::set(long interval_ns)
{
	struct itimerspec when = {{0, interval_ns}, {0, interval_ns}};
	return timer_settime(timer_, 0, &when, nullptr) == 0;
}

bool Tick::start(long interval_ns)
{
	if (!made_ && !refused_) {
		made_ = make();
		refused_ = !made_;
	}
	came.store(false, std::memory_order_relaxed);
	return made_ && set(interval_ns);
}

void Tick::stop()
{
	set(0);
}

bool Tick::taken()
{
	return came.exchange(false, std::memory_order_relaxed);
}

} // namespace ntrace::embedded
