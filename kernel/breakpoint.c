// SPDX-License-Identifier: GPL-2.0
/*
 * Breakpoints: sites with patched bytes, each with its owners among the engines.
 * A site is patched once and stays so while anybody owns it; threads pass it by
 * executing its instruction elsewhere (slot.c).
 */
#include <linux/mm.h>
#include <linux/rculist.h>
#include <linux/sched/mm.h>
#include <linux/sched/task_stack.h>
#include <linux/slab.h>

#include "break.h"

static atomic_t last_id = ATOMIC_INIT(0);
static atomic_t last_generation = ATOMIC_INIT(0);
static atomic64_t last_order = ATOMIC64_INIT(0);

static void free_break(struct rcu_head *rcu)
{
	struct nt_break *b = container_of(rcu, struct nt_break, rcu);

	nt_codes_put(rcu_dereference_protected(b->codes, true));
	kfree(b);
	atomic_dec(&nt_count[NT_SITE]);
}

void nt_break_put(struct nt_break *b)
{
	if (!refcount_dec_and_test(&b->ref))
		return;
	nt_mm_put(b->m);
	nt_proc_put(b->proc);
	call_rcu(&b->rcu, free_break);
}

/* ---- sites: m->mutex is held, and the memory has a user -------------------- */
bool nt_site_armed(struct nt_mm *m, struct nt_site *s)
{
	u8 byte;

	if (!s->armed || s->lifted)
		return s->armed;
	return nt_mem_read(m->mm, s->addr, &byte, 1) == 1 && byte == NT_BREAK_BYTE;
}

static int plan_site(struct nt_mm *m, struct nt_site *s, bool must)
{
	u8 bytes[NT_INSN_MAX];
	struct nt_plan *plan;
	unsigned long begun = nt_shadow_begin(m);
	size_t len;

	len = nt_mem_read(m->mm, s->addr, bytes, sizeof(bytes));
	if (!len)
		return -EFAULT;
	rcu_read_lock();
	nt_shadow_rcu(m, s->addr, bytes, len, begun);
	rcu_read_unlock();
	plan = nt_plan_get(m, s->addr, bytes, len, must);
	if (!plan)
		return -ENOMEM;
	rcu_assign_pointer(s->plan, plan);
	return 0;
}

struct nt_plan *nt_site_plan(struct nt_mm *m, struct nt_site *s, bool must)
{
	struct nt_plan *plan = NULL;

	mutex_lock(&m->mutex);
	if (!plan_site(m, s, must))
		plan = rcu_dereference_protected(s->plan, lockdep_is_held(&m->mutex));
	mutex_unlock(&m->mutex);
	return plan;
}

void nt_sites_lost(struct nt_mm *m)
{
	struct nt_site *s;
	unsigned int bucket;
	bool lost;

	mutex_lock(&m->mutex);
	lost = m->lost;
	m->no_areas |= lost;
	mutex_unlock(&m->mutex);
	if (!lost)
		return; /* another thread has seen to it */
	nt_area_retire(m, false);
	mutex_lock(&m->mutex);
	hash_for_each(m->sites, bucket, s, link)
		if (s->armed && !rcu_access_pointer(s->plan))
			plan_site(m, s, false);
	WRITE_ONCE(m->lost, false);
	mutex_unlock(&m->mutex);
}

/* Who is being killed reads no memory: that says nothing of what is there. */
static int arm(struct nt_mm *m, struct nt_site *s)
{
	static const u8 trap = NT_BREAK_BYTE;
	u8 byte;
	int error;

	if (nt_mem_read(m->mm, s->addr, &byte, 1) != 1) {
		if (fatal_signal_pending(current))
			return -EINTR;
		WRITE_ONCE(s->armed, false);
		return -EFAULT;
	}
	if (s->armed && byte == trap)
		return 0;
	WRITE_ONCE(s->armed, false); /* what is there now is the program's */
	s->original = byte;
	error = plan_site(m, s, false);
	if (error)
		return error;
	WRITE_ONCE(s->generation, atomic_inc_return(&last_generation) ?: 1);
	/* whoever is trapped by the byte finds the rest of it */
	smp_store_release(&s->armed, true);
	if (nt_text_write(m->mm, s->addr, &trap, 1) == 1)
		return 0;
	WRITE_ONCE(s->armed, false);
	return -EFAULT;
}

