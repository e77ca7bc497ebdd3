// SPDX-License-Identifier: GPL-2.0
/* Plans: which way an instruction can take, and the code of its slot. */
#include "ool_emulate.h"

static void emit(struct nt_ool_plan *plan, u64 value, u32 size)
{
	for (; size > 0; size--, value >>= 8)
		plan->code[plan->code_length++] = (u8)value;
}

static bool fits32(u64 value)
{
	return value == (u64)(s64)(s32)value;
}

/*
 * A jump from the end of the code so far: e9 rel32, or jmp *literal(%rip). Literals fill the slot
 * from its end and are aligned: the program may run with AC set.
 */
static void emit_jump(struct nt_ool_plan *plan, u64 target)
{
	u64 relative = target - (plan->slot + plan->code_length + 5);
	u32 i;

	if (!plan->mode64 || fits32(relative)) {
		emit(plan, 0xe9, 1);
		emit(plan, relative, 4);
		return;
	}
	plan->literals += 8;
	emit(plan, 0x25ff, 2);
	emit(plan, NT_OOL_SLOT - plan->literals - (plan->code_length + 4), 4);
	for (i = 0; i < 8; i++)
		plan->code[NT_OOL_SLOT - plan->literals + i] = (u8)(target >> (8 * i));
}

/* The code written next is at this place of the program. */
static void mark(struct nt_ool_plan *plan, u64 pc, u8 sp, bool done)
{
	struct nt_ool_mark *m = &plan->marks[plan->mark_count++];

	m->pc = pc;
	m->offset = plan->code_length;
	m->sp = sp;
	m->done = done;
}

/*
 * The instruction itself. Its operand relative to rip keeps its address; with a 32-bit address
 * size that is computed modulo 2^32 and always in reach.
 */
static bool emit_copy(struct nt_ool_plan *plan, const u8 *bytes, const struct nt_insn *insn)
{
	u64 disp = (u64)(s64)insn->disp + plan->addr - plan->slot;
	u32 i;

	if (insn->flags & NT_INSN_RIP && !fits32(disp) && !(insn->prefixes & NT_PFX_ADDR))
		return false;
	for (i = 0; i < insn->length; i++)
		emit(plan, bytes[i], 1);
	if (insn->flags & NT_INSN_RIP)
		for (i = 0; i < 4; i++)
			plan->code[insn->disp_at + i] = (u8)(disp >> (8 * i));
	return true;
}

/*
 * jcc, loop, jrcxz: short, over a jump to the next instruction, to a jump to the target. The repeat
 * prefixes stay with a loop: to some processors they are its condition.
 */
static void plan_condition(struct nt_ool_plan *plan, const struct nt_insn *insn)
{
	u64 target = nt_insn_target(insn, plan->addr);
	u8 opcode = insn->branch == NT_BR_JCC ? 0x70 | (insn->opcode & 0x0f) : insn->opcode;
	u8 skip;

	mark(plan, plan->addr, 0, false);
	if (insn->branch == NT_BR_LOOP) {
		if (insn->prefixes & NT_PFX_ADDR)
			emit(plan, 0x67, 1);
		if (insn->prefixes & (NT_PFX_REP | NT_PFX_REPNE))
			emit(plan, insn->prefixes & NT_PFX_REP ? 0xf3 : 0xf2, 1);
	}
	emit(plan, opcode, 2);
	skip = plan->code_length;
	mark(plan, plan->next, 0, true);
	emit_jump(plan, plan->next);
	plan->code[skip - 1] = plan->code_length - skip;
	mark(plan, target, 0, true);
	emit_jump(plan, target);
}

/* Pushes the address of the program's next instruction; touches no register and no flag. */
static void emit_push_next(struct nt_ool_plan *plan)
{
	u8 size = plan->mode64 ? 8 : 4;

	mark(plan, plan->addr, 0, false);
	emit(plan, 0x68, 1); /* push imm32, sign-extended */
	emit(plan, plan->next, 4);
	mark(plan, plan->addr, size, false);
	if (fits32(plan->next) || !plan->mode64)
		return;
	emit(plan, 0x042444c7, 4); /* movl imm32, 4(%rsp) */
	emit(plan, plan->next >> 32, 4);
	mark(plan, plan->addr, size, false);
}

/* call *reg, but for the stack pointer, which the push changes */
static bool calls_register(const struct nt_insn *insn)
{
	if (insn->branch != NT_BR_CALL_IND || insn->flags & NT_INSN_MEM)
		return false;
	return nt_insn_rm(insn) != 4 || insn->rex & NT_REX_B;
}

static void plan_call_register(struct nt_ool_plan *plan, const struct nt_insn *insn)
{
	emit_push_next(plan);
	if (insn->rex & NT_REX_B)
		emit(plan, 0x41, 1);
	emit(plan, 0xff, 1);
	emit(plan, 0xe0 | nt_insn_rm(insn), 1); /* jmp *reg */
}

