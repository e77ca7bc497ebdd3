// SPDX-License-Identifier: GPL-2.0
#include "standard_io.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "embedded/print.h"

namespace ntrace
{

namespace
{

Endpoint endpoint(int fd, int access)
{
	struct stat st;
	if (fstat(fd, &st))
		return {fd, Transfer::kPolled, false};
	if (S_ISSOCK(st.st_mode))
		return {fd, Transfer::kSocket, false};
	if (S_ISFIFO(st.st_mode) || isatty(fd)) {
		// a second description of the same pipe or terminal, nonblocking for us alone
		char path[32];
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		int own = open(path, access | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
		if (own >= 0)
			return {own, Transfer::kNonblocking, true};
	}
	return {fd, Transfer::kPolled, false};
}

} // namespace

std::unique_ptr<Stream> open_stdio()
{
	// what breakpoints print would be taken for packets
	print_to(STDERR_FILENO);
	return std::make_unique<Stream>(endpoint(0, O_RDONLY), endpoint(1, O_WRONLY));
}

} // namespace ntrace
