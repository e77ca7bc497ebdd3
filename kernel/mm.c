// SPDX-License-Identifier: GPL-2.0
/* Records of address spaces with breakpoints, and what they leave to children. */
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/sched/task_stack.h>
#include <linux/slab.h>
#include <linux/tracepoint.h>

#include "break.h"

#define NT_MM_BITS 6

static DEFINE_HASHTABLE(records, NT_MM_BITS);
static DEFINE_MUTEX(records_lock);
atomic_t nt_mms = ATOMIC_INIT(0);

/* A child that has copies of its parent's patched bytes, until it cleans them. */
struct birth {
	struct list_head link;
	struct task_struct *child; /* compared, never looked into */
	struct nt_mm *parent;	   /* referenced */
};

static LIST_HEAD(births);
static DEFINE_SPINLOCK(births_lock);

struct nt_mm *__nt_mm_get_rcu(struct mm_struct *mm)
{
	struct nt_mm *m;

	hash_for_each_possible_rcu(records, m, hash, (unsigned long)mm)
		if (m->mm == mm)
			return m;
	return NULL;
}

struct nt_mm *nt_mm_find(struct mm_struct *mm)
{
	struct nt_mm *m;

	rcu_read_lock();
	m = nt_mm_get_rcu(mm);
	if (m && !refcount_inc_not_zero(&m->ref))
		m = NULL;
	rcu_read_unlock();
	return m;
}

/* In a worker: the memory may go with it. */
static void free_record(struct work_struct *work)
{
	struct nt_mm *m = container_of(to_rcu_work(work), struct nt_mm, freeing);
	struct hlist_node *next;
	struct nt_site *s;
	unsigned int bucket;

	hash_for_each_safe(m->sites, bucket, next, s, link)
		kfree(s);
	nt_plan_free(m);
	nt_area_free(m);
	mmdrop(m->mm);
	kfree(m);
	atomic_dec(&nt_count[NT_MM]);
}

void nt_mm_put(struct nt_mm *m)
{
	if (refcount_dec_and_test(&m->ref))
		queue_rcu_work(nt_workqueue, &m->freeing);
}

static void settle(struct work_struct *work)
{
	struct nt_mm *m = container_of(work, struct nt_mm, settle);

	mutex_lock(&m->mutex);
	nt_lift_settle(m);
	nt_fence_settle(m);
	nt_area_bury(m);
	mutex_unlock(&m->mutex);
	nt_mm_put(m);
}

void nt_mm_settle(struct nt_mm *m)
{
	refcount_inc(&m->ref);
	if (!queue_work(nt_workqueue, &m->settle))
		nt_mm_put(m); /* the queued one has a reference of its own, and is yet to begin */
}

static struct nt_mm *new_record(struct mm_struct *mm, bool mode64)
{
	struct nt_mm *m = kzalloc(sizeof(*m), GFP_KERNEL);
	unsigned int i;

	if (!m)
		return NULL;
	refcount_set(&m->ref, 1);
	mmgrab(mm);
	m->mm = mm;
	m->mode64 = mode64;
	m->no_areas = !nt_feature(NTRACE_F_OUT_OF_LINE);
	mutex_init(&m->mutex);
	hash_init(m->sites);
	hash_init(m->plans);
	m->site_lo = m->slot_lo = ULONG_MAX;
	INIT_LIST_HEAD(&m->areas);
	INIT_LIST_HEAD(&m->fences);
	init_llist_head(&m->orphans);
	init_waitqueue_head(&m->wait);
	INIT_WORK(&m->settle, settle);
	INIT_RCU_WORK(&m->freeing, free_record);
	for (i = 0; i < NT_WATCHES; i++) {
		INIT_LIST_HEAD(&m->watches[i].owners);
		INIT_LIST_HEAD(&m->watches[i].threads);
	}
	atomic_inc(&nt_count[NT_MM]);
	return m;
}

struct nt_mm *nt_mm_make(struct mm_struct *mm, bool mode64)
{
	struct nt_mm *m;

	nt_mm_sweep();
	mutex_lock(&records_lock);
	m = nt_mm_find(mm);
	if (!m)
		m = new_record(mm, mode64);
	else
		goto out;
	if (m) {
		refcount_inc(&m->ref);
		hash_add_rcu(records, &m->hash, (unsigned long)mm);
		atomic_inc(&nt_mms);
	}
out:
	mutex_unlock(&records_lock);
	return m;
}

/* records_lock is held. */
static void drop_record(struct nt_mm *m)
{
	hash_del_rcu(&m->hash);
	atomic_dec(&nt_mms);
	nt_mm_put(m);
}

