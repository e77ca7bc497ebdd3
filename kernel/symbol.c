// SPDX-License-Identifier: GPL-2.0
/*
 * Addresses of functions that are not exported. A kprobe tells the one of
 * kallsyms_lookup_name(), which tells the others. All calls are static ones:
 * direct, so that no sealed function is reached through a pointer.
 */
#include <linux/kprobes.h>
#include <linux/static_call.h>

#include "ntrace.h"

typedef unsigned long nt_lookup_fn(const char *name);
DEFINE_STATIC_CALL_NULL(nt_lookup, nt_lookup_fn);
static bool found;

int nt_symbols_init(void)
{
	struct kprobe probe = {.symbol_name = "kallsyms_lookup_name"};
	int error = register_kprobe(&probe);

	if (error)
		return error; /* a kernel without kprobes: everything optional stays off */
	static_call_update(nt_lookup, (nt_lookup_fn *)probe.addr);
	found = true;
	unregister_kprobe(&probe);
	return 0;
}

unsigned long nt_symbol(const char *name)
{
	return found ? static_call(nt_lookup)(name) : 0;
}
