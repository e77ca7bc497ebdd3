// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <stddef.h>
#include <sys/types.h>

#include <functional>
#include <vector>

#include "source.h"

namespace ntrace
{

// How to transfer without blocking.
enum class Transfer {
	kSocket,      // MSG_DONTWAIT
	kNonblocking, // O_NONBLOCK on a description that is ours alone
	kPolled,      // a description shared with others: ask poll() first
};

struct Endpoint {
	int fd;
	Transfer how;
	bool owned; // close it
};

// A connected byte stream: socket, terminal or standard input and output.
class Stream : public Source
{
      public:
	// "restore" runs before the descriptors are closed.
	Stream(Endpoint in, Endpoint out, std::function<void()> restore = nullptr);
	explicit Stream(int socket);
	~Stream() override;

	int attach(Poller poller) override;
	int32_t on_events(uint32_t events, bool output) override;
	int32_t pending() override;
	bool needs_asking() const override { return unpolled_; }
	Stream *stream() override { return this; }

	// Bytes read; 0 at the end, also when the peer reset the connection; -1 nothing now.
	ssize_t read(void *buf, size_t n);
	// Bytes still queued; -1 the peer is gone.
	ssize_t write(const void *buf, size_t n);
	void pause(bool paused) override;
	// Waits for at most so long until the queue is written.
	void drain(int timeout_ms);

      private:
	bool same_fd() const { return in_.fd == out_.fd; }
	bool queued() const { return head_ < queue_.size(); }
	// Nobody wants to hear of input. A pause ends with the peer: its end must be read.
	bool silent() const { return ended_ || (paused_ && !gone_); }
	uint32_t input_interest() const;
	void update_interest();
	ssize_t send(const char *buf, size_t n);
	void flush();

	Endpoint in_, out_;
	std::function<void()> restore_;
	Poller poller_{-1, 0};
	std::vector<char> queue_;
	size_t head_ = 0; // first byte of queue_ not written yet
	uint32_t in_interest_ = 0, out_interest_ = 0;
	bool paused_ = false;
	bool ended_ = false; // read() told 0
	bool gone_ = false;  // a write failed
	bool unpolled_ = false;
	bool out_polled_ = false;
};

} // namespace ntrace
