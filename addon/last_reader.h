// SPDX-License-Identifier: GPL-2.0
// Persistent actions of the module print when every engine of this process is closed, too: then an
// engine of our own reads what they print, in a thread of its own, as there is nobody else.
#pragma once

#include <stddef.h>

#include <string>

namespace ntrace
{

// There is one from now on, while the module is there.
void keep_reading(const std::string &control_path);

// Prints the texts among events and takes them out; bytes of the events that are left.
size_t print_texts(char *records, size_t size);

} // namespace ntrace
