// SPDX-License-Identifier: GPL-2.0
#include "provider.h"

#include <errno.h>

namespace ntrace
{

class Server
{
};

Provider::Provider() : server_(new Server) {}
Provider::~Provider() = default;

Provider &Provider::instance()
{
	static thread_local Provider provider;
	return provider;
}

int Provider::open() { return -EOPNOTSUPP; }
int Provider::ioctl(int, unsigned long, void *, size_t) { return -EBADF; }
ssize_t Provider::read(int, void *, size_t) { return -EBADF; }
bool Provider::readable(int) { return false; }
void Provider::close(int) {}
void Provider::pump() {}
bool Provider::wants_pump() const { return false; }
int Provider::event_fd() { return -1; }
void Provider::prepare_wait() {}
int Provider::wait(int, int) { return 0; }

} // namespace ntrace
