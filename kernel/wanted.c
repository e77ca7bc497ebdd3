// SPDX-License-Identifier: GPL-2.0
/*
 * The system calls that any engine wants of any thread, in one set. A thread whose
 * switch is on passes the hook with every call it makes; the way in (arch/) looks here
 * first, and what nobody wants goes on from there: no registers saved, no record sought.
 */
#include "hook.h"
#include "ntrace.h"

unsigned long nt_wanted_calls[NT_SYSCALL_LIMIT / BITS_PER_LONG];
atomic_t nt_wanted_ends;

static unsigned int wanters[NT_SYSCALL_LIMIT]; /* threads, of each call */
static DEFINE_SPINLOCK(wanters_lock);	       /* innermost */

void nt_wanted_change(__u64 *from, const __u64 *to)
{
	unsigned int i, nr;
	unsigned long flags;

	if (!memcmp(from, to, NT_SYSCALL_LIMIT / 8))
		return;
	spin_lock_irqsave(&wanters_lock, flags);
	for (i = 0; i < NTRACE_SYSCALL_WORDS; i++) {
		__u64 differ = from[i] ^ to[i];

		for (; differ; differ &= differ - 1) {
			nr = i * 64 + __ffs64(differ);
			if (to[i] >> nr % 64 & 1) {
				wanters[nr]++;
				__set_bit(nr, nt_wanted_calls);
			} else if (!--wanters[nr]) {
				__clear_bit(nr, nt_wanted_calls);
			}
		}
		WRITE_ONCE(from[i], to[i]);
	}
	spin_unlock_irqrestore(&wanters_lock, flags);
}
