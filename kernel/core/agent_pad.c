// SPDX-License-Identifier: GPL-2.0
/*
 * The compiler of conditions. The topmost entry of an expression's stack is in rax, those below
 * are on the thread's own; rcx and rdx are scratch, rbx points to what was saved.
 */
#include "agent_pad.h"
#include "agent.h"
#include "agent_code.h"
#include "agent_x86.h"

#define RAX 0
#define RCX 1
#define RDX 2
#define RBX 3
#define RSP 4

/* A word of the work area: a chain of jumps to this place (agent_x86.h), and its stack height + 1.
 */
#define WORD(chain, depth) ((chain) << 8 | ((depth) + 1))
#define CHAIN(word) ((word) >> 8)
#define DEPTH(word) (((word)&0xff) - 1)

struct compiler {
	struct nt_x86 x;
	const struct nt_pad *pad;
	const u8 *registers;
	u32 nregisters;
	u32 *work;
	u32 len;
	u32 depth;
	bool reached; /* by the instruction before */
	bool pending; /* the topmost entry is this constant, not in rax yet */
	u64 constant;
	u32 give; /* chain of jumps to where it is given up */
	u32 next; /* chain of jumps to the next condition */
};

/* mov $value, %reg */
static void load_constant(struct nt_x86 *x, u8 reg, u64 value)
{
	if (value <= 0xffffffff) {
		nt_x86_emit(x, 0xb8 | reg, 1);
		nt_x86_emit(x, value, 4);
	} else if (value == (u64)(s64)(s32)value) {
		nt_x86_emit(x, 0xc0c748 | (u32)reg << 16, 3);
		nt_x86_emit(x, value, 4);
	} else {
		nt_x86_emit(x, 0xb848 | (u32)reg << 8, 2);
		nt_x86_emit(x, value, 8);
	}
}

/* Room for a new topmost entry. */
static void push_top(struct compiler *c)
{
	if (c->depth)
		nt_x86_emit(&c->x, 0x50, 1); /* push %rax */
}

static void flush(struct compiler *c)
{
	if (!c->pending)
		return;
	c->pending = false;
	/* it is counted already, what is below it lies in rax */
	if (c->depth > 1)
		nt_x86_emit(&c->x, 0x50, 1);
	load_constant(&c->x, RAX, c->constant);
}

/* The topmost entry to rcx, the one below it to rax. */
static void take_two(struct compiler *c)
{
	if (c->pending) {
		c->pending = false;
		load_constant(&c->x, RCX, c->constant);
		return;
	}
	nt_x86_emit(&c->x, 0xc18948, 3); /* mov %rax, %rcx */
	nt_x86_emit(&c->x, 0x58, 1);	 /* pop %rax */
}

/* cmp %rcx, %rax; setCC %al; movzbl %al, %eax */
static void compare(struct nt_x86 *x, u8 condition)
{
	nt_x86_emit(x, 0xc83948, 3);
	nt_x86_emit(x, 0xc0000f | (0x90u | condition) << 8, 3);
	nt_x86_emit(x, 0xc0b60f, 3);
}

static void divide(struct compiler *c, u8 op)
{
	struct nt_x86 *x = &c->x;
	bool remainder = op == NT_OP_REM_SIGNED || op == NT_OP_REM_UNSIGNED;

	nt_x86_emit(x, 0xc98548, 3); /* test %rcx, %rcx */
	nt_x86_jcc(x, NT_X86_E, &c->give);
	if (op == NT_OP_DIV_UNSIGNED || op == NT_OP_REM_UNSIGNED) {
		nt_x86_emit(x, 0xd231, 2);   /* xor %edx, %edx */
		nt_x86_emit(x, 0xf1f748, 3); /* div %rcx */
	} else {
		/* the smallest number by -1 traps: that divisor has an answer without a division */
		nt_x86_emit(x, 0xfff98348, 4);			/* cmp $-1, %rcx */
		nt_x86_emit(x, remainder ? 0x0475 : 0x0575, 2); /* jne over the next two */
		if (remainder)
			nt_x86_emit(x, 0xd231, 2); /* xor %edx, %edx */
		else
			nt_x86_emit(x, 0xd8f748, 3); /* neg %rax */
		nt_x86_emit(x, 0x05eb, 2);	     /* jmp over the division */
		nt_x86_emit(x, 0x9948, 2);	     /* cqo */
		nt_x86_emit(x, 0xf9f748, 3);	     /* idiv %rcx */
	}
	if (remainder)
		nt_x86_emit(x, 0xd08948, 3); /* mov %rdx, %rax */
}

