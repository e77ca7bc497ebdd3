// SPDX-License-Identifier: GPL-2.0
// Which processor the calling thread runs on.
#pragma once

namespace ntrace
{

// Moves the calling thread there, if it may run there; it stays free to leave again at once.
void move_to_processor(int processor);

} // namespace ntrace
