// SPDX-License-Identifier: GPL-2.0
/* Tracepoints as they are defined, and at which sites they are in force. */
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "batch.h"
#include "break.h"
#include "tracing.h"

#define MOST_POINTS 4096u  /* of one engine */
#define MOST_ACTIONS 1024u /* of one of them */

static atomic64_t last_order = ATOMIC64_INIT(0);

void nt_point_put(struct nt_point *pt)
{
	if (!refcount_dec_and_test(&pt->ref))
		return;
	nt_engine_put(pt->engine);
	kvfree(pt->codes);
	kfree(pt);
	atomic_dec(&nt_count[NT_POINT]);
}

/* ---- in force -------------------------------------------------------------------- */
static int raise_in(struct nt_point *pt, struct mm_struct *mm)
{
	struct nt_mm *m = nt_mm_make(mm, nt_proc_mode64(pt->proc));
	struct nt_site *s;

	if (!m)
		return -ENOMEM;
	mutex_lock(&m->mutex);
	s = nt_site_arm(m, pt->core.addr);
	if (s) {
		pt->m = m;
		pt->site = s;
		pt->order = atomic64_inc_return(&last_order);
		list_add_tail(&pt->link, &s->points);
		WRITE_ONCE(s->traces, s->traces + 1);
		m->breaks++;
	}
	mutex_unlock(&m->mutex);
	if (s)
		return 0;
	nt_mm_put(m);
	return -EFAULT;
}

int nt_point_raise(struct nt_point *pt)
{
	struct mm_struct *mm;
	int error = 0;

	if (!pt->proc || pt->m)
		return 0;
	if (pt->core.addr >= TASK_SIZE_MAX)
		return -EFAULT;
	mm = nt_proc_mm(pt->proc);
	if (!mm)
		return 0; /* it ends */
	if (mm == pt->made_for)
		error = raise_in(pt, mm);
	mmput(mm);
	return error;
}

void nt_point_lower(struct nt_point *pt)
{
	struct nt_mm *m = pt->m;
	bool alive;

	if (!m)
		return;
	alive = mmget_not_zero(m->mm);
	mutex_lock(&m->mutex);
	list_del(&pt->link);
	WRITE_ONCE(pt->site->traces, pt->site->traces - 1);
	nt_site_release(m, pt->site, alive);
	m->breaks--;
	mutex_unlock(&m->mutex);
	if (alive)
		mmput(m->mm);
	pt->m = NULL;
	nt_mm_put(m);
}

void nt_point_orphan(struct nt_point *pt)
{
	nt_point_lower(pt);
	if (pt->proc)
		nt_proc_put(pt->proc);
	WRITE_ONCE(pt->proc, NULL);
}

void nt_point_drop(struct nt_tracing *tracing, struct nt_point *pt)
{
	nt_point_orphan(pt);
	list_del(&pt->in_tracing);
	tracing->npoints--;
	nt_point_put(pt);
}

void nt_points_detach(struct nt_proc *p, struct mm_struct *but)
{
	struct nt_tracing *tracing = nt_tracing(p->engine);
	struct nt_point *pt;

	if (!tracing)
		return;
	mutex_lock(&tracing->points_lock);
	list_for_each_entry(pt, &tracing->points, in_tracing)
		if (pt->proc == p && (!but || pt->made_for != but))
			nt_point_orphan(pt);
	mutex_unlock(&tracing->points_lock);
}

/* ---- definitions ------------------------------------------------------------------ */
/* Where the next bytes go, while a definition is taken in. */
struct intake {
	struct nt_trace_point *core;
	struct nt_point_codes *codes;
	struct nt_trace_action *hit, *step; /* the next one of each */
	u8 *bytes;
};

static int measure_code(u64 bytes, u32 len, size_t *size)
{
	if (!bytes)
		return -EFAULT;
	if (len > NT_MOST_CODE)
		return -E2BIG;
	*size += len;
	return 0;
}

static int take_code(struct intake *in, u64 from, u32 len, u32 allow, u32 *error_at)
{
	u32 uses = 0;

	if (copy_from_user(in->bytes, u64_to_user_ptr(from), len))
		return -EFAULT;
	return nt_code_verify(in->bytes, len, allow, !(allow & NT_AGENT_USE_TRACE), &uses,
			      error_at);
}

