// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <napi.h>

#include <memory>

#include "loop_hook.h"
#include "reactor.h"
#include "stream.h"

namespace ntrace
{

// Reactor of src/native.ts.
class ReactorWrap : public Napi::ObjectWrap<ReactorWrap>
{
      public:
	static Napi::Function define(Napi::Env env);
	explicit ReactorWrap(const Napi::CallbackInfo &info);
	~ReactorWrap() override;

      private:
	Napi::Value listen_tcp(const Napi::CallbackInfo &info);
	Napi::Value listen_unix(const Napi::CallbackInfo &info);
	Napi::Value port(const Napi::CallbackInfo &info);
	Napi::Value accept(const Napi::CallbackInfo &info);
	Napi::Value connect_tcp(const Napi::CallbackInfo &info);
	Napi::Value connect_unix(const Napi::CallbackInfo &info);
	Napi::Value open_tty(const Napi::CallbackInfo &info);
	Napi::Value open_stdio(const Napi::CallbackInfo &info);
	Napi::Value read(const Napi::CallbackInfo &info);
	Napi::Value write(const Napi::CallbackInfo &info);
	void pause(const Napi::CallbackInfo &info);
	void close(const Napi::CallbackInfo &info);
	Napi::Value add_engine(const Napi::CallbackInfo &info);
	void set_timer(const Napi::CallbackInfo &info);
	void let_sleep(const Napi::CallbackInfo &info);
	void go_first(const Napi::CallbackInfo &info);
	void watch_signals(const Napi::CallbackInfo &info);
	Napi::Value take_signal(const Napi::CallbackInfo &info);
	void start(const Napi::CallbackInfo &info);
	void stop(const Napi::CallbackInfo &info);
	Napi::Value turn(const Napi::CallbackInfo &info);

	Napi::Value add(std::unique_ptr<Source> source, const std::string &what);
	Stream *stream_at(const Napi::CallbackInfo &info);
	Stream *span_at(const Napi::CallbackInfo &info, uint8_t *&data, size_t &length);
	bool call_back(int pairs);
	void end_hook();
	static void on_teardown(napi_async_cleanup_hook_handle handle, void *self);

	std::unique_ptr<Reactor> reactor_;
	LoopHook *hook_ = nullptr; // from the first start() on
	Napi::FunctionReference callback_;
	Napi::ObjectReference self_; // while started
	napi_async_context context_ = nullptr;
	napi_async_cleanup_hook_handle teardown_ = nullptr;
};

} // namespace ntrace
