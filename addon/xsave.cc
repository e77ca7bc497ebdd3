// SPDX-License-Identifier: GPL-2.0
// Layout of the XSAVE area, which is that of the NT_X86_XSTATE regset (Intel SDM volume 1,
// chapter 13: CPUID leaf 0DH, standard format).
#include <napi.h>

#include "bindings.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace ntrace
{

namespace
{

#if defined(__x86_64__)

constexpr unsigned kLeaf = 0xd;
constexpr unsigned kOsxsave = 1u << 27; // CPUID.1:ECX

uint64_t read_xcr0()
{
	uint32_t low, high;
	__asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	return uint64_t(high) << 32 | low;
}

Napi::Object component(Napi::Env env, unsigned offset, unsigned size)
{
	Napi::Object result = Napi::Object::New(env);
	result.Set("offset", offset);
	result.Set("size", size);
	return result;
}

Napi::Value js_xsave_layout(const Napi::CallbackInfo &info)
{
	Napi::Env env = info.Env();
	unsigned a, b, c, d;
	if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & kOsxsave) ||
	    !__get_cpuid_count(kLeaf, 0, &a, &b, &c, &d))
		return env.Undefined();
	uint64_t xcr0 = read_xcr0();
	Napi::Object layout = Napi::Object::New(env);
	layout.Set("size", b); // for the components enabled in XCR0
	layout.Set("xcr0", Napi::BigInt::New(env, xcr0));
	Napi::Array components = Napi::Array::New(env);
	// the legacy region: x87 registers with MXCSR between them, then XMM0 to XMM15
	components.Set(0u, component(env, 0, 160));
	components.Set(1u, component(env, 160, 256));
	for (unsigned i = 2; i < 63; i++) {
		if (!(xcr0 >> i))
			break;
		bool present = (xcr0 >> i & 1) && __get_cpuid_count(kLeaf, i, &a, &b, &c, &d);
		components.Set(i, present ? component(env, b, a) : component(env, 0, 0));
	}
	layout.Set("components", components);
	return layout;
}

#else

Napi::Value js_xsave_layout(const Napi::CallbackInfo &info)
{
	return info.Env().Undefined();
}

#endif

} // namespace

void export_xsave(Napi::Env env, Napi::Object exports)
{
	exports.Set("xsaveLayout", Napi::Function::New<js_xsave_layout>(env, "xsaveLayout"));
}

} // namespace ntrace
