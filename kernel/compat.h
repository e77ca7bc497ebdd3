/* SPDX-License-Identifier: GPL-2.0 */
/* Every difference between kernel versions. */
#ifndef _NT_COMPAT_H
#define _NT_COMPAT_H

#include <linux/version.h>

#endif /* _NT_COMPAT_H */
