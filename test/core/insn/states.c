// SPDX-License-Identifier: GPL-2.0
#include "states.h"
#include <cpuid.h>
#include <string.h>

#define USER_CS64 0x33
#define USER_CS32 0x23
#define USER_DS 0x2b

u64 random_next(struct random *random)
{
	u64 z = random->state += 0x9e3779b97f4a7c15ull; /* splitmix64 */

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

u64 random_below(struct random *random, u64 limit)
{
	return random_next(random) % limit;
}

unsigned long long *gpr(struct user_regs_struct *regs, unsigned number)
{
	unsigned long long *all[16] = {
	    &regs->rax, &regs->rcx, &regs->rdx, &regs->rbx, &regs->rsp, &regs->rbp,
	    &regs->rsi, &regs->rdi, &regs->r8,	&regs->r9,  &regs->r10, &regs->r11,
	    &regs->r12, &regs->r13, &regs->r14, &regs->r15,
	};

	return all[number & 15];
}

static u64 in_scratch(struct random *random)
{
	return SCRATCH + SCRATCH_SIZE / 4 + 64 * random_below(random, SCRATCH_SIZE / 128);
}

static u64 value(struct random *random)
{
	switch (random_below(random, 6)) {
	case 0:
		return random_next(random);
	case 1:
		return random_below(random, 300);
	case 2:
		return -random_below(random, 300);
	}
	return in_scratch(random);
}

static void put(u8 *to, u64 number, unsigned size)
{
	memcpy(to, &number, size);
}

void sample_aim(struct random *random, const struct nt_insn *insn, u64 addr, u8 *bytes)
{
	u64 next = addr + insn->length;

	if (insn->flags & NT_INSN_RIP)
		put(bytes + insn->disp_at, in_scratch(random) - next, 4);
	/* half of the branches land among our int3s, the others on nothing */
	if ((insn->branch == NT_BR_JMP || insn->branch == NT_BR_JCC ||
	     insn->branch == NT_BR_CALL) &&
	    insn->imm_size == 4 && random_below(random, 2))
		put(bytes + insn->imm_at, CODE + random_below(random, CODE_SIZE) - next, 4);
}

/* Random bits, small integers or ordinary floating-point numbers. */
static void fill_lanes(struct random *random, u8 *at, unsigned size, unsigned style)
{
	for (unsigned i = 0; i + 8 <= size; i += 8) {
		u64 bits = random_next(random);

		if (style == 1)
			bits &= 0x0000007f0000007full;
		if (style == 2)
			bits = (bits & 0xbfffffffbfffffffull) | 0x3f0000003f000000ull;
		memcpy(at + i, &bits, 8);
	}
}

/* Layout: SDM volume 1, 13.4; components 2 (ymm), 5 to 7 (avx-512). */
static void fill_xstate(struct random *random, const struct subject *subject, u8 *xstate)
{
	unsigned style = random_below(random, 3);
	u64 header = subject->xfeatures & ~(3ull << 17); /* AMX is had by who asks for it */
	u32 mxcsr = 0x1f80 | random_below(random, 4) << 13;

	if (random_below(random, 8) == 0)
		mxcsr &= ~(0x80u << random_below(random, 6)); /* one exception is not masked */
	memcpy(xstate, subject->template.xstate, XSTATE_MAX);
	put(xstate, 0x37f, 2);
	put(xstate + 2, random_below(random, 2) ? random_below(random, 8) << 11 : 0, 2);
	xstate[4] = (u8)random_next(random);
	put(xstate + 24, mxcsr, 4);
	for (unsigned i = 0; i < 8; i++) {
		put(xstate + 32 + 16 * i, random_next(random) | 1ull << 63, 8);
		put(xstate + 40 + 16 * i, 0x3fff + random_below(random, 64), 2);
	}
	fill_lanes(random, xstate + 160, 256, style);
	put(xstate + 512, header, 8);
	for (unsigned n = 2; n < 8; n++) {
		u32 size, offset, c, d;

		if (n == 3 || n == 4 || !(header >> n & 1))
			continue;
		__cpuid_count(0xd, n, size, offset, c, d);
		if (size && offset + size <= subject->xstate_size)
			fill_lanes(random, xstate + offset, size, n == 5 ? 0 : style);
	}
}

/* Solves base + index << scale + disp for an address in the scratch memory. */
static void aim_operand(struct random *random, const struct nt_insn *insn, struct state *state)
{
	bool sib = nt_insn_rm(insn) == 4;
	unsigned base = (sib ? insn->sib & 7 : nt_insn_rm(insn)) | (insn->rex & NT_REX_B ? 8 : 0);
	unsigned index = ((insn->sib >> 3) & 7) | (insn->rex & NT_REX_X ? 8 : 0);
	u64 want = in_scratch(random) + (random_below(random, 4) ? 0 : random_below(random, 64));
	u64 times = 1;

	if (!(insn->flags & NT_INSN_MEM) || insn->flags & NT_INSN_RIP)
		return;
	want -= (u64)(s64)insn->disp;
	if (sib && index != 4) {
		if (index == base)
			times += 1ull << (insn->sib >> 6);
		else
			want -= (*gpr(&state->regs, index) = random_below(random, 64))
				<< (insn->sib >> 6);
	}
	if (base != 4)
		*gpr(&state->regs, base) = want / times;
}

static void fill_registers(struct random *random, struct state *state, bool mode64)
{
	struct user_regs_struct *regs = &state->regs;

	for (unsigned i = 0; i < 16; i++)
		*gpr(regs, i) = mode64 ? value(random) : (u32)value(random);
	regs->rsp = STACK + STACK_SIZE / 2 + 8 * random_below(random, 64);
	regs->rbp = random_below(random, 2) ? regs->rsp + 8 * random_below(random, 32) : regs->rbp;
	regs->rip = 0;
	regs->orig_rax = -1;
	regs->eflags = 0x202 | (random_next(random) & 0x8d5);
	if (random_below(random, 4) == 0)
		regs->eflags |= 0x400; /* DF */
	if (random_below(random, 32) == 0)
		regs->eflags |= 0x40000; /* AC */
	regs->cs = mode64 ? USER_CS64 : USER_CS32;
	regs->ss = USER_DS;
	regs->ds = mode64 ? 0 : USER_DS;
	regs->es = mode64 ? 0 : USER_DS;
	regs->fs = 0;
	regs->gs = 0;
	regs->fs_base = mode64 ? 16 * random_below(random, 4) : 0;
	regs->gs_base = mode64 ? 16 * random_below(random, 4) : 0;
}

void state_make(struct random *random, const struct subject *subject, const struct nt_insn *insn,
		u64 addr, struct state *state)
{
	state->regs = subject->template.regs;
	fill_registers(random, state, insn->mode64);
	fill_xstate(random, subject, state->xstate);
	fill_lanes(random, state->scratch, SCRATCH_SIZE, random_below(random, 3));
	for (unsigned i = 0; i < STACK_SIZE; i += 8)
		put(state->stack + i, value(random), 8);

	if (insn->flags & NT_INSN_STRING) {
		state->regs.rsi = in_scratch(random);
		state->regs.rdi = in_scratch(random);
	}
	if (insn->flags & NT_INSN_REPEAT)
		state->regs.rcx = random_below(random, 20);
	if (insn->flags & NT_INSN_SHADOW)
		state->regs.rax = USER_DS;
	if (insn->branch == NT_BR_LOOP && random_below(random, 2))
		state->regs.rcx = random_below(random, 3);
	if (insn->branch == NT_BR_SYSCALL)
		state->regs.rax = 39; /* getpid */
	if (insn->branch == NT_BR_INT)
		state->regs.rax = 20; /* getpid of the 32-bit table */
	aim_operand(random, insn, state);
	state->regs.rip = addr;
}
