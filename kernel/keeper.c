// SPDX-License-Identifier: GPL-2.0
/*
 * Persistent actions: when their engine lets go of the process, a keeper takes them
 * over, an engine of ours that wants nothing else. There is one for each process that
 * opens engines, and it ends with that process. What its actions print goes to an
 * engine that the process still has.
 */
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "break.h"

struct keeper {
	struct list_head link; /* keepers_lock */
	struct nt_engine *engine;
	struct callback_head end;
	struct work_struct work; /* where that cannot be */
};

static LIST_HEAD(keepers);
static DEFINE_SPINLOCK(keepers_lock);
static DEFINE_MUTEX(keep_mutex);		/* one takes over at a time */
static atomic_t nr_keepers = ATOMIC_INIT(0);	/* those that are about to end, too */
static const struct ntrace_sets nothing_wanted; /* of the process */

static struct keeper *find(const struct pid *opener)
{
	struct keeper *k;

	list_for_each_entry(k, &keepers, link)
		if (k->engine->opener == opener)
			return k;
	return NULL;
}

/* ---- its end ----------------------------------------------------------------- */
static void end(struct keeper *k)
{
	nt_engine_close(k->engine);
	kfree(k);
	atomic_dec(&nr_keepers);
}

static void end_at_exit(struct callback_head *head)
{
	end(container_of(head, struct keeper, end));
}

static void end_in_worker(struct work_struct *work)
{
	end(container_of(work, struct keeper, work));
}

static struct keeper *take(const struct pid *opener)
{
	struct keeper *k;
	unsigned long flags;

	spin_lock_irqsave(&keepers_lock, flags);
	k = opener ? find(opener) : list_first_entry_or_null(&keepers, struct keeper, link);
	if (k)
		list_del(&k->link);
	spin_unlock_irqrestore(&keepers_lock, flags);
	return k;
}

static bool is_alive(struct pid *opener)
{
	struct task_struct *leader;
	bool alive;

	rcu_read_lock();
	leader = pid_task(opener, PIDTYPE_TGID);
	alive = leader && atomic_read(&leader->signal->live);
	rcu_read_unlock();
	return alive;
}

void nt_keeper_exit(void)
{
	struct keeper *k;

	if (!atomic_read(&nr_keepers) || atomic_read(&current->signal->live))
		return;
	k = take(task_tgid(current));
	/* its last works, before anybody is told of its end */
	if (k && task_work_add(current, &k->end, TWA_NONE))
		queue_work(nt_workqueue, &k->work);
}

void nt_keepers_end(void)
{
	struct keeper *k;

	while ((k = take(NULL)))
		end(k);
	while (atomic_read(&nr_keepers))
		schedule_timeout_uninterruptible(1);
}

/* ---- taking over --------------------------------------------------------------- */
/* keep_mutex is held; no reference is needed as long as it is not ended. */
static struct nt_engine *keeper_of(struct nt_engine *e)
{
	struct nt_engine *engine = NULL;
	struct keeper *k;

	spin_lock_irq(&keepers_lock);
	k = find(e->opener);
	if (k && refcount_inc_not_zero(&k->engine->ref))
		engine = k->engine;
	spin_unlock_irq(&keepers_lock);
	if (engine)
		return engine;
	k = kzalloc(sizeof(*k), GFP_KERNEL);
	if (!k)
		return NULL;
	k->engine = engine = nt_engine_heir(e, "persistent commands");
	if (!engine) {
		kfree(k);
		return NULL;
	}
	refcount_inc(&engine->ref);
	init_task_work(&k->end, end_at_exit);
	INIT_WORK(&k->work, end_in_worker);
	atomic_inc(&nr_keepers);
	spin_lock_irq(&keepers_lock);
	list_add_tail(&k->link, &keepers);
	spin_unlock_irq(&keepers_lock);
	smp_mb(); /* the end of the opener sees it, or we see that end */
	if (!is_alive(e->opener) || READ_ONCE(nt_unloading)) {
		k = take(e->opener);
		if (k)
			end(k);
	}
	return engine;
}

