// SPDX-License-Identifier: GPL-2.0
// What a Reactor watches.
#pragma once

#include <stdint.h>
#include <sys/epoll.h>

namespace ntrace
{

class Stream;
class Listener;

// Bits told for a source; the READY_ constants of src/native.ts.
enum Ready : int32_t {
	kReadyRead = 1,
	kReadyDrained = 2,
	kReadyHangup = 4,
	kReadyTimer = 8,
	kReadySignal = 16,
};

// An epoll set that remembers for a source under which number its events are to come back.
class Poller
{
      public:
	Poller(int epoll_fd, uint32_t id) : epoll_fd_(epoll_fd), id_(id) {}
	// 0 or -errno; -EPERM: the descriptor is always ready (regular files, /dev/null).
	int add(int fd, uint32_t events, bool output = false);
	void change(int fd, uint32_t events, bool output = false);
	void remove(int fd);

	static constexpr uint64_t kOutput = 1ull << 32;

      private:
	int epoll_fd_;
	uint32_t id_;
};

class Source
{
      public:
	virtual ~Source() = default;
	// Registers what it wants to hear. 0 or -errno.
	virtual int attach(Poller poller) = 0;
	// Events of the descriptor (or of the one it writes to); Ready bits to report.
	virtual int32_t on_events(uint32_t events, bool output) = 0;
	// For what epoll cannot watch: Ready bits that hold now.
	virtual int32_t pending() { return 0; }
	// Stop or go on reporting kReadyRead.
	virtual void pause(bool) {}
	virtual bool needs_asking() const { return false; }
	virtual Stream *stream() { return nullptr; }
	virtual Listener *listener() { return nullptr; }
};

} // namespace ntrace
