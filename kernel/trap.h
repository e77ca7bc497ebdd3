/* SPDX-License-Identifier: GPL-2.0 */
/* What the trap path keeps of each thread: embedded in struct nt_task. */
#ifndef _NT_TRAP_H
#define _NT_TRAP_H

#include <linux/types.h>

struct nt_trap {
};

#endif /* _NT_TRAP_H */
