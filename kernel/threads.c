// SPDX-License-Identifier: GPL-2.0
/* NTRACE_IOC_THREADS: who is there, and how each is. */
#include <linux/mm.h>
#include <linux/rculist.h>
#include <linux/uaccess.h>

#include "ntrace.h"

static void describe(struct nt_att *a, struct ntrace_thread *to)
{
	struct nt_task *t = a->task;
	struct nt_att *other;

	memset(to, 0, sizeof(*to));
	to->tid = pid_nr_ns(t->pid, a->engine->ns);
	to->tgid = pid_nr_ns(t->tgid, a->engine->ns);
	to->cookie = t->cookie;
	to->core = task_cpu(t->task);
	get_task_comm(to->comm, t->task);
	spin_lock_irq(&t->lock);
	to->stop_id = a->stop_id;
	if (t->task->flags & PF_EXITING)
		to->state = NTRACE_THREAD_EXITING;
	else if (t->holds)
		to->state = NTRACE_THREAD_STOPPED;
	else
		to->state = a->asked ? NTRACE_THREAD_STOPPING : NTRACE_THREAD_RUNNING;
	if (t->pid == t->tgid)
		to->flags |= NTRACE_THREAD_LEADER;
	if (t->life.vfork)
		to->flags |= NTRACE_THREAD_VFORK;
	if (a->stop_id)
		to->flags |= NTRACE_THREAD_HELD;
	if (t->holds > !!a->stop_id)
		to->flags |= NTRACE_THREAD_HELD_BY_OTHER;
	list_for_each_entry(other, &t->atts, in_task)
		if (other->action == NTRACE_ACT_STEP || other->action == NTRACE_ACT_RANGE)
			to->flags |= NTRACE_THREAD_STEPPING;
	spin_unlock_irq(&t->lock);
}

int nt_threads(struct nt_engine *e, void *record)
{
	struct ntrace_threads *r = record;
	struct ntrace_thread *list = NULL;
	u32 room = min_t(u32, r->capacity, NTRACE_MAX_BATCH), kept;
	struct nt_proc *p;
	struct nt_att *a;
	bool found = !r->pid;
	int error = 0;

	if (r->flags & ~NTRACE_THREADS_BRIEF)
		return -EINVAL;
	if (room && !r->buf)
		return -EFAULT;
	if (room) {
		list = kvmalloc_array(room, sizeof(*list), GFP_KERNEL_ACCOUNT);
		if (!list)
			return -ENOMEM;
	}
	r->count = 0;
	rcu_read_lock();
	list_for_each_entry_rcu(p, &e->procs, in_engine) {
		if (r->pid && pid_nr_ns(p->tgid, e->ns) != r->pid)
			continue;
		found = true;
		list_for_each_entry_rcu(a, &p->atts, in_proc)
			if (r->count++ < room)
				describe(a, &list[r->count - 1]);
	}
	rcu_read_unlock();
	kept = min(r->count, room);
	if (!found)
		error = -ESRCH;
	else if (kept && copy_to_user(u64_to_user_ptr(r->buf), list, kept * sizeof(*list)))
		error = -EFAULT;
	kvfree(list);
	return error;
}