/* Whoever overwrote the byte behind our back keeps what it wrote. */
static bool disarm(struct nt_mm *m, struct nt_site *s)
{
	bool there = true;

	if (s->armed && !s->lifted)
		there = nt_mem_swap(m->mm, s->addr, NT_BREAK_BYTE, s->original);
	if (s->armed) {
		WRITE_ONCE(s->disarmed, m->disarms + 1);
		/* whoever begins to read from here on finds the byte gone */
		smp_store_release(&m->disarms, m->disarms + 1);
	}
	/* whoever finds it unarmed finds when that was */
	smp_store_release(&s->armed, false);
	return there;
}

static struct nt_site *site_at(struct nt_mm *m, unsigned long addr)
{
	struct nt_site *s = nt_site_find(m, addr);

	if (s)
		return s;
	s = kzalloc(sizeof(*s), GFP_KERNEL);
	if (!s)
		return NULL;
	s->addr = addr;
	INIT_LIST_HEAD(&s->owners);
	INIT_LIST_HEAD(&s->points);
	WRITE_ONCE(m->site_lo, min(m->site_lo, addr));
	WRITE_ONCE(m->site_hi, max(m->site_hi, addr));
	hash_add_rcu(m->sites, &s->link, addr);
	return s;
}

/* ... and patched. */
static struct nt_site *armed_at(struct nt_mm *m, unsigned long addr)
{
	struct nt_site *s = site_at(m, addr);
	int error;

	if (!s)
		return ERR_PTR(-ENOMEM);
	error = nt_site_armed(m, s) ? 0 : arm(m, s);
	return error ? ERR_PTR(error) : s;
}

struct nt_site *nt_site_arm(struct nt_mm *m, unsigned long addr)
{
	struct nt_site *s = armed_at(m, addr);

	return IS_ERR(s) ? NULL : s;
}

static int insert_site(struct nt_mm *m, struct nt_break *b)
{
	struct nt_site *s = armed_at(m, b->addr);

	if (IS_ERR(s))
		return PTR_ERR(s);
	b->site = s;
	s->count++;
	list_add_tail_rcu(&b->link, &s->owners);
	return 0;
}

bool nt_site_release(struct nt_mm *m, struct nt_site *s, bool alive)
{
	if (s->count || s->traces || s->fences)
		return true;
	if (alive)
		return disarm(m, s);
	WRITE_ONCE(s->armed, false);
	return true;
}

static bool remove_site(struct nt_mm *m, struct nt_break *b, bool alive)
{
	list_del_rcu(&b->link);
	b->site->count--;
	return nt_site_release(m, b->site, alive);
}

bool nt_break_remove(struct nt_break *b)
{
	struct nt_mm *m = b->m;
	bool alive = mmget_not_zero(m->mm);
	bool there = true;

	mutex_lock(&m->mutex);
	if (b->type == NTRACE_BREAK_SW)
		there = remove_site(m, b, alive);
	else
		nt_watch_remove(m, b);
	b->gone = true;
	m->breaks--;
	mutex_unlock(&m->mutex);
	if (alive)
		mmput(m->mm);
	nt_break_put(b);
	return there;
}

