/* SPDX-License-Identifier: GPL-2.0 */
/* What the trap path keeps of each thread: embedded in struct nt_task and struct nt_att. */
#ifndef _NT_TRAP_H
#define _NT_TRAP_H

#include <linux/types.h>

struct nt_mm;
struct nt_site;
struct pt_regs;

#define NT_TRAP_HIT 0x1u   /* a breakpoint somebody may want to hear of */
#define NT_TRAP_WATCH 0x2u /* debug registers: trap->watches */
#define NT_TRAP_STEP 0x4u  /* an instruction of a stepping thread is done */
#define NT_TRAP_PROBE 0x8u /* ... or was a breakpoint of the program's own */

/* Words that tell whether a thread is back from a signal handler, unchanged. */
#define NT_PASS_WORDS 18
#define NT_PASSES 2

/*
 * A signal took the thread away from a breakpoint that was told and is not
 * executed yet. When the same registers come by again, it is passed in silence.
 */
struct nt_pass {
	u64 addr; /* 0: none */
	u32 generation;
	unsigned long words[NT_PASS_WORDS];
};

/* How one engine steps a thread. Written by the thread, cancelled by anybody. */
struct nt_step {
	u32 action; /* NTRACE_ACT_STEP, NTRACE_ACT_RANGE, or 0 */
	u64 lo, hi;
	u32 count; /* steps taken in the range */
	u32 after; /* so many, a fence is tried */
};

/* A signal frame that was changed, so that the step over its return ends there. */
struct nt_return {
	unsigned long frame;	 /* 0: none */
	unsigned long pc, flags; /* as they were */
};

/* Touched by the thread itself alone, in its traps and in its work. */
struct nt_trap {
	u32 pending;	   /* NT_TRAP_* */
	bool quiet;	   /* reads memory by itself: watchpoints do not count */
	bool stepping;	   /* some att has a step; looked up before it is believed */
	bool pushes_flags; /* the instruction being stepped in place */
	bool pops_flags;
	bool put_off; /* its work came in the middle of a uprobe's step */

	struct nt_return back;
	struct nt_site *lifted; /* whose byte it has lifted, to step in place */
	struct nt_mm *lift_mm;	/* ... in this memory; referenced */
	struct nt_mm *fence_mm; /* where it runs behind a fence; referenced, or NULL */

	struct nt_site *hit; /* valid while the memory of the thread lives */
	u32 hit_generation;
	u64 hit_order; /* of the owner at which the trap gave up deciding */
	bool hit_true; /* ... because it is to be told */

	struct list_head collecting; /* nt_collecting: tracepoints it steps for */
	unsigned int ncollecting;

	u64 at; /* stands before this site, whose hit is told; 0: none */
	u32 at_generation;
	u8 pass_next;
	struct nt_pass passes[NT_PASSES];

	unsigned long watches; /* bit N: debug register N of the memory */
};

#endif /* _NT_TRAP_H */
