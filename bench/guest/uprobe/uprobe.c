// SPDX-License-Identifier: GPL-2.0
/*
 * What the kernel's own breakpoints cost, to measure ours beside them: one uprobe whose handler
 * compares a word of the program's stack, as a condition on a local variable does.
 */
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/namei.h>
#include <linux/ptrace.h>
#include <linux/uaccess.h>
#include <linux/uprobes.h>
#include <linux/version.h>

static char *path;
module_param(path, charp, 0400);
MODULE_PARM_DESC(path, "the program");

static ulong offset;
module_param(offset, ulong, 0400);
MODULE_PARM_DESC(offset, "where in its file the instruction is");

static long frame;
module_param(frame, long, 0400);
MODULE_PARM_DESC(frame, "where the word is, from the frame pointer");

static ulong value = ULONG_MAX;
module_param(value, ulong, 0400);
MODULE_PARM_DESC(value, "what it is compared with");

static ulong hits;
module_param(hits, ulong, 0400);
MODULE_PARM_DESC(hits, "so often it was different");

static ulong equal;
module_param(equal, ulong, 0400);
MODULE_PARM_DESC(equal, "so often it was equal, or not to be read");

static struct inode *inode;

static int on_hit(struct pt_regs *regs)
{
	const void __user *word = (const void __user *)(regs->bp + frame);
	ulong now;

	if (copy_from_user_nofault(&now, word, sizeof(now)) || now == value)
		equal++;
	else
		hits++;
	return 0;
}

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
static int handler(struct uprobe_consumer *self, struct pt_regs *regs, __u64 *data)
#else
static int handler(struct uprobe_consumer *self, struct pt_regs *regs)
#endif
{
	return on_hit(regs);
}

static struct uprobe_consumer consumer = {
    .handler = handler,
};

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)
static struct uprobe *uprobe;

static int set(void)
{
	uprobe = uprobe_register(inode, offset, 0, &consumer);
	return PTR_ERR_OR_ZERO(uprobe);
}

static void unset(void)
{
	uprobe_unregister_nosync(uprobe, &consumer);
	uprobe_unregister_sync();
}
#else
static int set(void)
{
	return uprobe_register(inode, offset, &consumer);
}

static void unset(void)
{
	uprobe_unregister(inode, offset, &consumer);
}
#endif

static int __init uprobe_bench_init(void)
{
	struct path found;
	int error;

	if (!path)
		return -EINVAL;
	error = kern_path(path, LOOKUP_FOLLOW, &found);
	if (error)
		return error;
	inode = igrab(d_inode(found.dentry));
	path_put(&found);
	if (!inode)
		return -ENOENT;
	error = set();
	if (error)
		iput(inode);
	return error;
}

static void __exit uprobe_bench_exit(void)
{
	unset();
	iput(inode);
}

module_init(uprobe_bench_init);
module_exit(uprobe_bench_exit);
MODULE_DESCRIPTION("Measures an ordinary user of uprobes");
MODULE_LICENSE("GPL");
