// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <memory>

#include "stream.h"

namespace ntrace
{

// Descriptor 0 for reading, 1 for writing. Their O_NONBLOCK is left alone: others may share them.
std::unique_ptr<Stream> open_stdio();

} // namespace ntrace