bool nt_break_pass(struct nt_break *b, struct nt_proc *to)
{
	struct nt_break *heir = kmemdup(b, sizeof(*b), GFP_KERNEL);
	struct nt_codes *c = nt_codes_of(b);
	struct nt_engine *e = to->engine;
	struct nt_mm *m = b->m;

	if (!heir || !nt_codes_served(c, e))
		goto no_memory;
	heir->id = atomic_inc_return(&last_id);
	if (xa_reserve(&e->breaks, heir->id, GFP_KERNEL))
		goto no_memory;
	refcount_set(&heir->ref, 1);
	refcount_inc(&m->ref);
	refcount_inc(&to->ref);
	heir->proc = to;
	heir->engine = e;
	RCU_INIT_POINTER(heir->codes, c);
	atomic_inc(&nt_count[NT_SITE]);
	mutex_lock(&m->mutex);
	list_replace_rcu(&b->link, &heir->link);
	b->gone = true;
	xa_store(&e->breaks, heir->id, heir, GFP_KERNEL);
	mutex_unlock(&m->mutex);
	nt_break_put(b);
	return true;
no_memory:
	nt_codes_put(c);
	kfree(heir);
	return false;
}

/* ---- the calls -------------------------------------------------------------- */
/* The engine's breakpoint at that place; a reference. */
static struct nt_break *find_break(struct nt_engine *e, struct nt_proc *p,
				   const struct ntrace_break *r)
{
	struct nt_break *b, *found = NULL;
	unsigned long id;

	rcu_read_lock();
	xa_for_each(&e->breaks, id, b)
		if (b->proc == p && b->type == r->type && b->addr == r->addr && b->len == r->len &&
		    b->m->mm == p->mm && refcount_inc_not_zero(&b->ref)) {
			found = b;
			break;
		}
	rcu_read_unlock();
	return found;
}

static struct nt_break *find_id(struct nt_engine *e, u32 id)
{
	struct nt_break *b;

	rcu_read_lock();
	b = xa_load(&e->breaks, id);
	if (b && !refcount_inc_not_zero(&b->ref))
		b = NULL;
	rcu_read_unlock();
	return b;
}

static u32 owners_of(const struct nt_break *b)
{
	struct nt_break_use *use;
	u32 count = 0;

	if (b->type == NTRACE_BREAK_SW)
		return b->site->count;
	list_for_each_entry(use, &b->uses[0].watch->owners, link)
		count++;
	return count;
}

/* The same place again: other conditions, and patched again if need be. */
static int update_break(struct nt_break *b, struct nt_codes *c, struct ntrace_break *r)
{
	struct nt_codes *old;
	int error = 0;

	mutex_lock(&b->m->mutex);
	if (b->gone)
		error = -ESRCH;
	else if (b->type == NTRACE_BREAK_SW && !nt_site_armed(b->m, b->site))
		error = arm(b->m, b->site);
	old = c;
	if (!error) {
		old = rcu_replace_pointer(b->codes, c, lockdep_is_held(&b->m->mutex));
		b->persist = r->flags & NTRACE_BREAK_PERSIST;
	}
	r->id = b->id;
	r->owners = b->gone ? 0 : owners_of(b);
	mutex_unlock(&b->m->mutex);
	nt_codes_put(old);
	nt_break_put(b);
	return error;
}

bool nt_proc_mode64(struct nt_proc *p)
{
	struct nt_att *a;
	bool mode64 = true;

	rcu_read_lock();
	a = list_first_or_null_rcu(&p->atts, struct nt_att, in_proc);
	if (a)
		mode64 = nt_arch_mode64(task_pt_regs(a->task->task));
	rcu_read_unlock();
	return mode64;
}

static struct nt_break *new_break(struct nt_engine *e, struct nt_proc *p, struct mm_struct *mm,
				  const struct ntrace_break *r)
{
	struct nt_break *b = kzalloc(sizeof(*b), GFP_KERNEL);

	if (!b)
		return NULL;
	b->m = nt_mm_make(mm, nt_proc_mode64(p));
	if (!b->m) {
		kfree(b);
		return NULL;
	}
	refcount_set(&b->ref, 1);
	refcount_inc(&p->ref);
	b->proc = p;
	b->engine = e;
	b->type = r->type;
	b->addr = r->addr;
	b->len = r->len;
	b->id = atomic_inc_return(&last_id);
	atomic_inc(&nt_count[NT_SITE]);
	return b;
}

