// SPDX-License-Identifier: GPL-2.0
// The embedded provider: the calls and events of kernel/uapi/ntrace.h, served by ptrace inside this
// process. One instance a thread; every call on the thread that created it, because ptrace answers
// only the thread that attached.
#pragma once

#include <stddef.h>
#include <sys/types.h>

#include <memory>

namespace ntrace
{

namespace embedded
{
class Server;
}

class Provider
{
      public:
	// The calling thread's instance, made when first asked for.
	static Provider &instance();
	~Provider();

	// A new engine's handle (0 or more), or -errno.
	int open();
	// One NTRACE_IOC_* call. "record" is changed in place and is "size" bytes long. 0 or
	// -errno.
	int ioctl(int handle, unsigned long request, void *record, size_t size);
	// Whole struct ntrace_event records: bytes, 0 if there are none, or -errno.
	ssize_t read(int handle, void *buf, size_t size);
	bool readable(int handle);
	// Lets go of everything the engine holds; idempotent.
	void close(int handle);

	// Collects wait statuses and moves threads on; never blocks.
	void pump();
	// True when there may be something for pump() to do.
	bool wants_pump() const;
	bool runs_any() const;
	// Readable whenever wants_pump() turns true; pump() drains it. For an epoll set.
	int event_fd();
	// Nanoseconds until pump() has something to do even if nothing happens; negative: never.
	int64_t patience() const;
	// Before sleeping elsewhere: our SIGCHLD handler is installed, SIGCHLD is not blocked here.
	void prepare_wait();
	// Pumps until readable(handle) or timeout_ms (negative: no limit) is over.
	int wait(int handle, int timeout_ms);

      private:
	Provider();
	std::unique_ptr<embedded::Server> server_;
};

} // namespace ntrace
