/* SPDX-License-Identifier: GPL-2.0 */
/*
 * GDB agent expressions: the bytecode of conditions, actions and tracepoints
 * (GDB manual, appendix "The GDB Agent Expression Mechanism").
 *
 * Verify once, where the expression arrives; evaluate where the trap happens.
 * Nothing here allocates, sleeps or keeps state between calls: what is needed
 * of the thread and of its memory comes through struct nt_agent_ops.
 *
 * Every value on the stack is 64 bits wide. Operands in the code are in network
 * byte order, memory is read in the byte order of this machine.
 */
#ifndef _NT_CORE_AGENT_H
#define _NT_CORE_AGENT_H

#include "types.h"

#ifdef __cplusplus
extern "C" {
#endif

#define NT_AGENT_STACK 100	 /* entries */
#define NT_AGENT_MAX_LEN 65535u	 /* bytes of code; a jump reaches no further */
#define NT_AGENT_BUDGET 10000u	 /* a sensible budget where a trap happens */
#define NT_AGENT_PRINT_MAX 4096u /* bytes one printf puts out; more ends in "..." */

/**
 * enum nt_agent_error - why an expression was refused or given up.
 *
 * Those of the first group come from the verifier alone; those of the second
 * also from the evaluation of code nobody verified; those of the third only
 * from an evaluation.
 */
enum nt_agent_error {
	NT_AGENT_E_LENGTH = -1,	   /* longer than the limit, or no work area for it */
	NT_AGENT_E_HEIGHT = -2,	   /* two paths meet with stacks of different height */
	NT_AGENT_E_VARIABLE = -3,  /* state variable out of range */
	NT_AGENT_E_FORBIDDEN = -4, /* does what is not allowed in this place */

	NT_AGENT_E_EMPTY = -10,	      /* no code at all */
	NT_AGENT_E_OPCODE = -11,      /* no such opcode */
	NT_AGENT_E_UNSUPPORTED = -12, /* reserved opcode (floating point), or no callback */
	NT_AGENT_E_TRUNCATED = -13,   /* an instruction's operand lies behind the end */
	NT_AGENT_E_OPERAND = -14,     /* ext or zero_ext not of 1 to 64 bits */
	NT_AGENT_E_JUMP = -15,	      /* a jump to where no instruction begins */
	NT_AGENT_E_NO_END = -16,      /* the code runs out without "end" */
	NT_AGENT_E_UNDERFLOW = -17,   /* too little on the stack */
	NT_AGENT_E_OVERFLOW = -18,    /* too much on the stack */
	NT_AGENT_E_NO_RESULT = -19,   /* "end" with nothing on the stack */
	NT_AGENT_E_REGISTER = -20,    /* no such register, or not one of up to 64 bits */
	NT_AGENT_E_FORMAT = -21, /* a printf format: unsupported, unterminated, wrong arguments */

	NT_AGENT_E_BUDGET = -30, /* ran for too long */
	NT_AGENT_E_DIVIDE = -31, /* division by zero */
	NT_AGENT_E_MEMORY = -32, /* memory that cannot be read here */
	NT_AGENT_E_STATE = -33,	 /* a state variable cannot be read or set */
	NT_AGENT_E_SINK = -34,	 /* the trace buffer or the printer took no more */
};

/* What an expression does: nt_agent_info.uses, nt_agent_limits.allow. */
#define NT_AGENT_USE_REGISTER 0x01u
#define NT_AGENT_USE_MEMORY 0x02u
#define NT_AGENT_USE_TRACE 0x04u /* records into the trace buffer */
#define NT_AGENT_USE_PRINT 0x08u
#define NT_AGENT_USE_GETVAR 0x10u
#define NT_AGENT_USE_SETVAR 0x20u
#define NT_AGENT_USE_LOOP 0x40u /* has a jump backwards: only the budget ends it */

#define NT_AGENT_ALLOW_CONDITION                                                                   \
	(NT_AGENT_USE_REGISTER | NT_AGENT_USE_MEMORY | NT_AGENT_USE_GETVAR | NT_AGENT_USE_SETVAR | \
	 NT_AGENT_USE_LOOP)
#define NT_AGENT_ALLOW_COMMAND (NT_AGENT_ALLOW_CONDITION | NT_AGENT_USE_PRINT)
#define NT_AGENT_ALLOW_ACTION (NT_AGENT_ALLOW_CONDITION | NT_AGENT_USE_TRACE)

/**
 * struct nt_agent_limits - what the verifier holds an expression to.
 * @max_len: bytes of code, at most NT_AGENT_MAX_LEN.
 * @registers: registers 0 to @registers - 1 can be read (numbers of the target description).
 * @register_set: which of those, bit N % 64 of word N / 64; NULL: every one.
 * @variables: state variables 0 to @variables - 1 can exist.
 * @allow: NT_AGENT_USE_* the place admits.
 * @need_result: every end must leave a value (conditions), else none needs to (actions).
 * @work: scratch memory of the verifier, one byte for each byte of code.
 * @work_len: bytes at @work.
 */
struct nt_agent_limits {
	u32 max_len;
	u32 registers;
	const u64 *register_set;
	u32 variables;
	u32 allow;
	bool need_result;
	u8 *work;
	u32 work_len;
};

/**
 * struct nt_agent_info - what the verifier learnt.
 * @instructions: instructions in the code.
 * @reachable: those some path reaches; without NT_AGENT_USE_LOOP also the most that can run.
 * @max_depth: entries the stack holds at its highest.
 * @end_depth: entries it holds at its lowest end.
 * @uses: NT_AGENT_USE_*.
 */
struct nt_agent_info {
	u32 instructions;
	u32 reachable;
	u32 max_depth;
	u32 end_depth;
	u32 uses;
};

/**
 * struct nt_agent_ops - what an evaluation asks of its surroundings.
 * @read_reg: value of a register, zero-extended from its own width.
 * @read_mem: bytes of the thread's memory as the program would see them, without breakpoint
 *	bytes; never faulting, never sleeping where the caller must not. A ref asks for 1, 2,
 *	4 or 8 bytes anywhere, a string for up to 64 that cross no multiple of 64.
 * @trace_mem: record @len bytes at @addr in the trace buffer.
 * @trace_var: record a state variable there.
 * @get_var: value of a state variable; one that is not defined reads as 0 in gdbserver.
 * @set_var: set one.
 * @print: put out text; one printf calls this once or more, in order.
 *
 * Each gets the context given to nt_agent_eval() and returns 0 or something
 * else for failure. One that is NULL makes its opcodes NT_AGENT_E_UNSUPPORTED.
 */
struct nt_agent_ops {
	int (*read_reg)(void *ctx, u32 number, u64 *value);
	int (*read_mem)(void *ctx, u64 addr, void *buf, u32 len);
	int (*trace_mem)(void *ctx, u64 addr, u64 len);
	int (*trace_var)(void *ctx, u32 number);
	int (*get_var)(void *ctx, u32 number, u64 *value);
	int (*set_var)(void *ctx, u32 number, u64 value);
	int (*print)(void *ctx, const char *text, u32 len);
};

/**
 * nt_agent_verify() - is this expression safe and sound on every path?
 * @code: the bytes.
 * @len: how many.
 * @limits: what it may do; its work area is overwritten.
 * @info: filled in when it is accepted.
 * @error_at: offset of the instruction refused (in a printf format: of the directive).
 *
 * Time is linear in @len, memory is the caller's. Code that no path reaches is
 * checked too, except for its stack.
 *
 * Return: 0, or an enum nt_agent_error.
 */
int nt_agent_verify(const u8 *code, u32 len, const struct nt_agent_limits *limits,
		    struct nt_agent_info *info, u32 *error_at);

/**
 * nt_agent_eval() - run an expression.
 * @code: the bytes, verified or not: every access is checked again.
 * @len: how many.
 * @ops: callbacks.
 * @ctx: handed to them.
 * @budget: one unit an instruction, and one for each 64 bytes scanned, recorded or printed.
 * @result: the top of the stack at the end; NULL if nobody wants one.
 * @error_at: offset of the instruction that failed.
 *
 * Arithmetic is that of gdbserver's interpreter, without its undefined corners:
 * everything wraps; INT64_MIN / -1 is INT64_MIN with remainder 0; a shift by 64
 * or more moves every bit out (rsh_signed leaves the sign everywhere).
 *
 * Return: 0, or an enum nt_agent_error; then nothing is known about the
 * condition, and who waits for it has to be asked.
 */
int nt_agent_eval(const u8 *code, u32 len, const struct nt_agent_ops *ops, void *ctx, u32 budget,
		  u64 *result, u32 *error_at);

/**
 * nt_agent_disasm() - one instruction as text, in the words of gdb's "maint agent".
 * @code: the bytes.
 * @len: how many.
 * @at: offset of the instruction.
 * @buf: receives "22  if_goto 30", always NUL-terminated; longer text is cut.
 * @size: bytes at @buf, at least 1.
 *
 * Return: bytes the instruction takes; 1 for an unknown opcode; what is left
 * for one that is cut short; 0 at the end of the code.
 */
u32 nt_agent_disasm(const u8 *code, u32 len, u32 at, char *buf, u32 size);

/**
 * nt_agent_strerror() - an error in words.
 * @error: 0 or an enum nt_agent_error.
 */
const char *nt_agent_strerror(int error);

/**
 * nt_agent_errno() - the errno that stands for an error in records of the ABI.
 * @error: 0 or an enum nt_agent_error.
 *
 * Return: 0 or a positive errno: EFAULT memory, EDOM division, ETIME budget,
 * ENOBUFS sink, ENXIO register or variable, EPERM forbidden, E2BIG length,
 * EOPNOTSUPP unsupported, EINVAL everything else.
 */
int nt_agent_errno(int error);

#ifdef __cplusplus
}
#endif

#endif /* _NT_CORE_AGENT_H */
