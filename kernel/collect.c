// SPDX-License-Identifier: GPL-2.0
/*
 * Threads at tracepoints: they collect and run on, or step and collect again. All of
 * it by the thread itself, in its work.
 */
#include <linux/regset.h>
#include <linux/sched/task_stack.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "break.h"
#include "tracing.h"

#define MOST_COLLECTING 1024u /* hits a thread steps for at a time */

struct collection {
	struct nt_tracing *tracing;
	struct nt_mm *m; /* NULL: nothing of ours is in it */
	struct pt_regs *regs;
};

/* ---- what collecting asks for ------------------------------------------------------ */
static int read_reg(void *ctx, u32 number, u64 *value)
{
	struct collection *c = ctx;

	return nt_arch_reg(c->regs, number, value);
}

/* As the program would see it, or as a debugger where the program may not look. */
static u32 read_mem(void *ctx, u64 addr, void *buf, u32 len)
{
	struct collection *c = ctx;
	unsigned long begun = nt_shadow_begin(c->m);
	u32 got;

	if (fatal_signal_pending(current) || READ_ONCE(nt_unloading))
		return 0; /* there may be gigabytes to come */
	got = len - copy_from_user(buf, (const void __user *)(unsigned long)addr, len);
	if (got < len)
		got += nt_mem_read(current->mm, addr + got, buf + got, len - got);
	if (c->m) {
		rcu_read_lock();
		nt_shadow_rcu(c->m, addr, buf, got, begun);
		rcu_read_unlock();
	}
	return got;
}

static int read_regset(void *ctx, u32 note, const void **data, u32 *len)
{
	struct nt_tracing *tracing = ((struct collection *)ctx)->tracing;
	const struct user_regset *set = nt_regset_find(current, note);
	size_t size = set ? (size_t)set->n * set->size : 0;
	int got;

	if (!set)
		return -ENOENT;
	if (size > tracing->room) {
		kvfree(tracing->scratch);
		tracing->scratch = kvmalloc(size, GFP_KERNEL);
		tracing->room = tracing->scratch ? size : 0;
		if (!tracing->scratch)
			return -ENOMEM;
	}
	got = regset_get(current, set, size, tracing->scratch);
	if (got < 0)
		return got;
	*data = tracing->scratch;
	*len = got;
	return 0;
}

static const struct nt_trace_ops ops = {
    .read_reg = read_reg, .read_mem = read_mem, .read_regset = read_regset};

static struct nt_trace_place place_of(struct nt_task *t, struct nt_engine *e, struct pt_regs *regs)
{
	return (struct nt_trace_place){
	    .pc = nt_trap_pc(current->mm, instruction_pointer(regs)),
	    .now_ns = ktime_get_ns(),
	    .pid = pid_nr_ns(t->tgid, e->ns),
	    .tid = pid_nr_ns(t->pid, e->ns),
	};
}

/* ---- what comes of it: the mutex of the experiment is held --------------------------- */
/* Tracing has stopped by itself, at this thread. */
static void ended(struct nt_task *t, struct nt_point *pt, struct nt_tracing *tracing)
{
	struct nt_event ev;

	nt_tracing_lower(tracing);
	nt_event_init(&ev, t, NTRACE_EV_TRACE_STOPPED, false);
	ev.r.code = tracing->core.reason;
	nt_note_engine(pt->engine, t, &ev);
}

/* It steps for this hit from now on; false: it cannot. */
static bool begin_steps(struct nt_task *t, struct nt_point *pt, struct nt_tracing *tracing)
{
	struct nt_collecting *c = NULL;

	if (t->trap.ncollecting < MOST_COLLECTING)
		c = kzalloc(sizeof(*c), GFP_KERNEL_ACCOUNT);
	if (!c)
		return false;
	refcount_inc(&pt->ref);
	c->point = pt;
	c->run = tracing->run;
	list_add_tail(&c->link, &t->trap.collecting);
	t->trap.ncollecting++;
	t->trap.stepping = true;
	return true;
}

static void drop(struct nt_task *t, struct nt_collecting *c)
{
	list_del(&c->link);
	t->trap.ncollecting--;
	nt_point_put(c->point);
	kfree(c);
}

