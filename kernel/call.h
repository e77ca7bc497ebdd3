/* SPDX-License-Identifier: GPL-2.0 */
/* What signals and system calls keep of each thread: embedded in struct nt_task. */
#ifndef _NT_CALL_H
#define _NT_CALL_H

#include <linux/signal_types.h>
#include <linux/task_work.h>
#include <linux/types.h>

#include "uapi/ntrace.h"

/* What is told of either end of a call. */
struct nt_facts {
	u32 type; /* enum ntrace_event_type */
	unsigned int nr;
	u32 count; /* of args */
	unsigned long args[6];
};

static inline void nt_facts_tell(struct ntrace_event *r, const struct nt_facts *f)
{
	u32 i;

	r->nr = f->nr;
	for (i = 0; i < f->count; i++)
		r->args[i] = f->args[i];
}

/* Only the thread itself touches it, but for "engaged" and "midway" (task->lock), "yield"
 * (siglock).
 */
struct nt_call {
	int parked;	       /* signal the engines have passed on, to be dequeued next; or 0 */
	kernel_siginfo_t info; /* ... and what comes with it */

	bool yield; /* a ptracer wants it: it may not sleep in a park of ours */

	__u64 wanted[NTRACE_SYSCALL_WORDS]; /* calls that some engine wants to see an end of */
	bool engaged;			    /* its system calls take the slow path because of us */
	bool midway;			    /* it was inside of one when that began */
	bool reporting;			    /* ... of which it tells, and then comes to its end */
	bool exit;			    /* somebody wants to see the end of this one */
	int nr;				    /* ... whose number was */
	bool noting; /* "work" is queued, which leaves nothing but notes of it */

	bool notifying; /* it is in a stop of ptrace's inside of a call: not the end of it */
	bool again;	/* the end was to be seen there: it is, later */
	struct callback_head work;
};

#endif /* _NT_CALL_H */
