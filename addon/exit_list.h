// SPDX-License-Identifier: GPL-2.0
// What must be put right when the process ends by exit() (process.exit() runs no N-API clean-up):
// terminal modes, socket files.
#pragma once

#include <functional>

namespace ntrace
{

class ExitList
{
      public:
	// A number above 0 for remove().
	static int add(std::function<void()> fn);
	static void remove(int number);
};

} // namespace ntrace