static u8 refusal(const struct nt_insn *insn)
{
	if (insn->flags & NT_INSN_VENDOR)
		return NT_OOL_VENDOR;
	if (insn->prefixes & NT_PFX_LOCK && insn->branch != NT_BR_NONE)
		return NT_OOL_INVALID; /* faults, but a slot with another branch would not */
	switch (insn->branch) {
	case NT_BR_FAR:
	case NT_BR_IRET:
		return NT_OOL_FAR;
	case NT_BR_SYSCALL: /* in 32-bit code an AMD special, only the vdso's */
		return insn->mode64 ? NT_OOL_OK : NT_OOL_SYSTEM;
	case NT_BR_SYSENTER:
	case NT_BR_SYSTEM:
		return NT_OOL_SYSTEM;
	case NT_BR_INT: /* int 0x80 is a system call */
		return (u8)insn->imm == 0x80 ? NT_OOL_OK : NT_OOL_TRAP;
	case NT_BR_TRAP:
		return NT_OOL_TRAP;
	case NT_BR_XBEGIN:
		return NT_OOL_TRANSACTION;
	}
	return NT_OOL_OK;
}

/* One copy, and behind it what follows. */
static bool plan_copy(struct nt_ool_plan *plan, const u8 *bytes, const struct nt_insn *insn)
{
	mark(plan, plan->addr, 0, false);
	if (!emit_copy(plan, bytes, insn))
		return false;
	switch (insn->branch) {
	case NT_BR_RET:
	case NT_BR_JMP_IND:
		plan->flags |= NT_OOL_LEAVES;
		return true;
	case NT_BR_CALL_IND:
		plan->flags |= NT_OOL_LEAVES | NT_OOL_CALLS;
		plan->slot_cls = NT_OOL_STEP;
		return true;
	case NT_BR_SYSCALL:
	case NT_BR_INT:
		plan->flags |= NT_OOL_TRAPS;
		if (insn->branch == NT_BR_SYSCALL)
			plan->flags |= NT_OOL_SYSCALL;
		plan->slot_cls = NT_OOL_STEP;
		mark(plan, plan->next, 0, true);
		emit(plan, 0xcc, 1);
		mark(plan, plan->next, 0, true);
		return true;
	}
	if (insn->flags & NT_INSN_PUSHF)
		plan->flags |= NT_OOL_PUSHES_F;
	if (insn->flags & NT_INSN_POPF) {
		plan->flags |= NT_OOL_POPS_F;
		plan->slot_cls = NT_OOL_STEP;
	}
	if (insn->flags & NT_INSN_X87)
		plan->flags |= NT_OOL_FIP;
	mark(plan, plan->next, 0, true);
	emit_jump(plan, plan->next);
	return true;
}

static void plan_slot(struct nt_ool_plan *plan, const u8 *bytes, const struct nt_insn *insn)
{
	bool reached = true;

	plan->slot_cls = NT_OOL_BOOST;
	switch (insn->branch) {
	case NT_BR_JMP:
		mark(plan, plan->addr, 0, false);
		emit_jump(plan, nt_insn_target(insn, plan->addr));
		break;
	case NT_BR_JCC:
	case NT_BR_LOOP:
		plan_condition(plan, insn);
		break;
	case NT_BR_CALL:
		emit_push_next(plan);
		emit_jump(plan, nt_insn_target(insn, plan->addr));
		break;
	default:
		if (calls_register(insn))
			plan_call_register(plan, insn);
		else
			reached = plan_copy(plan, bytes, insn);
	}
	if (plan->literals)
		plan->code_length = NT_OOL_SLOT;
	if (reached)
		return;
	plan->slot_cls = NT_OOL_REFUSE;
	plan->reason = NT_OOL_REACH;
	plan->mark_count = 0;
}

static void shadow_stack(struct nt_ool_plan *plan, const struct nt_insn *insn)
{
	if (insn->branch == NT_BR_CALL || insn->branch == NT_BR_CALL_IND)
		plan->flags |= NT_OOL_SHSTK_EMULATE | NT_OOL_SHSTK_SLOT;
	if (insn->branch == NT_BR_RET)
		plan->flags |= NT_OOL_SHSTK_EMULATE;
}

u8 nt_ool_plan(const u8 *bytes, u32 len, u64 addr, u64 slot, bool mode64, struct nt_ool_plan *plan)
{
	struct nt_ool_plan blank = {.addr = addr, .slot = slot, .mode64 = mode64};
	struct nt_insn insn;

	*plan = blank;
	plan->reason = nt_insn_decode(bytes, len, mode64, &insn) ? refusal(&insn) : NT_OOL_INVALID;
	plan->length = insn.length;
	plan->next = mode64 ? addr + insn.length : (u32)(addr + insn.length);
	if (plan->reason != NT_OOL_OK)
		return plan->cls;

	shadow_stack(plan, &insn);
	if (slot && !(slot & 7))
		plan_slot(plan, bytes, &insn);
	else
		plan->reason = NT_OOL_NO_SLOT;
	plan->cls =
	    nt_ool_emulation(&insn, addr, &plan->emulation) ? NT_OOL_EMULATE : plan->slot_cls;
	return plan->cls;
}
