// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <uv.h>

#include <functional>

#include "reactor.h"

namespace ntrace
{

// Lets a Reactor do the waiting of a libuv loop. libuv calls us just before it would sleep; we
// sleep instead, in the reactor's epoll set, which holds libuv's own epoll descriptor as well, and
// go back when libuv has something to do. A round trip then costs no pass through libuv.
class LoopHook
{
      public:
	// on_turn(pairs) for every turn of the reactor; false: go back to libuv now.
	LoopHook(uv_loop_t *loop, Reactor &reactor, std::function<bool(int)> on_turn);

	void start();
	void stop();
	bool active() const { return active_; }
	// Instead of delete: libuv holds the handles a little longer. done() comes at the end.
	void destroy(std::function<void()> done);

      private:
	~LoopHook() = default;
	void burst();
	static void on_prepare(uv_prepare_t *handle);
	static void on_idle(uv_idle_t *handle);
	static void on_close(uv_handle_t *handle);

	uv_loop_t *loop_;
	Reactor *reactor_;
	std::function<bool(int)> on_turn_;
	std::function<void()> done_;
	uv_prepare_t prepare_;
	uv_idle_t idle_; // active: libuv is to poll without sleeping
	int open_handles_ = 2;
	bool active_ = false;
};

} // namespace ntrace
