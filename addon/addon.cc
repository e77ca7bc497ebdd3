// SPDX-License-Identifier: GPL-2.0
// The exports; src/native.ts documents them.
#include "bindings.h"

namespace
{

Napi::Object init(Napi::Env env, Napi::Object exports)
{
	env.SetInstanceData(new ntrace::Constructors);
	ntrace::export_bytes(env, exports);
	ntrace::export_engines(env, exports);
	ntrace::export_files(env, exports);
	ntrace::export_host(env, exports);
	ntrace::export_reactor(env, exports);
	ntrace::export_spawn(env, exports);
	ntrace::export_xsave(env, exports);
	return exports;
}

} // namespace

NODE_API_MODULE(ntrace, init)
