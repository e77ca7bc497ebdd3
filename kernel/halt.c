// SPDX-License-Identifier: GPL-2.0
/* NTRACE_IOC_STOP: asks threads to stop, and waits for them. */
#include <linux/rculist.h>

#include "batch.h"
#include "ntrace.h"

#define RECHECK (HZ / 50) /* a thread may have fallen asleep after it was asked */

struct halt {
	bool soft, quiet;
	atomic_t *left; /* NULL: nobody waits */
	u32 stopped, pending;
};

/* Asks one thread; counts it. */
static void ask(struct nt_att *a, struct halt *h)
{
	struct nt_task *t = a->task;
	bool kick, held;

	spin_lock_irq(&t->lock);
	if (a->gone) {
		spin_unlock_irq(&t->lock);
		return;
	}
	kick = !a->stop_id;
	if (kick) {
		if (!a->asked) {
			a->asked = true;
			a->quiet = h->quiet;
		}
		if (h->left && !a->stopper) {
			a->stopper = h->left;
			atomic_inc(h->left);
		}
		if (t->parked) {
			nt_satisfy(a);
			kick = false;
		}
	}
	spin_unlock_irq(&t->lock);
	if (kick) {
		nt_task_kick(t, !h->soft);
		spin_lock_irq(&t->lock);
		if (!a->gone && a->asked &&
		    (t->parked || nt_blocked(t, h->soft) || (a->quiet && nt_off_cpu(t))))
			nt_satisfy(a);
		spin_unlock_irq(&t->lock);
	}
	held = READ_ONCE(a->stop_id);
	if (held)
		h->stopped++;
	else if (!a->gone)
		h->pending++;
}

static void ask_process(struct nt_proc *p, struct halt *h)
{
	struct nt_att *a;

	spin_lock_irq(&p->lock);
	p->quiesced = true;
	spin_unlock_irq(&p->lock);
	rcu_read_lock();
	list_for_each_entry_rcu(a, &p->atts, in_proc)
		ask(a, h);
	rcu_read_unlock();
}

/* Nobody counts down what goes out of scope. */
static void forget(struct nt_engine *e, atomic_t *left)
{
	struct nt_proc *p;
	struct nt_att *a;

	rcu_read_lock();
	list_for_each_entry_rcu(p, &e->procs, in_engine)
		list_for_each_entry_rcu(a, &p->atts, in_proc) {
			spin_lock_irq(&a->task->lock);
			if (a->stopper == left)
				a->stopper = NULL;
			spin_unlock_irq(&a->task->lock);
		}
	rcu_read_unlock();
}

static int ask_entry(struct nt_engine *e, struct ntrace_stop_entry *entry, struct halt *h)
{
	struct nt_proc *p;
	struct nt_att *a;
	int found = 0;

	if (entry->tid != -1 ? entry->tid <= 0 : entry->pid != -1 && entry->pid <= 0)
		return EINVAL;
	rcu_read_lock();
	if (entry->tid > 0) {
		a = nt_att_by_tid(e, entry->tid);
		if (a)
			ask(a, h);
		rcu_read_unlock();
		return a ? 0 : ESRCH;
	}
	list_for_each_entry_rcu(p, &e->procs, in_engine)
		if (entry->pid == -1 || pid_nr_ns(p->tgid, e->ns) == entry->pid) {
			ask_process(p, h);
			found++;
		}
	rcu_read_unlock();
	return found || entry->pid == -1 ? 0 : ESRCH;
}

static bool counted_down(atomic_t *left)
{
	return !atomic_read(left) || nt_unloading;
}

static int stop_entries(struct nt_engine *e, struct ntrace_stop *r,
			struct ntrace_stop_entry *entries)
{
	unsigned long until = jiffies + usecs_to_jiffies(r->timeout_us) + 1;
	bool wait = r->flags & NTRACE_STOP_WAIT;
	struct halt h = {.soft = r->flags & NTRACE_STOP_SOFT,
			 .quiet = r->flags & NTRACE_STOP_QUIET};
	atomic_t left = ATOMIC_INIT(0);
	long result = 0;
	u32 i;

	if (wait)
		h.left = &left;
	for (;;) {
		h.stopped = h.pending = r->done = 0;
		for (i = 0; i < r->count && !fatal_signal_pending(current); i++) {
			entries[i].error = ask_entry(e, &entries[i], &h);
			r->done += !entries[i].error;
			cond_resched(); /* each may be thousands of threads */
		}
		if (!wait || !h.pending || nt_unloading ||
		    (r->timeout_us && time_after_eq(jiffies, until)))
			break;
		result = wait_event_killable_timeout(e->wait, counted_down(&left), RECHECK);
		if (result < 0)
			break;
	}
	if (wait)
		forget(e, &left);
	r->stopped = h.stopped;
	r->pending = h.pending;
	return result < 0 ? -EINTR : 0;
}

int nt_stop(struct nt_engine *e, void *record)
{
	struct ntrace_stop *r = record;
	struct ntrace_stop_entry *entries;
	int error, copied;

	if (r->flags & ~(NTRACE_STOP_SOFT | NTRACE_STOP_WAIT | NTRACE_STOP_QUIET))
		return -EINVAL;
	if (!nt_feature(r->flags & NTRACE_STOP_SOFT ? NTRACE_F_SOFT_STOP : NTRACE_F_HARD_STOP))
		return -EOPNOTSUPP;
	entries = nt_batch_in(r->entries, r->count, sizeof(*entries));
	if (IS_ERR(entries))
		return PTR_ERR(entries);
	error = stop_entries(e, r, entries);
	copied = nt_batch_out(r->entries, entries, r->count, sizeof(*entries));
	return error ? error : copied;
}

int nt_stop_process(struct nt_proc *p, pid_t tid)
{
	struct ntrace_stop_entry entry = {.pid = pid_nr_ns(p->tgid, p->engine->ns), .tid = tid};
	struct ntrace_stop all = {
	    .count = 1,
	    .flags = NTRACE_STOP_WAIT | NTRACE_STOP_QUIET,
	    .timeout_us = 5 * USEC_PER_SEC,
	};

	return stop_entries(p->engine, &all, &entry);
}
