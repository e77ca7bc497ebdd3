// SPDX-License-Identifier: GPL-2.0
/*
 * Conditions of breakpoints, decided where the trap happens. What cannot be decided
 * stops the thread, and its engine decides.
 */
#include <linux/trace_clock.h>
#include <linux/uaccess.h>

#include "break.h"
#include "tracing.h"

static int read_reg(void *ctx, u32 number, u64 *value)
{
	struct nt_evaluation *e = ctx;

	return nt_arch_reg(e->regs, number, value);
}

static int read_nofault(void *ctx, u64 addr, void *buf, u32 len)
{
	struct nt_evaluation *e = ctx;
	unsigned long begun = nt_shadow_begin(e->m);

	if (copy_from_user_nofault(buf, (const void __user *)(unsigned long)addr, len)) {
		e->absent = true;
		return -EFAULT;
	}
	nt_shadow_rcu(e->m, addr, buf, len, begun);
	return 0;
}

static int read_sleeping(void *ctx, u64 addr, void *buf, u32 len)
{
	struct nt_evaluation *e = ctx;
	unsigned long begun = nt_shadow_begin(e->m);

	if (copy_from_user(buf, (const void __user *)(unsigned long)addr, len))
		return -EFAULT;
	rcu_read_lock();
	nt_shadow_rcu(e->m, addr, buf, len, begun);
	rcu_read_unlock();
	return 0;
}

/* One that was never set reads as 0. */
static int get_var(void *ctx, u32 number, u64 *value)
{
	struct nt_evaluation *e = ctx;
	struct nt_tracing *tracing = nt_tracing(e->engine);

	if (!tracing || !nt_trace_get(&tracing->core, number, ktime_get_ns(), value))
		*value = 0;
	return 0;
}

static int set_var(void *ctx, u32 number, u64 value)
{
	struct nt_evaluation *e = ctx;
	struct nt_tracing *tracing = nt_tracing(e->engine);

	return tracing && nt_trace_set(&tracing->core, number, value) ? 0 : -ENXIO;
}

static const struct nt_agent_ops in_trap = {
    .read_reg = read_reg, .read_mem = read_nofault, .get_var = get_var};
const struct nt_agent_ops nt_agent_in_work = {
    .read_reg = read_reg,
    .read_mem = read_sleeping,
    .get_var = get_var,
    .set_var = set_var,
    .print = nt_action_print,
};

/* Counted once it is decided, however often that was tried. */
static void count(struct nt_break *b, u32 evaluated, bool error, bool wanted, u64 cost)
{
	atomic64_inc(&b->hits);
	if (!evaluated)
		return;
	atomic64_add(evaluated, &b->evaluated);
	if (error)
		atomic64_inc(&b->errors);
	atomic64_inc(wanted ? &b->true_hits : &b->false_hits);
	atomic64_add(cost, &b->cost_ns);
}

static enum nt_verdict evaluate(struct nt_break *b, const struct nt_codes *c, struct pt_regs *regs,
				bool sleep)
{
	struct nt_evaluation e = {.regs = regs, .m = b->m, .engine = b->proc->engine};
	u64 began = trace_clock_local();
	bool wanted = false;
	int error = 0;
	s64 took;
	u32 i;

	for (i = 0; i < c->conditions && !wanted; i++) {
		u64 result = 0;
		u32 at;

		error = nt_agent_eval(nt_code(c, i), c->code[i].len,
				      sleep ? &nt_agent_in_work : &in_trap, &e, NT_AGENT_BUDGET,
				      &result, &at);
		if (error == NT_AGENT_E_MEMORY && e.absent && !sleep)
			return NT_LATER;
		wanted = error || result;
	}
	/* this processor's own clock: a machine's may cost more than all of the above */
	took = trace_clock_local() - began;
	count(b, i, error, wanted, took > 0 ? took : 0);
	return wanted ? NT_TRUE : NT_FALSE;
}

enum nt_verdict nt_decide(struct nt_break *b, struct pt_regs *regs)
{
	struct nt_codes *c = rcu_dereference(b->codes);

	if (!c || !c->conditions) {
		count(b, 0, false, true, 0);
		return NT_TRUE;
	}
	if (c->uses & NT_AGENT_USE_SETVAR)
		return NT_LATER; /* once, and by nobody else meanwhile */
	return evaluate(b, c, regs, false);
}

enum nt_verdict nt_decide_sleeping(struct nt_break *b, const struct nt_codes *c,
				   struct pt_regs *regs)
{
	enum nt_verdict verdict = NT_FALSE; /* it dies */

	if (!c || !c->conditions) {
		count(b, 0, false, true, 0);
		return NT_TRUE;
	}
	if (nt_codes_lock(b, c)) {
		verdict = evaluate(b, c, regs, true);
		nt_codes_unlock(b, c);
	}
	return verdict;
}
