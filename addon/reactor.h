// SPDX-License-Identifier: GPL-2.0
// One epoll set of sockets, terminals, engines and a timer. No N-API, no libuv.
#pragma once

#include <stdint.h>

#include <memory>
#include <vector>

#include "awake.h"
#include "engine.h"
#include "precedence.h"
#include "signals.h"
#include "source.h"

namespace ntrace
{

class Provider;

class Reactor
{
      public:
	static constexpr int kMaxPairs = 256;

	// pairs: room for kMaxPairs [source, bits], filled by wait().
	explicit Reactor(int32_t *pairs);
	~Reactor();
	Reactor(const Reactor &) = delete;
	Reactor &operator=(const Reactor &) = delete;

	// A number above 0, never used again for another source; or -errno.
	int add(std::unique_ptr<Source> source);
	int add_engine(std::shared_ptr<Engine> engine);
	Source *find(int id) const;
	void remove(int id);

	// Once after ms; negative cancels.
	void set_timer(double ms);
	Signals &signals() { return signals_; }
	// May processors be kept from sleep while sources are busy? Not if nobody goes on waiting
	// here.
	void stay_awake(bool on);
	// Processors may sleep as they like, for good.
	void let_sleep() { awake_.forbid(); }
	// Before whatever computes, or as others. For the thread that waits here.
	void go_first(bool on) { precedence_.want(on); }
	// After signals().watch(): listens for them.
	int watch_signals();

	// Until something is ready or so long is over (negative: no limit); pairs filled.
	int wait(int64_t timeout_ns);

	// While set (-1: not), wait() also returns when this descriptor is readable.
	void set_loop_fd(int fd);
	int loop_fd() const { return loop_fd_; }
	bool loop_ready() const { return loop_ready_; }

      private:
	struct Slot {
		std::unique_ptr<Source> source;
		uint32_t generation = 0;
	};

	int64_t now() const;
	bool anything_pending();
	bool arm(int64_t at);
	void poll_once(int64_t timeout_ns);
	int sleep(struct epoll_event *events, int64_t timeout_ns);
	void collect_pending();
	void busy(int64_t now);
	void on_alarm();
	void report(int id, int32_t bits);

	int epoll_fd_;
	int alarm_fd_ = -1;
	int64_t alarm_ = INT64_MAX; // when it goes off
	bool alarmed_ = false;	    // it went off in this wait: libuv may have a timer due
	int32_t *pairs_;
	int count_ = 0;
	std::vector<Slot> slots_;
	std::vector<uint32_t> free_slots_;
	std::vector<int> asked_;       // sources epoll cannot watch
	Provider *provider_ = nullptr; // once an embedded engine was added
	Signals signals_;
	int64_t timer_; // CLOCK_MONOTONIC nanoseconds
	Awake awake_;
	Precedence precedence_;
	bool stay_awake_ = false;
	int64_t last_busy_ = 0; // when a source had something to tell
	int64_t crowded_ = 0;	// until then the processors have other work
	int loop_fd_ = -1;
	bool loop_ready_ = false;
};

} // namespace ntrace
