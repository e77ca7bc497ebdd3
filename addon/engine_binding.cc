// SPDX-License-Identifier: GPL-2.0
#include "engine_binding.h"

#include <errno.h>
#include <limits.h>

#include "args.h"
#include "bindings.h"

namespace ntrace
{

Napi::Function EngineWrap::define(Napi::Env env)
{
	return DefineClass(env, "NativeEngine",
			   {InstanceMethod<&EngineWrap::ioctl>("ioctl"),
			    InstanceMethod<&EngineWrap::read>("read"),
			    InstanceMethod<&EngineWrap::wait>("wait"),
			    InstanceMethod<&EngineWrap::read_ahead>("readAhead"),
			    InstanceMethod<&EngineWrap::close>("close")});
}

Napi::Value EngineWrap::make(Napi::Env env, std::shared_ptr<Engine> engine)
{
	Napi::Object object = env.GetInstanceData<Constructors>()->engine.New({});
	if (object.IsEmpty())
		return Napi::Value();
	EngineWrap::Unwrap(object)->engine_ = std::move(engine);
	return object;
}

std::shared_ptr<Engine> EngineWrap::of(Napi::Env env, Napi::Value value)
{
	if (!value.IsObject())
		return nullptr;
	Napi::Object object = value.As<Napi::Object>();
	if (!object.InstanceOf(env.GetInstanceData<Constructors>()->engine.Value()))
		return nullptr;
	return EngineWrap::Unwrap(object)->engine_;
}

EngineWrap::EngineWrap(const Napi::CallbackInfo &info) : Napi::ObjectWrap<EngineWrap>(info) {}

EngineWrap::~EngineWrap()
{
	if (engine_)
		engine_->close();
}

Napi::Value EngineWrap::ioctl(const Napi::CallbackInfo &info)
{
	int64_t request;
	Bytes record;
	napi_env env = info.Env();
	if (!read_number(env, info[0], 0, request) || !read_bytes(env, info[1], 1, record))
		return Napi::Value();
	int result = engine_ ? engine_->ioctl(static_cast<unsigned long>(request), record.data,
					      record.length)
			     : -EBADF;
	return Napi::Value(env, int_value(env, result));
}

Napi::Value EngineWrap::read(const Napi::CallbackInfo &info)
{
	Bytes buf;
	napi_env env = info.Env();
	if (!read_bytes(env, info[0], 0, buf))
		return Napi::Value();
	ssize_t got = engine_ ? engine_->read(buf.data, buf.length) : -EBADF;
	return Napi::Value(env, int_value(env, got));
}

Napi::Value EngineWrap::wait(const Napi::CallbackInfo &info)
{
	double ms = -1;
	napi_get_value_double(info.Env(), info[0], &ms);
	// a fraction of a millisecond is still a wait, not a poll
	int timeout = ms < 0 ? -1 : ms >= INT_MAX ? INT_MAX : int(ms) + (ms > int(ms));
	return Napi::Boolean::New(info.Env(), engine_ && engine_->wait(timeout));
}

Napi::Value EngineWrap::read_ahead(const Napi::CallbackInfo &info)
{
	int64_t most;
	napi_env env = info.Env();
	if (!read_number(env, info[0], 0, most))
		return Napi::Value();
	int result = engine_ && most >= 0 ? engine_->read_ahead(most) : -EINVAL;
	return Napi::Value(env, int_value(env, result));
}

void EngineWrap::close(const Napi::CallbackInfo &)
{
	if (engine_)
		engine_->close();
}

namespace
{

Napi::Value js_open_control(const Napi::CallbackInfo &info)
{
	Failure failure;
	auto engine = open_control(info[0].ToString().Utf8Value(), failure);
	if (engine)
		return EngineWrap::make(info.Env(), engine);
	throw_failure(info.Env(), failure);
	return Napi::Value();
}

Napi::Value js_open_embedded(const Napi::CallbackInfo &info)
{
	Failure failure;
	auto engine = open_embedded(failure);
	if (engine)
		return EngineWrap::make(info.Env(), engine);
	throw_failure(info.Env(), failure);
	return Napi::Value();
}

} // namespace

void export_engines(Napi::Env env, Napi::Object exports)
{
	Constructors *constructors = env.GetInstanceData<Constructors>();
	constructors->engine = Napi::Persistent(EngineWrap::define(env));
	exports.Set("openControl", Napi::Function::New<js_open_control>(env, "openControl"));
	exports.Set("openEmbedded", Napi::Function::New<js_open_embedded>(env, "openEmbedded"));
}

} // namespace ntrace
