// SPDX-License-Identifier: GPL-2.0
// What each noun adds to the addon's exports (src/native.ts says what it is for), and how failures
// become JavaScript errors.
#pragma once

#include <napi.h>

#include "failure.h"

namespace ntrace
{

// Constructors of this environment, for objects that cross calls.
struct Constructors {
	Napi::FunctionReference engine;
};

inline void export_function(Napi::Env env, Napi::Object exports, const char *name, napi_callback fn)
{
	napi_value value;
	if (napi_create_function(env, name, NAPI_AUTO_LENGTH, fn, nullptr, &value) == napi_ok)
		napi_set_named_property(env, exports, name, value);
}

// An Error with .code, thrown when control returns to JavaScript.
inline void throw_failure(Napi::Env env, const Failure &failure)
{
	Napi::Error error = Napi::Error::New(env, failure.code + ": " + failure.text);
	error.Set("code", failure.code);
	error.ThrowAsJavaScriptException();
}

void export_bytes(Napi::Env env, Napi::Object exports);
void export_engines(Napi::Env env, Napi::Object exports);
void export_files(Napi::Env env, Napi::Object exports);
void export_host(Napi::Env env, Napi::Object exports);
void export_reactor(Napi::Env env, Napi::Object exports);
void export_spawn(Napi::Env env, Napi::Object exports);
void export_xsave(Napi::Env env, Napi::Object exports);

} // namespace ntrace