static int insert_break(struct nt_engine *e, struct nt_proc *p, struct mm_struct *mm,
			struct nt_codes *c, struct ntrace_break *r)
{
	struct nt_break *b = new_break(e, p, mm, r);
	struct nt_mm *m;
	int error;

	if (!b) {
		nt_codes_put(c);
		return -ENOMEM;
	}
	m = b->m;
	b->persist = r->flags & NTRACE_BREAK_PERSIST;
	RCU_INIT_POINTER(b->codes, c);
	error = xa_reserve(&e->breaks, b->id, GFP_KERNEL);
	if (error)
		goto out;
	mutex_lock(&m->mutex);
	b->order = atomic64_inc_return(&last_order);
	error = b->type == NTRACE_BREAK_SW ? insert_site(m, b) : nt_watch_insert(m, b);
	if (!error) {
		m->breaks++;
		r->id = b->id;
		r->owners = owners_of(b);
		refcount_inc(&b->ref); /* from now on somebody may remove it */
		xa_store(&e->breaks, b->id, b, GFP_KERNEL);
	}
	mutex_unlock(&m->mutex);
	if (error)
		xa_release(&e->breaks, b->id);
	else if (b->type == NTRACE_BREAK_SW)
		nt_keeper_yield(m, b);
out:
	nt_break_put(b);
	return error;
}

static bool is_off(u32 type)
{
	switch (type) {
	case NTRACE_BREAK_SW:
		return false; /* the call itself would be */
	case NTRACE_BREAK_HW:
		return !nt_feature(NTRACE_F_HWBREAK);
	default:
		return !nt_feature(NTRACE_F_WATCH);
	}
}

static int check(const struct ntrace_break *r)
{
	if (r->type != NTRACE_BREAK_SW &&
	    (r->nactions || r->flags || (r->nconditions && r->type != NTRACE_BREAK_HW)))
		return -EOPNOTSUPP;
	if (r->flags & ~NTRACE_BREAK_PERSIST || r->type > NTRACE_WATCH_ACCESS)
		return -EINVAL;
	if (r->type == NTRACE_WATCH_READ || is_off(r->type) ||
	    (r->nconditions && !nt_feature(NTRACE_F_CONDITIONS)) ||
	    ((r->nactions || r->flags) && !nt_feature(NTRACE_F_ACTIONS)))
		return -EOPNOTSUPP;
	if (r->type == NTRACE_BREAK_SW ? r->len != NT_BREAK_LEN : !r->len)
		return -EINVAL;
	return r->addr + r->len < r->addr || r->addr + r->len > TASK_SIZE_MAX ? -EFAULT : 0;
}

/* Its bytecode, and what that needs. */
static int take_codes(struct nt_engine *e, const struct ntrace_break *r, struct nt_codes **out)
{
	int error = nt_codes_take(r, out);

	if (error || nt_codes_served(*out, e))
		return error;
	nt_codes_put(*out);
	return -ENOMEM;
}

int nt_break(struct nt_engine *e, void *record)
{
	struct ntrace_break *r = record;
	struct nt_proc *p = nt_proc_find(e, r->pid);
	struct nt_codes *c = NULL;
	struct mm_struct *mm;
	struct nt_break *b;
	int error;

	if (!p)
		return -ESRCH;
	if (r->type == NTRACE_BREAK_HW)
		r->len = NT_BREAK_LEN;
	error = check(r);
	if (!error)
		error = take_codes(e, r, &c);
	if (error)
		goto put;
	mm = nt_proc_mm(p);
	if (!mm) {
		nt_codes_put(c);
		error = -EALREADY;
		goto put;
	}
	mutex_lock(&e->mutex);
	b = find_break(e, p, r);
	error = b ? update_break(b, c, r) : insert_break(e, p, mm, c, r);
	mutex_unlock(&e->mutex);
	mmput(mm);
	if (!error && nt_proc_gone(p))
		nt_break_detach(p); /* it left meanwhile */
put:
	nt_proc_put(p);
	return error;
}

