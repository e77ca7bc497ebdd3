/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tracepoints: what happens where one is hit.
 *
 * The collecting part of GDB's trace experiments (GDB manual, chapter
 * "Tracepoints"): condition, actions, while-stepping, pass counts, state
 * variables. Definitions are verified and kept by the caller; nothing here
 * allocates, sleeps or keeps anything beyond the structures it is given. Who
 * calls sees to it that only one thread at a time is in one struct nt_trace.
 */
#ifndef _NT_CORE_TRACE_H
#define _NT_CORE_TRACE_H

#include "trace_buffer.h"

#ifdef __cplusplus
extern "C" {
#endif

#define NT_TRACE_MAX_MEMORY (16u << 20) /* bytes of one NTRACE_COLLECT_MEMORY */

/**
 * struct nt_trace_action - one thing to collect, verified.
 * @type: enum ntrace_collect_type.
 * @note: of a regset.
 * @reg: whose value is added to @addr, or NTRACE_COLLECT_ABSOLUTE.
 * @code_len: bytes at @code.
 * @addr: of memory.
 * @len: bytes of it, at most NT_TRACE_MAX_MEMORY.
 * @code: an agent expression (NT_AGENT_ALLOW_ACTION).
 */
struct nt_trace_action {
	u32 type;
	u32 note;
	u32 reg;
	u32 code_len;
	u64 addr;
	u64 len;
	const u8 *code;
};

/**
 * struct nt_trace_point - a tracepoint.
 * @number: the client's.
 * @addr: where it is.
 * @enabled: a disabled one is passed over.
 * @step: single steps to collect after a hit.
 * @pass: hits after which tracing stops, 0 never.
 * @condition: an agent expression (NT_AGENT_ALLOW_CONDITION), NULL: none.
 * @condition_len: bytes of it.
 * @actions: at the hit.
 * @nactions: how many.
 * @step_actions: after each step.
 * @nstep_actions: how many.
 * @hits: those that were collected, since tracing began.
 * @usage: bytes of their frames.
 */
struct nt_trace_point {
	u32 number;
	u64 addr;
	bool enabled;
	u32 step;
	u64 pass;
	const u8 *condition;
	u32 condition_len;
	const struct nt_trace_action *actions;
	u32 nactions;
	const struct nt_trace_action *step_actions;
	u32 nstep_actions;
	u64 hits;
	u64 usage;
};

/**
 * struct nt_trace - the trace experiment of one engine.
 * @buffer: where frames go.
 * @variables: values of state variables, by number.
 * @defined: bit N % 64 of word N / 64: variable N was set.
 * @running: hits are collected.
 * @reason: enum ntrace_trace_reason of the last stop.
 * @number: the tracepoint that made it stop.
 * @error: positive errno, with NTRACE_TRACE_ERROR.
 * @start_ns: when it began.
 * @stop_ns: when it ended.
 */
struct nt_trace {
	struct nt_trace_buffer buffer;
	u64 variables[NTRACE_VARIABLES];
	u64 defined[NTRACE_VARIABLES / 64];
	bool running;
	u32 reason;
	u32 number;
	u32 error;
	u64 start_ns;
	u64 stop_ns;
};

/* The thread that was hit. @pc is the tracepoint's, or where a step went. */
struct nt_trace_place {
	u64 pc;
	u64 now_ns; /* CLOCK_MONOTONIC */
	s32 pid;
	s32 tid;
};

/**
 * struct nt_trace_ops - what collecting asks of its surroundings.
 * @read_reg: as in struct nt_agent_ops.
 * @read_mem: bytes from @addr on as the program sees them, fewer where memory ends; never
 *	asks across a page. Return: how many.
 * @read_regset: a whole regset, at *data until the next call. Return: 0 or something else.
 */
struct nt_trace_ops {
	int (*read_reg)(void *ctx, u32 number, u64 *value);
	u32 (*read_mem)(void *ctx, u64 addr, void *buf, u32 len);
	int (*read_regset)(void *ctx, u32 note, const void **data, u32 *len);
};

enum nt_trace_next {
	NT_TRACE_GO = 0,    /* the thread runs on */
	NT_TRACE_STEP = 1,  /* call nt_trace_stepped() after its next instruction */
	NT_TRACE_ENDED = 2, /* tracing has stopped just now */
};

/* Begin: frames are forgotten, variables stay. */
void nt_trace_start(struct nt_trace *trace, u64 now_ns);

/* End, unless it has ended. */
void nt_trace_stop(struct nt_trace *trace, u32 reason, u32 number, u32 error, u64 now_ns);

/* A thread hit the tracepoint. */
enum nt_trace_next nt_trace_hit(struct nt_trace *trace, struct nt_trace_point *point,
				const struct nt_trace_place *place, const struct nt_trace_ops *ops,
				void *ctx);

/* It has done the step of that number (from 1) after the hit. */
enum nt_trace_next nt_trace_stepped(struct nt_trace *trace, struct nt_trace_point *point, u32 step,
				    const struct nt_trace_place *place,
				    const struct nt_trace_ops *ops, void *ctx);

/* Value of a state variable; false if it was never set. At any time, as nt_trace_set(). */
bool nt_trace_get(const struct nt_trace *trace, u32 number, u64 now_ns, u64 *value);

/* Define one or change it; a built-in one stays as it is. False: no such number. */
bool nt_trace_set(struct nt_trace *trace, u32 number, u64 value);

/* All but the built-in ones are undefined again. */
void nt_trace_forget_variables(struct nt_trace *trace);

#ifdef __cplusplus
}
#endif

#endif /* _NT_CORE_TRACE_H */
