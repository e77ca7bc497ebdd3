// SPDX-License-Identifier: GPL-2.0
/*
 * Debug registers, through the kernel's hardware breakpoint layer: one perf
 * event a register and thread. They are shared with ptrace and perf.
 */
#include <linux/hw_breakpoint.h>
#include <linux/perf_event.h>
#include <linux/rculist.h>
#include <linux/sched/task.h>
#include <linux/slab.h>

#include "break.h"

/* In the exception, which may have come in the kernel, on its way to user memory. */
static void on_watch(struct perf_event *event, struct perf_sample_data *data, struct pt_regs *regs)
{
	unsigned long index = (unsigned long)event->overflow_handler_context;
	struct nt_task *t;

	rcu_read_lock();
	t = nt_task_get_rcu(current);
	/* what we read ourselves, deciding a condition, is not the program's doing */
	if (t && !t->trap.quiet && !t->working) {
		t->trap.watches |= 1ul << index;
		t->trap.pending |= NT_TRAP_WATCH;
		nt_task_kick(t, false);
	}
	rcu_read_unlock();
}

static bool has_thread(const struct nt_watch *w, const struct task_struct *task)
{
	const struct nt_watch_thread *wt;

	list_for_each_entry(wt, &w->threads, link)
		if (wt->task == task)
			return true;
	return false;
}

static int add_thread(struct nt_mm *m, struct nt_watch *w, struct task_struct *task)
{
	struct nt_watch_thread *wt;
	struct perf_event_attr attr;
	int error;

	if (has_thread(w, task) || task->exit_state || task->mm != m->mm)
		return 0;
	error = nt_arch_watch_attr(w->type, w->addr, w->len, &attr);
	if (error)
		return error;
	wt = kmalloc(sizeof(*wt), GFP_KERNEL);
	if (!wt)
		return -ENOMEM;
	wt->event = register_user_hw_breakpoint(&attr, on_watch, (void *)(w - m->watches), task);
	if (IS_ERR(wt->event)) {
		error = PTR_ERR(wt->event);
		kfree(wt);
		return error == -ESRCH ? 0 : error;
	}
	wt->task = get_task_struct(task);
	list_add(&wt->link, &w->threads);
	return 0;
}

static void drop_thread(struct nt_watch_thread *wt)
{
	list_del(&wt->link);
	unregister_hw_breakpoint(wt->event);
	put_task_struct(wt->task);
	kfree(wt);
}

void nt_watch_sweep(struct nt_mm *m)
{
	struct nt_watch_thread *wt, *next;
	unsigned int i;

	for (i = 0; i < NT_WATCHES; i++)
		list_for_each_entry_safe(wt, next, &m->watches[i].threads, link)
			if (wt->task->exit_state || list_empty(&m->watches[i].owners))
				drop_thread(wt);
}

/* The threads of a process, referenced, NULL at the end. */
static struct task_struct **threads_of(struct nt_proc *p)
{
	struct task_struct **tasks;
	unsigned int count, i = 0;
	struct nt_att *a;

	spin_lock_irq(&p->lock);
	count = p->natts;
	spin_unlock_irq(&p->lock);
	/* those who come later take their registers themselves */
	tasks = kvcalloc(count + 1, sizeof(*tasks), GFP_KERNEL);
	if (!tasks)
		return NULL;
	rcu_read_lock();
	list_for_each_entry_rcu(a, &p->atts, in_proc)
		if (i < count)
			tasks[i++] = get_task_struct(a->task->task);
	rcu_read_unlock();
	return tasks;
}

static int add_threads(struct nt_mm *m, struct nt_watch *w, struct nt_proc *p)
{
	struct task_struct **tasks = threads_of(p);
	int error = tasks ? 0 : -ENOMEM;
	unsigned int i;

	for (i = 0; tasks && tasks[i]; i++) {
		if (!error)
			error = add_thread(m, w, tasks[i]);
		put_task_struct(tasks[i]);
	}
	kvfree(tasks);
	return error;
}

static struct nt_watch *choose(struct nt_mm *m, u32 type, unsigned long addr, u32 len)
{
	struct nt_watch *w, *empty = NULL;

	for (w = m->watches; w < m->watches + NT_WATCHES; w++) {
		if (list_empty(&w->owners))
			empty = empty ?: w;
		else if (w->type == type && w->addr == addr && w->len == len)
			return w;
	}
	if (empty) {
		empty->type = type;
		empty->addr = addr;
		empty->len = len;
	}
	return empty;
}

int nt_watch_insert(struct nt_mm *m, struct nt_break *b)
{
	unsigned long addr = b->addr;
	u32 left = b->len;
	int error = 0;

	nt_watch_sweep(m);
	while (left && !error) {
		u32 len = nt_arch_watch_piece(addr, left);
		struct nt_watch *w = NULL;

		if (b->nuses < NT_WATCHES)
			w = choose(m, b->type, addr, len);
		if (!w) {
			error = -ENOSPC;
			break;
		}
		b->uses[b->nuses].owner = b;
		b->uses[b->nuses].watch = w;
		list_add_tail(&b->uses[b->nuses++].link, &w->owners);
		error = add_threads(m, w, b->proc);
		addr += len;
		left -= len;
	}
	if (error)
		nt_watch_remove(m, b);
	else
		m->watching++;
	return error;
}

