// SPDX-License-Identifier: GPL-2.0
/* The commonest instructions, executed on saved registers (Intel SDM volume 2). */
#include "ool_emulate.h"

#define CX 1
#define SP 4
#define BP 5

#define CF 0x001u
#define PF 0x004u
#define AF 0x010u
#define ZF 0x040u
#define SF 0x080u
#define TF 0x100u
#define OF 0x800u
#define AC 0x40000u
#define ARITHMETIC (CF | PF | AF | ZF | SF | OF)

struct machine {
	const struct nt_ool_plan *plan;
	const struct nt_ool_emulation *e;
	const struct nt_ool_ops *ops;
	struct nt_ool_regs regs; /* a copy: kept only when all went well */
};

static u64 cut(u64 value, u8 size)
{
	return size == 8 ? value : (u32)value;
}

/* Only the lower half of the address space: beyond it the processor shall say what is wrong. */
static bool user(const struct machine *m, u64 addr, u32 size)
{
	u64 end = m->plan->mode64 ? 1ull << 47 : 1ull << 32;

	return addr < end && end - addr >= size;
}

static u64 stack_mask(const struct machine *m, u64 addr)
{
	return m->plan->mode64 ? addr : (u32)addr;
}

static bool load(struct machine *m, u64 addr, u64 *value)
{
	*value = 0;
	return user(m, addr, m->e->size) &&
	       m->ops->read(m->ops->context, addr, value, m->e->size) == 0;
}

static bool push(struct machine *m, u64 value)
{
	u64 sp = stack_mask(m, m->regs.gpr[SP] - m->e->size);

	if (!user(m, sp, m->e->size) || m->ops->write(m->ops->context, sp, &value, m->e->size) != 0)
		return false;
	m->regs.gpr[SP] = sp;
	return true;
}

static bool pop(struct machine *m, u64 *value)
{
	u64 sp = m->regs.gpr[SP];

	if (!load(m, sp, value))
		return false;
	m->regs.gpr[SP] = stack_mask(m, sp + m->e->size);
	return true;
}

static bool jump(struct machine *m, u64 target)
{
	m->regs.ip = target;
	return user(m, target, 1);
}

/* The second operand: a register, or else the immediate. */
static u64 source(const struct machine *m)
{
	const struct nt_ool_emulation *e = m->e;

	return cut(e->src == NT_OOL_NO_REG ? e->imm : m->regs.gpr[e->src], e->size);
}

static u64 operand_address(const struct machine *m)
{
	const struct nt_ool_emulation *e = m->e;
	u64 addr = e->imm;

	if (e->src != NT_OOL_NO_REG)
		addr += m->regs.gpr[e->src];
	if (e->index != NT_OOL_NO_REG)
		addr += m->regs.gpr[e->index] << e->scale;
	return stack_mask(m, addr);
}

static u32 parity(u64 value)
{
	u8 v = (u8)value;

	v ^= v >> 4;
	return (0x9669 >> (v & 15)) & 1 ? PF : 0;
}

/* Flags of a + b or a - b = result. */
static void set_flags(struct machine *m, u64 a, u64 b, u64 result, bool subtract)
{
	u64 sign = 1ull << (8 * m->e->size - 1);
	u64 overflow = (subtract ? a ^ b : ~(a ^ b)) & (a ^ result);
	u32 flags = parity(result) | ((a ^ b ^ result) & AF);

	if (subtract ? a < b : result < a)
		flags |= CF;
	if (result == 0)
		flags |= ZF;
	if (result & sign)
		flags |= SF;
	if (overflow & sign)
		flags |= OF;
	m->regs.flags = (m->regs.flags & ~(u64)ARITHMETIC) | flags;
}

static bool arithmetic(struct machine *m)
{
	const struct nt_ool_emulation *e = m->e;
	bool subtract = e->op != NT_OP_ADD;
	u64 a = cut(m->regs.gpr[e->dst], e->size);
	u64 b = source(m);
	u64 result = cut(subtract ? a - b : a + b, e->size);

	set_flags(m, a, b, result, subtract);
	if (e->op != NT_OP_CMP)
		m->regs.gpr[e->dst] = result;
	return true;
}

