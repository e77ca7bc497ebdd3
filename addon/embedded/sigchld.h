// SPDX-License-Identifier: GPL-2.0
// SIGCHLD as a wake-up: a flag, the tid that caused it, and an event descriptor for epoll sets.
#pragma once

#include <sys/types.h>

namespace ntrace::embedded
{

// The descriptor the handler writes; made at the first call. -errno if it cannot be made.
int sigchld_fd();
// Installs our handler (again), in front of whoever has it now; unblocks the signal here.
void sigchld_install();
// False: stops of children raise no signal (their deaths still do), for when hundreds are waited
// for one by one. Only with our handler installed.
void sigchld_for_stops(bool on);
// A signal came since the last sigchld_take().
bool sigchld_pending();
// Empties flag and descriptor; returns who the last signal was about, or 0.
pid_t sigchld_take();

} // namespace ntrace::embedded
