// SPDX-License-Identifier: GPL-2.0
/*
 * Range steps without steps: a thread that goes round in its range runs, with a
 * patched byte wherever it may leave it. Other threads pass those in silence.
 */
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "break.h"

/* The one engine that steps the thread, through a range; NULL: there are others. RCU. */
static struct nt_att *range_of(struct nt_task *t)
{
	struct nt_att *a, *found = NULL;

	if (!list_empty(&t->trap.collecting))
		return NULL; /* every instruction counts */
	list_for_each_entry_rcu(a, &t->atts, in_task) {
		u32 action = READ_ONCE(a->step.action);

		if (action && (found || action != NTRACE_ACT_RANGE))
			return NULL;
		if (action)
			found = a;
	}
	return found;
}

bool nt_fence_due(struct nt_task *t)
{
	struct nt_att *a = range_of(t);

	return a && a->step.count++ >= a->step.after;
}

/* The program cannot write there. */
static bool is_stable(unsigned long lo, unsigned long hi)
{
	struct vm_area_struct *vma;
	bool stable = false;

	if (mmap_read_lock_killable(current->mm))
		return false;
	vma = find_vma(current->mm, lo);
	if (vma && vma->vm_start <= lo && vma->vm_end >= hi)
		stable = vma->vm_file && !(vma->vm_flags & (VM_WRITE | VM_SHARED));
	mmap_read_unlock(current->mm);
	return stable;
}

static u32 find_posts(u64 lo, u64 hi, bool mode64, u64 *posts)
{
	u8 *code = kmalloc(hi - lo, GFP_KERNEL);
	unsigned long begun = nt_break_shadow_begin(current->mm);
	u32 count = 0;

	if (!code)
		return 0;
	if (nt_mem_read(current->mm, lo, code, hi - lo) == hi - lo) {
		nt_break_shadow_read(current->mm, lo, code, hi - lo, begun);
		count = nt_fence_posts(code, lo, hi - lo, mode64, posts);
	}
	kfree(code);
	return count;
}

/* m->mutex is held. "alive": the memory has a user. */
static void take_down(struct nt_mm *m, struct nt_fence *f, bool alive)
{
	u32 i;

	for (i = 0; i < f->count; i++) {
		f->posts[i]->fences--;
		nt_site_release(m, f->posts[i], alive);
	}
	list_del(&f->link);
	m->breaks--;
	nt_task_put(f->task);
	kfree(f);
}

/* m->mutex is held. */
static bool put_up(struct nt_mm *m, struct nt_fence *f, const u64 *posts, u32 count)
{
	u32 i;

	list_add(&f->link, &m->fences);
	m->breaks++;
	for (i = 0; i < count; i++) {
		struct nt_site *s = nt_site_arm(m, posts[i]);

		if (!s) {
			take_down(m, f, true);
			return false;
		}
		s->fences++;
		f->posts[f->count++] = s;
	}
	return true;
}

/* A reference to the attachment that ranges, if a fence may serve it. */
static struct nt_att *candidate(struct nt_task *t, struct pt_regs *regs)
{
	unsigned long pc = instruction_pointer(regs);
	struct nt_att *a;

	if (nt_arch_own_step(regs) || test_thread_flag(TIF_SINGLESTEP) || nt_arch_restart(regs))
		return NULL;
	rcu_read_lock();
	a = range_of(t);
	if (a && (a->step.count < a->step.after || pc < a->step.lo || pc >= a->step.hi ||
		  a->step.hi - a->step.lo > NT_FENCE_LONGEST || !refcount_inc_not_zero(&a->ref)))
		a = NULL;
	rcu_read_unlock();
	return a;
}

static bool raise_for(struct nt_task *t, struct nt_att *a, struct pt_regs *regs)
{
	u64 posts[NT_FENCE_POSTS], lo = a->step.lo, hi = a->step.hi;
	bool mode64 = nt_arch_mode64(regs), up = false;
	struct nt_fence *f;
	struct nt_mm *m;
	u32 count, i;

	count = is_stable(lo, hi) ? find_posts(lo, hi, mode64, posts) : 0;
	for (i = 0; i < count; i++)
		if (posts[i] == instruction_pointer(regs))
			return false;
	f = count ? kzalloc(sizeof(*f), GFP_KERNEL) : NULL;
	m = f ? nt_mm_make(current->mm, mode64) : NULL;
	if (!m) {
		kfree(f);
		return false;
	}
	refcount_inc(&t->ref);
	f->task = t;
	f->engine = a->engine;
	mutex_lock(&m->mutex);
	/* who detaches says so first, and then takes down what there is */
	if (READ_ONCE(a->proc->gone) || READ_ONCE(a->gone)) {
		nt_task_put(t);
		kfree(f);
	} else {
		up = put_up(m, f, posts, count);
	}
	mutex_unlock(&m->mutex);
	if (up)
		t->trap.fence_mm = m;
	else
		nt_mm_put(m);
	return up;
}

bool nt_fence_raise(struct nt_task *t, struct pt_regs *regs)
{
	struct nt_att *a = candidate(t, regs);
	bool up;

	if (!a)
		return false;
	up = raise_for(t, a, regs);
	/* where it did not come far, or not at all, the next try is later */
	a->step.after = a->step.count + 2 * (a->step.after + 1);
	nt_att_put(a);
	return up;
}

/* Those of a thread, or of an engine; m->mutex is not held. */
static void drop(struct nt_mm *m, const struct nt_task *t, const struct nt_engine *e)
{
	bool alive = mmget_not_zero(m->mm);
	struct nt_fence *f, *next;

	mutex_lock(&m->mutex);
	list_for_each_entry_safe(f, next, &m->fences, link)
		if (f->task == t || f->engine == e)
			take_down(m, f, alive);
	mutex_unlock(&m->mutex);
	if (alive)
		mmput(m->mm);
}

void nt_fence_lift(struct nt_task *t)
{
	struct nt_mm *m = t->trap.fence_mm;

	if (!m)
		return;
	drop(m, t, NULL);
	WRITE_ONCE(t->trap.fence_mm, NULL);
	nt_mm_put(m);
}

void nt_fence_detach(struct nt_proc *p)
{
	struct nt_mm *m = NULL;

	spin_lock_irq(&p->lock);
	if (p->mm)
		m = nt_mm_find(p->mm);
	spin_unlock_irq(&p->lock);
	if (!m)
		return;
	drop(m, NULL, p->engine);
	nt_mm_put(m);
}

void nt_fence_settle(struct nt_mm *m)
{
	bool alive = mmget_not_zero(m->mm);
	struct nt_fence *f, *next;

	list_for_each_entry_safe(f, next, &m->fences, link)
		if (READ_ONCE(f->task->dead))
			take_down(m, f, alive);
	if (alive)
		mmput(m->mm);
}
