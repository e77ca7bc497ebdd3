/* SPDX-License-Identifier: GPL-2.0 */
/* What signals and system calls keep of each thread: embedded in struct nt_task. */
#ifndef _NT_CALL_H
#define _NT_CALL_H

#include <linux/types.h>

struct nt_call {
};

#endif /* _NT_CALL_H */