int nt_unbreak(struct nt_engine *e, void *record)
{
	struct ntrace_unbreak *r = record;
	struct nt_break *b;

	if (r->reserved)
		return -EINVAL;
	b = xa_erase(&e->breaks, r->id);
	if (!b)
		return -ESRCH;
	return nt_break_remove(b) ? 0 : -EFAULT;
}

int nt_break_stats(struct nt_engine *e, void *record)
{
	struct ntrace_break_stats *r = record;
	struct nt_break *b;

	b = find_id(e, r->id);
	if (!b)
		return -ESRCH;
	mutex_lock(&b->m->mutex);
	r->owners = b->gone ? 0 : owners_of(b);
	mutex_unlock(&b->m->mutex);
	r->hits = atomic64_read(&b->hits);
	r->evaluated = atomic64_read(&b->evaluated);
	r->true_hits = atomic64_read(&b->true_hits);
	r->false_hits = atomic64_read(&b->false_hits);
	r->errors = atomic64_read(&b->errors);
	r->cost_ns = atomic64_read(&b->cost_ns);
	r->native = 0;
	nt_break_put(b);
	return 0;
}

/* ---- who leaves ------------------------------------------------------------- */
struct nt_break *nt_break_take(struct nt_proc *p, unsigned long *from, nt_break_match match,
			       const void *arg)
{
	struct xarray *breaks = &p->engine->breaks;
	struct nt_break *b;
	unsigned long id;

	rcu_read_lock();
	xa_for_each_start(breaks, id, b, *from) {
		if (b->proc != p || !match(b, arg))
			continue;
		*from = id;
		rcu_read_unlock();
		if (xa_cmpxchg(breaks, id, b, NULL, GFP_KERNEL) == b)
			return b;
		rcu_read_lock();
	}
	rcu_read_unlock();
	return NULL;
}

static bool is_elsewhere(const struct nt_break *b, const void *mm)
{
	return b->m->mm != mm;
}

/* All of them, or with "but" those of other memories. */
static void remove_all(struct nt_proc *p, struct mm_struct *but)
{
	unsigned long id = 0;
	struct nt_break *b;

	while ((b = nt_break_take(p, &id, is_elsewhere, but)))
		nt_break_remove(b);
}

void nt_break_detach(struct nt_proc *p)
{
	remove_all(p, NULL);
	nt_points_detach(p, NULL);
	nt_fence_detach(p);
	nt_mm_sweep();
}

void nt_trap_detached(struct nt_proc *p)
{
	struct nt_mm *m = p->mm ? nt_mm_find(p->mm) : NULL;
	bool idle;

	if (!m)
		return;
	mutex_lock(&m->mutex);
	idle = !m->breaks;
	mutex_unlock(&m->mutex);
	if (idle)
		nt_area_retire(m, true);
	nt_mm_put(m);
}

void nt_mm_exec(struct nt_task *t)
{
	struct nt_att *a = NULL;

	while ((a = nt_att_next(t, a))) {
		remove_all(a->proc, current->mm);
		nt_points_detach(a->proc, current->mm);
	}
	nt_trace_prune(t, true);
	nt_break_lower(t);
	nt_fence_lift(t);
	t->trap.at = 0;
	t->trap.pending = 0;
	memset(t->trap.passes, 0, sizeof(t->trap.passes));
	if (t->trap.stepping) {
		t->trap.pending = NT_TRAP_STEP; /* the system call that was stepped is over */
		nt_task_kick(t, false);
	}
	nt_mm_sweep();
}

void nt_break_replan(struct nt_mm *m, unsigned long addr, size_t len)
{
	struct nt_site *s;
	unsigned int bucket;

	hash_for_each(m->sites, bucket, s, link)
		if (s->armed && s->addr < addr + len && s->addr + NT_INSN_MAX > addr)
			plan_site(m, s, false);
}
