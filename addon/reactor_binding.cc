// SPDX-License-Identifier: GPL-2.0
#include "reactor_binding.h"

#include <errno.h>

#include "args.h"
#include "bindings.h"
#include "engine_binding.h"
#include "listener.h"
#include "net.h"
#include "standard_io.h"
#include "tty.h"

namespace ntrace
{

namespace
{

constexpr int kDrainMs = 500;

std::string text_of(Napi::Value value)
{
	return value.ToString().Utf8Value();
}

int int_of(Napi::Value value)
{
	int32_t result = 0;
	napi_get_value_int32(value.Env(), value, &result);
	return result;
}

} // namespace

Napi::Function ReactorWrap::define(Napi::Env env)
{
	return DefineClass(env, "Reactor",
			   {
			       InstanceMethod<&ReactorWrap::listen_tcp>("listenTcp"),
			       InstanceMethod<&ReactorWrap::listen_unix>("listenUnix"),
			       InstanceMethod<&ReactorWrap::port>("port"),
			       InstanceMethod<&ReactorWrap::accept>("accept"),
			       InstanceMethod<&ReactorWrap::connect_tcp>("connectTcp"),
			       InstanceMethod<&ReactorWrap::connect_unix>("connectUnix"),
			       InstanceMethod<&ReactorWrap::open_tty>("openTty"),
			       InstanceMethod<&ReactorWrap::open_stdio>("openStdio"),
			       InstanceMethod<&ReactorWrap::read>("read"),
			       InstanceMethod<&ReactorWrap::write>("write"),
			       InstanceMethod<&ReactorWrap::pause>("pause"),
			       InstanceMethod<&ReactorWrap::close>("close"),
			       InstanceMethod<&ReactorWrap::add_engine>("addEngine"),
			       InstanceMethod<&ReactorWrap::set_timer>("setTimer"),
			       InstanceMethod<&ReactorWrap::let_sleep>("letSleep"),
			       InstanceMethod<&ReactorWrap::go_first>("goFirst"),
			       InstanceMethod<&ReactorWrap::watch_signals>("watchSignals"),
			       InstanceMethod<&ReactorWrap::take_signal>("takeSignal"),
			       InstanceMethod<&ReactorWrap::start>("start"),
			       InstanceMethod<&ReactorWrap::stop>("stop"),
			       InstanceMethod<&ReactorWrap::turn>("turn"),
			   });
}

ReactorWrap::ReactorWrap(const Napi::CallbackInfo &info) : Napi::ObjectWrap<ReactorWrap>(info)
{
	Napi::Env env = info.Env();
	Napi::Int32Array ready = Napi::Int32Array::New(env, 2 * Reactor::kMaxPairs);
	// not configurable: the reactor writes into this memory as long as the object lives
	info.This().As<Napi::Object>().DefineProperty(
	    Napi::PropertyDescriptor::Value("ready", ready, napi_enumerable));
	reactor_ = std::make_unique<Reactor>(ready.Data());
}

ReactorWrap::~ReactorWrap()
{
	end_hook();
	if (context_)
		napi_async_destroy(Env(), context_);
}

// The uv handles outlive us; nothing of ours may be called after this.
void ReactorWrap::end_hook()
{
	if (!hook_)
		return;
	napi_async_cleanup_hook_handle teardown = teardown_;
	teardown_ = nullptr;
	hook_->destroy([teardown] {
		if (teardown)
			napi_remove_async_cleanup_hook(teardown);
	});
	hook_ = nullptr;
}

void ReactorWrap::on_teardown(napi_async_cleanup_hook_handle, void *data)
{
	ReactorWrap *self = static_cast<ReactorWrap *>(data);
	self->end_hook();
	self->self_.Reset();
}

Napi::Value ReactorWrap::add(std::unique_ptr<Source> source, const std::string &what)
{
	int id = reactor_->add(std::move(source));
	if (id < 0)
		throw_failure(Env(), Failure::of(-id, what));
	return Napi::Value(Env(), int_value(Env(), id));
}

Napi::Value ReactorWrap::listen_tcp(const Napi::CallbackInfo &info)
{
	Failure failure;
	int fd = ntrace::listen_tcp(text_of(info[0]), int_of(info[1]), failure);
	if (fd >= 0)
		return add(std::make_unique<Listener>(fd, ""), "listen");
	throw_failure(Env(), failure);
	return Napi::Value();
}

Napi::Value ReactorWrap::listen_unix(const Napi::CallbackInfo &info)
{
	Failure failure;
	std::string path = text_of(info[0]);
	int fd = ntrace::listen_unix(path, mode_t(int_of(info[1])), failure);
	if (fd >= 0)
		return add(std::make_unique<Listener>(fd, path), "listen");
	throw_failure(Env(), failure);
	return Napi::Value();
}

Napi::Value ReactorWrap::port(const Napi::CallbackInfo &info)
{
	Source *source = reactor_->find(int_of(info[0]));
	Listener *listener = source ? source->listener() : nullptr;
	return Napi::Number::New(Env(), listener ? listener->port() : 0);
}

Napi::Value ReactorWrap::accept(const Napi::CallbackInfo &info)
{
	Source *source = reactor_->find(int_of(info[0]));
	Listener *listener = source ? source->listener() : nullptr;
	int fd = listener ? listener->accept() : -1;
	if (fd < 0)
		return Env().Undefined();
	Peer peer = peer_of(fd);
	Napi::Value id = add(std::make_unique<Stream>(fd), "accept");
	Napi::Object result = Napi::Object::New(Env());
	result.Set("id", id);
	result.Set("host", peer.host);
	result.Set("port", peer.port);
	result.Set("peer", peer.text);
	return result;
}

Napi::Value ReactorWrap::connect_tcp(const Napi::CallbackInfo &info)
{
	Failure failure;
	int fd = ntrace::connect_tcp(text_of(info[0]), int_of(info[1]), failure);
	if (fd >= 0)
		return add(std::make_unique<Stream>(fd), "connect");
	throw_failure(Env(), failure);
	return Napi::Value();
}

Napi::Value ReactorWrap::connect_unix(const Napi::CallbackInfo &info)
{
	Failure failure;
	int fd = ntrace::connect_unix(text_of(info[0]), failure);
	if (fd >= 0)
		return add(std::make_unique<Stream>(fd), "connect");
	throw_failure(Env(), failure);
	return Napi::Value();
}

Napi::Value ReactorWrap::open_tty(const Napi::CallbackInfo &info)
{
	Failure failure;
	std::unique_ptr<Stream> tty = ntrace::open_tty(text_of(info[0]), int_of(info[1]), failure);
	if (tty)
		return add(std::move(tty), "open terminal");
	throw_failure(Env(), failure);
	return Napi::Value();
}

Napi::Value ReactorWrap::open_stdio(const Napi::CallbackInfo &)
{
	return add(ntrace::open_stdio(), "standard input");
}

Stream *ReactorWrap::stream_at(const Napi::CallbackInfo &info)
{
	Source *source = reactor_->find(int_of(info[0]));
	return source ? source->stream() : nullptr;
}

// The stream of argument 0 and the memory of arguments 1 to 3; null with an exception pending, or
// without one if the stream is closed already.
Stream *ReactorWrap::span_at(const Napi::CallbackInfo &info, uint8_t *&data, size_t &length)
{
	napi_env env = info.Env();
	Bytes buf;
	int64_t offset, count;
	if (!read_bytes(env, info[1], 1, buf) || !read_number(env, info[2], 2, offset) ||
	    !read_number(env, info[3], 3, count) || !in_range(env, buf, 1, offset, count))
		return nullptr;
	data = buf.data + offset;
	length = size_t(count);
	return stream_at(info);
}

Napi::Value ReactorWrap::read(const Napi::CallbackInfo &info)
{
	uint8_t *data;
	size_t length;
	Stream *stream = span_at(info, data, length);
	return Napi::Value(Env(), int_value(Env(), stream ? stream->read(data, length) : 0));
}

Napi::Value ReactorWrap::write(const Napi::CallbackInfo &info)
{
	uint8_t *data;
	size_t length;
	Stream *stream = span_at(info, data, length);
	return Napi::Value(Env(), int_value(Env(), stream ? stream->write(data, length) : -1));
}

void ReactorWrap::pause(const Napi::CallbackInfo &info)
{
	if (Source *source = reactor_->find(int_of(info[0])))
		source->pause(info[1].ToBoolean());
}

void ReactorWrap::close(const Napi::CallbackInfo &info)
{
	if (Stream *stream = stream_at(info))
		stream->drain(kDrainMs);
	reactor_->remove(int_of(info[0]));
}

Napi::Value ReactorWrap::add_engine(const Napi::CallbackInfo &info)
{
	std::shared_ptr<Engine> engine = EngineWrap::of(Env(), info[0]);
	if (!engine) {
		throw_type(Env(), 0, "an open NativeEngine");
		return Napi::Value();
	}
	int id = reactor_->add_engine(engine);
	if (id < 0)
		throw_failure(Env(), Failure::of(-id, "watching an engine"));
	return Napi::Value(Env(), int_value(Env(), id));
}

void ReactorWrap::set_timer(const Napi::CallbackInfo &info)
{
	double ms = -1;
	napi_get_value_double(info.Env(), info[0], &ms);
	reactor_->set_timer(ms);
}

void ReactorWrap::let_sleep(const Napi::CallbackInfo &)
{
	reactor_->let_sleep();
}

void ReactorWrap::go_first(const Napi::CallbackInfo &info)
{
	reactor_->go_first(info[0].ToBoolean());
}

void ReactorWrap::watch_signals(const Napi::CallbackInfo &info)
{
	Napi::Array list = info[0].As<Napi::Array>();
	for (uint32_t i = 0; info[0].IsArray() && i < list.Length(); i++) {
		int signo = int_of(list.Get(i));
		int err = reactor_->signals().watch(signo);
		if (!err)
			err = reactor_->watch_signals();
		if (err) {
			throw_failure(
			    Env(), Failure::of(-err, "watching signal " + std::to_string(signo)));
			return;
		}
	}
}

Napi::Value ReactorWrap::take_signal(const Napi::CallbackInfo &)
{
	return Napi::Number::New(Env(), reactor_->signals().take());
}

bool ReactorWrap::call_back(int pairs)
{
	napi_env env = Env();
	Napi::HandleScope scope(env);
	napi_value argument = int_value(env, pairs), result;
	napi_status status = napi_make_callback(env, context_, self_.Value(), callback_.Value(), 1,
						&argument, &result);
	if (status == napi_ok)
		return true;
	napi_value error;
	bool pending = false;
	if (status == napi_pending_exception && !napi_is_exception_pending(env, &pending) &&
	    pending && !napi_get_and_clear_last_exception(env, &error))
		napi_fatal_exception(env, error);
	return false; // perhaps the environment is ending: libuv must get its turn
}

void ReactorWrap::start(const Napi::CallbackInfo &info)
{
	Napi::Env env = Env();
	if (!info[0].IsFunction()) {
		throw_type(env, 0, "a function");
		return;
	}
	callback_ = Napi::Persistent(info[0].As<Napi::Function>());
	if (self_.IsEmpty())
		self_ = Napi::Persistent(info.This().As<Napi::Object>());
	if (!hook_) {
		uv_loop_t *loop;
		napi_get_uv_event_loop(env, &loop);
		napi_async_init(env, nullptr, Napi::String::New(env, "ntrace"), &context_);
		hook_ =
		    new LoopHook(loop, *reactor_, [this](int pairs) { return call_back(pairs); });
		napi_add_async_cleanup_hook(env, on_teardown, this, &teardown_);
	}
	hook_->start();
}

void ReactorWrap::stop(const Napi::CallbackInfo &)
{
	if (hook_)
		hook_->stop();
	self_.Reset();
}

Napi::Value ReactorWrap::turn(const Napi::CallbackInfo &info)
{
	double ms = 0;
	napi_get_value_double(info.Env(), info[0], &ms);
	int loop_fd = reactor_->loop_fd();
	if (loop_fd >= 0)
		reactor_->set_loop_fd(-1);
	int pairs = reactor_->wait(ms < 0 ? -1 : int64_t(ms * 1e6));
	if (loop_fd >= 0)
		reactor_->set_loop_fd(loop_fd);
	return Napi::Number::New(Env(), pairs);
}

void export_reactor(Napi::Env env, Napi::Object exports)
{
	exports.Set("Reactor", ReactorWrap::define(env));
}

} // namespace ntrace
