// SPDX-License-Identifier: GPL-2.0
/* A thread that is, or was, in a slot. */
#include "ool.h"

#define SP 4
#define CX 1
#define R11 11
#define TF 0x100u

static const struct nt_ool_mark *mark_at(const struct nt_ool_plan *plan, u64 pc)
{
	u32 i;

	for (i = 0; i < plan->mark_count; i++)
		if (plan->slot + plan->marks[i].offset == pc)
			return &plan->marks[i];
	return NULL;
}

static u64 width(const struct nt_ool_plan *plan, u64 value)
{
	return plan->mode64 ? value : (u32)value;
}

u64 nt_ool_address(const struct nt_ool_plan *plan, u64 pc)
{
	const struct nt_ool_mark *mark = mark_at(plan, pc);

	return mark ? mark->pc : pc;
}

u8 nt_ool_rewind(const struct nt_ool_plan *plan, struct nt_ool_regs *regs)
{
	const struct nt_ool_mark *mark = mark_at(plan, regs->ip);

	if (!mark)
		return NT_OOL_ELSEWHERE;
	regs->ip = mark->pc;
	regs->gpr[SP] = width(plan, regs->gpr[SP] + mark->sp);
	if (!mark->done)
		return NT_OOL_BEFORE;
	/* a child of the system call, too, has never been stepped but has the slot's rcx */
	if (plan->flags & NT_OOL_SYSCALL && regs->gpr[CX] == plan->slot + plan->length)
		regs->gpr[CX] = plan->next;
	return NT_OOL_DONE;
}

/* The return address is compared first: the thread may have gone on, or never called. */
static u8 fix_call(const struct nt_ool_plan *plan, u64 sp, const struct nt_ool_ops *ops)
{
	u64 pushed = 0;
	u32 size = plan->mode64 ? 8 : 4;

	if (ops->read(ops->context, sp, &pushed, size))
		return NT_OOL_FAULT;
	if (pushed != plan->slot + plan->length)
		return NT_OOL_ELSEWHERE;
	if (ops->write(ops->context, sp, &plan->next, size))
		return NT_OOL_FAULT;
	return NT_OOL_DONE;
}

static bool clear_pushed_tf(const struct nt_ool_regs *regs, const struct nt_ool_ops *ops)
{
	u16 pushed = 0;

	if (ops->read(ops->context, regs->gpr[SP], &pushed, 2))
		return false;
	pushed &= (u16)~TF;
	return ops->write(ops->context, regs->gpr[SP], &pushed, 2) == 0;
}

u8 nt_ool_fixup(const struct nt_ool_plan *plan, struct nt_ool_regs *regs,
		const struct nt_ool_ops *ops, u32 how)
{
	const struct nt_ool_mark *mark = mark_at(plan, regs->ip);

	if (!mark)
		return plan->flags & NT_OOL_CALLS ? fix_call(plan, regs->gpr[SP], ops)
						  : NT_OOL_ELSEWHERE;
	/* a call that faults at its target may have written below the stack pointer */
	if (!mark->done && plan->flags & NT_OOL_CALLS)
		fix_call(plan, width(plan, regs->gpr[SP] - (plan->mode64 ? 8 : 4)), ops);
	if (mark->done && !(how & NT_OOL_OWN_TF)) {
		if (plan->flags & NT_OOL_PUSHES_F && !clear_pushed_tf(regs, ops))
			return NT_OOL_FAULT;
		if (plan->flags & NT_OOL_SYSCALL)
			regs->gpr[R11] &= ~(u64)TF;
	}
	if (!mark->done && mark->offset > 0 && !(how & NT_OOL_FAULTED))
		return NT_OOL_AGAIN;
	return nt_ool_rewind(plan, regs);
}
