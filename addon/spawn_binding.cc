// SPDX-License-Identifier: GPL-2.0
#include <napi.h>

#include "bindings.h"
#include "spawn.h"

#include <signal.h>

namespace ntrace
{

namespace
{

std::optional<std::string> text_at(Napi::Object from, const char *name)
{
	Napi::Value value = from.Get(name);
	if (!value.IsString())
		return std::nullopt;
	return value.As<Napi::String>().Utf8Value();
}

std::vector<std::string> list_of(Napi::Value value)
{
	std::vector<std::string> result;
	Napi::Array list = value.As<Napi::Array>();
	for (uint32_t i = 0; i < list.Length(); i++)
		result.push_back(list.Get(i).ToString().Utf8Value());
	return result;
}

// Strings that hold a NUL would be cut short silently.
bool has_nul(const SpawnSpec &spec)
{
	auto nul = [](const std::string &s) { return s.find('\0') != std::string::npos; };
	bool found = nul(spec.file) || (spec.cwd && nul(*spec.cwd));
	for (const std::string &s : spec.args)
		found |= nul(s);
	for (const std::string &s : spec.env.value_or(std::vector<std::string>()))
		found |= nul(s);
	for (const auto &s : spec.stdio)
		found |= s && nul(*s);
	return found;
}

bool read_spec(Napi::Value value, SpawnSpec &spec)
{
	if (!value.IsObject())
		return false;
	Napi::Object from = value.As<Napi::Object>();
	std::optional<std::string> file = text_at(from, "file");
	if (!file || !from.Get("args").IsArray())
		return false;
	spec.file = *file;
	spec.args = list_of(from.Get("args"));
	if (from.Get("env").IsArray())
		spec.env = list_of(from.Get("env"));
	spec.cwd = text_at(from, "cwd");
	spec.no_randomize = from.Get("noRandomize").ToBoolean();
	spec.new_group = from.Get("newGroup").ToBoolean();
	if (from.Get("stdio").IsArray()) {
		Napi::Array stdio = from.Get("stdio").As<Napi::Array>();
		for (uint32_t fd = 0; fd < 3 && fd < stdio.Length(); fd++)
			if (stdio.Get(fd).IsString())
				spec.stdio[fd] = stdio.Get(fd).As<Napi::String>().Utf8Value();
	}
	if (from.Get("user").IsObject()) {
		Napi::Object user = from.Get("user").As<Napi::Object>();
		spec.change_user = true;
		spec.uid = user.Get("uid").ToNumber().Uint32Value();
		spec.gid = user.Get("gid").ToNumber().Uint32Value();
		Napi::Array groups = user.Get("groups").As<Napi::Array>();
		for (uint32_t i = 0; user.Get("groups").IsArray() && i < groups.Length(); i++)
			spec.groups.push_back(groups.Get(i).ToNumber().Uint32Value());
	}
	return !has_nul(spec);
}

const char *step_name(int32_t step)
{
	switch (Step(step)) {
	case Step::kChdir:
		return "chdir";
	case Step::kStdio:
		return "stdio";
	case Step::kExec:
		return "exec";
	case Step::kUser:
		return "user";
	default:
		return "";
	}
}

Napi::Value js_spawn(const Napi::CallbackInfo &info)
{
	Napi::Env env = info.Env();
	SpawnSpec spec;
	if (!read_spec(info[0], spec)) {
		Napi::TypeError::New(env, "spawn needs file and args, and no string with a NUL")
		    .ThrowAsJavaScriptException();
		return Napi::Value();
	}
	Failure failure;
	std::unique_ptr<Launch> started = Launch::start(std::move(spec), failure);
	if (!started) {
		throw_failure(env, failure);
		return Napi::Value();
	}
	std::shared_ptr<Launch> launch(
	    started.release(), [](Launch *last) { Launch::end(std::unique_ptr<Launch>(last)); });
	Napi::Object child = Napi::Object::New(env);
	child.Set("pid", launch->pid());
	child.Set("go",
		  Napi::Function::New(env, [launch](const Napi::CallbackInfo &) { launch->go(); }));
	child.Set("failure", Napi::Function::New(env, [launch](const Napi::CallbackInfo &call) {
			  ChildStatus status = launch->failure();
			  Napi::Object result = Napi::Object::New(call.Env());
			  result.Set("errno", status.error);
			  result.Set("step", step_name(status.step));
			  return result;
		  }));
	child.Set("abort", Napi::Function::New(env, [launch](const Napi::CallbackInfo &) {
			  ::kill(launch->pid(), SIGKILL);
		  }));
	child.Set("reap", Napi::Function::New(env, [launch](const Napi::CallbackInfo &call) {
			  std::optional<int> status = launch->reap();
			  Napi::Env env = call.Env();
			  return status ? Napi::Value(Napi::Number::New(env, *status))
					: env.Undefined();
		  }));
	return child;
}

} // namespace

void export_spawn(Napi::Env env, Napi::Object exports)
{
	exports.Set("spawn", Napi::Function::New<js_spawn>(env, "spawn"));
}

} // namespace ntrace
