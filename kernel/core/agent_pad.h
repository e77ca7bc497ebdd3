/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Conditions of a breakpoint as x86-64 machine code: a pad, which a jump in place of the
 * breakpoint leads to, and which the program itself runs through.
 *
 *	enter	save flags and registers below the red zone
 *	body	the conditions, one after the other
 *	commit	all are false: count it
 *	leave	restore everything, jump to "pass"
 *	give	one is true, or cannot be decided: restore everything
 *	trap	int3
 *
 * Before the commit nothing has happened: a thread that stops there is put back to where the
 * breakpoint is. From then on its hit is counted: it stands in front of the instruction. What
 * nt_agent_eval() would say is said here, or left to it; never anything else.
 *
 * Memory the pad reads may have breakpoint bytes in it. Pages where that is so have a bit in a
 * filter beside the counter; to read from one cannot be decided here. So is what faults.
 */
#ifndef _NT_CORE_AGENT_PAD_H
#define _NT_CORE_AGENT_PAD_H

#include "ool.h"

#ifdef __cplusplus
extern "C" {
#endif

#define NT_PAD_MAX 2048u	/* bytes of code */
#define NT_PAD_DEPTH 16u	/* entries of an expression's stack, which is the thread's */
#define NT_PAD_FILTER_BYTES 512 /* one bit a page, modulo their number */

/* What a register number of the expressions stands for: 0 to 15, as the processor numbers them. */
#define NT_PAD_RIP 16
#define NT_PAD_NO_REG 0xff

/**
 * struct nt_pad_code - one condition, verified.
 */
struct nt_pad_code {
	const u8 *code;
	u32 len;
};

/**
 * struct nt_pad - one pad.
 * @at: where it will be.
 * @addr: of the breakpoint.
 * @pass: where a thread goes on whose conditions are all false.
 * @counter: eight bytes that count those.
 * @filter: NT_PAD_FILTER_BYTES with the pages that hold breakpoint bytes.
 * @commit: offsets of the parts.
 * @length: bytes of code; the same wherever it lies.
 */
struct nt_pad {
	u64 at;
	u64 addr;
	u64 pass;
	u64 counter;
	u64 filter;
	u32 commit;
	u32 leave;
	u32 give;
	u32 trap;
	u32 length;
};

/**
 * nt_pad_build() - compile.
 * @pad: its addresses, within 2 GiB of each other; the offsets are filled in.
 * @codes: the conditions: any one that is true makes a hit.
 * @count: how many.
 * @registers: what their register numbers stand for.
 * @nregisters: how many numbers there are.
 * @work: one word for each byte of the longest of them.
 * @out: receives the code.
 * @room: bytes at @out.
 *
 * Return: false where something in them has no place in a pad: a loop, state variables, a deep
 * stack, registers that only the kernel knows, or more code than there is room.
 */
bool nt_pad_build(struct nt_pad *pad, const struct nt_pad_code *codes, u32 count,
		  const u8 *registers, u32 nregisters, u32 *work, u8 *out, u32 room);

/* The bit of a page in the filter. */
static inline u32 nt_pad_filter_bit(u64 addr)
{
	return (u32)(addr >> 12) & (NT_PAD_FILTER_BYTES * 8 - 1);
}

enum nt_pad_place {
	NT_PAD_OUTSIDE, /* nothing changed */
	NT_PAD_BEFORE,	/* put back to the breakpoint, as if it had not come there yet */
	NT_PAD_PASSED,	/* the same, but its hit is counted: only the instruction is to be run */
	NT_PAD_TRAPPED, /* as behind an int3 at the breakpoint */
	NT_PAD_FAULT,	/* its stack cannot be read: nothing changed */
};

/* A thread that stopped may be in the pad: put it where the program is. */
u8 nt_pad_leave(const struct nt_pad *pad, struct nt_ool_regs *regs, const struct nt_ool_ops *ops);

#ifdef __cplusplus
}
#endif

#endif /* _NT_CORE_AGENT_PAD_H */