/* By more than 63 every bit goes; what stays is the sign, or nothing. */
static void shift(struct nt_x86 *x, u8 op)
{
	nt_x86_emit(x, 0x3ff98348, 4); /* cmp $63, %rcx */
	if (op == NT_OP_RSH_SIGNED) {
		nt_x86_emit(x, 0x0576, 2); /* jbe over */
		nt_x86_emit(x, 0xb9, 1);   /* mov $63, %ecx */
		nt_x86_emit(x, 63, 4);
		nt_x86_emit(x, 0xf8d348, 3); /* sar %cl, %rax */
		return;
	}
	nt_x86_emit(x, 0x0276, 2); /* jbe over */
	nt_x86_emit(x, 0xc031, 2); /* xor %eax, %eax */
	nt_x86_emit(x, op == NT_OP_LSH ? 0xe0d348 : 0xe8d348, 3);
}

static void binary(struct compiler *c, u8 op)
{
	struct nt_x86 *x = &c->x;

	take_two(c);
	switch (op) {
	case NT_OP_ADD:
		nt_x86_emit(x, 0xc80148, 3);
		break;
	case NT_OP_SUB:
		nt_x86_emit(x, 0xc82948, 3);
		break;
	case NT_OP_MUL:
		nt_x86_emit(x, 0xc1af0f48, 4);
		break;
	case NT_OP_BIT_AND:
		nt_x86_emit(x, 0xc82148, 3);
		break;
	case NT_OP_BIT_OR:
		nt_x86_emit(x, 0xc80948, 3);
		break;
	case NT_OP_BIT_XOR:
		nt_x86_emit(x, 0xc83148, 3);
		break;
	case NT_OP_EQUAL:
		compare(x, NT_X86_E);
		break;
	case NT_OP_LESS_SIGNED:
		compare(x, NT_X86_L);
		break;
	case NT_OP_LESS_UNSIGNED:
		compare(x, NT_X86_B);
		break;
	case NT_OP_LSH:
	case NT_OP_RSH_SIGNED:
	case NT_OP_RSH_UNSIGNED:
		shift(x, op);
		break;
	default:
		divide(c, op);
	}
}

static void extend(struct nt_x86 *x, bool is_signed, u64 bits)
{
	u64 count = 64 - bits;

	switch (bits) {
	case 64:
		break;
	case 32: /* movslq; mov %eax, %eax */
		nt_x86_emit(x, is_signed ? 0xc06348 : 0xc089, is_signed ? 3 : 2);
		break;
	case 16: /* movswq; movzwl */
		nt_x86_emit(x, is_signed ? 0xc0bf0f48 : 0xc0b70f, is_signed ? 4 : 3);
		break;
	case 8: /* movsbq; movzbl */
		nt_x86_emit(x, is_signed ? 0xc0be0f48 : 0xc0b60f, is_signed ? 4 : 3);
		break;
	default: /* shl; sar or shr */
		nt_x86_emit(x, 0xe0c148 | count << 24, 4);
		nt_x86_emit(x, (is_signed ? 0xf8c148 : 0xe8c148) | count << 24, 4);
	}
}

static void read_memory(struct compiler *c, u8 op)
{
	struct nt_x86 *x = &c->x;

	nt_x86_emit(x, 0xc18948, 3);   /* mov %rax, %rcx */
	nt_x86_emit(x, 0x0ce9c148, 4); /* shr $12, %rcx */
	nt_x86_emit(x, 0xe181, 2);     /* and $..., %ecx */
	nt_x86_emit(x, NT_PAD_FILTER_BYTES * 8 - 1, 4);
	nt_x86_emit(x, 0x0da30f, 3); /* bt %ecx, filter(%rip) */
	nt_x86_relative(x, c->pad->filter);
	nt_x86_jcc(x, NT_X86_B, &c->give);
	switch (op) {
	case NT_OP_REF8:
		nt_x86_emit(x, 0x00b60f, 3);
		break;
	case NT_OP_REF16:
		nt_x86_emit(x, 0x00b70f, 3);
		break;
	case NT_OP_REF32:
		nt_x86_emit(x, 0x008b, 2);
		break;
	default:
		nt_x86_emit(x, 0x008b48, 3);
	}
}