void nt_mm_sweep(void)
{
	struct hlist_node *next;
	unsigned int bucket;
	struct nt_mm *m;

	if (!atomic_read(&nt_mms))
		return;
	mutex_lock(&records_lock);
	hash_for_each_safe(records, bucket, next, m, hash)
		if (!m->breaks && !atomic_read(&m->mm->mm_users))
			drop_record(m);
	mutex_unlock(&records_lock);
}

struct nt_site *nt_site_find(struct nt_mm *m, unsigned long addr)
{
	struct nt_site *s;

	if (addr < m->site_lo || addr > m->site_hi)
		return NULL;
	hash_for_each_possible_rcu(m->sites, s, link, addr, lockdep_is_held(&m->mutex))
		if (s->addr == addr)
			return s;
	return NULL;
}

bool nt_mm_needs(struct mm_struct *mm)
{
	bool needs;

	rcu_read_lock();
	needs = nt_mm_get_rcu(mm);
	rcu_read_unlock();
	return needs;
}

/* The parent whose bytes a child has, a reference; it was never asked for if the
 * child died before it ran, and then goes when another gets its place.
 */
static struct nt_mm *take_birth(struct task_struct *child)
{
	struct nt_mm *parent = NULL;
	struct birth *b;

	spin_lock(&births_lock);
	list_for_each_entry(b, &births, link)
		if (b->child == child) {
			list_del(&b->link);
			parent = b->parent;
			break;
		}
	spin_unlock(&births_lock);
	if (parent)
		kfree(b);
	return parent;
}

/*
 * In the parent, before the child may run. Its memory is a copy as of a moment
 * ago, with patched bytes; it may have been made by a system call in a slot.
 */
static void on_newtask(void *data, struct task_struct *child, u64 clone_flags)
{
	struct nt_plan *plan;
	struct nt_mm *m, *stale;
	struct birth *birth;

	if (!atomic_read(&nt_mms) || !current->mm)
		return;
	stale = list_empty_careful(&births) ? NULL : take_birth(child);
	if (stale)
		nt_mm_put(stale);
	rcu_read_lock();
	m = nt_mm_get_rcu(current->mm);
	if (!m)
		goto out;
	nt_slot_rewind(m, task_pt_regs(child), &plan);
	if (child->mm == current->mm)
		goto out;
	birth = kmalloc(sizeof(*birth), GFP_ATOMIC);
	if (!birth || !refcount_inc_not_zero(&m->ref)) {
		pr_warn_ratelimited(
		    "ntrace: no memory: process %d keeps breakpoints of its parent\n",
		    task_pid_nr(child));
		kfree(birth);
		goto out;
	}
	birth->child = child;
	birth->parent = m;
	spin_lock(&births_lock);
	list_add(&birth->link, &births);
	spin_unlock(&births_lock);
out:
	rcu_read_unlock();
}

/* Sites stay on record when they go: the copy may be older than that. */
static void clean_child(struct nt_mm *parent, struct mm_struct *mm)
{
	struct nt_area *area;
	struct nt_site *s;
	unsigned int bucket;
	u8 byte;

	mutex_lock(&parent->mutex);
	hash_for_each(parent->sites, bucket, s, link)
		if (s->original != NT_BREAK_BYTE && nt_mem_read(mm, s->addr, &byte, 1) == 1 &&
		    byte == NT_BREAK_BYTE)
			nt_text_write(mm, s->addr, &s->original, 1);
	list_for_each_entry(area, &parent->areas, link)
		vm_munmap(area->start, PAGE_SIZE);
	mutex_unlock(&parent->mutex);
}

void nt_mm_fork(struct nt_task *child)
{
	struct nt_mm *parent = take_birth(child->task);

	if (!parent)
		return;
	if (current->mm)
		clean_child(parent, current->mm);
	nt_mm_put(parent);
}

/* ---- tracepoints ----------------------------------------------------------- */
static struct tracepoint *newtask;

static void look_up(struct tracepoint *tp, void *data)
{
	if (!strcmp(tp->name, "task_newtask"))
		newtask = tp;
}

int nt_mm_init(void)
{
	for_each_kernel_tracepoint(look_up, NULL);
	if (!newtask)
		return -ENOENT;
	return tracepoint_probe_register(newtask, on_newtask, NULL);
}

void nt_mm_exit(void)
{
	struct hlist_node *next;
	struct birth *b, *after;
	unsigned int bucket;
	struct nt_mm *m;

	tracepoint_probe_unregister(newtask, on_newtask, NULL);
	tracepoint_synchronize_unregister();
	list_for_each_entry_safe(b, after, &births, link) {
		nt_mm_put(b->parent);
		kfree(b);
	}
	INIT_LIST_HEAD(&births);
	mutex_lock(&records_lock);
	hash_for_each_safe(records, bucket, next, m, hash)
		drop_record(m);
	mutex_unlock(&records_lock);
	rcu_barrier();
}
