/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the parts of the agent-expression interpreter share.
 */
#ifndef _NT_CORE_AGENT_MACHINE_H
#define _NT_CORE_AGENT_MACHINE_H

#include "agent.h"

#define NT_AGENT_BLOCK 64u /* bytes worth one unit of budget; strings are read in such blocks */

/**
 * struct nt_agent_machine - one evaluation.
 * @ops: callbacks.
 * @ctx: handed to them.
 * @budget: units left.
 */
struct nt_agent_machine {
	const struct nt_agent_ops *ops;
	void *ctx;
	u32 budget;
};

/* Take units off the budget. Return: 0 or NT_AGENT_E_BUDGET. */
static inline int nt_agent_charge(struct nt_agent_machine *m, u64 units)
{
	if (units > m->budget) {
		m->budget = 0;
		return NT_AGENT_E_BUDGET;
	}
	m->budget -= (u32)units;
	return 0;
}

/* Read a piece of a string, up to the next multiple of a block or @max bytes: *got. */
int nt_agent_read_block(struct nt_agent_machine *m, u64 addr, u64 max, char *block, u32 *got);

/* Find the NUL of a string. *len: bytes before it; *ended: it came within @max bytes. */
int nt_agent_find_nul(struct nt_agent_machine *m, u64 addr, u64 max, u64 *len, bool *ended);

/*
 * Does a printf format (of @len bytes, with its NUL) suit @nargs arguments?
 * Return: 0 or NT_AGENT_E_FORMAT with *error_at the offset of the directive.
 */
int nt_agent_check_format(const u8 *format, u32 len, u64 nargs, u32 *error_at);

/* Print. The first argument is *first, the second the entry before it on the stack, ... */
int nt_agent_printf(struct nt_agent_machine *m, const u8 *format, u32 len, const u64 *first,
		    u64 nargs);

#endif /* _NT_CORE_AGENT_MACHINE_H */