static bool read_register(struct compiler *c, u64 number)
{
	struct nt_x86 *x = &c->x;
	u8 reg = number < c->nregisters ? c->registers[number] : NT_PAD_NO_REG;

	if (reg > NT_PAD_RIP)
		return false;
	push_top(c);
	switch (reg) {
	case NT_PAD_RIP:
		nt_x86_emit(x, 0xb848, 2);
		nt_x86_emit(x, c->pad->addr, 8);
		break;
	case RSP:
		nt_x86_emit(x, 0x838d48, 3); /* lea ...(%rbx), %rax */
		nt_x86_emit(x, NT_X86_SAVED * 8 + NT_X86_RED_ZONE, 4);
		break;
	case RAX:
	case RCX:
	case RDX:
	case RBX: /* saved in the order rax rcx rdx rbx, downwards */
		nt_x86_emit(x, 0x438b48 | (u32)(RBX - reg) * 8 << 24, 4);
		break;
	default: /* mov %reg, %rax */
		nt_x86_emit(x, reg > 7 ? 0x894c : 0x8948, 2);
		nt_x86_emit(x, 0xc0 | (reg & 7) << 3, 1);
	}
	return true;
}

/* swap, rot, pick: on what lies on the thread's stack. */
static void rearrange(struct compiler *c, u8 op, u64 operand)
{
	struct nt_x86 *x = &c->x;

	switch (op) {
	case NT_OP_SWAP:
		nt_x86_emit(x, 0x240c8b48, 4); /* mov (%rsp), %rcx */
		nt_x86_emit(x, 0x24048948, 4); /* mov %rax, (%rsp) */
		nt_x86_emit(x, 0xc88948, 3);   /* mov %rcx, %rax */
		break;
	case NT_OP_ROT:
		nt_x86_emit(x, 0x240c8b48, 4); /* mov (%rsp), %rcx */
		nt_x86_emit(x, 0x24548b48, 4); /* mov 8(%rsp), %rdx */
		nt_x86_emit(x, 0x08, 1);
		nt_x86_emit(x, 0x24148948, 4); /* mov %rdx, (%rsp) */
		nt_x86_emit(x, 0x24448948, 4); /* mov %rax, 8(%rsp) */
		nt_x86_emit(x, 0x08, 1);
		nt_x86_emit(x, 0xc88948, 3); /* mov %rcx, %rax */
		break;
	default:
		nt_x86_emit(x, 0x50, 1); /* push %rax */
		if (!operand)
			break;
		nt_x86_emit(x, 0x24848b48, 4); /* mov 8 * n(%rsp), %rax */
		nt_x86_emit(x, operand * 8, 4);
	}
}

/* A jump forwards; backwards there is none, which bounds the time. */
static bool jump(struct compiler *c, u32 at, u64 target, u32 depth, bool always)
{
	u32 *word;
	u32 chain;

	if (target <= at || target >= c->len)
		return false;
	word = &c->work[target];
	if (*word && DEPTH(*word) != depth)
		return false;
	chain = *word ? CHAIN(*word) : 0;
	if (always)
		nt_x86_jmp(&c->x, &chain);
	else
		nt_x86_jcc(&c->x, NT_X86_NE, &chain);
	*word = WORD(chain, depth);
	return true;
}

static void test_top(struct nt_x86 *x)
{
	nt_x86_emit(x, 0xc08548, 3); /* test %rax, %rax */
}

static bool is_binary(u8 op)
{
	return (op >= NT_OP_ADD && op <= NT_OP_RSH_UNSIGNED) ||
	       (op >= NT_OP_BIT_AND && op <= NT_OP_BIT_XOR) ||
	       (op >= NT_OP_EQUAL && op <= NT_OP_LESS_UNSIGNED);
}

