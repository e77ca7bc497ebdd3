// SPDX-License-Identifier: GPL-2.0
// The text that actions of breakpoints print, whichever provider ran them.
#pragma once

#include <string>

namespace ntrace
{

// Where it goes, from every engine of this process; standard output at first.
void print_to(int fd);
void print(const std::string &text);

} // namespace ntrace
