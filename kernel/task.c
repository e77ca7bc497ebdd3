// SPDX-License-Identifier: GPL-2.0
/* Traced threads by their task_struct, and the engines on each. */
#include <linux/hash.h>
#include <linux/rculist.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/static_call.h>

#include "hook.h"
#include "ntrace.h"

#define HASH_BITS 12

static struct hlist_head hash[1 << HASH_BITS];
static DEFINE_SPINLOCK(nt_hash_lock);
atomic_t nt_tasks = ATOMIC_INIT(0);

static struct hlist_head *bucket(struct task_struct *task)
{
	return &hash[hash_ptr(task, HASH_BITS)];
}

struct nt_task *__nt_task_get_rcu(struct task_struct *task)
{
	struct nt_task *t;

	hlist_for_each_entry_rcu(t, bucket(task), hash)
		if (t->task == task)
			return t;
	return NULL;
}

struct nt_task *nt_task_find(struct task_struct *task)
{
	struct nt_task *t;

	rcu_read_lock();
	t = nt_task_get_rcu(task);
	if (t && !refcount_inc_not_zero(&t->ref))
		t = NULL;
	rcu_read_unlock();
	return t;
}

void nt_task_each(void (*fn)(struct nt_task *t))
{
	struct nt_task *t;
	int i;

	for (i = 0; i < ARRAY_SIZE(hash); i++)
		hlist_for_each_entry_rcu(t, &hash[i], hash)
			fn(t);
}

struct nt_task *nt_task_make(struct task_struct *task, gfp_t gfp)
{
	struct nt_task *fresh, *t;
	unsigned long flags;

	fresh = kzalloc(sizeof(*fresh), gfp);
	if (!fresh)
		return NULL;
	refcount_set(&fresh->ref, 2); /* the hash, the caller */
	fresh->task = task;
	fresh->cookie = task->start_time;
	fresh->pins = 1;
	spin_lock_init(&fresh->lock);
	INIT_LIST_HEAD(&fresh->atts);
	INIT_LIST_HEAD(&fresh->trap.collecting);
	init_waitqueue_head(&fresh->wait);
	spin_lock_irqsave(&nt_hash_lock, flags);
	t = __nt_task_get_rcu(task);
	if (t) {
		refcount_inc(&t->ref);
		spin_lock(&t->lock);
		t->pins++;
		spin_unlock(&t->lock);
		spin_unlock_irqrestore(&nt_hash_lock, flags);
		kfree(fresh);
		return t;
	}
	get_task_struct(task);
	fresh->pid = get_pid(task_pid(task));
	fresh->tgid = get_pid(task_tgid(task));
	fresh->hashed = true;
	hlist_add_head_rcu(&fresh->hash, bucket(task));
	atomic_inc(&nt_tasks);
	atomic_inc(&nt_count[NT_TASK]);
	spin_unlock_irqrestore(&nt_hash_lock, flags);
	return fresh;
}

static void free_nt_task(struct rcu_head *rcu)
{
	struct nt_task *t = container_of(rcu, struct nt_task, rcu);

	put_task_struct(t->task);
	put_pid(t->pid);
	put_pid(t->tgid);
	put_pid(t->life.child);
	put_pid(t->life.creator);
	put_pid(t->life.former);
	nt_trap_free(t);
	nt_call_free(t);
	kfree(t);
	atomic_dec(&nt_count[NT_TASK]);
}

void nt_task_put(struct nt_task *t)
{
	if (refcount_dec_and_test(&t->ref))
		call_rcu(&t->rcu, free_nt_task);
}

/* Unhashes it if nobody needs it, or by force. nt_hash_lock and its lock are held. */
static bool unhash(struct nt_task *t, bool force)
{
	if (!t->hashed || (!force && (t->pins || !list_empty(&t->atts))))
		return false;
	t->hashed = false;
	hlist_del_rcu(&t->hash);
	atomic_dec(&nt_tasks);
	return true;
}

static void unhashed(struct nt_task *t)
{
	nt_call_task_gone(t);
	nt_task_put(t);
}

void nt_task_pin(struct nt_task *t)
{
	unsigned long flags;

	spin_lock_irqsave(&t->lock, flags);
	t->pins++;
	spin_unlock_irqrestore(&t->lock, flags);
}