/* One instruction; its stack was checked by the verifier. False: not in a pad. */
static bool instruction(struct compiler *c, u32 at, u8 op, const struct nt_agent_insn *insn)
{
	struct nt_x86 *x = &c->x;
	u32 left = c->depth - insn->pops + insn->row->pushes;

	if (is_binary(op)) {
		binary(c, op);
		return true;
	}
	flush(c);
	switch (op) {
	case NT_OP_LOG_NOT:
		test_top(x);
		nt_x86_emit(x, 0xc0940f, 3); /* sete %al */
		nt_x86_emit(x, 0xc0b60f, 3); /* movzbl %al, %eax */
		return true;
	case NT_OP_BIT_NOT:
		nt_x86_emit(x, 0xd0f748, 3);
		return true;
	case NT_OP_EXT:
	case NT_OP_ZERO_EXT:
		extend(x, op == NT_OP_EXT, insn->operand);
		return true;
	case NT_OP_REF8:
	case NT_OP_REF16:
	case NT_OP_REF32:
	case NT_OP_REF64:
		read_memory(c, op);
		return true;
	case NT_OP_CONST8:
	case NT_OP_CONST16:
	case NT_OP_CONST32:
	case NT_OP_CONST64:
		c->pending = true;
		c->constant = insn->operand;
		return true;
	case NT_OP_REG:
		return read_register(c, insn->operand);
	case NT_OP_DUP:
		nt_x86_emit(x, 0x50, 1);
		return true;
	case NT_OP_POP:
		if (left)
			nt_x86_emit(x, 0x58, 1);
		return true;
	case NT_OP_SWAP:
	case NT_OP_ROT:
	case NT_OP_PICK:
		rearrange(c, op, insn->operand);
		return true;
	case NT_OP_IF_GOTO:
		test_top(x);
		if (left)
			nt_x86_emit(x, 0x58, 1); /* pop leaves the flags alone */
		return jump(c, at, insn->operand, left, false);
	case NT_OP_GOTO:
		c->reached = false;
		return jump(c, at, insn->operand, left, true);
	case NT_OP_END:
		test_top(x);
		nt_x86_jcc(x, NT_X86_NE, &c->give);
		nt_x86_jmp(x, &c->next);
		c->reached = false;
		return true;
	default:
		return false; /* variables, traces, text */
	}
}

static bool condition(struct compiler *c, const struct nt_pad_code *code)
{
	struct nt_agent_insn insn;
	u32 at, i;

	c->len = code->len;
	c->depth = 0;
	c->reached = true;
	c->pending = false;
	c->next = 0;
	for (i = 0; i < code->len; i++)
		c->work[i] = 0;
	for (at = 0; at < code->len; at += insn.size) {
		u32 word = c->work[at];

		if (nt_agent_decode(code->code, code->len, at, &insn))
			return false;
		if (word) {
			if (c->reached && c->depth != DEPTH(word))
				return false;
			if (c->reached)
				flush(c);
			c->depth = DEPTH(word);
			c->reached = true;
			nt_x86_land(&c->x, CHAIN(word));
		}
		if (!c->reached)
			continue;
		if (c->depth < insn.pops ||
		    c->depth - insn.pops + insn.row->pushes > NT_PAD_DEPTH ||
		    (code->code[at] == NT_OP_PICK && c->depth <= insn.operand) ||
		    (code->code[at] == NT_OP_END && !c->depth))
			return false;
		if (!instruction(c, at, code->code[at], &insn))
			return false;
		c->depth = c->depth - insn.pops + insn.row->pushes;
		/* a constant that is pending is counted by now */
	}
	if (c->reached)
		return false;
	/* what is left on the stack of one does not add up: rbx knows where it began */
	nt_x86_land(&c->x, c->next);
	return true;
}

static void restore(struct nt_x86 *x)
{
	nt_x86_emit(x, 0xdc8948, 3);	 /* mov %rbx, %rsp */
	nt_x86_emit(x, 0x9d58595a5b, 5); /* pop %rbx, %rdx, %rcx, %rax; popfq */
	nt_x86_emit(x, 0x24a48d48, 4);	 /* lea 128(%rsp), %rsp */
	nt_x86_emit(x, NT_X86_RED_ZONE, 4);
}

