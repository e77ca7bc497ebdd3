// SPDX-License-Identifier: GPL-2.0
// The byte functions of src/native.ts. Raw N-API: these are called for every packet.
#include "args.h"
#include "bindings.h"
#include "bytes.h"
#include "crc32.h"

#include <string.h>

namespace ntrace
{

namespace
{

napi_value js_checksum(napi_env env, napi_callback_info info)
{
	Args<3> args(env, info);
	Bytes src;
	if (!args.span(0, src))
		return nullptr;
	return int_value(env, checksum(src.data, src.length));
}

napi_value js_hex_encode(napi_env env, napi_callback_info info)
{
	Args<5> args(env, info);
	Bytes dst, src;
	int64_t at;
	if (!args.bytes(0, dst) || !args.number(1, at) || !args.span(2, src) ||
	    !args.range(0, dst, at, int64_t(2 * src.length)))
		return nullptr;
	hex_encode(dst.data + at, src.data, src.length);
	return int_value(env, at + int64_t(2 * src.length));
}

napi_value js_hex_decode(napi_env env, napi_callback_info info)
{
	Args<5> args(env, info);
	Bytes dst, src;
	int64_t at;
	if (!args.bytes(0, dst) || !args.number(1, at) || !args.span(2, src))
		return nullptr;
	if (src.length % 2)
		return int_value(env, -1);
	if (!args.range(0, dst, at, int64_t(src.length / 2)))
		return nullptr;
	bool ok = hex_decode(dst.data + at, src.data, src.length / 2);
	return int_value(env, ok ? int64_t(src.length / 2) : -1);
}

napi_value js_escape(napi_env env, napi_callback_info info)
{
	Args<7> args(env, info);
	Bytes dst, src;
	int64_t at, end;
	if (!args.bytes(0, dst) || !args.number(1, at) || !args.number(2, end) ||
	    !args.span(3, src) || !args.range(0, dst, at, end - at))
		return nullptr;
	napi_typedarray_type type;
	size_t slots;
	void *out;
	if (napi_get_typedarray_info(env, args[6], &type, &slots, &out, nullptr, nullptr) !=
		napi_ok ||
	    type != napi_int32_array || slots < 2) {
		throw_type(env, 6, "an Int32Array of two");
		return nullptr;
	}
	Escaped done = escape(dst.data + at, size_t(end - at), src.data, src.length);
	static_cast<int32_t *>(out)[0] = int32_t(done.taken);
	static_cast<int32_t *>(out)[1] = int32_t(at + int64_t(done.written));
	return nullptr;
}

napi_value js_unescape(napi_env env, napi_callback_info info)
{
	Args<3> args(env, info);
	Bytes buf;
	if (!args.span(0, buf))
		return nullptr;
	return int_value(env, int64_t(unescape(buf.data, buf.length)));
}

napi_value js_copy(napi_env env, napi_callback_info info)
{
	Args<5> args(env, info);
	Bytes dst, src;
	int64_t at;
	if (!args.bytes(0, dst) || !args.number(1, at) || !args.span(2, src) ||
	    !args.range(0, dst, at, int64_t(src.length)))
		return nullptr;
	memmove(dst.data + at, src.data, src.length);
	return nullptr;
}

napi_value js_crc32(napi_env env, napi_callback_info info)
{
	Args<4> args(env, info);
	Bytes src;
	int64_t crc;
	if (!args.number(0, crc) || !args.span(1, src))
		return nullptr;
	return int_value(env, crc32(uint32_t(crc), src.data, src.length));
}

napi_value js_address_of(napi_env env, napi_callback_info info)
{
	Args<1> args(env, info);
	Bytes buf;
	if (!args.bytes(0, buf))
		return nullptr;
	napi_value result = nullptr;
	napi_create_bigint_uint64(env, reinterpret_cast<uintptr_t>(buf.data), &result);
	return result;
}

} // namespace

void export_bytes(Napi::Env env, Napi::Object exports)
{
	export_function(env, exports, "checksum", js_checksum);
	export_function(env, exports, "hexEncode", js_hex_encode);
	export_function(env, exports, "hexDecode", js_hex_decode);
	export_function(env, exports, "escape", js_escape);
	export_function(env, exports, "unescape", js_unescape);
	export_function(env, exports, "copy", js_copy);
	export_function(env, exports, "crc32", js_crc32);
	export_function(env, exports, "addressOf", js_address_of);
}

} // namespace ntrace
