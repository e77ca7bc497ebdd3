// SPDX-License-Identifier: GPL-2.0
/*
 * The verifier of agent expressions.
 *
 * Three passes over the code, each linear. The first decodes and marks in the
 * work area where instructions begin; the second checks where jumps lead; the
 * third follows every path with the height of the stack.
 *
 * Heights must agree where paths meet (gdb's compiler sees to that), so each
 * instruction is entered with one height and visited once. The jumps of which
 * only one side has been followed form a list whose links lie in the work area
 * over their own operands: no other memory is needed.
 */
#include "agent_code.h"
#include "agent_machine.h"

/* Values of a byte of the work area; one more than its height where an instruction was visited. */
#define UNSEEN 0
#define INSIDE 0xff /* within an instruction */

struct verifier {
	const u8 *code;
	u32 len;
	const struct nt_agent_limits *limits;
	struct nt_agent_info *info;
	u32 at;	     /* offset of the instruction looked at */
	u32 pending; /* a conditional jump still to be taken, 0: none (the first cannot be one) */
};

static u32 jump_target(const struct verifier *v, u32 at)
{
	return (u32)v->code[at + 1] << 8 | v->code[at + 2];
}

static bool has_register(const struct nt_agent_limits *limits, u64 number)
{
	if (number >= limits->registers)
		return false;
	return !limits->register_set || (limits->register_set[number / 64] >> (number % 64) & 1);
}

static int check_operand(struct verifier *v, const struct nt_agent_insn *insn)
{
	u32 where = 0;

	switch (v->code[v->at]) {
	case NT_OP_EXT:
	case NT_OP_ZERO_EXT:
		if (insn->operand < 1 || insn->operand > 64)
			return NT_AGENT_E_OPERAND;
		return 0;
	case NT_OP_REG:
		return has_register(v->limits, insn->operand) ? 0 : NT_AGENT_E_REGISTER;
	case NT_OP_GETV:
	case NT_OP_SETV:
	case NT_OP_TRACEV:
		return insn->operand < v->limits->variables ? 0 : NT_AGENT_E_VARIABLE;
	case NT_OP_PRINTF:
		if (!nt_agent_check_format(v->code + insn->text, insn->text_len, insn->operand,
					   &where))
			return 0;
		if (insn->text_len)
			v->at = insn->text + where;
		return NT_AGENT_E_FORMAT;
	default:
		return 0;
	}
}

static int decode_all(struct verifier *v)
{
	u8 *work = v->limits->work;
	struct nt_agent_insn insn;
	u32 next = 0;
	u32 i;
	int err;

	while (next < v->len) {
		v->at = next;
		err = nt_agent_decode(v->code, v->len, v->at, &insn);
		if (!err && (insn.row->uses & ~v->limits->allow))
			err = NT_AGENT_E_FORBIDDEN;
		if (!err)
			err = check_operand(v, &insn);
		if (err)
			return err;
		next = v->at + insn.size;
		work[v->at] = UNSEEN;
		for (i = v->at + 1; i < next; i++)
			work[i] = INSIDE;
		v->info->instructions++;
		v->info->uses |= insn.row->uses;
	}
	return 0;
}

static int check_jumps(struct verifier *v)
{
	u32 at, target;

	for (at = 0; at < v->len; at++) {
		if (v->limits->work[at] == INSIDE)
			continue;
		if (v->code[at] != NT_OP_GOTO && v->code[at] != NT_OP_IF_GOTO)
			continue;
		v->at = at;
		target = jump_target(v, at);
		if (target >= v->len || v->limits->work[target] == INSIDE)
			return NT_AGENT_E_JUMP;
		if (target <= at)
			v->info->uses |= NT_AGENT_USE_LOOP;
	}
	if (v->info->uses & ~v->limits->allow)
		return NT_AGENT_E_FORBIDDEN;
	return 0;
}

static int check_end(struct verifier *v, u32 depth)
{
	if (!depth && v->limits->need_result)
		return NT_AGENT_E_NO_RESULT;
	if (depth < v->info->end_depth)
		v->info->end_depth = depth;
	return 0;
}

/* Follow one path until it ends or joins one that was followed before. */
static int follow(struct verifier *v, u32 next, u32 depth)
{
	u8 *work = v->limits->work;
	struct nt_agent_insn insn;

	for (;;) {
		if (next >= v->len)
			return NT_AGENT_E_NO_END;
		v->at = next;
		if (work[v->at] != UNSEEN)
			return work[v->at] == depth + 1 ? 0 : NT_AGENT_E_HEIGHT;
		work[v->at] = (u8)(depth + 1);
		v->info->reachable++;

		/* Decoded before without an error. */
		(void)nt_agent_decode(v->code, v->len, v->at, &insn);
		if (depth < insn.pops || (v->code[v->at] == NT_OP_PICK && depth <= insn.operand))
			return NT_AGENT_E_UNDERFLOW;
		depth = depth - insn.pops + insn.row->pushes;
		if (depth > NT_AGENT_STACK)
			return NT_AGENT_E_OVERFLOW;
		if (depth > v->info->max_depth)
			v->info->max_depth = depth;

		next = v->at + insn.size;
		switch (v->code[v->at]) {
		case NT_OP_END:
			return check_end(v, depth);
		case NT_OP_GOTO:
			next = (u32)insn.operand;
			break;
		case NT_OP_IF_GOTO:
			work[v->at + 1] = (u8)(v->pending >> 8);
			work[v->at + 2] = (u8)v->pending;
			v->pending = v->at;
			break;
		}
	}
}

static int follow_all(struct verifier *v)
{
	const u8 *work = v->limits->work;
	int err = follow(v, 0, 0);

	while (!err && v->pending) {
		u32 jump = v->pending;

		v->pending = (u32)work[jump + 1] << 8 | work[jump + 2];
		/* It took one value off the height it was entered with. */
		err = follow(v, jump_target(v, jump), work[jump] - 2u);
	}
	return err;
}

int nt_agent_verify(const u8 *code, u32 len, const struct nt_agent_limits *limits,
		    struct nt_agent_info *info, u32 *error_at)
{
	struct verifier v = {code, len, limits, info, 0, 0};
	int err = 0;

	info->instructions = 0;
	info->reachable = 0;
	info->max_depth = 0;
	info->end_depth = NT_AGENT_STACK;
	info->uses = 0;

	if (!len)
		err = NT_AGENT_E_EMPTY;
	else if (len > NT_AGENT_MAX_LEN || len > limits->max_len || len > limits->work_len)
		err = NT_AGENT_E_LENGTH;
	if (!err)
		err = decode_all(&v);
	if (!err)
		err = check_jumps(&v);
	if (!err)
		err = follow_all(&v);
	*error_at = err ? v.at : 0;
	return err;
}
