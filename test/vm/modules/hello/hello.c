// SPDX-License-Identifier: GPL-2.0
/* Proves the guest: greets when loaded, complains on request through its parameter. */
#include <linux/bug.h>
#include <linux/module.h>

static int set_warn(const char *value, const struct kernel_param *parameter)
{
	WARN(1, "hello: asked to warn by %s\n", value);
	return 0;
}

static const struct kernel_param_ops warn_ops = {
    .set = set_warn,
};

module_param_cb(warn, &warn_ops, NULL, 0200);
MODULE_PARM_DESC(warn, "anything written here is a kernel WARNING");

static int __init hello_init(void)
{
	pr_info("hello: loaded\n");
	return 0;
}

static void __exit hello_exit(void)
{
	pr_info("hello: unloaded\n");
}

module_init(hello_init);
module_exit(hello_exit);
MODULE_DESCRIPTION("Proves the virtual machine of ntrace's tests");
MODULE_LICENSE("GPL");
