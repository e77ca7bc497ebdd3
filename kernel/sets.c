// SPDX-License-Identifier: GPL-2.0
/* What an engine wants to see, and the signals it sends. */
#include <linux/rculist.h>
#include <linux/slab.h>

#include "ntrace.h"

#define LIFE_EVENTS                                                                                \
	(NTRACE_LIFE(NTRACE_EV_NEWTHREAD) | NTRACE_LIFE(NTRACE_EV_FORK) |                          \
	 NTRACE_LIFE(NTRACE_EV_VFORK) | NTRACE_LIFE(NTRACE_EV_VFORK_DONE) |                        \
	 NTRACE_LIFE(NTRACE_EV_EXEC) | NTRACE_LIFE(NTRACE_EV_EXITING) |                            \
	 NTRACE_LIFE(NTRACE_EV_DEAD) | NTRACE_LIFE(NTRACE_EV_PROC_DEAD) |                          \
	 NTRACE_LIFE(NTRACE_EV_CHILD))

static void merge(struct ntrace_sets *into, const struct ntrace_sets *from)
{
	if (from->valid & NTRACE_SET_SIGNALS) {
		into->signal_stop = from->signal_stop;
		into->signal_note = from->signal_note;
		into->fault_stop = from->fault_stop;
		into->signal_step = from->signal_step;
	}
	if (from->valid & NTRACE_SET_LIFE) {
		into->life_stop = from->life_stop;
		into->life_note = from->life_note;
	}
	if (from->valid & NTRACE_SET_FOLLOW)
		into->follow = from->follow;
	if (from->valid & NTRACE_SET_SYSCALLS) {
		memcpy(into->entry_stop, from->entry_stop, sizeof(into->entry_stop));
		memcpy(into->exit_stop, from->exit_stop, sizeof(into->exit_stop));
		memcpy(into->entry_note, from->entry_note, sizeof(into->entry_note));
		memcpy(into->exit_note, from->exit_note, sizeof(into->exit_note));
	}
}

static bool stops(const struct ntrace_sets *s)
{
	u64 any = 0;
	int i;

	if (s->valid & NTRACE_SET_SIGNALS)
		any |= s->signal_stop | s->fault_stop | s->signal_step;
	if (s->valid & NTRACE_SET_LIFE)
		any |= s->life_stop;
	if (s->valid & NTRACE_SET_SYSCALLS)
		for (i = 0; i < NTRACE_SYSCALL_WORDS; i++)
			any |= s->entry_stop[i] | s->exit_stop[i];
	return any;
}

/* The engine's mutex is held. */
static void set_own(struct nt_att *a, struct nt_sets *own)
{
	struct nt_sets *old = rcu_replace_pointer(a->own, own, true);

	if (old)
		kfree_rcu(old, rcu);
}

/* The engine's mutex is held: nobody else replaces its sets. */
static int change(struct nt_proc *p, const struct ntrace_sets *s)
{
	struct nt_sets *old = rcu_dereference_protected(p->sets, true);
	struct nt_sets *new = kmemdup(old, sizeof(*old), GFP_KERNEL);
	struct nt_att *a;

	if (!new)
		return -ENOMEM;
	merge(&new->s, s);
	rcu_assign_pointer(p->sets, new);
	if (s->valid & NTRACE_SET_SYSCALLS) {
		rcu_read_lock();
		list_for_each_entry_rcu(a, &p->atts, in_proc) {
			set_own(a, NULL); /* what one thread had of its own is over */
			nt_syscall_engage(a->task);
		}
		rcu_read_unlock();
	}
	kfree_rcu(old, rcu);
	return 0;
}

/* Of one thread alone, until those of its process are set again. Likewise. */
static int change_thread(struct nt_engine *e, const struct ntrace_sets *s)
{
	struct nt_sets *own;
	struct nt_att *a;
	int error = 0;

	if (s->valid != NTRACE_SET_SYSCALLS)
		return -EINVAL;
	own = kzalloc(sizeof(*own), GFP_KERNEL);
	if (!own)
		return -ENOMEM;
	merge(&own->s, s);
	rcu_read_lock();
	a = nt_att_by_tid(e, s->tid);
	if (a && s->pid && pid_nr_ns(a->proc->tgid, e->ns) != s->pid)
		a = NULL;
	if (a) {
		set_own(a, own);
		nt_syscall_engage(a->task);
	} else {
		kfree(own);
		error = -ESRCH;
	}
	rcu_read_unlock();
	return error;
}

int nt_set_sets(struct nt_engine *e, void *record)
{
	struct ntrace_sets *s = record;
	struct nt_proc *p;
	int error = 0;

	if (s->valid &
		~(NTRACE_SET_SIGNALS | NTRACE_SET_LIFE | NTRACE_SET_SYSCALLS | NTRACE_SET_FOLLOW) ||
	    s->follow & ~(NTRACE_FOLLOW_FORK | NTRACE_FOLLOW_VFORK) ||
	    s->life_stop & ~LIFE_EVENTS || s->life_note & ~LIFE_EVENTS)
		return -EINVAL;
	if (s->valid & NTRACE_SET_FOLLOW && s->follow && !nt_feature(NTRACE_F_FOLLOW))
		return -EOPNOTSUPP;
	if (e->observer && stops(s))
		return -EROFS;
	mutex_lock(&e->mutex);
	if (s->tid) {
		error = change_thread(e, s);
	} else if (s->pid) {
		p = nt_proc_find(e, s->pid);
		error = p ? change(p, s) : -ESRCH;
		if (p)
			nt_proc_put(p);
	} else {
		struct nt_proc *next = NULL;
		u64 order = 0;

		merge(&e->defaults, s);
		/* procs come in their order: the next one after the last that was changed */
		do {
			next = NULL;
			rcu_read_lock();
			list_for_each_entry_rcu(p, &e->procs, in_engine)
				if (p->order > order && refcount_inc_not_zero(&p->ref)) {
					next = p;
					break;
				}
			rcu_read_unlock();
			if (next) {
				order = next->order;
				error = change(next, s) ?: error;
				nt_proc_put(next);
			}
		} while (next);
	}
	mutex_unlock(&e->mutex);
	return error;
}

/* SIGKILL also ends a process that stands at its own end, where nobody can be woken
 * by a signal any more.
 */
static void end_killed(struct nt_proc *p)
{
	struct nt_att *a;

	rcu_read_lock();
	list_for_each_entry_rcu(a, &p->atts, in_proc) {
		spin_lock_irq(&a->task->lock);
		nt_drop_holds(a->task);
		spin_unlock_irq(&a->task->lock);
	}
	rcu_read_unlock();
}

int nt_signal(struct nt_engine *e, void *record)
{
	struct ntrace_signal *r = record;
	struct nt_proc *p;
	struct nt_att *a;
	int error = 0;

	if (r->reserved || r->signo < 0 || r->signo > _NSIG)
		return -EINVAL;
	p = nt_proc_find(e, r->pid);
	if (!p)
		return -ESRCH;
	if (r->tid > 0) {
		rcu_read_lock();
		a = nt_att_by_tid(e, r->tid);
		if (!a || a->proc != p)
			error = -ESRCH;
		else if (r->signo) /* 0 asks whether it is there */
			send_sig(r->signo, a->task->task, 0);
		rcu_read_unlock();
	} else {
		error = kill_pid(p->tgid, r->signo, 0);
	}
	if (!error && r->signo == SIGKILL)
		end_killed(p);
	nt_proc_put(p);
	return error;
}