bool nt_work_begin(struct nt_task *t)
{
	if (!t->hashed || !refcount_inc_not_zero(&t->ref))
		return false;
	t->pins++;
	atomic_inc(&nt_count[NT_WORK]);
	return true;
}

void nt_work_over(struct nt_task *t)
{
	atomic_dec(&nt_count[NT_WORK]);
	nt_task_unpin(t);
	nt_task_put(t);
}

static void settle(struct nt_task *t, unsigned int unpin)
{
	unsigned long flags;
	bool last;

	/* most often somebody still needs it: no lock that all threads share */
	spin_lock_irqsave(&t->lock, flags);
	last = t->hashed && t->pins <= unpin && list_empty(&t->atts);
	if (!last)
		t->pins -= unpin;
	spin_unlock_irqrestore(&t->lock, flags);
	if (!last)
		return;
	spin_lock_irqsave(&nt_hash_lock, flags);
	spin_lock(&t->lock);
	t->pins -= unpin;
	last = unhash(t, false);
	spin_unlock(&t->lock);
	spin_unlock_irqrestore(&nt_hash_lock, flags);
	if (last)
		unhashed(t);
}

void nt_task_unpin(struct nt_task *t)
{
	settle(t, 1);
}

void nt_task_dead(struct nt_task *t)
{
	unsigned long flags;
	bool last;

	spin_lock_irqsave(&nt_hash_lock, flags);
	spin_lock(&t->lock);
	t->dead = true;
	last = unhash(t, true);
	spin_unlock(&t->lock);
	spin_unlock_irqrestore(&nt_hash_lock, flags);
	nt_trap_dead(t);
	wake_up_all(&t->wait); /* who waits for its end */
	if (last)
		unhashed(t);
}

/* ---- unloading ------------------------------------------------------------- */
typedef struct callback_head *
nt_cancel_fn(struct task_struct *task, bool (*match)(struct callback_head *, void *), void *data);
DEFINE_STATIC_CALL_NULL(nt_cancel, nt_cancel_fn);
static bool can_cancel;

void nt_task_init(void)
{
	unsigned long address = nt_symbol("task_work_cancel_match");

	can_cancel = address;
	if (address)
		static_call_update(nt_cancel, (nt_cancel_fn *)address);
}

static bool is_ours(struct callback_head *head, void *data)
{
	return head == data;
}

/* Takes back the work of a thread that may sleep for ever in the kernel; where that
 * is not possible, it is disturbed.
 */
static void take_back(struct nt_task *t)
{
	if (!can_cancel) {
		nt_task_kick(t, true);
		return;
	}
	if (static_call(nt_cancel)(t->task, is_ours, &t->call.work))
		nt_work_over(t);
	if (!nt_blocked(t, true))
		return; /* it gets to it */
	nt_trap_abandon(t);
	if (static_call(nt_cancel)(t->task, is_ours, &t->nudge))
		nt_work_over(t);
	if (static_call(nt_cancel)(t->task, is_ours, &t->work))
		nt_work_over(t);
}

/* No engine is left: what is hashed waits for its work, or ends a step. */
void nt_task_exit(void)
{
	while (atomic_read(&nt_tasks)) {
		rcu_read_lock();
		nt_task_each(take_back);
		rcu_read_unlock();
		schedule_timeout_uninterruptible(1);
	}
}

/* ---- engine x thread ------------------------------------------------------- */
static struct nt_att *find(struct nt_engine *e, struct nt_task *t)
{
	struct nt_att *a;

	list_for_each_entry_rcu(a, &t->atts, in_task, lockdep_is_held(&t->lock))
		if (a->engine == e && !READ_ONCE(a->gone))
			return a;
	return NULL;
}

struct nt_att *nt_att_of(struct nt_engine *e, struct nt_task *t)
{
	return find(e, t);
}

struct nt_att *nt_att_by_tid(struct nt_engine *e, pid_t tid)
{
	struct task_struct *task = pid_task(find_pid_ns(tid, e->ns), PIDTYPE_PID);
	struct nt_task *t = task ? nt_task_get_rcu(task) : NULL;

	return t ? find(e, t) : NULL;
}

