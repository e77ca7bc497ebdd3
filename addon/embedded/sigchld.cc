// SPDX-License-Identifier: GPL-2.0
#include "sigchld.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>

namespace ntrace::embedded
{

namespace
{

// A signal handler has no other way to its state.
std::atomic<int> descriptor{-1};
std::atomic<bool> pending{false};
std::atomic<pid_t> about{0};
struct sigaction chained;

void handler(int signo, siginfo_t *info, void *context)
{
	int saved = errno;
	about.store(info->si_pid, std::memory_order_relaxed);
	pending.store(true, std::memory_order_release);
	uint64_t one = 1;
	if (write(descriptor.load(std::memory_order_relaxed), &one, sizeof(one)) < 0) {
		// full: it is readable already
	}
	if (chained.sa_flags & SA_SIGINFO) {
		if (chained.sa_sigaction)
			chained.sa_sigaction(signo, info, context);
	} else if (chained.sa_handler != SIG_DFL && chained.sa_handler != SIG_IGN) {
		chained.sa_handler(signo);
	}
	errno = saved;
}

struct sigaction ours(int flags)
{
	struct sigaction action = {};
	action.sa_sigaction = handler;
	action.sa_flags = SA_SIGINFO | SA_RESTART | flags;
	sigemptyset(&action.sa_mask);
	return action;
}

bool is_ours(const struct sigaction &action)
{
	return action.sa_flags & SA_SIGINFO && action.sa_sigaction == handler;
}

} // namespace

int sigchld_fd()
{
	int fd = descriptor.load();
	if (fd >= 0)
		return fd;
	fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (fd < 0)
		return -errno;
	descriptor.store(fd);
	return fd;
}

void sigchld_install()
{
	struct sigaction present;
	if (sigaction(SIGCHLD, nullptr, &present) == 0 && !is_ours(present)) {
		struct sigaction wanted = ours(0);
		chained = present;
		sigaction(SIGCHLD, &wanted, nullptr);
		// whatever came before is unknown: look
		pending.store(true);
	}
	static thread_local bool unblocked = false;
	if (!unblocked) {
		sigset_t set;
		sigemptyset(&set);
		sigaddset(&set, SIGCHLD);
		pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
		unblocked = true;
	}
}

void sigchld_for_stops(bool on)
{
	struct sigaction before, after = ours(on ? 0 : SA_NOCLDSTOP);
	if (sigaction(SIGCHLD, &after, &before) == 0 && !is_ours(before))
		sigaction(SIGCHLD, &before, nullptr);
}

bool sigchld_pending()
{
	return pending.load(std::memory_order_acquire);
}

pid_t sigchld_take()
{
	if (!pending.exchange(false, std::memory_order_acq_rel))
		return 0;
	uint64_t count;
	if (read(descriptor.load(), &count, sizeof(count)) < 0) {
		// empty: the flag was set by sigchld_install()
	}
	return about.exchange(0, std::memory_order_relaxed);
}

} // namespace ntrace::embedded
