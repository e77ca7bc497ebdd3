/* SPDX-License-Identifier: GPL-2.0 */
/* Hooks in functions of the kernel: hook.c has the table, arch/ the ways in. */
#ifndef _NT_HOOK_H
#define _NT_HOOK_H

#define NT_HOOK_SLOTS 12 /* rows of the table that hook a function */
/* The row of the function that most calls pass in vain: its way in looks at
 * nt_wanted_calls first.
 */
#define NT_HOOK_SYSCALL_ENTER 0
#define NT_HOOK_SYSCALL_LAST 511 /* bit of nt_wanted_calls for all numbers from here on */

#ifndef __ASSEMBLY__

#include <linux/types.h>

struct nt_task;
struct task_struct;

/* A call of a hooked function. The assembler knows the layout. */
struct nt_frame {
	unsigned long args[6]; /* changes reach the body */
	unsigned long ret;     /* what the caller gets if the body is skipped */
	unsigned long frame_pointer;
	unsigned long body;
	unsigned long caller; /* return address */
};

/* Runs the body of the hooked function with the frame's arguments, as often as it
 * is called; then the handler returns true with the result in frame->ret.
 */
unsigned long nt_hook_original(struct nt_frame *frame);

/* The handlers: true skips the body. */
bool nt_hook_get_signal(struct nt_frame *frame); /* signal.c */
bool nt_hook_dequeue_signal(struct nt_frame *frame);
bool nt_hook_complete_signal(struct nt_frame *frame);
bool nt_hook_prepare_signal(struct nt_frame *frame);
bool nt_hook_signal_stop(struct nt_frame *frame);
bool nt_hook_signal_wake(struct nt_frame *frame);
bool nt_hook_syscall_enter(struct nt_frame *frame); /* syscall.c */
bool nt_hook_ptrace_notify(struct nt_frame *frame);
bool nt_hook_do_exit(struct nt_frame *frame); /* lifecycle.c */
bool nt_hook_fault(struct nt_frame *frame);   /* traps.c */

/* wanted.c: bits by number, and threads whose call is to be told of at its end.
 * While there is one of those, every call passes the handler.
 */
extern unsigned long nt_wanted_calls[];
extern atomic_t nt_wanted_ends;
/* What the engines of a thread want becomes something else. Its lock is held. */
void nt_wanted_change(__u64 *from, const __u64 *to);

void nt_signal_init(void);
/* Lets a ptracer have the thread that was woken for it (t->call.yield), then comes
 * back. The thread's own context, may sleep.
 */
void nt_signal_yield(struct nt_task *t);

/* Hooks are in place while somebody wants them. May sleep. */
void nt_hooks_get(void);
void nt_hooks_put(void);

/* Is this inside of a hooked function? For handlers that ask who calls. */
bool nt_hook_within(unsigned long address, const char *name);
/* Is it a clone that was hooked, with arguments left out? */
bool nt_hook_clone(const char *name);

/* What a new thread keeps of its creator's system call (task_newtask). */
void nt_syscall_born(struct task_struct *child);

#endif /* __ASSEMBLY__ */
#endif /* _NT_HOOK_H */
