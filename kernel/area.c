// SPDX-License-Identifier: GPL-2.0
/*
 * Pages of slots in programs: mapped where they are needed, unmapped when the last
 * breakpoint is gone and no thread can be in them.
 */
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/sched/mm.h>
#include <linux/sched/task_stack.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "break.h"

/* A branch of 32 bits reaches 2 GiB: half of it for the slot, half for operands. */
#define NT_REACH BIT(30)
#define NT_TRIES 4
/* What runs passes its work meanwhile. */
#define NT_AREA_PATIENCE (HZ / 10)

/* ---- mapping --------------------------------------------------------------- */
struct mapping {
	struct work_struct work;
	struct mm_struct *mm;
	unsigned long addr;
	unsigned long got;
};

static void map_area(struct work_struct *work)
{
	struct mapping *map = container_of(work, struct mapping, work);

	kthread_use_mm(map->mm);
	map->got = vm_mmap(NULL, map->addr, PAGE_SIZE, PROT_READ | PROT_EXEC,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, 0);
	kthread_unuse_mm(map->mm);
}

/*
 * A free page near addr: at the top of the nearest hole, so that neither the
 * heap below nor a stack above grows into it soon. 0: none.
 */
static unsigned long find_hole(struct mm_struct *mm, unsigned long addr)
{
	unsigned long lo = max(addr > NT_REACH ? addr - NT_REACH : 0, 1ul << 16);
	unsigned long hi = addr + NT_REACH;
	unsigned long best = 0, distance = ULONG_MAX;
	struct vm_area_struct *vma;

	mmap_read_lock(mm);
	while (lo < hi && (vma = find_vma(mm, lo))) {
		unsigned long top = vma->vm_start - PAGE_SIZE;
		unsigned long off = top > addr ? top - addr : addr - top;

		if (vma->vm_start > lo && vma->vm_start - lo >= 2 * PAGE_SIZE && top < hi &&
		    !(vma->vm_flags & VM_GROWSDOWN) && off < distance) {
			best = top;
			distance = off;
		}
		lo = max(vma->vm_end, lo + PAGE_SIZE);
	}
	mmap_read_unlock(mm);
	return best & PAGE_MASK;
}

static struct nt_area *new_area(struct nt_mm *m, unsigned long addr)
{
	struct nt_area *area = kzalloc(sizeof(*area), GFP_KERNEL);
	struct mapping map = {.mm = m->mm};
	int tries;

	if (!area || !mmget_not_zero(m->mm)) {
		kfree(area);
		return NULL;
	}
	INIT_WORK_ONSTACK(&map.work, map_area);
	for (tries = 0; tries < NT_TRIES; tries++) {
		map.addr = find_hole(m->mm, addr);
		if (!map.addr)
			break;
		queue_work(system_unbound_wq, &map.work);
		flush_work(&map.work);
		if (map.got == map.addr)
			break;
	}
	destroy_work_on_stack(&map.work);
	mmput(m->mm);
	if (!map.addr || map.got != map.addr) {
		kfree(area);
		return NULL;
	}
	area->start = map.addr;
	list_add_rcu(&area->link, &m->areas);
	WRITE_ONCE(m->slot_lo, min(m->slot_lo, area->start));
	WRITE_ONCE(m->slot_hi, max(m->slot_hi, area->start + PAGE_SIZE));
	return area;
}

struct nt_area *nt_area_near(struct nt_mm *m, unsigned long addr)
{
	struct nt_area *area;

	list_for_each_entry(area, &m->areas, link) {
		unsigned long off = area->start > addr ? area->start - addr : addr - area->start;

		if (off <= NT_REACH && area->used < NT_AREA_SLOTS && !area->retired)
			return area;
	}
	return new_area(m, addr);
}

struct nt_area *nt_area_at(struct nt_mm *m, unsigned long pc)
{
	struct nt_area *area;

	if (pc < READ_ONCE(m->slot_lo) || pc >= READ_ONCE(m->slot_hi))
		return NULL;
	list_for_each_entry_rcu(area, &m->areas, link, lockdep_is_held(&m->mutex))
		if (pc - area->start < PAGE_SIZE)
			return area;
	return NULL;
}

static void free_area(struct nt_area *area)
{
	unsigned int i;

	for (i = 0; i < NT_AREA_SLOTS; i++)
		if (area->retired) /* else they are in the hash */
			kfree(rcu_dereference_protected(area->plans[i], true));
	kfree(area);
}

void nt_area_free(struct nt_mm *m)
{
	struct nt_area *area, *next;

	list_for_each_entry_safe(area, next, &m->areas, link)
		free_area(area);
}