int nt_att_add(struct nt_proc *p, struct nt_task *t, gfp_t gfp, struct nt_att **out)
{
	struct nt_att *a = kzalloc(sizeof(*a), gfp), *other;
	struct list_head *before;
	unsigned long flags;
	int error = 0;

	if (!a)
		return -ENOMEM;
	refcount_set(&a->ref, 2); /* the lists, the caller */
	a->engine = p->engine;
	a->proc = p;
	a->task = t;
	INIT_LIST_HEAD(&a->stop.link);
	spin_lock_irqsave(&p->lock, flags);
	spin_lock(&t->lock);
	if (p->gone || t->dead)
		error = -ESRCH;
	else if (find(p->engine, t))
		error = -EEXIST;
	if (error) {
		spin_unlock(&t->lock);
		spin_unlock_irqrestore(&p->lock, flags);
		kfree(a);
		return error;
	}
	if (p->quiesced && !p->engine->observer)
		a->asked = a->quiet = true;
	before = &t->atts;
	list_for_each_entry(other, &t->atts, in_task)
		if (other->proc->order > p->order) {
			before = &other->in_task;
			break;
		}
	refcount_inc(&p->ref);
	refcount_inc(&t->ref);
	list_add_tail_rcu(&a->in_task, before);
	list_add_tail_rcu(&a->in_proc, &p->atts);
	p->natts++;
	atomic_inc(&nt_count[NT_ATT]);
	spin_unlock(&t->lock);
	spin_unlock_irqrestore(&p->lock, flags);
	if (out)
		*out = a;
	else
		nt_att_put(a);
	return 0;
}

bool nt_att_drop(struct nt_att *a)
{
	struct nt_proc *p = a->proc;
	struct nt_task *t = a->task;
	unsigned long flags;

	spin_lock_irqsave(&p->lock, flags);
	spin_lock(&t->lock);
	if (a->gone) {
		spin_unlock(&t->lock);
		spin_unlock_irqrestore(&p->lock, flags);
		return false;
	}
	a->gone = true;
	list_del_rcu(&a->in_task);
	list_del_rcu(&a->in_proc);
	nt_unask(a);
	nt_release(a);
	nt_go(t);
	spin_unlock(&t->lock);
	spin_unlock_irqrestore(&p->lock, flags);
	nt_step_cancel(t, a);
	if (READ_ONCE(t->trap.stepping))
		nt_task_kick(t, false); /* its trap flag goes before we may */
	nt_syscall_engage(t);
	nt_wake(a->engine);
	settle(t, 0);
	nt_att_put(a);
	return true;
}

static void free_att(struct rcu_head *rcu)
{
	struct nt_att *a = container_of(rcu, struct nt_att, rcu);

	kfree(rcu_dereference_protected(a->own, true));
	kfree(a);
	atomic_dec(&nt_count[NT_ATT]);
}

void nt_att_put(struct nt_att *a)
{
	if (!refcount_dec_and_test(&a->ref))
		return;
	nt_proc_put(a->proc);
	nt_task_put(a->task);
	call_rcu(&a->rcu, free_att);
}

struct nt_att *nt_att_next(struct nt_task *t, struct nt_att *previous)
{
	u64 order = previous ? previous->proc->order : 0;
	struct nt_att *a, *found = NULL;
	unsigned long flags;

	spin_lock_irqsave(&t->lock, flags);
	list_for_each_entry(a, &t->atts, in_task)
		if (a->proc->order > order) {
			refcount_inc(&a->ref);
			found = a;
			break;
		}
	spin_unlock_irqrestore(&t->lock, flags);
	if (previous)
		nt_att_put(previous);
	return found;
}

struct nt_att *nt_att_prev(struct nt_task *t, struct nt_att *previous)
{
	u64 order = previous ? previous->proc->order : U64_MAX;
	struct nt_att *a, *found = NULL;
	unsigned long flags;

	spin_lock_irqsave(&t->lock, flags);
	list_for_each_entry_reverse(a, &t->atts, in_task)
		if (a->proc->order < order) {
			refcount_inc(&a->ref);
			found = a;
			break;
		}
	spin_unlock_irqrestore(&t->lock, flags);
	if (previous)
		nt_att_put(previous);
	return found;
}
