// SPDX-License-Identifier: GPL-2.0
#include "urgent.h"

#include <sched.h>

namespace ntrace
{

namespace
{

bool allowed = true; // until it is refused: CAP_SYS_NICE, RLIMIT_RTPRIO

} // namespace

Urgent::Urgent(bool wanted)
{
	// whoever runs by another policy than the usual one has been given it
	if (!wanted || !allowed || sched_getscheduler(0) != SCHED_OTHER)
		return;
	struct sched_param lowest = {sched_get_priority_min(SCHED_RR)};
	allowed = !sched_setscheduler(0, SCHED_RR, &lowest);
	active_ = allowed;
}

Urgent::~Urgent()
{
	struct sched_param none = {0};
	if (active_)
		sched_setscheduler(0, SCHED_OTHER, &none);
}

} // namespace ntrace
