// SPDX-License-Identifier: GPL-2.0
/* Letting a process go, by will or by force. */
#include <linux/rculist.h>
#include <linux/sched/signal.h>

#include "break.h"

/* The next attachment of a process, with a reference. */
static struct nt_att *first_att(struct nt_proc *p)
{
	struct nt_att *a;
	unsigned long flags;

	spin_lock_irqsave(&p->lock, flags);
	a = list_first_entry_or_null(&p->atts, struct nt_att, in_proc);
	if (a)
		refcount_inc(&a->ref);
	spin_unlock_irqrestore(&p->lock, flags);
	return a;
}

/* The thread the client chose gets its signal, the others go on as they came. */
static void choose_signal(struct nt_att *a, int signo)
{
	bool send = false;

	spin_lock_irq(&a->task->lock);
	if (a->stop_id && a->why == NTRACE_EV_SIGNAL)
		a->signo = signo;
	else
		send = signo;
	spin_unlock_irq(&a->task->lock);
	if (send)
		send_sig(signo, a->task->task, 0);
}

static void drop_all(struct nt_proc *p, int signo, pid_t tid)
{
	struct nt_att *a;

	while ((a = first_att(p))) {
		if (tid > 0 && pid_nr_ns(a->task->pid, p->engine->ns) == tid)
			choose_signal(a, signo);
		nt_att_drop(a);
		nt_att_put(a);
	}
}

void nt_proc_detach(struct nt_proc *p, u32 release, int signo, pid_t tid)
{
	struct nt_engine *e = p->engine;
	bool ours;

	spin_lock_irq(&p->lock);
	ours = nt_proc_unlist(p);
	spin_unlock_irq(&p->lock);
	if (!ours)
		return;
	if (release == NTRACE_RELEASE_KILL)
		kill_pid(p->tgid, SIGKILL, 1);
	else if (release == NTRACE_RELEASE_STOP)
		kill_pid(p->tgid, SIGSTOP, 1);
	else
		nt_keep(p);
	nt_break_detach(p);
	drop_all(p, signo, tid);
	nt_trap_detached(p);
	nt_forget_notes(e, pid_nr_ns(p->tgid, e->ns));
	nt_proc_put(p); /* the list's */
}

void nt_proc_lose(struct nt_proc *p, int error)
{
	unsigned long flags;
	struct nt_att *a;
	bool ours;

	spin_lock_irqsave(&p->lock, flags);
	ours = nt_proc_unlist(p);
	spin_unlock_irqrestore(&p->lock, flags);
	if (!ours)
		return;
	while ((a = first_att(p))) {
		nt_att_drop(a);
		nt_att_put(a);
	}
	nt_proc_last(p, NTRACE_EV_DETACHED, error);
}

/* One thread of those that were attached by themselves; with the last one all goes. */
static int detach_thread(struct nt_proc *p, int signo, pid_t tid)
{
	struct nt_engine *e = p->engine;
	struct nt_att *a;

	rcu_read_lock();
	a = nt_att_by_tid(e, tid);
	if (a && (a->proc != p || !refcount_inc_not_zero(&a->ref)))
		a = NULL;
	rcu_read_unlock();
	if (!a)
		return -ESRCH;
	choose_signal(a, signo);
	if (nt_att_drop(a) && nt_proc_leave(p)) {
		nt_break_detach(p);
		nt_trap_detached(p);
		nt_forget_notes(e, pid_nr_ns(p->tgid, e->ns));
		nt_proc_put(p); /* the list's */
	}
	nt_att_put(a);
	return 0;
}

int nt_detach(struct nt_engine *e, void *record)
{
	struct ntrace_detach *r = record;
	int error = -ESRCH;
	struct nt_proc *p;

	if (r->release > NTRACE_RELEASE_STOP || r->signo < 0 || r->signo > _NSIG)
		return -EINVAL;
	if (r->release == NTRACE_RELEASE_STOP && !nt_feature(NTRACE_F_LEAVE_STOPPED))
		return -EOPNOTSUPP;
	mutex_lock(&e->mutex);
	p = nt_proc_find(e, r->pid);
	if (p && p->thread_only && r->tid > 0) {
		error = detach_thread(p, r->signo, r->tid);
	} else if (p) {
		nt_proc_detach(p, r->release, r->signo, r->tid);
		error = 0;
	}
	if (p)
		nt_proc_put(p);
	mutex_unlock(&e->mutex);
	return error;
}
