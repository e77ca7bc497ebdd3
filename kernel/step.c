// SPDX-License-Identifier: GPL-2.0
/* Single steps and range steps: each belongs to the engine that asked. */
#include <linux/rculist.h>
#include <linux/uaccess.h>

#include "break.h"

bool nt_step_wanted(struct nt_task *t)
{
	struct nt_att *a;

	if (!t->trap.stepping)
		return false;
	if (!list_empty(&t->trap.collecting))
		return true;
	list_for_each_entry_rcu(a, &t->atts, in_task)
		if (READ_ONCE(a->step.action))
			return true;
	return false;
}

static bool ended(const struct nt_step *step, unsigned long pc)
{
	switch (READ_ONCE(step->action)) {
	case NTRACE_ACT_STEP:
		return true;
	case NTRACE_ACT_RANGE:
		return pc < step->lo || pc >= step->hi;
	}
	return false;
}

bool nt_step_ended(struct nt_task *t, unsigned long pc)
{
	struct nt_att *a;

	if (!list_empty(&t->trap.collecting))
		return true;
	list_for_each_entry_rcu(a, &t->atts, in_task)
		if (ended(&a->step, pc))
			return true;
	return false;
}

/* As much of an instruction as can be read. */
static u32 read_insn(struct nt_mm *m, unsigned long pc, u8 *bytes, bool sleep)
{
	u32 len = min_t(unsigned long, NT_INSN_MAX, PAGE_SIZE - offset_in_page(pc));
	const u8 __user *from = (const u8 __user *)pc;
	unsigned long begun = nt_shadow_begin(m);

	if (sleep) {
		if (copy_from_user(bytes, from, len))
			return 0;
		if (len < NT_INSN_MAX &&
		    !copy_from_user(bytes + len, from + len, NT_INSN_MAX - len))
			len = NT_INSN_MAX;
	} else {
		if (copy_from_user_nofault(bytes, from, len))
			return 0;
		if (len < NT_INSN_MAX &&
		    !copy_from_user_nofault(bytes + len, from + len, NT_INSN_MAX - len))
			len = NT_INSN_MAX;
	}
	if (m) {
		rcu_read_lock();
		nt_shadow_rcu(m, pc, bytes, len, begun);
		rcu_read_unlock();
	}
	return len;
}

/* The plan of a system call: a step in place would end one instruction late. */
static struct nt_plan *plan_call(struct nt_mm *m, struct pt_regs *regs, unsigned long pc,
				 const u8 *bytes, u32 len, bool sleep)
{
	struct nt_plan *plan;

	if (!sleep) {
		plan = m && !READ_ONCE(m->lost) ? nt_plan_find(m, pc, bytes, len) : NULL;
		return plan && plan->ool.slot_cls != NT_OOL_REFUSE ? plan : NULL;
	}
	m = nt_mm_make(current->mm, nt_arch_mode64(regs));
	if (!m)
		return NULL;
	mutex_lock(&m->mutex);
	plan = nt_plan_get(m, pc, bytes, len, true);
	mutex_unlock(&m->mutex);
	nt_mm_put(m); /* the record, and the plan with it, stays while current has this memory */
	return plan;
}

void nt_step_return(struct nt_task *t, struct pt_regs *regs)
{
	struct nt_plan *plan;
	struct nt_mm *m;

	if (!nt_arch_sigreturn(regs, &t->trap.back))
		return;
	m = nt_mm_find(current->mm);
	if (!m) {
		t->trap.back.frame = 0;
		return;
	}
	mutex_lock(&m->mutex);
	plan = nt_plan_jump(m, t->trap.back.pc);
	mutex_unlock(&m->mutex);
	nt_mm_put(m);
	if (!plan || nt_arch_sigreturn_to(&t->trap.back, plan->ool.slot))
		t->trap.back.frame = 0;
}

bool nt_step_start(struct nt_task *t, struct nt_mm *m, struct pt_regs *regs, bool sleep)
{
	unsigned long back = nt_arch_restart(regs);
	unsigned long pc = instruction_pointer(regs) - back;
	struct nt_trap *trap = &t->trap;
	struct nt_arch_insn insn;
	u8 bytes[NT_INSN_MAX];
	struct nt_site *s;
	u32 len;

	trap->pushes_flags = trap->pops_flags = false;
	rcu_read_lock();
	s = m ? nt_site_find(m, pc) : NULL;
	rcu_read_unlock();
	if (s && READ_ONCE(s->armed)) {
		nt_arch_step_on(regs);
		return true; /* its int3 comes first */
	}
	len = read_insn(m, pc, bytes, sleep);
	if (!len && !sleep)
		return false;
	nt_arch_classify(bytes, len, nt_arch_mode64(regs), &insn);
	if (insn.system_call) {
		struct nt_plan *plan = plan_call(m, regs, pc, bytes, len, sleep);

		if (!plan && !sleep)
			return false;
		if (!sleep && nt_arch_is_sigreturn(regs))
			return false;
		if (plan && plan->ool.slot_cls != NT_OOL_REFUSE)
			instruction_pointer_set(regs, plan->ool.slot + back);
		nt_step_return(t, regs);
	}
	trap->pushes_flags = insn.pushes_flags;
	trap->pops_flags = insn.pops_flags;
	nt_arch_step_on(regs);
	return true;
}

void nt_step_arm(struct nt_task *t, struct nt_att *a)
{
	a->step.lo = a->lo;
	a->step.hi = a->hi;
	a->step.count = 0;
	a->step.after = NT_FENCE_WALK;
	t->trap.pending &= ~NT_TRAP_PROBE; /* that was before */
	WRITE_ONCE(a->step.action, NTRACE_ACT_STEP);
	if (a->lo < a->hi)
		WRITE_ONCE(a->step.action, NTRACE_ACT_RANGE);
	t->trap.stepping = true;
}

void nt_step_cancel(struct nt_task *t, struct nt_att *a)
{
	WRITE_ONCE(a->step.action, 0);
}

void nt_step_forget(struct nt_task *t, struct nt_engine *e)
{
	struct nt_att *a;

	rcu_read_lock();
	a = nt_att_of(e, t);
	if (a)
		WRITE_ONCE(a->step.action, 0);
	rcu_read_unlock();
}

bool nt_step_report(struct nt_task *t)
{
	struct nt_att *a = NULL;
	struct nt_event ev;
	bool told = false;

	nt_event_init(&ev, t, NTRACE_EV_STEP, true);
	while ((a = nt_att_next(t, a)))
		if (ended(&a->step, ev.r.pc)) {
			WRITE_ONCE(a->step.action, 0);
			nt_post_stop(a, &ev);
			told = true;
		}
	return told;
}
