// SPDX-License-Identifier: GPL-2.0
/*
 * Strings in the thread's memory, read in blocks that never cross a page.
 */
#include "agent_machine.h"

int nt_agent_read_block(struct nt_agent_machine *m, u64 addr, u64 max, char *block, u32 *got)
{
	u32 size = NT_AGENT_BLOCK - (u32)(addr % NT_AGENT_BLOCK);

	if (size > max)
		size = (u32)max;
	*got = size;
	if (!m->ops->read_mem)
		return NT_AGENT_E_UNSUPPORTED;
	if (nt_agent_charge(m, 1))
		return NT_AGENT_E_BUDGET;
	return m->ops->read_mem(m->ctx, addr, block, size) ? NT_AGENT_E_MEMORY : 0;
}

int nt_agent_find_nul(struct nt_agent_machine *m, u64 addr, u64 max, u64 *len, bool *ended)
{
	char block[NT_AGENT_BLOCK];
	u32 got, i;
	int err;

	*len = 0;
	*ended = false;
	while (*len < max) {
		err = nt_agent_read_block(m, addr + *len, max - *len, block, &got);
		if (err)
			return err;
		for (i = 0; i < got && block[i]; i++)
			;
		*len += i;
		*ended = i < got;
		if (*ended)
			break;
	}
	return 0;
}