static int take_condition(struct intake *in, const struct ntrace_code *code, u64 to)
{
	struct ntrace_code __user *entry = u64_to_user_ptr(to);
	u32 at = 0;
	int error = take_code(in, code->bytes, code->len, NT_AGENT_ALLOW_CONDITION, &at);

	if (put_user(at, &entry->error_at))
		return -EFAULT;
	in->core->condition = in->bytes;
	in->core->condition_len = code->len;
	in->bytes += code->len;
	return error;
}

static int check_action(const struct ntrace_collect *c, size_t *size)
{
	if (c->flags & ~NTRACE_COLLECT_STEP)
		return -EINVAL;
	switch (c->type) {
	case NTRACE_COLLECT_REGS:
		return 0;
	case NTRACE_COLLECT_MEMORY:
		if (c->reg != NTRACE_COLLECT_ABSOLUTE && c->reg >= NT_REGISTERS)
			return -ENXIO;
		return c->len > NT_TRACE_MAX_MEMORY ? -E2BIG : 0;
	case NTRACE_COLLECT_CODE:
		return measure_code(c->bytes, c->code_len, size);
	default:
		return -EINVAL;
	}
}

static int take_action(struct intake *in, struct ntrace_collect *c)
{
	struct nt_trace_action *to = c->flags & NTRACE_COLLECT_STEP ? in->step++ : in->hit++;
	int error = 0;

	*to = (struct nt_trace_action){
	    .type = c->type, .note = c->note, .reg = c->reg, .addr = c->addr, .len = c->len};
	if (c->type == NTRACE_COLLECT_CODE) {
		error = take_code(in, c->bytes, c->code_len, NT_AGENT_ALLOW_ACTION, &c->error_at);
		to->code = in->bytes;
		to->code_len = c->code_len;
		in->bytes += c->code_len;
	}
	return error;
}

static int take_all(const struct ntrace_tracepoint *r, struct ntrace_collect *collects,
		    struct nt_trace_point *core, struct nt_point_codes **out)
{
	size_t size = struct_size(*out, actions, r->nactions);
	struct ntrace_code condition = {};
	struct intake in = {.core = core};
	u32 i, nhit = 0;
	int error = 0;

	if (r->condition) {
		if (copy_from_user(&condition, u64_to_user_ptr(r->condition), sizeof(condition)))
			return -EFAULT;
		error = measure_code(condition.bytes, condition.len, &size);
	}
	for (i = 0; i < r->nactions && !error; i++) {
		collects[i].error_at = 0;
		error = check_action(&collects[i], &size);
		nhit += !(collects[i].flags & NTRACE_COLLECT_STEP);
	}
	if (error)
		return error;
	*out = kvzalloc(size, GFP_KERNEL_ACCOUNT);
	if (!*out)
		return -ENOMEM;
	(*out)->count = r->nactions;
	in.hit = (*out)->actions;
	in.step = in.hit + nhit;
	in.bytes = (u8 *)((*out)->actions + r->nactions);
	core->actions = in.hit;
	core->nactions = nhit;
	core->step_actions = in.step;
	core->nstep_actions = r->nactions - nhit;
	if (r->condition)
		error = take_condition(&in, &condition, r->condition);
	for (i = 0; i < r->nactions && !error; i++)
		error = take_action(&in, &collects[i]);
	if (!error)
		return 0;
	kvfree(*out);
	*out = NULL;
	return error;
}

static int take_definition(const struct ntrace_tracepoint *r, struct nt_trace_point *core,
			   struct nt_point_codes **codes)
{
	struct ntrace_collect *collects;
	int error, result;

	if (r->flags & ~NTRACE_TP_ENABLED || r->reserved || r->nactions > MOST_ACTIONS)
		return -EINVAL;
	collects = nt_batch_in(r->actions, r->nactions, sizeof(*collects));
	if (IS_ERR(collects))
		return PTR_ERR(collects);
	*core = (struct nt_trace_point){.number = r->number,
					.addr = r->addr,
					.enabled = r->flags & NTRACE_TP_ENABLED,
					.step = r->step,
					.pass = r->pass};
	error = take_all(r, collects, core, codes);
	result = nt_batch_out(r->actions, collects, r->nactions, sizeof(*collects));
	if (!error && result) {
		kvfree(*codes);
		error = result;
	}
	return error;
}

