// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "memory.h"
#include "table.h"

namespace ntrace::guard
{

// Bytes that still stand as they were written.
void restore_text(Table &table, Memory &memory);

// Debug registers, which outlive their tracer; for this the threads are stopped for a moment.
void restore_registers(Table &table);

} // namespace ntrace::guard
