// SPDX-License-Identifier: GPL-2.0
// Threads that were let go but are kept for a moment longer, because the one that stopped last
// will probably stop again at once: then nobody has to be resumed and stopped for it.
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <vector>

namespace ntrace::embedded
{

struct Grace {
	std::vector<pid_t> parked; // those who were; Thread::parked says who still is
	size_t count = 0;	   // of those who still are
	uint64_t began = 0;
	uint64_t until = UINT64_MAX; // when they run at the latest
	uint64_t debt = 0;	     // for so long they were kept since they ran last
};

} // namespace ntrace::embedded
