// SPDX-License-Identifier: GPL-2.0
/* NTRACE_IOC_RESUME: lets threads go, each by the first entry that names it. */
#include <linux/rculist.h>

#include "batch.h"
#include "ntrace.h"

struct batch {
	struct ntrace_resume *r;
	struct ntrace_resume_entry *entry;
	u64 serial;
	bool named;
};

/* task->lock is held. An errno, or 0 when the engine let it go. */
static int let_go(struct nt_att *a, struct ntrace_resume_entry *entry)
{
	bool signal = a->why == NTRACE_EV_SIGNAL;

	nt_unask(a);
	if (!a->stop_id)
		return entry->stop_id ? ESTALE : EBUSY;
	if (entry->stop_id ? entry->stop_id != a->stop_id : !nt_told(a))
		return ESTALE;
	nt_release(a);
	if (signal)
		a->signo = entry->signo;
	else
		a->inject = entry->signo;
	a->action = entry->action;
	a->lo = entry->lo;
	a->hi = entry->hi;
	WRITE_ONCE(a->proc->quiesced, false);
	nt_go(a->task);
	return 0;
}

static void resume_one(struct nt_att *a, struct batch *b)
{
	struct ntrace_resume_entry *entry = b->entry;
	struct nt_task *t = a->task;
	bool kick = false;
	int error = 0;

	spin_lock_irq(&t->lock);
	if (a->gone) {
		error = ESRCH;
	} else if (a->batch != b->serial) {
		a->batch = b->serial;
		if (entry->action != NTRACE_ACT_STAY) {
			error = let_go(a, entry);
			if (!error) {
				b->r->resumed++;
				entry->held += t->holds > 0;
				/* a step of a thread that is not parked: on its way out */
				kick = !t->parked;
			}
		}
	}
	spin_unlock_irq(&t->lock);
	if (kick)
		nt_task_kick(t, false);
	if (b->named && error)
		entry->error = error;
}

static bool is_off(u32 action)
{
	return (action == NTRACE_ACT_STEP && !nt_feature(NTRACE_F_STEP)) ||
	       (action == NTRACE_ACT_RANGE && !nt_feature(NTRACE_F_RANGE_STEP));
}

static void resume_entry(struct nt_engine *e, struct batch *b)
{
	struct ntrace_resume_entry *entry = b->entry;
	struct nt_proc *p;
	struct nt_att *a;
	bool found = entry->pid == -1;

	entry->error = 0;
	entry->held = 0;
	b->named = entry->tid > 0;
	if (entry->action < NTRACE_ACT_CONT || entry->action > NTRACE_ACT_STAY ||
	    entry->signo < 0 || entry->signo > _NSIG ||
	    (!b->named && (entry->tid != -1 || (entry->pid != -1 && entry->pid <= 0)))) {
		entry->error = EINVAL;
		return;
	}
	if (is_off(entry->action)) {
		entry->error = EOPNOTSUPP;
		return;
	}
	rcu_read_lock();
	if (b->named) {
		a = nt_att_by_tid(e, entry->tid);
		if (a)
			resume_one(a, b);
		found = a;
	} else {
		list_for_each_entry_rcu(p, &e->procs, in_engine) {
			if (entry->pid != -1 && pid_nr_ns(p->tgid, e->ns) != entry->pid)
				continue;
			found = true;
			list_for_each_entry_rcu(a, &p->atts, in_proc)
				resume_one(a, b);
		}
	}
	rcu_read_unlock();
	if (!found)
		entry->error = ESRCH;
}

int nt_resume(struct nt_engine *e, void *record)
{
	struct ntrace_resume *r = record;
	struct ntrace_resume_entry *entries;
	struct batch b = {.r = r};
	int error;
	u32 i;

	if (r->flags)
		return -EINVAL;
	entries = nt_batch_in(r->entries, r->count, sizeof(*entries));
	if (IS_ERR(entries))
		return PTR_ERR(entries);
	r->done = r->resumed = 0;
	b.serial = atomic64_inc_return(&e->last_batch);
	for (i = 0; i < r->count && !fatal_signal_pending(current); i++) {
		b.entry = &entries[i];
		resume_entry(e, &b);
		r->done += !entries[i].error;
		cond_resched(); /* each may be thousands of threads */
	}
	error = nt_batch_out(r->entries, entries, r->count, sizeof(*entries));
	if (r->wait_us)
		wait_event_interruptible_timeout(e->wait, nt_readable(e) || nt_unloading,
						 usecs_to_jiffies(r->wait_us) + 1);
	r->events = nt_event_count(e);
	return error;
}
