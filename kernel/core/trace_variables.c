// SPDX-License-Identifier: GPL-2.0
/*
 * Trace state variables: 64-bit numbers that outlive a hit. Each is read and set at once, whoever
 * else does; who reads one to set it sees to it that nobody does so meanwhile.
 */
#include "trace.h"

#define NANOS_PER_MICRO 1000u

bool nt_trace_get(const struct nt_trace *trace, u32 number, u64 now_ns, u64 *value)
{
	if (number == NTRACE_VARIABLE_TIMESTAMP) {
		*value = now_ns / NANOS_PER_MICRO;
		return true;
	}
	if (!number || number >= NTRACE_VARIABLES ||
	    !(__atomic_load_n(&trace->defined[number / 64], __ATOMIC_ACQUIRE) >> (number % 64) & 1))
		return false;
	*value = __atomic_load_n(&trace->variables[number], __ATOMIC_RELAXED);
	return true;
}

bool nt_trace_set(struct nt_trace *trace, u32 number, u64 value)
{
	if (!number || number >= NTRACE_VARIABLES)
		return false;
	__atomic_store_n(&trace->variables[number], value, __ATOMIC_RELAXED);
	__atomic_fetch_or(&trace->defined[number / 64], 1ull << (number % 64), __ATOMIC_RELEASE);
	return true;
}

void nt_trace_forget_variables(struct nt_trace *trace)
{
	u32 i;

	for (i = 0; i < NTRACE_VARIABLES / 64; i++)
		__atomic_store_n(&trace->defined[i], 0, __ATOMIC_RELAXED);
}
