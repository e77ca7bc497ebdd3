// SPDX-License-Identifier: GPL-2.0
#include "processor.h"

#include <sched.h>

namespace ntrace
{

void move_to_processor(int processor)
{
	if (processor < 0 || processor >= CPU_SETSIZE || processor == sched_getcpu())
		return;
	cpu_set_t allowed, there;
	if (sched_getaffinity(0, sizeof(allowed), &allowed) || !CPU_ISSET(processor, &allowed))
		return;
	CPU_ZERO(&there);
	CPU_SET(processor, &there);
	if (!sched_setaffinity(0, sizeof(there), &there))
		sched_setaffinity(0, sizeof(allowed), &allowed);
}

} // namespace ntrace
