// SPDX-License-Identifier: GPL-2.0
/*
 * Conditions of breakpoints: verified when they come, decided where the trap
 * happens. What cannot be decided stops the thread, and its engine decides.
 */
#include <linux/slab.h>
#include <linux/trace_clock.h>
#include <linux/uaccess.h>

#include "break.h"

#define NT_MOST_CODE 4096u
#define NT_MOST_CONDITIONS 64u
#define NT_REGISTERS 27u /* words of NT_PRSTATUS */

struct evaluation {
	struct pt_regs *regs;
	struct nt_mm *m;
	bool absent; /* memory that is there, but not now */
};

static int read_reg(void *ctx, u32 number, u64 *value)
{
	struct evaluation *e = ctx;

	return nt_arch_reg(e->regs, number, value);
}

static int read_nofault(void *ctx, u64 addr, void *buf, u32 len)
{
	struct evaluation *e = ctx;

	if (copy_from_user_nofault(buf, (const void __user *)(unsigned long)addr, len)) {
		e->absent = true;
		return -EFAULT;
	}
	nt_shadow_rcu(e->m, addr, buf, len);
	return 0;
}

static int read_sleeping(void *ctx, u64 addr, void *buf, u32 len)
{
	struct evaluation *e = ctx;

	if (copy_from_user(buf, (const void __user *)(unsigned long)addr, len))
		return -EFAULT;
	rcu_read_lock();
	nt_shadow_rcu(e->m, addr, buf, len);
	rcu_read_unlock();
	return 0;
}

static const struct nt_agent_ops in_trap = {.read_reg = read_reg, .read_mem = read_nofault};
static const struct nt_agent_ops in_work = {.read_reg = read_reg, .read_mem = read_sleeping};

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

static enum nt_verdict evaluate(struct nt_break *b, const struct nt_conditions *c,
				struct pt_regs *regs, bool sleep)
{
	struct evaluation e = {.regs = regs, .m = b->m};
	u64 began = trace_clock_local();
	const u8 *base = (const u8 *)c;
	bool wanted = false;
	int error = 0;
	s64 took;
	u32 i;

	for (i = 0; i < c->count && !wanted; i++) {
		u64 result = 0;
		u32 at;

		error =
		    nt_agent_eval(base + c->code[i].at, c->code[i].len, sleep ? &in_work : &in_trap,
				  &e, NT_AGENT_BUDGET, &result, &at);
		if (error == NT_AGENT_E_MEMORY && e.absent && !sleep)
			return NT_LATER;
		wanted = error || result;
	}
	/* this processor's own clock: a machine's may cost more than all of the above */
	took = trace_clock_local() - began;
	count(b, i, error, wanted, took > 0 ? took : 0);
	return wanted ? NT_TRUE : NT_FALSE;
}

enum nt_verdict nt_decide(struct nt_break *b, struct pt_regs *regs, bool sleep)
{
	struct nt_conditions *c, *copy;
	enum nt_verdict verdict;
	size_t size;

	if (!sleep) {
		c = rcu_dereference(b->conditions);
		if (c)
			return evaluate(b, c, regs, false);
		count(b, 0, false, true, 0);
		return NT_TRUE;
	}
	/* they may be replaced while we sleep: decide by a copy */
	mutex_lock(&b->m->mutex);
	c = rcu_dereference_protected(b->conditions, lockdep_is_held(&b->m->mutex));
	size = c ? c->code[c->count - 1].at + c->code[c->count - 1].len : 0;
	copy = c ? kmemdup(c, size, GFP_KERNEL) : NULL;
	mutex_unlock(&b->m->mutex);
	if (!copy) {
		count(b, 0, false, true, 0);
		return NT_TRUE;
	}
	verdict = evaluate(b, copy, regs, true);
	kfree(copy);
	return verdict;
}

/* 0, or -errno; *at is then the offset of what was refused. */
static int verify(const u8 *code, u32 len, u32 *at)
{
	struct nt_agent_limits limits = {
	    .max_len = NT_MOST_CODE,
	    .registers = NT_REGISTERS,
	    .allow = NT_AGENT_USE_REGISTER | NT_AGENT_USE_MEMORY | NT_AGENT_USE_LOOP,
	    .need_result = true,
	    .work_len = len,
	};
	struct nt_agent_info info;
	int error;

	limits.work = kmalloc(max(len, 1u), GFP_KERNEL);
	if (!limits.work)
		return -ENOMEM;
	error = nt_agent_verify(code, len, &limits, &info, at);
	kfree(limits.work);
	return error ? -nt_agent_errno(error) : 0;
}

static int take_one(struct ntrace_code __user *from, u8 *to, u32 len)
{
	struct ntrace_code code;
	u32 at = 0;
	int error;

	if (copy_from_user(&code, from, sizeof(code)))
		return -EFAULT;
	if (code.len != len) /* another thread of the caller changed it */
		return -EINVAL;
	if (copy_from_user(to, u64_to_user_ptr(code.bytes), len))
		return -EFAULT;
	error = verify(to, len, &at);
	if (put_user(at, &from->error_at))
		return -EFAULT;
	return error;
}

int nt_conditions_take(const struct ntrace_break *b, struct nt_conditions **out)
{
	struct ntrace_code __user *codes = u64_to_user_ptr(b->conditions);
	size_t size = struct_size(*out, code, b->nconditions);
	u32 lens[NT_MOST_CONDITIONS];
	struct nt_conditions *c;
	int error = 0;
	u32 i;

	*out = NULL;
	if (b->nconditions > NT_MOST_CONDITIONS)
		return -EINVAL;
	if (!b->nconditions)
		return 0;
	for (i = 0; i < b->nconditions; i++) {
		struct ntrace_code code;

		if (copy_from_user(&code, codes + i, sizeof(code)))
			return -EFAULT;
		if (!code.bytes)
			return -EFAULT;
		if (code.len > NT_MOST_CODE)
			return -E2BIG;
		lens[i] = code.len;
		size += code.len;
	}
	c = kmalloc(size, GFP_KERNEL);
	if (!c)
		return -ENOMEM;
	c->count = b->nconditions;
	size = struct_size(c, code, c->count);
	for (i = 0; i < c->count && !error; i++) {
		c->code[i].at = size;
		c->code[i].len = lens[i];
		error = take_one(codes + i, (u8 *)c + size, lens[i]);
		size += lens[i];
	}
	if (error)
		kfree(c);
	else
		*out = c;
	return error;
}