/* ---- retiring -------------------------------------------------------------- */
/* Its plans are found by nobody any more. m->mutex is held. */
static void retire(struct nt_mm *m, struct nt_area *area)
{
	unsigned int i;

	area->retired = true;
	for (i = 0; i < area->used; i++)
		nt_plan_forget(
		    m, rcu_dereference_protected(area->plans[i], lockdep_is_held(&m->mutex)));
}

/* Can it be in a slot, or come to one by what it has found before? task->lock is held;
 * one that is parked, or sleeps elsewhere, cannot.
 */
static bool may_be_inside(struct nt_task *t, struct nt_mm *m)
{
	return !t->parked && (t->working || !nt_blocked(t, true) ||
			      nt_area_at(m, instruction_pointer(task_pt_regs(t->task))));
}

/* Its next work says that it has left. */
static void send_off(struct nt_mm *m, struct nt_task *t)
{
	struct nt_mm *before = NULL;
	bool sent = false;

	spin_lock_irq(&t->lock);
	if (!t->dead && t->leaves != m && may_be_inside(t, m)) {
		before = t->leaves; /* of a memory that it has not any more */
		refcount_inc(&m->ref);
		atomic_inc(&m->leavers);
		t->leaves = m;
		sent = true;
	}
	spin_unlock_irq(&t->lock);
	if (sent)
		nt_task_kick(t, false);
	if (before)
		nt_area_left(before);
}

static void send_all_off(struct nt_mm *m)
{
	struct task_struct *process, *task;

	rcu_read_lock();
	for_each_process_thread(process, task) {
		struct nt_task *t;

		if (READ_ONCE(task->mm) != m->mm || task == current ||
		    task->flags & (PF_KTHREAD | NT_PF_WORKER))
			continue;
		t = nt_task_make(task, GFP_ATOMIC);
		if (!t) {
			atomic_inc(&m->leavers); /* never unmapped: nobody knows */
			continue;
		}
		send_off(m, t);
		nt_task_unpin(t);
		nt_task_put(t);
	}
	rcu_read_unlock();
}

void nt_area_left(struct nt_mm *m)
{
	if (atomic_dec_and_test(&m->leavers))
		nt_mm_settle(m);
	nt_mm_put(m);
}

static bool any_retired(struct nt_mm *m)
{
	struct nt_area *area;
	bool any = false;

	rcu_read_lock();
	list_for_each_entry_rcu(area, &m->areas, link)
		any |= READ_ONCE(area->retired);
	rcu_read_unlock();
	return any;
}

void nt_area_retire(struct nt_mm *m, bool wait)
{
	struct nt_area *area;
	bool any = false;

	atomic_inc(&m->leavers);
	mutex_lock(&m->mutex);
	list_for_each_entry(area, &m->areas, link)
		if (!area->retired) {
			retire(m, area);
			any = true;
		}
	mutex_unlock(&m->mutex);
	if (any) {
		synchronize_rcu(); /* traps that have found one of its plans */
		send_all_off(m);
	}
	refcount_inc(&m->ref);
	nt_area_left(m);
	if (any && wait)
		wait_event_killable_timeout(m->wait, !any_retired(m), NT_AREA_PATIENCE);
}

/* Is the page still what we have made of it? */
static bool is_ours(struct nt_mm *m, struct nt_area *area)
{
	struct nt_plan *plan = rcu_dereference_protected(area->plans[0], true);
	u8 code[NT_OOL_SLOT];

	return plan &&
	       nt_mem_read(m->mm, area->start, code, plan->ool.code_length) ==
		   plan->ool.code_length &&
	       !memcmp(code, plan->ool.code, plan->ool.code_length);
}

void nt_area_bury(struct nt_mm *m)
{
	bool alive = mmget_not_zero(m->mm);
	struct nt_area *area, *next;
	LIST_HEAD(buried);

	if (alive)
		kthread_use_mm(m->mm);
	list_for_each_entry_safe(area, next, &m->areas, link) {
		if (!area->retired || atomic_read(&m->leavers))
			continue;
		if (alive && is_ours(m, area))
			vm_munmap(area->start, PAGE_SIZE);
		list_del_rcu(&area->link);
		list_add(&area->grave, &buried);
	}
	if (alive) {
		kthread_unuse_mm(m->mm);
		mmput(m->mm);
	}
	if (list_empty(&buried))
		return;
	synchronize_rcu();
	list_for_each_entry_safe(area, next, &buried, grave)
		free_area(area);
	wake_up_all(&m->wait);
}
