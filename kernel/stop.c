// SPDX-License-Identifier: GPL-2.0
/* The thread's side: its one work, reports, parking until nobody holds it. */
#include <linux/sched/signal.h>

#include "hook.h"
#include "ntrace.h"

static void work(struct callback_head *head);

static void nudged(struct callback_head *head)
{
	struct nt_task *t = container_of(head, struct nt_task, nudge);
	unsigned long flags;

	spin_lock_irqsave(&t->lock, flags);
	t->nudged = false;
	spin_unlock_irqrestore(&t->lock, flags);
	nt_work_over(t);
}

static void work_failed(struct nt_task *t, bool *flag)
{
	unsigned long flags;

	spin_lock_irqsave(&t->lock, flags);
	*flag = false;
	spin_unlock_irqrestore(&t->lock, flags);
	nt_work_over(t);
}

void nt_task_kick(struct nt_task *t, bool hard)
{
	bool queue = false, nudge = false;
	unsigned long flags;

	spin_lock_irqsave(&t->lock, flags);
	if (!t->dead && !t->queued) {
		queue = t->queued = true;
		t->hard = hard;
	} else if (!t->dead && hard && !t->hard && !t->nudged) {
		nudge = t->nudged = true;
	}
	/* one that was found under RCU may have gone meanwhile: whoever still needs one makes it */
	if ((queue || nudge) && !nt_work_begin(t)) {
		t->queued &= !queue;
		t->nudged &= !nudge;
		queue = nudge = false;
	}
	spin_unlock_irqrestore(&t->lock, flags);
	if (queue) {
		init_task_work(&t->work, work);
		if (task_work_add(t->task, &t->work, hard ? TWA_SIGNAL : TWA_RESUME))
			work_failed(t, &t->queued);
	} else if (nudge) {
		init_task_work(&t->nudge, nudged);
		if (task_work_add(t->task, &t->nudge, TWA_SIGNAL))
			work_failed(t, &t->nudged);
	}
}

/* ---- holds: task->lock is held -------------------------------------------- */
void nt_hold(struct nt_att *a, u32 why)
{
	if (!a->stop_id) {
		a->task->holds++;
		a->renewed = false;
	}
	a->stop_id = atomic64_inc_return(&a->engine->last_stop_id);
	a->since_ns = ktime_get_ns();
	a->why = why;
	a->action = 0;
	nt_unask(a);
}

void nt_unask(struct nt_att *a)
{
	a->asked = a->quiet = false;
	if (a->stopper) {
		if (atomic_dec_and_test(a->stopper))
			nt_wake(a->engine);
		a->stopper = NULL;
	}
}

bool nt_told(struct nt_att *a)
{
	return list_empty_careful(&a->stop.link);
}

bool nt_release(struct nt_att *a)
{
	if (!a->stop_id)
		return false;
	a->stop_id = 0;
	a->halfway = false;
	a->task->holds--;
	nt_unqueue(a->engine, &a->stop);
	return true;
}

void nt_go(struct nt_task *t)
{
	if (!t->holds && t->parked)
		__wake_up(&t->wait, TASK_NORMAL | __TASK_TRACED, 1, NULL);
}

static void queue_stop(struct nt_att *a, const struct nt_event *ev)
{
	a->stop.r = ev->r;
	a->stop.r.stop_id = a->stop_id;
	nt_event_ids(&a->stop.r, a->engine, a->task, ev->child);
	nt_queue(a->engine, &a->stop);
}

void nt_satisfy(struct nt_att *a)
{
	bool quiet = a->quiet;
	struct nt_event ev;

	nt_hold(a, NTRACE_EV_STOPPED);
	if (quiet)
		return;
	nt_event_init(&ev, a->task, NTRACE_EV_STOPPED, true);
	queue_stop(a, &ev);
	nt_wake(a->engine);
}

void nt_drop_holds(struct nt_task *t)
{
	struct nt_att *a;

	list_for_each_entry(a, &t->atts, in_task)
		nt_release(a);
	nt_go(t);
}

static void satisfy_all(struct nt_task *t)
{
	struct nt_att *a;

	list_for_each_entry(a, &t->atts, in_task)
		if (a->asked)
			nt_satisfy(a);
}

bool nt_wanted(struct nt_task *t)
{
	struct nt_att *a;
	unsigned long flags;
	bool wanted;

	spin_lock_irqsave(&t->lock, flags);
	wanted = t->holds;
	list_for_each_entry(a, &t->atts, in_task)
		wanted |= a->asked;
	spin_unlock_irqrestore(&t->lock, flags);
	return wanted;
}

/* ---- posting --------------------------------------------------------------- */
/* One stop at a time: it takes the place of a STOPPED that was not read yet; what
 * comes on top of any other unread stop is a note.
 */
void nt_post_stop(struct nt_att *a, struct nt_event *ev)
{
	struct nt_task *t = a->task;
	unsigned long flags;
	bool note;

	spin_lock_irqsave(&t->lock, flags);
	if (a->gone) {
		spin_unlock_irqrestore(&t->lock, flags);
		return;
	}
	note = a->engine->observer || (a->stop_id && a->why != NTRACE_EV_STOPPED && !nt_told(a));
	if (!note) {
		nt_unqueue(a->engine, &a->stop);
		nt_hold(a, ev->r.type);
		queue_stop(a, ev);
	}
	spin_unlock_irqrestore(&t->lock, flags);
	if (note)
		nt_note(a, ev);
	else
		nt_wake(a->engine);
}

