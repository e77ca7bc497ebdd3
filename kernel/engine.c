// SPDX-License-Identifier: GPL-2.0
/* Engines and what each has of a process: making, finding, ending. */
#include <linux/file.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "hook.h"
#include "ntrace.h"

LIST_HEAD(nt_engines);
DEFINE_MUTEX(nt_engines_lock); /* their list */
static atomic64_t last_engine = ATOMIC64_INIT(0);
static atomic64_t last_order = ATOMIC64_INIT(0);

static void free_engine(struct work_struct *work)
{
	struct nt_engine *e = container_of(to_rcu_work(work), struct nt_engine, freeing);

	put_pid(e->opener);
	put_pid_ns(e->ns);
	put_cred(e->cred);
	xa_destroy(&e->breaks);
	nt_tracing_free(e);
	kvfree(e->notes);
	kfree(e);
	atomic_dec(&nt_count[NT_ENGINE]);
}

/* cred, ns and opener are the caller's to fill in. */
static struct nt_engine *new_engine(void)
{
	struct nt_engine *e = kzalloc(sizeof(*e), GFP_KERNEL);

	if (!e)
		return NULL;
	refcount_set(&e->ref, 1);
	INIT_RCU_WORK(&e->freeing, free_engine);
	e->id = atomic64_inc_return(&last_engine);
	mutex_init(&e->mutex);
	xa_init_flags(&e->breaks, XA_FLAGS_ALLOC1);
	mutex_init(&e->reading);
	spin_lock_init(&e->queue_lock);
	INIT_LIST_HEAD(&e->procs);
	INIT_LIST_HEAD(&e->stops);
	init_waitqueue_head(&e->wait);
	atomic_inc(&nt_count[NT_ENGINE]);
	return e;
}

static void list_engine(struct nt_engine *e)
{
	mutex_lock(&nt_engines_lock);
	list_add_tail(&e->all, &nt_engines);
	mutex_unlock(&nt_engines_lock);
}

struct nt_engine *nt_engine_open(struct file *file)
{
	struct nt_engine *e = new_engine();

	if (!e)
		return NULL;
	e->file = file;
	e->cred = get_current_cred();
	e->ns = get_pid_ns(task_active_pid_ns(current));
	e->opener = get_task_pid(current, PIDTYPE_TGID);
	e->defaults.signal_stop = e->defaults.fault_stop = ~0ull;
	e->defaults.life_note = NTRACE_LIFE(NTRACE_EV_EXEC);
	list_engine(e);
	return e;
}

struct nt_engine *nt_engine_heir(struct nt_engine *of, const char *label)
{
	struct nt_engine *e = new_engine();

	if (!e)
		return NULL;
	e->cred = get_cred(of->cred);
	e->ns = get_pid_ns(of->ns);
	e->opener = get_pid(of->opener);
	strscpy(e->label, label, sizeof(e->label));
	e->keeper = true;
	e->hello = true;
	nt_hooks_get();
	list_engine(e);
	return e;
}

/* The last reference may be that of a thread whose record goes, in a softirq. */
void nt_engine_put(struct nt_engine *e)
{
	if (refcount_dec_and_test(&e->ref))
		queue_rcu_work(nt_workqueue, &e->freeing);
}

/* The only teardown: whatever it has is let go by its release mode. */
void nt_engine_close(struct nt_engine *e)
{
	struct nt_proc *p;

	/* that of a keeper may end while another lets go */
	mutex_lock_nested(&e->mutex, e->keeper ? SINGLE_DEPTH_NESTING : 0);
	spin_lock_irq(&e->queue_lock);
	e->closing = true;
	spin_unlock_irq(&e->queue_lock);
	for (;;) {
		rcu_read_lock();
		p = list_first_or_null_rcu(&e->procs, struct nt_proc, in_engine);
		if (p && !refcount_inc_not_zero(&p->ref))
			p = NULL;
		rcu_read_unlock();
		if (!p)
			break;
		nt_proc_detach(p, p->release, 0, 0);
		nt_proc_put(p);
	}
	/* last events nobody will read keep their processes */
	spin_lock_irq(&e->queue_lock);
	while (!list_empty(&e->stops)) {
		struct nt_pending *slot = list_first_entry(&e->stops, struct nt_pending, link);

		list_del_init(&slot->link);
		spin_unlock_irq(&e->queue_lock);
		if (slot->r.type == NTRACE_EV_PROC_DEAD || slot->r.type == NTRACE_EV_DETACHED)
			nt_proc_put(container_of(slot, struct nt_proc, last));
		spin_lock_irq(&e->queue_lock);
	}
	spin_unlock_irq(&e->queue_lock);
	nt_tracing_close(e);
	mutex_unlock(&e->mutex);
	mutex_lock(&nt_engines_lock);
	list_del(&e->all);
	mutex_unlock(&nt_engines_lock);
	if (e->hello)
		nt_hooks_put();
	nt_engine_put(e);
}

