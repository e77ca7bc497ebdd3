// SPDX-License-Identifier: GPL-2.0
// Takes events from a control file in a thread of its own, so that a reader that is slower than
// the programs it watches has a large queue instead of the kernel's small one.
#pragma once

#include <pthread.h>
#include <stddef.h>
#include <sys/types.h>

#include <memory>
#include <mutex>

namespace ntrace
{

class ReadAhead
{
      public:
	// fd is read until the end of this object; it is O_NONBLOCK. At most about "most" bytes are
	// kept, then events stay where they are.
	static std::unique_ptr<ReadAhead> start(int fd, size_t most);
	~ReadAhead();
	ReadAhead(const ReadAhead &) = delete;
	ReadAhead &operator=(const ReadAhead &) = delete;

	// Bytes of whole events, 0: none is kept (after the end of the file, too).
	ssize_t take(void *buf, size_t size);
	// Nothing more will come: the file says why.
	bool ended();
	// Readable while take() would give something, or nothing more will come.
	int fd() const { return ready_fd_; }

      private:
	ReadAhead(int fd, size_t most, int ready_fd, int stop_fd);
	static void *run(void *self);
	void run();
	void take_over();
	// False: stop.
	bool pause(int ms);
	bool keep(const char *bytes, size_t size);
	bool full();

	const int fd_;
	const size_t most_;
	const int ready_fd_;
	const int stop_fd_;
	const std::unique_ptr<char[]> batch_; // the thread's
	struct Chunk;
	Chunk *taking_ = nullptr; // whoever takes; the thread does not wait for its copies
	size_t taken_ = 0;	  // of the first of them
	std::mutex mutex_;	  // what follows
	Chunk *first_ = nullptr;
	Chunk **end_ = &first_;
	size_t kept_ = 0;
	bool ended_ = false;
	pthread_t thread_;
	bool running_ = false;
};

} // namespace ntrace
