/* SPDX-License-Identifier: GPL-2.0 */
/* Random machine states in which an instruction has something to do. */
#ifndef STATES_H
#define STATES_H

#include "insn.h"
#include "subject.h"

struct random {
	u64 state;
};
u64 random_next(struct random *random);
u64 random_below(struct random *random, u64 limit);

/* Fills state so that the instruction's memory operand lies in the scratch memory. */
void state_make(struct random *random, const struct subject *subject, const struct nt_insn *insn,
		u64 addr, struct state *state);

/* Points an operand relative to rip, or a relative branch, to places of ours. */
void sample_aim(struct random *random, const struct nt_insn *insn, u64 addr, u8 *bytes);

/* The general register with this number (rax rcx rdx rbx rsp ...). */
unsigned long long *gpr(struct user_regs_struct *regs, unsigned number);

#endif