bool nt_report(struct nt_task *t, struct nt_event *ev, nt_match match)
{
	struct nt_att *a = NULL;

	while ((a = nt_att_next(t, a))) {
		switch (match(a, ev)) {
		case NT_STOP:
			nt_post_stop(a, ev);
			break;
		case NT_NOTE:
			nt_note(a, ev);
			break;
		case NT_PASS:
			break;
		}
	}
	return nt_park(t);
}

bool nt_report_one(struct nt_task *t, struct nt_att *a, struct nt_event *ev)
{
	nt_post_stop(a, ev);
	return nt_park(t);
}

/* ---- parking --------------------------------------------------------------- */
bool nt_inspect(struct nt_task *t)
{
	unsigned long flags;
	bool parked;

	spin_lock_irqsave(&t->lock, flags);
	parked = t->parked;
	if (parked)
		t->inspectors++;
	spin_unlock_irqrestore(&t->lock, flags);
	/* its floating point state is saved when it is off its processor */
	while (parked && smp_load_acquire(&t->task->on_cpu))
		cpu_relax();
	return parked;
}

void nt_inspect_end(struct nt_task *t)
{
	unsigned long flags;

	spin_lock_irqsave(&t->lock, flags);
	if (!--t->inspectors)
		__wake_up(&t->wait, TASK_NORMAL | __TASK_TRACED, 1, NULL);
	spin_unlock_irqrestore(&t->lock, flags);
}

/* What the engines said when they let go. */
static void apply(struct nt_task *t)
{
	struct nt_att *a = NULL;
	bool stepping = false;

	while ((a = nt_att_next(t, a))) {
		u32 action;
		int signo;

		spin_lock_irq(&t->lock);
		action = a->action;
		signo = a->inject;
		a->action = 0;
		a->inject = 0;
		if (signo)
			a->self_signo = signo;
		spin_unlock_irq(&t->lock);
		if (signo)
			send_sig(signo, current, 0);
		if (action == NTRACE_ACT_STEP || action == NTRACE_ACT_RANGE) {
			nt_step_arm(t, a);
			stepping = true;
		} else if (action) {
			nt_step_cancel(t, a);
		}
	}
	if (stepping && !t->working)
		nt_task_kick(t, false); /* it takes effect on the way to user mode */
}

/* About to sleep; task->lock is held. Readers of registers are quick: nothing shortens
 * that wait.
 */
static void sleep_on(struct nt_task *t, struct wait_queue_entry *wait)
{
	prepare_to_wait(&t->wait, wait, TASK_UNINTERRUPTIBLE);
	if (t->holds)
		set_special_state(__TASK_TRACED | TASK_WAKEKILL);
}

bool nt_park(struct nt_task *t)
{
	bool alive = true, parked = false;
	DEFINE_WAIT(wait);

	nt_trap_enter(t);
	nt_trap_pause(t);
	if (current->ptrace)
		WRITE_ONCE(t->call.yield, true); /* it may be waiting already */
	for (;;) {
		bool inspected, held;

		spin_lock_irq(&t->lock);
		if (fatal_signal_pending(current) || READ_ONCE(t->killed)) {
			alive = false;
			nt_drop_holds(t);
		} else if (!t->exits || t->holds) {
			satisfy_all(t);
		}
		inspected = t->inspectors;
		held = t->holds;
		if (!held && !inspected)
			break;
		parked = t->parked = true;
		sleep_on(t, &wait);
		spin_unlock_irq(&t->lock);
		if (!READ_ONCE(t->call.yield) && !(held && READ_ONCE(t->killed)))
			schedule();
		if (READ_ONCE(t->call.yield)) {
			finish_wait(&t->wait, &wait);
			nt_signal_yield(t);
		}
	}
	t->parked = false;
	spin_unlock_irq(&t->lock);
	if (parked)
		finish_wait(&t->wait, &wait);
	if (alive)
		apply(t);
	return alive;
}

bool nt_blocked(struct nt_task *t, bool soft)
{
	unsigned int quiet = TASK_UNINTERRUPTIBLE | __TASK_STOPPED | __TASK_TRACED | TASK_FROZEN;
	struct task_struct *task = t->task;
	int patience = 1000;

	if (soft)
		quiet |= TASK_INTERRUPTIBLE;
	while (READ_ONCE(task->__state) & quiet) {
		/* it may be about to switch, or to go on */
		if (!smp_load_acquire(&task->on_cpu))
			return READ_ONCE(task->__state) & quiet;
		if (!--patience)
			return false;
		cpu_relax();
	}
	return false;
}

bool nt_off_cpu(struct nt_task *t)
{
	smp_mb(); /* the kick is seen by whoever puts it on a processor after this */
	return !READ_ONCE(t->task->on_cpu) && !(READ_ONCE(t->task->__state) & TASK_INTERRUPTIBLE);
}

static void work(struct callback_head *head)
{
	struct nt_task *t = container_of(head, struct nt_task, work);
	bool exits = current->flags & PF_EXITING;
	struct nt_mm *leaves;

	spin_lock_irq(&t->lock);
	t->queued = t->hard = false;
	t->working = !exits;
	leaves = t->leaves;
	t->leaves = NULL;
	spin_unlock_irq(&t->lock);
	if (leaves) {
		if (!exits)
			nt_trap_enter(t);
		nt_area_left(leaves);
	}
	t->trap.put_off = !exits && nt_in_probe();
	if (!exits && !t->trap.put_off && nt_trap_work(t)) {
		nt_life_work(t);
		nt_syscall_exit_work(t);
		nt_park(t);
		nt_lift_gate(t);
		nt_trap_leave(t);
	}
	WRITE_ONCE(t->working, false);
	nt_work_over(t);
}
