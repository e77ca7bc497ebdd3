// SPDX-License-Identifier: GPL-2.0
// Small questions to the machine: errno names, signals, the page size.
#include <errno.h>
#include <napi.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bindings.h"

namespace ntrace
{

namespace
{

int int_of(Napi::Value value)
{
	return value.ToNumber().Int32Value();
}

Napi::Value js_errno_name(const Napi::CallbackInfo &info)
{
	int error = int_of(info[0]);
	const char *name = strerrorname_np(error);
	return Napi::String::New(info.Env(), name ? name : "E" + std::to_string(error));
}

Napi::Value js_errno_text(const Napi::CallbackInfo &info)
{
	return Napi::String::New(info.Env(), strerror(int_of(info[0])));
}

Napi::Value js_kill(const Napi::CallbackInfo &info)
{
	int pid = int_of(info[0]), tid = int_of(info[1]), signo = int_of(info[2]);
	long result = tid ? syscall(SYS_tgkill, pid, tid, signo) : kill(pid, signo);
	return Napi::Number::New(info.Env(), result ? -errno : 0);
}

Napi::Value js_getpagesize(const Napi::CallbackInfo &info)
{
	return Napi::Number::New(info.Env(), double(sysconf(_SC_PAGESIZE)));
}

} // namespace

void export_host(Napi::Env env, Napi::Object exports)
{
	exports.Set("errnoName", Napi::Function::New<js_errno_name>(env, "errnoName"));
	exports.Set("errnoText", Napi::Function::New<js_errno_text>(env, "errnoText"));
	exports.Set("kill", Napi::Function::New<js_kill>(env, "kill"));
	exports.Set("getpagesize", Napi::Function::New<js_getpagesize>(env, "getpagesize"));
}

} // namespace ntrace
