// SPDX-License-Identifier: GPL-2.0
// The tracepoints of one engine and what they collected; kernel/core/trace.h does the collecting.
#pragma once

#include "model.h"

#include <trace.h>

namespace ntrace::embedded
{

// A definition. It outlives runs, and the process it was made for.
struct TracePoint {
	Process *process; // nullptr: gone, or let go
	struct nt_trace_point core = {};
	std::vector<Code> codes; // what the pointers in core and in the actions lead to
	std::vector<struct nt_trace_action> actions, step_actions;
};

struct Trace {
	struct nt_trace core = {};
	std::unique_ptr<uint8_t[]> memory; // of the buffer; none before it is needed
	std::vector<std::unique_ptr<TracePoint>> points;
	std::vector<uint8_t> regset; // scratch
};

} // namespace ntrace::embedded