void nt_watch_remove(struct nt_mm *m, struct nt_break *b)
{
	while (b->nuses)
		list_del(&b->uses[--b->nuses].link);
	nt_watch_sweep(m);
}

void nt_trap_task_new(struct nt_task *t)
{
	struct nt_mm *m = nt_mm_find(READ_ONCE(t->task->mm));
	struct nt_break_use *use;
	unsigned int i;

	if (!m)
		return;
	mutex_lock(&m->mutex);
	nt_watch_sweep(m);
	for (i = 0; i < NT_WATCHES; i++)
		list_for_each_entry(use, &m->watches[i].owners, link) {
			bool attached;

			rcu_read_lock();
			attached = nt_att_of(use->owner->engine, t);
			rcu_read_unlock();
			if (attached && add_thread(m, &m->watches[i], t->task))
				pr_warn_ratelimited("ntrace: thread %d has no debug register\n",
						    task_pid_nr(t->task));
		}
	mutex_unlock(&m->mutex);
	nt_mm_put(m);
}

/* The first breakpoint of a register from "order" on, referenced, and where the register is. */
static struct nt_break *owner_from(struct nt_mm *m, struct nt_watch *w, u64 order, u64 *addr)
{
	struct nt_break *b = NULL;
	struct nt_break_use *use;

	mutex_lock(&m->mutex);
	*addr = w->addr;
	list_for_each_entry(use, &w->owners, link)
		if (use->owner->order >= order) {
			b = use->owner;
			refcount_inc(&b->ref);
			break;
		}
	mutex_unlock(&m->mutex);
	return b;
}

static bool wants(struct nt_break *b)
{
	struct nt_codes *c = nt_codes_of(b);
	bool wanted = nt_decide_sleeping(b, c, current_pt_regs()) == NT_TRUE;

	nt_codes_put(c);
	return wanted;
}

/* One that covers several of the registers is hit once. */
static bool is_first_use(const struct nt_mm *m, const struct nt_break_use *use, unsigned long hit)
{
	const struct nt_break_use *first = use->owner->uses;

	while (first != use && !(hit & 1ul << (first->watch - m->watches)))
		first++;
	return first == use;
}

/* Each address once; the first of all is the event's own. */
static void add_place(struct ntrace_event *r, const struct nt_watch *w, const struct nt_break *b)
{
	unsigned int i;

	if (!r->break_id) {
		r->break_id = b->id;
		r->addr = w->addr;
		return;
	}
	for (i = 0; i < r->nr; i++)
		if (r->args[i] == w->addr)
			return;
	if (r->addr != w->addr)
		r->args[r->nr++] = w->addr;
}

/* What was touched of an engine's watchpoints in one register; m->mutex. They have no conditions:
 * what is watched has changed already.
 */
static void gather(struct nt_mm *m, struct nt_watch *w, unsigned long hit,
		   const struct nt_engine *e, struct ntrace_event *r)
{
	struct nt_break_use *use;

	if (w->type == NTRACE_BREAK_HW)
		return;
	list_for_each_entry(use, &w->owners, link) {
		if (use->owner->proc->engine != e)
			continue;
		if (is_first_use(m, use, hit))
			atomic64_inc(&use->owner->hits);
		add_place(r, w, use->owner);
	}
}

/* ... in all of them, the lowest one first. False: nothing. */
static bool gather_all(struct nt_mm *m, unsigned long hit, const struct nt_engine *e,
		       struct ntrace_event *r)
{
	unsigned int i;

	static_assert(NT_WATCHES <= 1 + ARRAY_SIZE(r->args));
	mutex_lock(&m->mutex);
	for (i = 0; i < NT_WATCHES; i++)
		if (hit & 1ul << i)
			gather(m, &m->watches[i], hit, e, r);
	mutex_unlock(&m->mutex);
	return r->break_id;
}

/* Every engine is told once: a second stop would take the place of the first, or be a note. */
static bool tell_watches(struct nt_task *t, struct nt_mm *m, unsigned long hit)
{
	struct nt_att *a = NULL;
	bool told = false;

	while ((a = nt_att_next(t, a))) {
		struct nt_event ev;

		nt_event_init(&ev, t, NTRACE_EV_WATCH, true);
		if (!gather_all(m, hit, a->engine, &ev.r))
			continue;
		nt_step_forget(t, a->engine);
		nt_post_stop(a, &ev);
		told = true;
	}
	return told;
}

/* Breakpoints before the instruction that comes next. */
static bool tell_breaks(struct nt_task *t, struct nt_mm *m, struct nt_watch *w)
{
	struct nt_break *b;
	u64 order = 0, addr;
	bool told = false;

	while ((b = owner_from(m, w, order, &addr))) {
		if (b->type == NTRACE_BREAK_HW && nt_break_concerns(t, b) && wants(b))
			told |= nt_break_tell(t, b, NTRACE_EV_HWBREAK, addr);
		order = b->order + 1;
		nt_break_put(b);
	}
	return told;
}

bool nt_watch_hit(struct nt_task *t)
{
	struct nt_mm *m = nt_mm_find(current->mm);
	unsigned long hit = xchg(&t->trap.watches, 0);
	bool told;
	unsigned int i;

	if (!m)
		return false;
	told = tell_watches(t, m, hit);
	for (i = 0; i < NT_WATCHES; i++)
		if (hit & 1ul << i)
			told |= tell_breaks(t, m, &m->watches[i]);
	nt_mm_put(m);
	return told;
}
