// SPDX-License-Identifier: GPL-2.0
/*
 * Hits of breakpoints: who wants to hear of one is decided in the trap, as far as
 * memory is there, and else in the thread's work.
 */
#include <linux/rculist.h>
#include <linux/sched/task_stack.h>

#include "break.h"

bool nt_break_wanted(struct nt_task *t, struct nt_site *s, struct pt_regs *regs)
{
	struct nt_trap *trap = &t->trap;
	enum nt_verdict verdict = NT_FALSE;
	struct nt_break *b;

	if (READ_ONCE(s->traces)) { /* what it collects takes sleep */
		trap->hit = s;
		trap->hit_generation = READ_ONCE(s->generation);
		trap->hit_order = 0;
		trap->hit_true = false;
		return true;
	}
	trap->quiet = true;
	list_for_each_entry_rcu(b, &s->owners, link) {
		if (!nt_att_of(b->engine, t))
			continue;
		verdict = nt_decide(b, regs);
		if (verdict == NT_FALSE)
			continue;
		trap->hit = s;
		trap->hit_generation = READ_ONCE(s->generation);
		trap->hit_order = b->order;
		trap->hit_true = verdict == NT_TRUE;
		break;
	}
	trap->quiet = false;
	return verdict != NT_FALSE;
}

/* The first owner from "order" on; a reference. */
static struct nt_break *owner_from(struct nt_mm *m, struct nt_site *s, u64 order)
{
	struct nt_break *b, *found = NULL;

	mutex_lock(&m->mutex);
	list_for_each_entry(b, &s->owners, link)
		if (b->order >= order) {
			refcount_inc(&b->ref);
			found = b;
			break;
		}
	mutex_unlock(&m->mutex);
	return found;
}

bool nt_break_concerns(struct nt_task *t, struct nt_break *b)
{
	bool attached;

	rcu_read_lock();
	attached = nt_att_of(b->proc->engine, t);
	rcu_read_unlock();
	return attached;
}

bool nt_break_tell(struct nt_task *t, struct nt_break *b, u32 type, u64 addr)
{
	struct nt_event ev;
	struct nt_att *a;

	nt_event_init(&ev, t, type, true);
	ev.r.addr = addr;
	ev.r.break_id = b->id;
	nt_step_forget(t, b->proc->engine);
	rcu_read_lock();
	a = nt_att_of(b->proc->engine, t);
	if (a && !refcount_inc_not_zero(&a->ref))
		a = NULL;
	rcu_read_unlock();
	if (!a)
		return false;
	nt_post_stop(a, &ev);
	nt_att_put(a);
	return true;
}

/* Its actions run instead of a stop, if it has any. */
static bool decide_and_act(struct nt_task *t, struct nt_break *b, struct pt_regs *regs,
			   bool decided)
{
	struct nt_codes *c = nt_codes_of(b);
	bool told = false;

	if (!decided && nt_decide_sleeping(b, c, regs) != NT_TRUE)
		goto out;
	if (c && c->actions)
		nt_actions_run(t, b, c, regs);
	else
		told = nt_break_tell(t, b, NTRACE_EV_BREAK, b->addr);
out:
	nt_codes_put(c);
	return told;
}

bool nt_break_hit(struct nt_task *t)
{
	struct nt_mm *m = nt_mm_find(current->mm);
	struct pt_regs *regs = current_pt_regs();
	struct nt_trap *trap = &t->trap;
	struct nt_site *s = trap->hit;
	u64 order = trap->hit_order;
	struct nt_break *b;
	bool told = false;

	if (!m)
		return false;
	trap->at = s->addr;
	trap->at_generation = trap->hit_generation;
	nt_trace_hits(t, m, s, regs);
	while ((b = owner_from(m, s, order))) {
		bool decided = b->order == trap->hit_order && trap->hit_true;

		if (nt_break_concerns(t, b))
			told |= decide_and_act(t, b, regs, decided);
		order = b->order + 1;
		nt_break_put(b);
	}
	nt_mm_put(m);
	return told;
}
