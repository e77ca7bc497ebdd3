// SPDX-License-Identifier: GPL-2.0
#include "loop_hook.h"

namespace ntrace
{

namespace
{

// Then libuv gets a pass even if it does not ask: unreferenced immediates, check handles.
constexpr uint64_t kLongestBurstMs = 50;

// Hooks started on this thread. With more than one none may sleep long.
thread_local int active_hooks = 0;

} // namespace

LoopHook::LoopHook(uv_loop_t *loop, Reactor &reactor, std::function<bool(int)> on_turn)
    : loop_(loop), reactor_(&reactor), on_turn_(std::move(on_turn))
{
	uv_prepare_init(loop, &prepare_);
	uv_idle_init(loop, &idle_);
	prepare_.data = idle_.data = this;
}

void LoopHook::start()
{
	if (active_)
		return;
	active_ = true;
	active_hooks++;
	reactor_->set_loop_fd(uv_backend_fd(loop_));
	reactor_->stay_awake(true);
	uv_prepare_start(&prepare_, on_prepare);
}

void LoopHook::stop()
{
	if (!active_)
		return;
	active_ = false;
	active_hooks--;
	reactor_->set_loop_fd(-1);
	reactor_->stay_awake(false);
	uv_prepare_stop(&prepare_);
	uv_idle_stop(&idle_);
}

void LoopHook::destroy(std::function<void()> done)
{
	stop();
	done_ = std::move(done);
	uv_close(reinterpret_cast<uv_handle_t *>(&prepare_), on_close);
	uv_close(reinterpret_cast<uv_handle_t *>(&idle_), on_close);
}

void LoopHook::on_close(uv_handle_t *handle)
{
	LoopHook *self = static_cast<LoopHook *>(handle->data);
	if (--self->open_handles_)
		return;
	if (self->done_)
		self->done_();
	delete self;
}

void LoopHook::on_prepare(uv_prepare_t *handle)
{
	static_cast<LoopHook *>(handle->data)->burst();
}
void LoopHook::on_idle(uv_idle_t *handle)
{
	uv_idle_stop(handle);
}

void LoopHook::burst()
{
	uv_update_time(loop_);
	uint64_t began = uv_now(loop_);
	for (;;) {
		// 0 also when handles were started that libuv has not put into its set yet
		int uv_ms = uv_backend_timeout(loop_);
		bool crowded = active_hooks > 1;
		if (crowded && uv_ms != 0)
			uv_ms = 1;
		int pairs = reactor_->wait(uv_ms < 0 ? -1 : int64_t(uv_ms) * 1000000);
		bool leave = uv_ms == 0 || crowded || reactor_->loop_ready();
		if (pairs && !on_turn_(pairs))
			leave = true;
		if (!active_)
			return;
		uv_update_time(loop_);
		if (leave || uv_now(loop_) - began >= kLongestBurstMs)
			break;
	}
	uv_idle_start(&idle_, on_idle);
}

} // namespace ntrace