/* ---- the calls ---------------------------------------------------------------------- */
/* points_lock is held. */
static struct nt_point *find(struct nt_tracing *tracing, const struct nt_proc *p,
			     const struct ntrace_tracepoint *r)
{
	struct nt_point *pt;

	list_for_each_entry(pt, &tracing->points, in_tracing)
		if (pt->proc == p && pt->core.number == r->number && pt->core.addr == r->addr)
			return pt;
	return NULL;
}

/* Sites and threads go on knowing it. */
static void redefine(struct nt_point *pt, const struct nt_trace_point *core,
		     struct nt_point_codes *codes)
{
	u64 hits = pt->core.hits, usage = pt->core.usage;

	kvfree(pt->codes);
	pt->codes = codes;
	pt->core = *core;
	pt->core.hits = hits;
	pt->core.usage = usage;
}

static int add(struct nt_tracing *tracing, struct nt_proc *p, const struct nt_trace_point *core,
	       struct nt_point_codes *codes)
{
	struct nt_point *pt = NULL;
	int error = -ENOSPC;

	if (tracing->npoints < MOST_POINTS) {
		pt = kzalloc(sizeof(*pt), GFP_KERNEL_ACCOUNT);
		error = -ENOMEM;
	}
	if (!pt) {
		kvfree(codes);
		return error;
	}
	refcount_set(&pt->ref, 1);
	refcount_inc(&p->engine->ref);
	pt->engine = p->engine;
	refcount_inc(&p->ref);
	pt->proc = p;
	spin_lock_irq(&p->lock);
	pt->made_for = p->mm;
	spin_unlock_irq(&p->lock);
	pt->core = *core;
	pt->codes = codes;
	list_add_tail(&pt->in_tracing, &tracing->points);
	tracing->npoints++;
	atomic_inc(&nt_count[NT_POINT]);
	error = tracing->core.running ? nt_point_raise(pt) : 0;
	if (error)
		nt_point_drop(tracing, pt);
	return error;
}

static int define(struct nt_tracing *tracing, struct nt_proc *p, const struct ntrace_tracepoint *r)
{
	struct nt_point_codes *codes;
	struct nt_trace_point core;
	struct nt_point *known;
	int error;

	error = take_definition(r, &core, &codes);
	if (error)
		return error;
	if (mutex_lock_killable(&tracing->mutex)) {
		kvfree(codes);
		return -EINTR;
	}
	mutex_lock(&tracing->points_lock);
	known = find(tracing, p, r);
	if (known)
		redefine(known, &core, codes);
	else
		error = add(tracing, p, &core, codes);
	mutex_unlock(&tracing->points_lock);
	mutex_unlock(&tracing->mutex);
	return error;
}

int nt_tracepoint(struct nt_engine *e, void *record)
{
	struct ntrace_tracepoint *r = record;
	struct nt_proc *p = nt_proc_find(e, r->pid);
	struct nt_tracing *tracing;
	int error = -ENOMEM;

	if (!p)
		return -ESRCH;
	tracing = nt_tracing_make(e);
	if (tracing)
		error = define(tracing, p, r);
	if (!error && nt_proc_gone(p))
		nt_points_detach(p, NULL); /* it left meanwhile */
	nt_proc_put(p);
	return error;
}

int nt_trace_query(struct nt_engine *e, void *record)
{
	struct nt_tracing *tracing = nt_tracing(e);
	struct ntrace_tracepoint *r = record;
	struct nt_proc *p = nt_proc_find(e, r->pid);
	struct nt_point *pt;
	int error = -ENOENT;

	if (!p)
		return -ESRCH;
	if (tracing && mutex_lock_killable(&tracing->mutex)) {
		error = -EINTR;
	} else if (tracing) {
		mutex_lock(&tracing->points_lock);
		pt = find(tracing, p, r);
		if (pt) {
			r->hits = pt->core.hits;
			r->usage = pt->core.usage;
			error = 0;
		}
		mutex_unlock(&tracing->points_lock);
		mutex_unlock(&tracing->mutex);
	}
	nt_proc_put(p);
	return error;
}
