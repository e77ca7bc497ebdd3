// SPDX-License-Identifier: GPL-2.0
#include "print.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include <atomic>

namespace ntrace
{

namespace
{

// A reader of our output that is not there any more must not stop the program.
constexpr int kPatience = 100; // ms

std::atomic<int> print_fd{STDOUT_FILENO};

} // namespace

void print_to(int fd)
{
	print_fd = fd;
}

void print(const std::string &text)
{
	int fd = print_fd;
	size_t done = 0;
	while (done < text.size()) {
		ssize_t n = ::write(fd, text.data() + done, text.size() - done);
		if (n > 0) {
			done += n;
			continue;
		}
		struct pollfd ready = {fd, POLLOUT, 0};
		if (n < 0 && errno == EINTR)
			continue;
		if (n >= 0 || errno != EAGAIN || poll(&ready, 1, kPatience) <= 0)
			return;
	}
}

} // namespace ntrace
