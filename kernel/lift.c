// SPDX-License-Identifier: GPL-2.0
/*
 * Instructions that are executed in their own place: the byte of the breakpoint is
 * lifted for the one thread that steps, and the others wait, so that none passes
 * unseen. They wait in their work, or asleep in the kernel with the work before them.
 */
#include <linux/delay.h>
#include <linux/sched/mm.h>

#include "break.h"

#define NT_PATIENCE HZ /* a thread that steps and does not come back: others go on */

static atomic_t nr_lifters = ATOMIC_INIT(0);

/* Every other thread of the memory has work before it; true: one may still run the
 * program.
 */
static bool any_runs(struct nt_mm *m)
{
	struct task_struct *process, *task;
	bool runs = false;

	rcu_read_lock();
	for_each_process_thread(process, task) {
		struct nt_task *t;

		if (READ_ONCE(task->mm) != m->mm || task == current ||
		    task->flags & (PF_KTHREAD | NT_PF_WORKER | PF_EXITING))
			continue;
		t = nt_task_make(task, GFP_ATOMIC);
		if (!t)
			continue;
		nt_task_kick(t, false);
		nt_task_unpin(t);
		nt_task_put(t);
		smp_mb(); /* the kick is seen by whoever puts it on a processor after this */
		runs |= READ_ONCE(task->on_cpu);
	}
	rcu_read_unlock();
	return runs;
}

static void await_others(struct nt_mm *m)
{
	unsigned long until = jiffies + NT_PATIENCE;

	while (any_runs(m) && !fatal_signal_pending(current) && time_before(jiffies, until))
		usleep_range(20, 100);
}

/* The only one that steps in place. m->mutex is held, and dropped while it waits. */
static bool become_lifter(struct nt_task *t, struct nt_mm *m)
{
	while (m->lifter) {
		mutex_unlock(&m->mutex);
		if (wait_event_killable(m->wait, !READ_ONCE(m->lifter)))
			return false;
		mutex_lock(&m->mutex);
	}
	refcount_inc(&t->ref);
	WRITE_ONCE(m->lifter, t);
	atomic_inc(&nr_lifters);
	mutex_unlock(&m->mutex);
	await_others(m);
	mutex_lock(&m->mutex);
	return true;
}

/* m->mutex is held. */
static void no_lifter(struct nt_mm *m)
{
	struct nt_task *t = m->lifter;

	WRITE_ONCE(m->lifter, NULL);
	atomic_dec(&nr_lifters);
	wake_up_all(&m->wait);
	nt_task_put(t);
}

bool nt_break_lift(struct nt_task *t, struct nt_mm *m, struct nt_site *s, bool alone)
{
	bool lifted = false;

	mutex_lock(&m->mutex);
	if (alone && !become_lifter(t, m))
		return false;
	if (s->lifted || nt_site_armed(m, s))
		lifted = nt_text_write(m->mm, s->addr, &s->original, 1) == 1;
	if (lifted) {
		s->lifted++;
		refcount_inc(&m->ref);
		nt_task_pin(t);
		t->trap.lift_mm = m;
		t->trap.lifted = s;
	} else if (alone) {
		no_lifter(m);
	}
	mutex_unlock(&m->mutex);
	return lifted;
}

/* m->mutex is held. */
static void lower(struct nt_mm *m, struct nt_task *t)
{
	struct nt_site *s = t->trap.lifted;

	if (!--s->lifted && s->armed && mmget_not_zero(m->mm)) {
		nt_mem_swap(m->mm, s->addr, s->original, NT_BREAK_BYTE);
		mmput(m->mm);
	}
	if (m->lifter == t)
		no_lifter(m);
	t->trap.lifted = NULL;
}

/* The thread itself, or who acts for it: whoever takes the memory from it first. */
void nt_break_lower(struct nt_task *t)
{
	struct nt_mm *m = xchg(&t->trap.lift_mm, NULL);

	if (!m)
		return;
	mutex_lock(&m->mutex);
	lower(m, t);
	mutex_unlock(&m->mutex);
	nt_task_unpin(t);
	nt_mm_put(m);
}

void nt_lift_orphan(struct nt_task *t)
{
	struct nt_mm *m = xchg(&t->trap.lift_mm, NULL);

	if (!m)
		return;
	refcount_inc(&t->ref);
	llist_add(&t->orphan, &m->orphans);
	nt_mm_settle(m);
	nt_mm_put(m);
}

void nt_lift_gate(struct nt_task *t)
{
	struct nt_mm *m;

	if (!atomic_read(&nr_lifters))
		return;
	m = nt_mm_find(current->mm);
	if (!m)
		return;
	wait_event_killable_timeout(m->wait, !READ_ONCE(m->lifter) || READ_ONCE(m->lifter) == t,
				    NT_PATIENCE);
	nt_mm_put(m);
}

void nt_lift_settle(struct nt_mm *m)
{
	struct llist_node *dead = llist_del_all(&m->orphans);
	struct nt_task *t, *next;

	llist_for_each_entry_safe(t, next, dead, orphan) {
		lower(m, t);
		nt_task_unpin(t);
		nt_task_put(t);
	}
}
