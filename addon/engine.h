// SPDX-License-Identifier: GPL-2.0
// One open engine of a provider (kernel/uapi/ntrace.h), whichever it is.
#pragma once

#include <stddef.h>
#include <sys/types.h>

#include <memory>
#include <string>

#include "failure.h"

namespace ntrace
{

class Engine
{
      public:
	virtual ~Engine() = default;
	// 0 or -errno. record is "size" bytes long.
	virtual int ioctl(unsigned long request, void *record, size_t size) = 0;
	// Bytes of whole events, 0 if none are there, or -errno.
	virtual ssize_t read(void *buf, size_t size) = 0;
	// Until read() would give something; negative: for ever.
	virtual bool wait(int timeout_ms) = 0;
	virtual void close() = 0;
	// Events are taken from the provider as soon as there are some, and kept: at most about
	// "most" bytes of them. Before anybody waits. 0 or -errno.
	virtual int read_ahead(size_t most) = 0;
	// For epoll; -1: none, ask readable().
	virtual int fd() const { return -1; }
	virtual bool readable() { return false; }
};

// The kernel provider. Null: see "failure".
std::shared_ptr<Engine> open_control(const std::string &path, Failure &failure);
// The ptrace provider of this thread.
std::shared_ptr<Engine> open_embedded(Failure &failure);

} // namespace ntrace
