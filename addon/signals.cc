// SPDX-License-Identifier: GPL-2.0
#include "signals.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>

namespace ntrace
{

namespace
{

std::atomic<uint64_t> arrived{0}; // bit N: signal N + 1
std::atomic<int> wake_fd{-1};

void on_signal(int signo)
{
	int saved = errno;
	arrived.fetch_or(1ull << (signo - 1));
	uint64_t one = 1;
	int fd = wake_fd.load();
	if (fd >= 0 && write(fd, &one, sizeof(one)) < 0)
		errno = saved; // the counter is full: it is readable already
	errno = saved;
}

} // namespace

Signals::~Signals()
{
	for (auto &entry : before_)
		sigaction(entry.first, &entry.second, nullptr);
	if (fd_ < 0)
		return;
	int expected = fd_;
	wake_fd.compare_exchange_strong(expected, -1);
	close(fd_);
}

int Signals::watch(int signo)
{
	if (signo < 1 || signo > 64)
		return -EINVAL;
	if (fd_ < 0 && (fd_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) < 0)
		return -errno;
	wake_fd.store(fd_);
	struct sigaction action = {}, old;
	action.sa_handler = on_signal;
	action.sa_flags = SA_RESTART;
	sigfillset(&action.sa_mask);
	if (sigaction(signo, &action, &old))
		return -errno;
	before_.emplace(signo, old);
	return 0;
}

bool Signals::collect()
{
	uint64_t count;
	if (read(fd_, &count, sizeof(count)) < 0 && errno != EAGAIN)
		return false;
	mine_ |= arrived.exchange(0);
	return mine_ != 0;
}

int Signals::take()
{
	if (fd_ >= 0)
		mine_ |= arrived.exchange(0);
	if (!mine_)
		return 0;
	int bit = __builtin_ctzll(mine_);
	mine_ &= mine_ - 1;
	return bit + 1;
}

} // namespace ntrace
