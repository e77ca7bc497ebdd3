// SPDX-License-Identifier: GPL-2.0
/*
 * Trace state variables: 64-bit numbers that outlive a hit.
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
	    !(trace->defined[number / 64] >> (number % 64) & 1))
		return false;
	*value = trace->variables[number];
	return true;
}

bool nt_trace_set(struct nt_trace *trace, u32 number, u64 value)
{
	if (!number || number >= NTRACE_VARIABLES)
		return false;
	trace->defined[number / 64] |= 1ull << (number % 64);
	trace->variables[number] = value;
	return true;
}

void nt_trace_forget_variables(struct nt_trace *trace)
{
	u32 i;

	for (i = 0; i < NTRACE_VARIABLES / 64; i++)
		trace->defined[i] = 0;
}
