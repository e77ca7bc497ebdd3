// SPDX-License-Identifier: GPL-2.0
/*
 * The interpreter of agent expressions.
 *
 * It trusts nothing: opcode, operand, stack and jump are checked at every
 * instruction, so that code nobody verified can be wrong but not harmful.
 */
#include "agent_code.h"
#include "agent_machine.h"

#define SIGN_BIT 0x8000000000000000ull

struct evaluation {
	struct nt_agent_machine machine;
	const u8 *code;
	u32 len;
	u32 depth;
	u64 stack[1 + NT_AGENT_STACK]; /* the topmost entry is stack[depth] */
};

/* The order of signed numbers is that of unsigned ones with the sign bit turned over. */
static bool less_signed(u64 a, u64 b)
{
	return (a ^ SIGN_BIT) < (b ^ SIGN_BIT);
}

static u64 magnitude(u64 a)
{
	return a & SIGN_BIT ? 0 - a : a;
}

/* Quotients are cut towards zero, a remainder has the sign of the dividend. */
static int divide(u8 op, u64 a, u64 b, u64 *out)
{
	if (!b)
		return NT_AGENT_E_DIVIDE;
	switch (op) {
	case NT_OP_DIV_SIGNED:
		*out = magnitude(a) / magnitude(b);
		if ((a ^ b) & SIGN_BIT)
			*out = 0 - *out;
		break;
	case NT_OP_REM_SIGNED:
		*out = magnitude(a) % magnitude(b);
		if (a & SIGN_BIT)
			*out = 0 - *out;
		break;
	case NT_OP_DIV_UNSIGNED:
		*out = a / b;
		break;
	default:
		*out = a % b;
		break;
	}
	return 0;
}

static u64 shift(u8 op, u64 a, u64 count)
{
	u64 sign = a & SIGN_BIT ? ~0ull : 0;

	switch (op) {
	case NT_OP_LSH:
		return count > 63 ? 0 : a << count;
	case NT_OP_RSH_UNSIGNED:
		return count > 63 ? 0 : a >> count;
	default:
		/* Shift the bits that differ from the sign: no signed shift is needed. */
		return count > 63 ? sign : (a ^ sign) >> count ^ sign;
	}
}

static int binary(u8 op, u64 a, u64 b, u64 *out)
{
	switch (op) {
	case NT_OP_ADD:
		*out = a + b;
		return 0;
	case NT_OP_SUB:
		*out = a - b;
		return 0;
	case NT_OP_MUL:
		*out = a * b;
		return 0;
	case NT_OP_BIT_AND:
		*out = a & b;
		return 0;
	case NT_OP_BIT_OR:
		*out = a | b;
		return 0;
	case NT_OP_BIT_XOR:
		*out = a ^ b;
		return 0;
	case NT_OP_EQUAL:
		*out = a == b;
		return 0;
	case NT_OP_LESS_SIGNED:
		*out = less_signed(a, b);
		return 0;
	case NT_OP_LESS_UNSIGNED:
		*out = a < b;
		return 0;
	case NT_OP_LSH:
	case NT_OP_RSH_SIGNED:
	case NT_OP_RSH_UNSIGNED:
		*out = shift(op, a, b);
		return 0;
	default:
		return divide(op, a, b, out);
	}
}

static int extend(u8 op, u64 width, u64 *value)
{
	u64 top;

	if (width < 1 || width > 64)
		return NT_AGENT_E_OPERAND;
	top = 1ull << (width - 1);
	*value &= top | (top - 1);
	if (op == NT_OP_EXT)
		*value = (*value ^ top) - top;
	return 0;
}

static int read_memory(struct evaluation *e, u8 op, u64 *value)
{
	const struct nt_agent_machine *m = &e->machine;
	u64 addr = *value;
	union {
		u8 b8;
		u16 b16;
		u32 b32;
		u64 b64;
	} got;
	u32 size = 1u << (op - NT_OP_REF8);

	if (!m->ops->read_mem)
		return NT_AGENT_E_UNSUPPORTED;
	if (m->ops->read_mem(m->ctx, addr, &got, size))
		return NT_AGENT_E_MEMORY;
	switch (size) {
	case 1:
		*value = got.b8;
		break;
	case 2:
		*value = got.b16;
		break;
	case 4:
		*value = got.b32;
		break;
	default:
		*value = got.b64;
		break;
	}
	return 0;
}

static int read_register(struct evaluation *e, u64 number, u64 *value)
{
	const struct nt_agent_machine *m = &e->machine;

	if (!m->ops->read_reg)
		return NT_AGENT_E_UNSUPPORTED;
	return m->ops->read_reg(m->ctx, (u32)number, value) ? NT_AGENT_E_REGISTER : 0;
}

static int variable(struct evaluation *e, u8 op, u64 number, u64 *value)
{
	const struct nt_agent_machine *m = &e->machine;
	u32 n = (u32)number;

	switch (op) {
	case NT_OP_GETV:
		if (!m->ops->get_var)
			return NT_AGENT_E_UNSUPPORTED;
		return m->ops->get_var(m->ctx, n, value) ? NT_AGENT_E_STATE : 0;
	case NT_OP_SETV:
		if (!m->ops->set_var)
			return NT_AGENT_E_UNSUPPORTED;
		return m->ops->set_var(m->ctx, n, *value) ? NT_AGENT_E_STATE : 0;
	default:
		if (!m->ops->trace_var)
			return NT_AGENT_E_UNSUPPORTED;
		return m->ops->trace_var(m->ctx, n) ? NT_AGENT_E_SINK : 0;
	}
}