static void hit(struct nt_task *t, struct nt_mm *m, struct nt_point *pt, struct pt_regs *regs)
{
	struct nt_tracing *tracing = nt_tracing(pt->engine);
	struct collection c = {.tracing = tracing, .m = m, .regs = regs};
	struct nt_trace_place place;

	if (mutex_lock_killable(&tracing->mutex))
		return;
	place = place_of(t, pt->engine, regs);
	switch (nt_trace_hit(&tracing->core, &pt->core, &place, &ops, &c)) {
	case NT_TRACE_GO:
		break;
	case NT_TRACE_STEP:
		if (begin_steps(t, pt, tracing))
			break;
		nt_trace_stop(&tracing->core, NTRACE_TRACE_ERROR, pt->core.number, ENOMEM,
			      place.now_ns);
		fallthrough;
	case NT_TRACE_ENDED:
		ended(t, pt, tracing);
		break;
	}
	mutex_unlock(&tracing->mutex);
}

/* True: it goes on stepping for it. */
static bool step(struct nt_task *t, struct nt_mm *m, struct nt_collecting *now,
		 struct pt_regs *regs)
{
	struct nt_point *pt = now->point;
	struct nt_tracing *tracing = nt_tracing(pt->engine);
	struct collection c = {.tracing = tracing, .m = m, .regs = regs};
	enum nt_trace_next next = NT_TRACE_GO;
	struct nt_trace_place place;

	if (mutex_lock_killable(&tracing->mutex))
		return false;
	place = place_of(t, pt->engine, regs);
	if (now->run == tracing->run)
		next = nt_trace_stepped(&tracing->core, &pt->core, ++now->step, &place, &ops, &c);
	if (next == NT_TRACE_ENDED)
		ended(t, pt, tracing);
	mutex_unlock(&tracing->mutex);
	return next == NT_TRACE_STEP;
}

/* ---- in the work ------------------------------------------------------------------------ */
/* Is it a thread of the process that the tracepoint was made for? */
static bool concerns(struct nt_task *t, struct nt_point *pt)
{
	struct nt_att *a;
	bool its;

	rcu_read_lock();
	a = nt_att_of(pt->engine, t);
	its = a && a->proc == READ_ONCE(pt->proc);
	rcu_read_unlock();
	return its;
}

/* The first from "order" on; a reference. */
static struct nt_point *point_from(struct nt_mm *m, struct nt_site *s, u64 order)
{
	struct nt_point *pt, *found = NULL;

	mutex_lock(&m->mutex);
	list_for_each_entry(pt, &s->points, link)
		if (pt->order >= order) {
			refcount_inc(&pt->ref);
			found = pt;
			break;
		}
	mutex_unlock(&m->mutex);
	return found;
}

void nt_trace_hits(struct nt_task *t, struct nt_mm *m, struct nt_site *s, struct pt_regs *regs)
{
	struct nt_point *pt;
	u64 order = 0;

	if (!READ_ONCE(s->traces))
		return;
	while ((pt = point_from(m, s, order))) {
		order = pt->order + 1;
		if (concerns(t, pt))
			hit(t, m, pt, regs);
		nt_point_put(pt);
	}
}

void nt_trace_steps(struct nt_task *t)
{
	struct pt_regs *regs = current_pt_regs();
	struct nt_collecting *c, *next;
	struct nt_mm *m;

	if (list_empty(&t->trap.collecting) || t->life.exec)
		return; /* of another program nothing is collected: nt_mm_exec() */
	m = nt_mm_find(current->mm);
	list_for_each_entry_safe(c, next, &t->trap.collecting, link)
		if (!step(t, m, c, regs))
			drop(t, c);
	if (m)
		nt_mm_put(m);
}

void nt_trace_prune(struct nt_task *t, bool all)
{
	struct nt_collecting *c, *next;

	list_for_each_entry_safe(c, next, &t->trap.collecting, link) {
		struct nt_tracing *tracing = nt_tracing(c->point->engine);

		if (all || c->run != READ_ONCE(tracing->run) || !READ_ONCE(tracing->core.running) ||
		    !concerns(t, c->point))
			drop(t, c);
	}
}
