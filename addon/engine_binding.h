// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <napi.h>

#include <memory>

#include "engine.h"

namespace ntrace
{

// NativeEngine of src/native.ts.
class EngineWrap : public Napi::ObjectWrap<EngineWrap>
{
      public:
	static Napi::Function define(Napi::Env env);
	// An instance for "engine".
	static Napi::Value make(Napi::Env env, std::shared_ptr<Engine> engine);
	// What is behind a value; null if it is no NativeEngine.
	static std::shared_ptr<Engine> of(Napi::Env env, Napi::Value value);

	explicit EngineWrap(const Napi::CallbackInfo &info);
	~EngineWrap() override;

      private:
	Napi::Value ioctl(const Napi::CallbackInfo &info);
	Napi::Value read(const Napi::CallbackInfo &info);
	Napi::Value wait(const Napi::CallbackInfo &info);
	Napi::Value read_ahead(const Napi::CallbackInfo &info);
	void close(const Napi::CallbackInfo &info);

	std::shared_ptr<Engine> engine_;
};

} // namespace ntrace