/* Table B-1: pairs of a condition and its opposite. */
static bool condition(u64 flags, u8 cond)
{
	bool sign_differs = !(flags & SF) != !(flags & OF);
	bool held;

	switch (cond >> 1) {
	case 0:
		held = flags & OF;
		break;
	case 1:
		held = flags & CF;
		break;
	case 2:
		held = flags & ZF;
		break;
	case 3:
		held = flags & (CF | ZF);
		break;
	case 4:
		held = flags & SF;
		break;
	case 5:
		held = flags & PF;
		break;
	case 6:
		held = sign_differs;
		break;
	default:
		held = sign_differs || flags & ZF;
	}
	return held != (cond & 1);
}

/* loopne loope loop jrcxz: e0 to e3 */
static bool loop(struct machine *m)
{
	const struct nt_ool_emulation *e = m->e;
	u64 count = cut(m->regs.gpr[CX], e->size);
	bool zero = m->regs.flags & ZF;
	bool taken;

	if (e->cond == 0xe3)
		return count ? true : jump(m, e->imm);
	count = cut(count - 1, e->size);
	m->regs.gpr[CX] = count;
	taken = count != 0;
	if (e->cond != 0xe2)
		taken = taken && zero == (e->cond == 0xe1);
	return taken ? jump(m, e->imm) : true;
}

static bool leave(struct machine *m)
{
	m->regs.gpr[SP] = m->regs.gpr[BP];
	return pop(m, &m->regs.gpr[BP]);
}

static bool ret(struct machine *m)
{
	u64 target;

	if (!pop(m, &target))
		return false;
	m->regs.gpr[SP] = stack_mask(m, m->regs.gpr[SP] + m->e->imm);
	return jump(m, target);
}

/* The popped value last: pop rsp keeps it. */
static bool pop_register(struct machine *m)
{
	u64 value;

	if (!pop(m, &value))
		return false;
	m->regs.gpr[m->e->dst] = value;
	return true;
}

/* The target comes first: it may lie where the return address goes. */
static bool indirect(struct machine *m)
{
	bool call = m->e->op == NT_OP_CALL_REG || m->e->op == NT_OP_CALL_MEM;
	u64 target;

	if (m->e->op == NT_OP_CALL_MEM || m->e->op == NT_OP_JMP_MEM) {
		if (!load(m, operand_address(m), &target))
			return false;
	} else {
		target = source(m);
	}
	return jump(m, target) && (!call || push(m, m->plan->next));
}

static bool execute(struct machine *m)
{
	const struct nt_ool_emulation *e = m->e;

	switch (e->op) {
	case NT_OP_NOP:
		return true;
	case NT_OP_PUSH:
		return push(m, source(m));
	case NT_OP_POP:
		return pop_register(m);
	case NT_OP_LEAVE:
		return leave(m);
	case NT_OP_MOV:
		m->regs.gpr[e->dst] = source(m);
		return true;
	case NT_OP_LEA:
		m->regs.gpr[e->dst] = cut(operand_address(m), e->size);
		return true;
	case NT_OP_ADD:
	case NT_OP_SUB:
	case NT_OP_CMP:
		return arithmetic(m);
	case NT_OP_JMP:
		return jump(m, e->imm);
	case NT_OP_JCC:
		return condition(m->regs.flags, e->cond) ? jump(m, e->imm) : true;
	case NT_OP_LOOP:
		return loop(m);
	case NT_OP_CALL:
		return jump(m, e->imm) && push(m, m->plan->next);
	case NT_OP_RET:
		return ret(m);
	}
	return indirect(m);
}

bool nt_ool_emulate(const struct nt_ool_plan *plan, struct nt_ool_regs *regs,
		    const struct nt_ool_ops *ops)
{
	struct machine m = {plan, &plan->emulation, ops, *regs};

	if (plan->cls != NT_OOL_EMULATE || regs->flags & (TF | AC))
		return false;
	m.regs.ip = plan->next;
	if (!execute(&m))
		return false;
	*regs = m.regs;
	return true;
}