bool nt_pad_build(struct nt_pad *pad, const struct nt_pad_code *codes, u32 count,
		  const u8 *registers, u32 nregisters, u32 *work, u8 *out, u32 room)
{
	struct compiler c = {.pad = pad, .registers = registers, .nregisters = nregisters};
	struct nt_x86 *x = &c.x;
	u32 i;

	c.work = work;
	x->out = out;
	x->room = room < NT_PAD_MAX ? room : NT_PAD_MAX;
	x->base = pad->at;
	nt_x86_emit(x, 0x8024648d48, 5); /* lea -128(%rsp), %rsp */
	nt_x86_emit(x, 0x535251509c, 5); /* pushfq; push %rax, %rcx, %rdx, %rbx */
	nt_x86_emit(x, 0xe38948, 3);	 /* mov %rsp, %rbx */
	for (i = 0; i < count; i++) {
		if (i)
			nt_x86_emit(x, 0xdc8948, 3); /* mov %rbx, %rsp */
		if (!condition(&c, &codes[i]))
			return false;
	}
	pad->commit = x->length;
	nt_x86_emit(x, 0x05ff48f0, 4); /* lock incq counter(%rip) */
	nt_x86_relative(x, pad->counter);
	pad->leave = x->length;
	restore(x);
	nt_x86_emit(x, 0xe9, 1);
	nt_x86_relative(x, pad->pass);
	nt_x86_land(x, c.give);
	pad->give = x->length;
	restore(x);
	pad->trap = x->length;
	nt_x86_emit(x, 0xcc, 1);
	pad->length = x->length;
	return !x->full;
}

/* How many of the saved values lie on the stack at a place, and where. */
struct frame {
	bool skipped; /* the red zone */
	bool in_rbx;  /* the address of what is saved, else in rsp */
	u8 saved;
};

static bool frame_at(const struct nt_pad *pad, u32 offset, struct frame *frame)
{
	static const struct frame entering[] = {
	    [0] = {false, false, 0}, [5] = {true, false, 0}, [6] = {true, false, 1},
	    [7] = {true, false, 2},  [8] = {true, false, 3}, [9] = {true, false, 4},
	    [10] = {true, false, 5},
	};
	static const struct frame leaving[] = {
	    [0] = {true, true, 5},  [3] = {true, false, 5},   [4] = {true, false, 4},
	    [5] = {true, false, 3}, [6] = {true, false, 2},   [7] = {true, false, 1},
	    [8] = {true, false, 0}, [16] = {false, false, 0},
	};
	const struct frame body = {true, true, NT_X86_SAVED};
	u32 from;

	if (offset >= pad->length)
		return false;
	if (offset < sizeof(entering) / sizeof(entering[0])) {
		*frame = entering[offset];
		return true;
	}
	*frame = body;
	if (offset < pad->leave)
		return true;
	from = offset < pad->give ? pad->leave : pad->give;
	if (offset - from >= sizeof(leaving) / sizeof(leaving[0]))
		return false;
	*frame = leaving[offset - from];
	return true;
}

u8 nt_pad_leave(const struct nt_pad *pad, struct nt_ool_regs *regs, const struct nt_ool_ops *ops)
{
	static const u8 order[] = {RBX, RDX, RCX, RAX};
	u64 saved[NT_X86_SAVED] = {0};
	u32 offset = (u32)(regs->ip - pad->at);
	struct frame frame;
	u64 sp;
	u32 i;

	if (regs->ip - pad->at == pad->length) {
		regs->ip = pad->addr + 1;
		return NT_PAD_TRAPPED;
	}
	if (regs->ip - pad->at >= pad->length || !frame_at(pad, offset, &frame))
		return NT_PAD_OUTSIDE;
	sp = regs->gpr[frame.in_rbx ? RBX : RSP];
	if (frame.saved &&
	    ops->read(ops->context, sp, &saved[NT_X86_SAVED - frame.saved], frame.saved * 8u))
		return NT_PAD_FAULT;
	for (i = NT_X86_SAVED - frame.saved; i < NT_X86_SAVED - 1; i++)
		regs->gpr[order[i]] = saved[i];
	if (frame.saved)
		regs->flags = saved[NT_X86_SAVED - 1];
	regs->gpr[RSP] = sp + frame.saved * 8u + (frame.skipped ? NT_X86_RED_ZONE : 0);
	regs->ip = pad->addr;
	return offset >= pad->leave && offset < pad->give ? NT_PAD_PASSED : NT_PAD_BEFORE;
}
