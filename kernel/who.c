// SPDX-License-Identifier: GPL-2.0
/* Who holds what: NTRACE_IOC_WHO, NTRACE_IOC_RELEASE and /proc/ntrace/engines. */
#include <linux/mm.h>
#include <linux/proc_fs.h>
#include <linux/rculist.h>
#include <linux/seq_file.h>
#include <linux/uaccess.h>

#include "ntrace.h"

/* ---- one process ----------------------------------------------------------- */
struct list {
	struct nt_engine *asker;
	struct ntrace_who *r;
	struct ntrace_holder *holders;
	u32 room;
};

static void add(struct list *l, struct nt_engine *e, struct nt_att *a)
{
	struct ntrace_holder *to;

	if (l->r->count++ >= l->room)
		return;
	to = &l->holders[l->r->count - 1];
	memset(to, 0, sizeof(*to));
	to->engine_id = e->id;
	to->pid = pid_nr_ns(e->opener, l->asker->ns);
	to->uid = from_kuid_munged(current_user_ns(), e->cred->uid);
	memcpy(to->label, e->label, sizeof(to->label));
	if (a) {
		to->since_ns = a->since_ns;
		to->tid = pid_nr_ns(a->task->pid, l->asker->ns);
		to->why = a->why;
	}
}

/* Every engine once if it holds nothing, else once for each thread it holds. */
static void add_process(struct list *l, struct nt_engine *e, struct nt_proc *p)
{
	bool holds = false;
	struct nt_att *a;

	list_for_each_entry_rcu(a, &p->atts, in_proc) {
		spin_lock_irq(&a->task->lock);
		if (a->stop_id &&
		    (l->r->tid <= 0 || pid_nr_ns(a->task->pid, l->asker->ns) == l->r->tid)) {
			add(l, e, a);
			holds = true;
		}
		spin_unlock_irq(&a->task->lock);
	}
	if (!holds && l->r->tid <= 0)
		add(l, e, NULL);
}

int nt_who(struct nt_engine *asker, void *record)
{
	struct ntrace_who *r = record;
	struct list l = {asker, r, NULL, min_t(u32, r->capacity, NTRACE_MAX_BATCH)};
	bool found = r->pid <= 0;
	struct nt_engine *e;
	struct nt_proc *p;
	int error = 0;

	if (l.room && !r->buf)
		return -EFAULT;
	if (r->tid > 0) {
		rcu_read_lock();
		error = nt_att_by_tid(asker, r->tid) ? 0 : -ESRCH;
		rcu_read_unlock();
		if (error)
			return error;
	}
	if (l.room) {
		l.holders = kvmalloc_array(l.room, sizeof(*l.holders), GFP_KERNEL_ACCOUNT);
		if (!l.holders)
			return -ENOMEM;
	}
	r->count = 0;
	mutex_lock(&nt_engines_lock);
	rcu_read_lock();
	list_for_each_entry(e, &nt_engines, all)
		list_for_each_entry_rcu(p, &e->procs, in_engine) {
			if (r->pid > 0 && pid_nr_ns(p->tgid, asker->ns) != r->pid)
				continue;
			found = true;
			add_process(&l, e, p);
		}
	rcu_read_unlock();
	mutex_unlock(&nt_engines_lock);
	if (!found)
		error = -ESRCH;
	else if (l.room && r->count &&
		 copy_to_user(u64_to_user_ptr(r->buf), l.holders,
			      min(r->count, l.room) * sizeof(*l.holders)))
		error = -EFAULT;
	kvfree(l.holders);
	return error;
}

/* Lets another engine's holds go, where this one may attach as well: it must be
 * attached to the same threads.
 */
