/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Putting x86-64 instructions into a buffer: what the compiler of conditions is written in.
 *
 * Jumps to a place that comes later form a chain: each displacement holds the one before, until
 * the place is known. A chain is the offset of its last displacement, 0 when there is none.
 */
#ifndef _NT_CORE_AGENT_X86_H
#define _NT_CORE_AGENT_X86_H

#include "types.h"

#define NT_X86_RED_ZONE 128 /* bytes below the stack pointer that belong to the program */
#define NT_X86_SAVED 5	    /* flags, rax, rcx, rdx, rbx */

enum nt_x86_condition { NT_X86_B = 2, NT_X86_E = 4, NT_X86_NE = 5, NT_X86_L = 12 };

struct nt_x86 {
	u8 *out;
	u32 room;
	u32 length;
	u64 base; /* address of the first byte */
	bool full;
};

/* Bytes of a number, the lowest first. */
static inline void nt_x86_emit(struct nt_x86 *x, u64 value, u32 size)
{
	if (size > x->room - x->length) {
		x->full = true;
		return;
	}
	for (; size > 0; size--, value >>= 8)
		x->out[x->length++] = (u8)value;
}

/* The displacement to an address, at the end of an instruction. */
static inline void nt_x86_relative(struct nt_x86 *x, u64 target)
{
	nt_x86_emit(x, target - (x->base + x->length + 4), 4);
}

static inline void nt_x86_chain(struct nt_x86 *x, u32 *chain)
{
	u32 at = x->length;

	nt_x86_emit(x, *chain, 4);
	*chain = at;
}

static inline void nt_x86_jmp(struct nt_x86 *x, u32 *chain)
{
	nt_x86_emit(x, 0xe9, 1);
	nt_x86_chain(x, chain);
}

static inline void nt_x86_jcc(struct nt_x86 *x, enum nt_x86_condition condition, u32 *chain)
{
	nt_x86_emit(x, 0x800f | (u32)condition << 8, 2);
	nt_x86_chain(x, chain);
}

/* Jumps of the chain lead to what comes next. */
static inline void nt_x86_land(struct nt_x86 *x, u32 chain)
{
	u32 next, distance, i;

	for (; chain && !x->full; chain = next) {
		next = 0;
		distance = x->length - (chain + 4);
		for (i = 0; i < 4; i++) {
			next |= (u32)x->out[chain + i] << (8 * i);
			x->out[chain + i] = (u8)(distance >> (8 * i));
		}
	}
}

#endif /* _NT_CORE_AGENT_X86_H */
