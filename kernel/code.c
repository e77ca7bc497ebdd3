// SPDX-License-Identifier: GPL-2.0
/* Bytecode of breakpoints: verified when it comes, kept in one piece, replaced whole. */
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "break.h"
#include "tracing.h"

#define MOST_CODES 64u /* of conditions, and of actions */

static u32 allowed(u32 allow)
{
	if (!nt_feature(NTRACE_F_TRACEPOINTS))
		allow &= ~(NT_AGENT_USE_GETVAR | NT_AGENT_USE_SETVAR);
	return allow;
}

int nt_code_verify(const u8 *code, u32 len, u32 allow, bool result, u32 *uses, u32 *at)
{
	struct nt_agent_limits limits = {
	    .max_len = NT_MOST_CODE,
	    .registers = NT_REGISTERS,
	    .variables = NTRACE_VARIABLES,
	    .allow = allowed(allow),
	    .need_result = result,
	    .work_len = len,
	};
	struct nt_agent_info info = {};
	int error;

	limits.work = kmalloc(max(len, 1u), GFP_KERNEL);
	if (!limits.work)
		return -ENOMEM;
	error = nt_agent_verify(code, len, &limits, &info, at);
	kfree(limits.work);
	*uses |= info.uses;
	return error ? -nt_agent_errno(error) : 0;
}

static int take_one(struct ntrace_code __user *from, struct nt_codes *c, u32 i)
{
	bool condition = i < c->conditions;
	u8 *to = (u8 *)nt_code(c, i);
	struct ntrace_code code;
	u32 at = 0;
	int error;

	if (copy_from_user(&code, from, sizeof(code)))
		return -EFAULT;
	if (code.len != c->code[i].len) /* another thread of the caller changed it */
		return -EINVAL;
	if (copy_from_user(to, u64_to_user_ptr(code.bytes), code.len))
		return -EFAULT;
	error = nt_code_verify(to, code.len,
			       condition ? NT_AGENT_ALLOW_CONDITION : NT_AGENT_ALLOW_COMMAND,
			       condition, &c->uses, &at);
	if (put_user(at, &from->error_at))
		return -EFAULT;
	return error;
}

static int sum(const struct ntrace_code __user *codes, u32 n, u32 *lens, size_t *size)
{
	struct ntrace_code code;
	u32 i;

	for (i = 0; i < n; i++) {
		if (copy_from_user(&code, codes + i, sizeof(code)))
			return -EFAULT;
		if (!code.bytes)
			return -EFAULT;
		if (code.len > NT_MOST_CODE)
			return -E2BIG;
		lens[i] = code.len;
		*size += code.len;
	}
	return 0;
}

int nt_codes_take(const struct ntrace_break *b, struct nt_codes **out)
{
	struct ntrace_code __user *conditions = u64_to_user_ptr(b->conditions);
	struct ntrace_code __user *actions = u64_to_user_ptr(b->actions);
	u32 lens[2 * MOST_CODES], n = b->nconditions + b->nactions, i;
	struct nt_codes *c;
	size_t size, at;
	int error;

	*out = NULL;
	if (b->nconditions > MOST_CODES || b->nactions > MOST_CODES)
		return -EINVAL;
	if (!n)
		return 0;
	at = size = struct_size(c, code, n);
	error = sum(conditions, b->nconditions, lens, &size);
	if (!error)
		error = sum(actions, b->nactions, lens + b->nconditions, &size);
	if (error)
		return error;
	c = kvzalloc(size, GFP_KERNEL_ACCOUNT);
	if (!c)
		return -ENOMEM;
	refcount_set(&c->ref, 1);
	c->conditions = b->nconditions;
	c->actions = b->nactions;
	for (i = 0; i < n && !error; i++) {
		c->code[i].at = at;
		c->code[i].len = lens[i];
		at += lens[i];
		error = take_one(i < c->conditions ? conditions + i : actions + i - c->conditions,
				 c, i);
	}
	if (error)
		kvfree(c);
	else
		*out = c;
	return error;
}

struct nt_codes *nt_codes_of(struct nt_break *b)
{
	struct nt_codes *c;

	rcu_read_lock();
	do /* what has no reference any more was replaced before */
		c = rcu_dereference(b->codes);
	while (c && !refcount_inc_not_zero(&c->ref));
	rcu_read_unlock();
	return c;
}

void nt_codes_put(struct nt_codes *c)
{
	if (c && refcount_dec_and_test(&c->ref))
		kvfree_rcu(c, rcu);
}

bool nt_codes_served(const struct nt_codes *c, struct nt_engine *e)
{
	const u32 variables = NT_AGENT_USE_GETVAR | NT_AGENT_USE_SETVAR;

	return !c || !(c->uses & variables) || nt_tracing_make(e);
}

bool nt_codes_lock(struct nt_break *b, const struct nt_codes *c)
{
	return !(c->uses & NT_AGENT_USE_SETVAR) ||
	       !mutex_lock_killable(&nt_tracing(b->proc->engine)->mutex);
}

void nt_codes_unlock(struct nt_break *b, const struct nt_codes *c)
{
	if (c->uses & NT_AGENT_USE_SETVAR)
		mutex_unlock(&nt_tracing(b->proc->engine)->mutex);
}