/* The keeper's record of the process, with all threads; a reference. */
static struct nt_proc *record_of(struct nt_engine *keeper, struct nt_proc *p)
{
	struct nt_proc *own = nt_proc_find(keeper, pid_nr_ns(p->tgid, keeper->ns));
	struct task_struct *leader;
	struct mm_struct *mm;
	u32 count = 0;

	if (own)
		return own;
	mm = nt_proc_mm(p);
	if (!mm)
		return NULL;
	own = nt_proc_new(keeper, p->tgid, p->cookie, mm, &nothing_wanted, GFP_KERNEL);
	mmput(mm);
	if (IS_ERR(own))
		return NULL;
	leader = get_pid_task(p->tgid, PIDTYPE_TGID);
	if (leader) {
		nt_attach_threads(own, leader, &count);
		put_task_struct(leader);
	}
	if (nt_proc_leave(own))	  /* the bias: they are gone again */
		nt_proc_put(own); /* the list's */
	return own;
}

static bool is_kept(const struct nt_break *b, const void *none)
{
	struct nt_codes *c = rcu_dereference(b->codes);

	return READ_ONCE(b->persist) && c && c->actions;
}

static bool any_kept(struct nt_proc *p)
{
	struct nt_break *b;
	unsigned long id;
	bool any = false;

	rcu_read_lock();
	xa_for_each(&p->engine->breaks, id, b)
		any |= b->proc == p && is_kept(b, NULL);
	rcu_read_unlock();
	return any;
}

static void pass_all(struct nt_proc *p, struct nt_proc *to)
{
	unsigned long id = 0;
	struct nt_break *b;

	while ((b = nt_break_take(p, &id, is_kept, NULL)))
		if (!nt_break_pass(b, to))
			nt_break_remove(b);
}

void nt_keep(struct nt_proc *p)
{
	struct nt_engine *keeper;
	struct nt_proc *own;

	if (p->engine->keeper || p->thread_only || !any_kept(p) || !is_alive(p->engine->opener))
		return;
	mutex_lock(&keep_mutex);
	keeper = keeper_of(p->engine);
	own = keeper ? record_of(keeper, p) : NULL;
	if (own) {
		pass_all(p, own);
		if (nt_proc_gone(own))
			nt_break_detach(own); /* it ended meanwhile */
		nt_proc_put(own);
	}
	if (keeper)
		nt_engine_put(keeper);
	mutex_unlock(&keep_mutex);
}

/* ---- giving way ------------------------------------------------------------------ */
static struct nt_break *left_behind(struct nt_mm *m, struct nt_site *s)
{
	struct nt_break *b, *found = NULL;

	mutex_lock(&m->mutex);
	list_for_each_entry(b, &s->owners, link)
		if (b->engine->keeper && refcount_inc_not_zero(&b->ref)) {
			found = b;
			break;
		}
	mutex_unlock(&m->mutex);
	return found;
}

void nt_keeper_yield(struct nt_mm *m, struct nt_break *by)
{
	struct nt_break *b;

	if (!atomic_read(&nr_keepers) || by->engine->keeper)
		return;
	while ((b = left_behind(m, by->site))) {
		if (xa_cmpxchg(&b->engine->breaks, b->id, b, NULL, GFP_KERNEL) == b)
			nt_break_remove(b);
		nt_break_put(b);
	}
}

/* ---- what is printed --------------------------------------------------------------- */
struct nt_engine *nt_keeper_reader(struct nt_engine *e)
{
	struct nt_engine *reader = NULL, *other;

	if (!e->keeper) {
		refcount_inc(&e->ref);
		return e;
	}
	if (mutex_lock_killable(&nt_engines_lock))
		return NULL;
	list_for_each_entry(other, &nt_engines, all)
		if (!other->keeper && other->opener == e->opener && !READ_ONCE(other->closing) &&
		    smp_load_acquire(&other->hello)) { /* pairs with nt_hello() */
			refcount_inc(&other->ref);
			reader = other;
			break;
		}
	mutex_unlock(&nt_engines_lock);
	return reader;
}
