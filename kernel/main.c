// SPDX-License-Identifier: GPL-2.0
/* Loading and unloading, features, and the count of what is alive. */
#include <linux/module.h>
#include <linux/proc_fs.h>

#include "hook.h"
#include "ntrace.h"

static char *off = "";
module_param(off, charp, 0444);
MODULE_PARM_DESC(off, "features to leave off: names of enum ntrace_feature in small letters, "
		      "without NTRACE_F_, with commas between");

u64 nt_features[4];
atomic_t nt_count[NT_KINDS];
bool nt_unloading;
struct workqueue_struct *nt_workqueue;
static struct proc_dir_entry *directory;

/* ---- features ---------------------------------------------------------------- */
static const char *const feature_names[] = {
    [NTRACE_F_ATTACH] = "attach",
    [NTRACE_F_SOFT_STOP] = "soft_stop",
    [NTRACE_F_HARD_STOP] = "hard_stop",
    [NTRACE_F_STEP] = "step",
    [NTRACE_F_RANGE_STEP] = "range_step",
    [NTRACE_F_REGSETS] = "regsets",
    [NTRACE_F_MEMORY] = "memory",
    [NTRACE_F_BREAK] = "break",
    [NTRACE_F_HWBREAK] = "hwbreak",
    [NTRACE_F_WATCH] = "watch",
    [NTRACE_F_WATCH_READ] = "watch_read",
    [NTRACE_F_SIGNALS] = "signals",
    [NTRACE_F_SIGNALS_FATAL] = "signals_fatal",
    [NTRACE_F_SYSCALL_ENTRY] = "syscall_entry",
    [NTRACE_F_SYSCALL_EXIT] = "syscall_exit",
    [NTRACE_F_SYSCALL_CHANGE] = "syscall_change",
    [NTRACE_F_FORK] = "fork",
    [NTRACE_F_FOLLOW] = "follow",
    [NTRACE_F_NEWTHREAD] = "newthread",
    [NTRACE_F_EXEC] = "exec",
    [NTRACE_F_EXITING] = "exiting",
    [NTRACE_F_DEAD] = "dead",
    [NTRACE_F_RECORD] = "record",
    [NTRACE_F_CONDITIONS] = "conditions",
    [NTRACE_F_ACTIONS] = "actions",
    [NTRACE_F_TRACEPOINTS] = "tracepoints",
    [NTRACE_F_OUT_OF_LINE] = "out_of_line",
    [NTRACE_F_YIELD] = "yield",
    [NTRACE_F_STACK] = "stack",
    [NTRACE_F_WHO] = "who",
    [NTRACE_F_RELEASE] = "release",
    [NTRACE_F_LEAVE_STOPPED] = "leave_stopped",
    [NTRACE_F_ATTACH_THREAD] = "attach_thread",
};

/* Does the load parameter name it? */
static bool is_off(const char *name)
{
	size_t length = strlen(name);
	const char *at;

	for (at = off; (at = strstr(at, name)); at += length)
		if ((at == off || at[-1] == ',') && (!at[length] || at[length] == ','))
			return true;
	return false;
}

void nt_feature_on(enum ntrace_feature bit)
{
	if (feature_names[bit] && !is_off(feature_names[bit]))
		nt_features[bit / 64] |= 1ull << bit % 64;
}

static void always_on(void)
{
	static const u8 bits[] = {
	    NTRACE_F_ATTACH,  NTRACE_F_SOFT_STOP,     NTRACE_F_HARD_STOP,     NTRACE_F_REGSETS,
	    NTRACE_F_MEMORY,  NTRACE_F_RECORD,	      NTRACE_F_STACK,	      NTRACE_F_WHO,
	    NTRACE_F_RELEASE, NTRACE_F_LEAVE_STOPPED, NTRACE_F_ATTACH_THREAD,
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(bits); i++)
		nt_feature_on(bits[i]);
}

/* ---- unloading ----------------------------------------------------------------- */
static void check_counts(void)
{
	static const char *const names[NT_KINDS] = {
	    [NT_ENGINE] = "engines",	[NT_PROC] = "processes",
	    [NT_ATT] = "attachments",	[NT_TASK] = "threads",
	    [NT_WORK] = "queued works", [NT_SITE] = "breakpoint sites",
	    [NT_MM] = "memory records", [NT_TRACING] = "trace experiments",
	    [NT_POINT] = "tracepoints",
	};
	int i, left = 0;

	for (i = 0; i < NT_KINDS; i++)
		if (atomic_read(&nt_count[i])) {
			pr_err("ntrace: %d %s leaked\n", atomic_read(&nt_count[i]), names[i]);
			left++;
		}
	WARN(left, "ntrace: objects are left at unload\n");
}

static bool send_waiters_away(void)
{
	struct nt_engine *e;
	bool any = false;

	mutex_lock(&nt_engines_lock);
	list_for_each_entry(e, &nt_engines, all)
		any |= nt_send_pollers_away(e);
	mutex_unlock(&nt_engines_lock);
	return any;
}

/* While the file still answers: who polls for nothing leaves for a HUP that it is told, and
 * proc tells of none once the file is removed (fs/proc/inode.c, proc_reg_poll()).
 */
static void give_up_waits(void)
{
	WRITE_ONCE(nt_unloading, true);
	while (send_waiters_away())
		schedule_timeout_uninterruptible(1);
}

static void unload(void)
{
	give_up_waits();
	proc_remove(directory); /* closes what is open */
	nt_keepers_end();	/* while children are still cleaned of what they copy */
	nt_life_exit();
	flush_workqueue(nt_workqueue);
	nt_task_exit();
	flush_workqueue(nt_workqueue); /* what threads have left to do */
	nt_trap_exit();
	nt_hook_exit();
	rcu_barrier(); /* references fall in chains: an att lets go of a task */
	rcu_barrier();
	rcu_barrier();
	destroy_workqueue(nt_workqueue);
	synchronize_rcu_tasks(); /* the last instructions of works and hooks */
	check_counts();
}

static int __init nt_init(void)
{
	int error;

	error = nt_symbols_init();
	if (error)
		pr_warn("ntrace: no kprobes (%d): what needs hooks stays off\n", error);
	always_on();
	nt_attach_init();
	nt_task_init();
	nt_workqueue = alloc_workqueue("ntrace", WQ_UNBOUND, 0);
	if (!nt_workqueue)
		return -ENOMEM;
	error = nt_hook_init();
	if (error)
		goto queue;
	error = nt_trap_init();
	if (error)
		goto hooks;
	error = nt_life_init();
	if (error)
		goto traps;
	error = -ENOMEM;
	directory = proc_mkdir("ntrace", NULL);
	if (!directory)
		goto life;
	if (proc_create("engines", 0444, directory, &nt_engines_ops) &&
	    proc_create("control", 0666, directory, &nt_control_ops))
		return 0;
	proc_remove(directory);
life:
	nt_life_exit();
traps:
	nt_trap_exit();
hooks:
	nt_hook_exit();
queue:
	rcu_barrier();
	destroy_workqueue(nt_workqueue);
	synchronize_rcu_tasks();
	return error;
}

static void __exit nt_exit(void)
{
	unload();
}

module_init(nt_init);
module_exit(nt_exit);
MODULE_DESCRIPTION("ntrace: many tracers on one thread");
MODULE_LICENSE("GPL");
