/* SPDX-License-Identifier: GPL-2.0 */
/* What the trap path asks of the processor. */
#ifndef _NT_ARCH_X86_H
#define _NT_ARCH_X86_H

#include <linux/perf_event.h>
#include <linux/ptrace.h>

#include "../core/ool.h"

#define NT_BREAK_BYTE 0xcc
#define NT_BREAK_LEN 1

int nt_arch_init(void);
void nt_arch_exit(void);

bool nt_arch_mode64(const struct pt_regs *regs);

/* The registers the planner knows; a trap flag of ours does not show in them. */
void nt_arch_to_ool(const struct pt_regs *regs, struct nt_ool_regs *out);
void nt_arch_from_ool(const struct nt_ool_regs *from, struct pt_regs *regs);

/* Word "number" of the thread's native NT_PRSTATUS; current alone. 0 or -ENXIO. */
int nt_arch_reg(const struct pt_regs *regs, u32 number, u64 *value);

/* Ends the code of a slot with a jump to plan->next, which is within reach. */
void nt_arch_jump_back(struct nt_ool_plan *ool);
/* Where a system call was made, as it left it in a register. */
static inline u64 nt_arch_call_trace(const struct nt_ool_regs *regs)
{
	return regs->gpr[1]; /* rcx */
}
static inline u64 nt_arch_stack(const struct nt_ool_regs *regs)
{
	return regs->gpr[4];
}
/* Its jump back was stepped: takes slot and step out of the registers. */
bool nt_arch_call_done(const struct nt_ool_plan *ool, struct nt_ool_regs *regs, bool own_step);

/* Does the thread go on with other registers, but for what the end of a call changes? */
bool nt_arch_regs_others(const struct pt_regs *seen, const struct pt_regs *now);
/* Registers were set; of what the end of a call changes what is as it was seen in the middle
 * of that, at pc, stays as it is now.
 */
void nt_arch_regs_keep(const struct pt_regs *seen, unsigned long pc, const struct pt_regs *now,
		       struct pt_regs *regs);

/* Puts a pc into an NT_PRSTATUS of this thread. */
void nt_arch_show_pc(struct task_struct *task, void *prstatus, size_t len, unsigned long pc);

/*
 * Single steps of the current thread. A trap flag that the program itself or a
 * ptracer has set is theirs: it stays, and they get their trap.
 */
void nt_arch_step_on(struct pt_regs *regs);
void nt_arch_step_off(struct pt_regs *regs);
void nt_arch_step_forget(void); /* the flag is the program's from now on */
/* One that sleeps in the kernel: our flag is off when it wakes. */
void nt_arch_step_abandon(struct task_struct *task);
bool nt_arch_stepping(void);			   /* the trap flag is ours, or a ptracer's */
bool nt_arch_own_step(const struct pt_regs *regs); /* it is the program's own */

/* A system call that starts over, this far before pc; 0: none is about to. */
unsigned long nt_arch_restart(const struct pt_regs *regs);

/* What a step in place has to mind. */
struct nt_return;
struct nt_arch_insn {
	bool system_call;  /* its trap would come one instruction late */
	bool sleeps;	   /* it may, in the kernel */
	bool pushes_flags; /* the trap flag among them */
	bool pops_flags;
};
void nt_arch_classify(const u8 *bytes, u32 len, bool mode64, struct nt_arch_insn *out);

/* Takes our trap flag off the flags just pushed; -EFAULT. In the trap. */
int nt_arch_clean_pushed(const struct pt_regs *regs);

/*
 * The system call that ends a signal handler takes pc and flags from the stack.
 * Reads where it will go; false: it is another one. May sleep.
 */
bool nt_arch_is_sigreturn(const struct pt_regs *regs);
bool nt_arch_sigreturn(const struct pt_regs *regs, struct nt_return *back);
/* Makes it go elsewhere, with the trap flag set. May sleep. */
int nt_arch_sigreturn_to(const struct nt_return *back, unsigned long pc);
/* It went there: the trap flag is ours, whatever a ptracer that stopped the call has said. */
void nt_arch_sigreturn_claim(const struct nt_return *back, const struct pt_regs *regs);
/* It did not come to that: as it was. Atomic. */
void nt_arch_sigreturn_undo(const struct nt_return *back);

/* Is a thread back where it was, with nothing changed? See struct nt_pass. */
void nt_arch_pass_save(const struct pt_regs *regs, unsigned long *words);
bool nt_arch_pass_same(const struct pt_regs *regs, const unsigned long *words);

/* The debug register for a breakpoint or watchpoint; -EOPNOTSUPP. */
int nt_arch_watch_attr(u32 type, unsigned long addr, u32 len, struct perf_event_attr *attr);
/* How much of a range one register watches: 1, 2, 4 or 8 aligned bytes. */
u32 nt_arch_watch_piece(unsigned long addr, u32 len);

#endif /* _NT_ARCH_X86_H */
