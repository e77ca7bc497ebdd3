/* SPDX-License-Identifier: GPL-2.0 */
/* A child under ptrace that executes what it is given, with memory shared with us. */
#ifndef SUBJECT_H
#define SUBJECT_H

#include "types.h"
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <sys/user.h>

/* Below 4 GiB, for 32-bit code too. Code and slots are full of int3; scratch and stack cannot run.
 */
#define CODE 0x30000000ul
#define CODE_SIZE 0x4000ul
#define NEAR_SLOT 0x30008000ul
#define SCRATCH 0x30010000ul
#define SCRATCH_SIZE 0x4000ul
#define STACK 0x30030000ul
#define STACK_SIZE 0x2000ul
#define FAR_SLOT 0x123456780000ul
#define XSTATE_MAX 16384

struct state {
	struct user_regs_struct regs;
	u8 xstate[XSTATE_MAX];
	u8 scratch[SCRATCH_SIZE];
	u8 stack[STACK_SIZE];
};

/* How a run ended. */
struct outcome {
	struct state state;
	int sig, code;
	u64 addr;     /* si_addr of a fault */
	bool trapped; /* by an int3: pc is that of the int3 */
};

struct subject {
	pid_t pid;
	size_t xstate_size;
	u64 xfeatures;
	struct state template;
};

void subject_start(struct subject *subject);
void subject_end(struct subject *subject);
void subject_load(struct subject *subject, const struct state *state);
void subject_set_regs(struct subject *subject, const struct user_regs_struct *regs);
/* Resumes (request: PTRACE_CONT or PTRACE_SINGLESTEP) and waits; false when the child died. */
bool subject_run(struct subject *subject, int request, struct outcome *out);
/* Everything but what subject_run has filled in: xstate and memory. */
void subject_save(struct subject *subject, struct outcome *out);

#endif
