// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <memory>
#include <string>

#include "failure.h"
#include "stream.h"

namespace ntrace
{

// A serial line or pseudo-terminal in raw mode, 8 data bits, no parity, 1 stop bit. baud 0 keeps
// its speed. The old modes come back when the stream or the process ends. Null: see "failure".
std::unique_ptr<Stream> open_tty(const std::string &path, int baud, Failure &failure);

} // namespace ntrace