static int trace(struct evaluation *e, u64 addr, u64 size)
{
	struct nt_agent_machine *m = &e->machine;

	if (!m->ops->trace_mem)
		return NT_AGENT_E_UNSUPPORTED;
	if (!size)
		return 0;
	if (nt_agent_charge(m, size / NT_AGENT_BLOCK))
		return NT_AGENT_E_BUDGET;
	return m->ops->trace_mem(m->ctx, addr, size) ? NT_AGENT_E_SINK : 0;
}

/* A string, its NUL included, but no more than max bytes. */
static int trace_string(struct evaluation *e, u64 addr, u64 max)
{
	bool ended;
	u64 size;
	int err = nt_agent_find_nul(&e->machine, addr, max, &size, &ended);

	return err ? err : trace(e, addr, ended ? size + 1 : size);
}

static int jump(const struct evaluation *e, u64 target, u32 *next)
{
	if (target >= e->len)
		return NT_AGENT_E_JUMP;
	*next = (u32)target;
	return 0;
}

/* One instruction whose stack has been checked; top is its topmost entry, if it takes any. */
static int execute(struct evaluation *e, u8 op, const struct nt_agent_insn *insn, u64 *top,
		   u32 *next)
{
	u64 value;

	switch (op) {
	case NT_OP_TRACE:
		return trace(e, top[-1], top[0]);
	case NT_OP_TRACENZ:
		return trace_string(e, top[-1], top[0]);
	case NT_OP_TRACE_QUICK:
	case NT_OP_TRACE16:
		return trace(e, top[0], insn->operand);
	case NT_OP_LOG_NOT:
		top[0] = !top[0];
		return 0;
	case NT_OP_BIT_NOT:
		top[0] = ~top[0];
		return 0;
	case NT_OP_EXT:
	case NT_OP_ZERO_EXT:
		return extend(op, insn->operand, top);
	case NT_OP_REF8:
	case NT_OP_REF16:
	case NT_OP_REF32:
	case NT_OP_REF64:
		return read_memory(e, op, top);
	case NT_OP_IF_GOTO:
		return top[0] ? jump(e, insn->operand, next) : 0;
	case NT_OP_GOTO:
		return jump(e, insn->operand, next);
	case NT_OP_CONST8:
	case NT_OP_CONST16:
	case NT_OP_CONST32:
	case NT_OP_CONST64:
		top[1] = insn->operand;
		return 0;
	case NT_OP_REG:
		return read_register(e, insn->operand, &top[1]);
	case NT_OP_DUP:
		top[1] = top[0];
		return 0;
	case NT_OP_POP:
		return 0;
	case NT_OP_SWAP:
		value = top[0];
		top[0] = top[-1];
		top[-1] = value;
		return 0;
	case NT_OP_ROT:
		value = top[0];
		top[0] = top[-1];
		top[-1] = top[-2];
		top[-2] = value;
		return 0;
	case NT_OP_PICK:
		top[1] = *(top - insn->operand);
		return 0;
	case NT_OP_GETV:
		return variable(e, op, insn->operand, &top[1]);
	case NT_OP_SETV:
	case NT_OP_TRACEV:
		return variable(e, op, insn->operand, top);
	case NT_OP_PRINTF:
		/* Above its arguments lie gdb's function and channel: of no use here. */
		return nt_agent_printf(&e->machine, e->code + insn->text, insn->text_len, top - 2,
				       insn->operand);
	default:
		return binary(op, top[-1], top[0], &top[-1]);
	}
}

static int check_stack(const struct evaluation *e, u8 op, const struct nt_agent_insn *insn)
{
	if (e->depth < insn->pops || (op == NT_OP_PICK && e->depth <= insn->operand))
		return NT_AGENT_E_UNDERFLOW;
	if (e->depth - insn->pops + insn->row->pushes > NT_AGENT_STACK)
		return NT_AGENT_E_OVERFLOW;
	return 0;
}

static int run(struct evaluation *e, u64 *result, u32 *at)
{
	struct nt_agent_insn insn;
	u32 next = 0;
	int err;

	for (;;) {
		u8 op;

		if (next >= e->len)
			return NT_AGENT_E_NO_END;
		*at = next;
		op = e->code[next];
		err = nt_agent_charge(&e->machine, 1);
		if (!err)
			err = nt_agent_decode(e->code, e->len, next, &insn);
		if (!err)
			err = check_stack(e, op, &insn);
		if (err)
			return err;
		if (op == NT_OP_END)
			break;

		next += insn.size;
		err = execute(e, op, &insn, e->stack + e->depth, &next);
		if (err)
			return err;
		e->depth = e->depth - insn.pops + insn.row->pushes;
	}
	if (result && !e->depth)
		return NT_AGENT_E_NO_RESULT;
	if (result)
		*result = e->stack[e->depth];
	return 0;
}

int nt_agent_eval(const u8 *code, u32 len, const struct nt_agent_ops *ops, void *ctx, u32 budget,
		  u64 *result, u32 *error_at)
{
	struct evaluation e;
	u32 at = 0;
	int err;

	e.machine.ops = ops;
	e.machine.ctx = ctx;
	e.machine.budget = budget;
	e.code = code;
	e.len = len;
	e.depth = 0;
	err = len ? run(&e, result, &at) : NT_AGENT_E_EMPTY;
	*error_at = err ? at : 0;
	return err;
}