/* ---- engine x process ------------------------------------------------------ */
static void reap(struct work_struct *work)
{
	struct nt_proc *p = container_of(work, struct nt_proc, reap);

	nt_break_detach(p);
	nt_proc_put(p);
}

struct nt_proc *nt_proc_new(struct nt_engine *e, struct pid *tgid, u64 cookie, struct mm_struct *mm,
			    const struct ntrace_sets *sets, gfp_t gfp)
{
	struct nt_proc *p = kzalloc(sizeof(*p), gfp);
	struct nt_sets *copy = kzalloc(sizeof(*copy), gfp);
	unsigned long flags;

	if (!p || !copy) {
		kfree(p);
		kfree(copy);
		return ERR_PTR(-ENOMEM);
	}
	copy->s = *sets;
	refcount_set(&p->ref, 2); /* the list's, the caller's */
	p->engine = e;
	p->cookie = cookie;
	p->order = atomic64_inc_return(&last_order);
	spin_lock_init(&p->lock);
	INIT_LIST_HEAD(&p->atts);
	INIT_LIST_HEAD(&p->last.link);
	INIT_WORK(&p->reap, reap);
	p->natts = 1;
	RCU_INIT_POINTER(p->sets, copy);
	spin_lock_irqsave(&e->queue_lock, flags);
	if (e->closing) {
		spin_unlock_irqrestore(&e->queue_lock, flags);
		kfree(p);
		kfree(copy);
		return ERR_PTR(-EBADF);
	}
	refcount_inc(&e->ref);
	p->tgid = get_pid(tgid);
	if (mm) {
		mmgrab(mm);
		p->mm = mm;
	}
	list_add_tail_rcu(&p->in_engine, &e->procs);
	spin_unlock_irqrestore(&e->queue_lock, flags);
	atomic_inc(&nt_count[NT_PROC]);
	return p;
}

static void free_proc(struct rcu_head *rcu)
{
	struct nt_proc *p = container_of(rcu, struct nt_proc, rcu);

	kfree(rcu_dereference_protected(p->sets, true));
	kfree(p);
	atomic_dec(&nt_count[NT_PROC]);
}

void nt_proc_put(struct nt_proc *p)
{
	if (!refcount_dec_and_test(&p->ref))
		return;
	put_pid(p->tgid);
	if (p->mm)
		mmdrop(p->mm);
	nt_engine_put(p->engine);
	call_rcu(&p->rcu, free_proc);
}

bool nt_proc_gone(struct nt_proc *p)
{
	bool gone;

	spin_lock_irq(&p->lock);
	gone = p->gone;
	spin_unlock_irq(&p->lock);
	return gone;
}

struct mm_struct *nt_proc_mm(struct nt_proc *p)
{
	struct mm_struct *mm;

	spin_lock_irq(&p->lock);
	mm = p->mm;
	if (mm && !mmget_not_zero(mm))
		mm = NULL;
	spin_unlock_irq(&p->lock);
	return mm;
}

struct nt_proc *nt_proc_find(struct nt_engine *e, pid_t pid)
{
	struct nt_proc *p;

	if (pid <= 0)
		return NULL;
	rcu_read_lock();
	list_for_each_entry_rcu(p, &e->procs, in_engine)
		if (pid_nr_ns(p->tgid, e->ns) == pid && refcount_inc_not_zero(&p->ref)) {
			rcu_read_unlock();
			return p;
		}
	rcu_read_unlock();
	return NULL;
}

bool nt_proc_unlist(struct nt_proc *p)
{
	if (p->gone)
		return false;
	p->gone = true;
	spin_lock(&p->engine->queue_lock);
	list_del_rcu(&p->in_engine);
	spin_unlock(&p->engine->queue_lock);
	return true;
}

bool nt_proc_leave(struct nt_proc *p)
{
	unsigned long flags;
	bool last;

	spin_lock_irqsave(&p->lock, flags);
	last = --p->natts == 0 && nt_proc_unlist(p);
	spin_unlock_irqrestore(&p->lock, flags);
	return last;
}

/* The list's reference goes to the worker, the event has one of its own. */
void nt_proc_last(struct nt_proc *p, u32 type, int code)
{
	struct nt_engine *e = p->engine;
	struct ntrace_event *r = &p->last.r;
	unsigned long flags;
	bool unread;

	refcount_inc(&p->ref);
	memset(r, 0, sizeof(*r));
	r->size = sizeof(*r);
	r->type = type;
	r->time_ns = ktime_get_ns();
	r->cookie = p->cookie;
	r->tid = r->tgid = pid_nr_ns(p->tgid, e->ns);
	r->code = code;
	r->core = -1;
	spin_lock_irqsave(&e->queue_lock, flags);
	unread = e->closing || e->keeper; /* what was queued is gone already, or never read */
	if (!unread) {
		r->seq = ++e->seq;
		list_add_tail(&p->last.link, &e->stops);
	}
	spin_unlock_irqrestore(&e->queue_lock, flags);
	if (unread)
		nt_proc_put(p);
	nt_wake(e);
	queue_work(nt_workqueue, &p->reap);
}
