// SPDX-License-Identifier: GPL-2.0
// Reading arguments of the hot calls with as few N-API calls as there are arguments.
#pragma once

#include <node_api.h>
#include <stdint.h>
#include <stdio.h>

namespace ntrace
{

struct Bytes {
	uint8_t *data;
	size_t length;
};

inline bool throw_type(napi_env env, size_t i, const char *wanted)
{
	char text[80];
	snprintf(text, sizeof(text), "argument %zu must be %s", i + 1, wanted);
	napi_throw_type_error(env, "ERR_INVALID_ARG_TYPE", text);
	return false;
}

// Each reader leaves an exception pending and returns false if the argument is of another type.
inline bool read_bytes(napi_env env, napi_value value, size_t i, Bytes &out)
{
	napi_typedarray_type type;
	void *data;
	if (napi_get_typedarray_info(env, value, &type, &out.length, &data, nullptr, nullptr) !=
		napi_ok ||
	    type != napi_uint8_array)
		return throw_type(env, i, "a Uint8Array");
	out.data = static_cast<uint8_t *>(data);
	return true;
}

inline bool read_number(napi_env env, napi_value value, size_t i, int64_t &out)
{
	if (napi_get_value_int64(env, value, &out) != napi_ok)
		return throw_type(env, i, "a number");
	return true;
}

// The part [offset, offset + length) of argument i; a RangeError if it is not all inside.
inline bool in_range(napi_env env, const Bytes &b, size_t i, int64_t offset, int64_t length)
{
	int64_t size = int64_t(b.length);
	if (offset >= 0 && length >= 0 && offset <= size && length <= size - offset)
		return true;
	char text[128];
	snprintf(text, sizeof(text), "[%lld, +%lld) is outside argument %zu of %zu bytes",
		 (long long)offset, (long long)length, i + 1, b.length);
	napi_throw_range_error(env, "ERR_OUT_OF_RANGE", text);
	return false;
}

template <size_t N> class Args
{
      public:
	Args(napi_env env, napi_callback_info info) : env_(env)
	{
		size_t count = N;
		napi_get_cb_info(env, info, &count, at_, nullptr, nullptr);
	}
	bool bytes(size_t i, Bytes &out) const { return read_bytes(env_, at_[i], i, out); }
	bool number(size_t i, int64_t &out) const { return read_number(env_, at_[i], i, out); }
	bool range(size_t i, const Bytes &b, int64_t offset, int64_t length) const
	{
		return in_range(env_, b, i, offset, length);
	}
	// A Uint8Array at i, offset and length after it; "out" becomes just that part.
	bool span(size_t i, Bytes &out) const
	{
		int64_t offset, length;
		if (!bytes(i, out) || !number(i + 1, offset) || !number(i + 2, length) ||
		    !range(i, out, offset, length))
			return false;
		out = {out.data + offset, size_t(length)};
		return true;
	}
	napi_value operator[](size_t i) const { return at_[i]; }

      private:
	napi_env env_;
	napi_value at_[N];
};

inline napi_value number_value(napi_env env, double v)
{
	napi_value result = nullptr;
	napi_create_double(env, v, &result);
	return result;
}

inline napi_value int_value(napi_env env, int64_t v)
{
	napi_value result = nullptr;
	if (v == int32_t(v))
		napi_create_int32(env, int32_t(v), &result);
	else
		napi_create_double(env, double(v), &result);
	return result;
}

} // namespace ntrace
