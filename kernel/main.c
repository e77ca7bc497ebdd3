// SPDX-License-Identifier: GPL-2.0
/* Loading and unloading. */
#include <linux/module.h>

#include "ntrace.h"

static int __init nt_init(void)
{
	return 0;
}

static void __exit nt_exit(void)
{
}

module_init(nt_init);
module_exit(nt_exit);
MODULE_DESCRIPTION("ntrace: many tracers on one thread");
MODULE_LICENSE("GPL");