int nt_release_hold(struct nt_engine *e, void *record)
{
	struct ntrace_release_hold *r = record;
	struct nt_att *a, *other;
	struct nt_proc *p;

	if (r->tid < 0)
		return -EINVAL;
	r->released = 0;
	rcu_read_lock();
	list_for_each_entry_rcu(p, &e->procs, in_engine)
		list_for_each_entry_rcu(a, &p->atts, in_proc) {
			struct nt_task *t = a->task;

			if (r->tid && pid_nr_ns(t->pid, e->ns) != r->tid)
				continue;
			spin_lock_irq(&t->lock);
			list_for_each_entry(other, &t->atts, in_task)
				if (other->engine->id == r->engine_id && nt_release(other))
					r->released++;
			nt_go(t);
			spin_unlock_irq(&t->lock);
		}
	rcu_read_unlock();
	return 0;
}

/* ---- /proc/ntrace/engines -------------------------------------------------- */
static const char *const why[] = {
    [NTRACE_EV_STOPPED] = "stop",
    [NTRACE_EV_STEP] = "step",
    [NTRACE_EV_BREAK] = "breakpoint",
    [NTRACE_EV_HWBREAK] = "hardware breakpoint",
    [NTRACE_EV_WATCH] = "watchpoint",
    [NTRACE_EV_SIGNAL] = "signal",
    [NTRACE_EV_SYSCALL_ENTRY] = "syscall entry",
    [NTRACE_EV_SYSCALL_EXIT] = "syscall exit",
    [NTRACE_EV_ERROR] = "error",
    [NTRACE_EV_NEWTHREAD] = "new thread",
    [NTRACE_EV_FORK] = "fork",
    [NTRACE_EV_VFORK] = "vfork",
    [NTRACE_EV_VFORK_DONE] = "vfork done",
    [NTRACE_EV_EXEC] = "exec",
    [NTRACE_EV_EXITING] = "exiting",
    [NTRACE_EV_CHILD] = "new child",
};

static void show_process(struct seq_file *m, struct nt_proc *p, struct pid_namespace *ns)
{
	u64 now = ktime_get_ns();
	u32 threads = 0, held = 0;
	struct nt_att *a;

	list_for_each_entry_rcu(a, &p->atts, in_proc) {
		threads++;
		held += READ_ONCE(a->stop_id) != 0;
	}
	seq_printf(m, "  process %d: %u threads, %u held\n", pid_nr_ns(p->tgid, ns), threads, held);
	list_for_each_entry_rcu(a, &p->atts, in_proc) {
		u32 reason = READ_ONCE(a->why);
		u64 ms = div_u64(now - READ_ONCE(a->since_ns), NSEC_PER_MSEC);

		if (READ_ONCE(a->stop_id))
			seq_printf(m, "    thread %d: held by %s for %llu.%03llu s\n",
				   pid_nr_ns(a->task->pid, ns),
				   reason < ARRAY_SIZE(why) && why[reason] ? why[reason] : "?",
				   div_u64(ms, 1000), ms - div_u64(ms, 1000) * 1000);
	}
}

static int show_engines(struct seq_file *m, void *v)
{
	struct pid_namespace *ns = proc_pid_ns(file_inode(m->file)->i_sb);
	struct nt_engine *e;
	struct nt_proc *p;

	mutex_lock(&nt_engines_lock);
	list_for_each_entry(e, &nt_engines, all) {
		seq_printf(m,
			   "engine %llu: %s, opened by process %d of user %u%s, %llu notes lost\n",
			   e->id, e->label[0] ? e->label : "(no name)", pid_nr_ns(e->opener, ns),
			   from_kuid_munged(seq_user_ns(m), e->cred->uid),
			   e->observer ? ", an observer" : "", READ_ONCE(e->lost));
		rcu_read_lock();
		list_for_each_entry_rcu(p, &e->procs, in_engine)
			show_process(m, p, ns);
		rcu_read_unlock();
	}
	mutex_unlock(&nt_engines_lock);
	return 0;
}

static int open_engines(struct inode *inode, struct file *file)
{
	return single_open(file, show_engines, NULL);
}

const struct proc_ops nt_engines_ops = {
    .proc_open = open_engines,
    .proc_read = seq_read,
    .proc_lseek = seq_lseek,
    .proc_release = single_release,
};
