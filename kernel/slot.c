// SPDX-License-Identifier: GPL-2.0
/*
 * Instructions executed away from their place, so that a breakpoint stays armed
 * while threads pass it: emulated, or in a slot that jumps back by itself, or
 * stepped in a slot. No thread's state says that it is in a slot: its pc does.
 */
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "break.h"

/* ---- plans ----------------------------------------------------------------- */
struct nt_plan *nt_plan_find(struct nt_mm *m, unsigned long addr, const u8 *bytes, u32 len)
{
	struct nt_plan *plan;

	hash_for_each_possible_rcu(m->plans, plan, link, addr, lockdep_is_held(&m->mutex))
		if (plan->ool.addr == addr && plan->len == len &&
		    !memcmp(plan->bytes, bytes, plan->ool.length ?: len))
			return plan;
	return NULL;
}

/*
 * A system call that jumps back by itself, where the planner's would trap: a
 * thread may sleep in it for ever, and shall need nobody when it wakes. Its
 * rcx, which nothing may rely on, tells of the slot.
 */
static void boost_system_call(struct nt_ool_plan *ool)
{
	nt_arch_jump_back(ool);
	ool->mark_count = 2;
	ool->slot_cls = NT_OOL_BOOST;
	ool->cls = NT_OOL_BOOST;
}

static struct nt_plan *new_plan(const u8 *bytes, u32 len)
{
	struct nt_plan *plan = kzalloc(sizeof(*plan), GFP_KERNEL);

	if (!plan)
		return NULL;
	memcpy(plan->bytes, bytes, len);
	plan->len = len;
	return plan;
}

static unsigned long next_slot(const struct nt_area *area)
{
	return area ? area->start + area->used * NT_OOL_SLOT : 0;
}

/* Writes the code of a plan and makes it known; frees it if that fails. */
static struct nt_plan *publish(struct nt_mm *m, struct nt_area *area, struct nt_plan *plan)
{
	const struct nt_ool_plan *ool = &plan->ool;

	if (ool->slot_cls != NT_OOL_REFUSE) {
		if (nt_text_write(m->mm, ool->slot, ool->code, ool->code_length) !=
		    ool->code_length) {
			kfree(plan);
			return NULL;
		}
		rcu_assign_pointer(area->plans[area->used++], plan);
	}
	hash_add_rcu(m->plans, &plan->link, ool->addr);
	return plan;
}

struct nt_plan *nt_plan_get(struct nt_mm *m, unsigned long addr, const u8 *bytes, u32 len,
			    bool must)
{
	struct nt_plan *known = nt_plan_find(m, addr, bytes, len), *plan;
	bool wish = must || !m->no_areas;
	struct nt_area *area;

	if (known && (known->ool.reason != NT_OOL_NO_SLOT || !wish))
		return known;
	area = wish ? nt_area_near(m, addr) : NULL;
	if (known && !area)
		return known;
	plan = new_plan(bytes, len);
	if (!plan)
		return NULL;
	nt_ool_plan(bytes, len, addr, next_slot(area), m->mode64, &plan->ool);
	if (plan->ool.flags & NT_OOL_TRAPS)
		boost_system_call(&plan->ool);
	return publish(m, area, plan);
}

struct nt_plan *nt_plan_jump(struct nt_mm *m, unsigned long addr)
{
	struct nt_plan *plan = nt_plan_find(m, addr, NULL, 0);
	struct nt_ool_plan *ool;
	struct nt_area *area;

	if (plan)
		return plan;
	area = nt_area_near(m, addr);
	plan = area ? new_plan(NULL, 0) : NULL;
	if (!plan)
		return NULL;
	ool = &plan->ool;
	ool->addr = ool->next = addr;
	ool->slot = next_slot(area);
	ool->mode64 = m->mode64;
	ool->slot_cls = ool->cls = NT_OOL_BOOST;
	ool->marks[0] = (struct nt_ool_mark){.pc = addr, .done = 1};
	nt_arch_jump_back(ool);
	ool->mark_count = 1;
	return publish(m, area, plan);
}

struct nt_plan *nt_plan_at(struct nt_mm *m, unsigned long pc)
{
	struct nt_area *area = nt_area_at(m, pc);

	return area ? rcu_dereference(area->plans[(pc - area->start) / NT_OOL_SLOT]) : NULL;
}

void nt_plan_forget(struct nt_mm *m, struct nt_plan *plan)
{
	struct nt_site *s = nt_site_find(m, plan->ool.addr);

	hash_del_rcu(&plan->link);
	if (s && rcu_access_pointer(s->plan) == plan)
		RCU_INIT_POINTER(s->plan, NULL);
}

void nt_plan_free(struct nt_mm *m)
{
	struct hlist_node *after;
	struct nt_plan *plan;
	unsigned int bucket;

	hash_for_each_safe(m->plans, bucket, after, plan, link)
		kfree(plan);
}

/* ---- threads --------------------------------------------------------------- */
static int read_nofault(void *context, u64 addr, void *to, u32 size)
{
	return copy_from_user_nofault(to, (const void __user *)(unsigned long)addr, size);
}

static int write_nofault(void *context, u64 addr, const void *from, u32 size)
{
	return copy_to_user_nofault((void __user *)(unsigned long)addr, from, size);
}

static int read_sleeping(void *context, u64 addr, void *to, u32 size)
{
	return copy_from_user(to, (const void __user *)(unsigned long)addr, size) ? -EFAULT : 0;
}

static int write_sleeping(void *context, u64 addr, const void *from, u32 size)
{
	return copy_to_user((void __user *)(unsigned long)addr, from, size) ? -EFAULT : 0;
}

const struct nt_ool_ops nt_ool_nofault = {.read = read_nofault, .write = write_nofault};
const struct nt_ool_ops nt_ool_sleeping = {.read = read_sleeping, .write = write_sleeping};

enum nt_over nt_slot_over(struct nt_mm *m, struct nt_plan *plan, struct pt_regs *regs, bool step,
			  const struct nt_ool_ops *ops)
{
	const struct nt_ool_plan *ool = &plan->ool;

	if (ool->reason == NT_OOL_TRAP && plan->bytes[0] == NT_BREAK_BYTE) {
		instruction_pointer_set(regs, ool->next);
		return NT_OVER_TRAP;
	}
	if (ool->cls == NT_OOL_EMULATE) {
		struct nt_ool_regs o;

		nt_arch_to_ool(regs, &o);
		if (nt_ool_emulate(ool, &o, ops)) {
			nt_arch_from_ool(&o, regs);
			return NT_OVER_DONE;
		}
	}
	if (ool->slot_cls == NT_OOL_REFUSE || ool->mode64 != nt_arch_mode64(regs) ||
	    READ_ONCE(m->lost))
		return NT_OVER_FAIL;
	instruction_pointer_set(regs, ool->slot);
	if (step || ool->slot_cls == NT_OOL_STEP)
		nt_arch_step_on(regs);
	return NT_OVER_SLOT;
}

u8 nt_slot_rewind(struct nt_mm *m, struct pt_regs *regs, struct nt_plan **plan)
{
	struct nt_ool_regs o;
	u8 result;

	*plan = nt_plan_at(m, instruction_pointer(regs));
	if (!*plan)
		return NT_OOL_ELSEWHERE;
	nt_arch_to_ool(regs, &o);
	result = nt_ool_rewind(&(*plan)->ool, &o);
	if (result != NT_OOL_ELSEWHERE)
		nt_arch_from_ool(&o, regs);
	return result;
}

/* A call through memory has left the slot, but its return address tells. */
static struct nt_plan *plan_left(struct nt_mm *m, const struct nt_ool_regs *o)
{
	struct nt_plan *plan = nt_plan_at(m, nt_arch_call_trace(o));
	u64 word = 0;

	if (plan && plan->ool.flags & NT_OOL_SYSCALL && o->ip == plan->ool.next)
		return plan;
	if (read_nofault(NULL, nt_arch_stack(o), &word, m->mode64 ? 8 : 4))
		return NULL;
	plan = nt_plan_at(m, word);
	return plan && plan->ool.flags & NT_OOL_CALLS ? plan : NULL;
}

u8 nt_slot_fixup(struct nt_mm *m, struct pt_regs *regs, bool own_tf, struct nt_plan **plan)
{
	struct nt_ool_regs o;
	u8 result;

	if (list_empty(&m->areas))
		return NT_OOL_ELSEWHERE;
	nt_arch_to_ool(regs, &o);
	*plan = nt_plan_at(m, o.ip) ?: plan_left(m, &o);
	if (!*plan)
		return NT_OOL_ELSEWHERE;
	if (nt_arch_call_done(&(*plan)->ool, &o, own_tf)) {
		result = NT_OOL_DONE;
	} else {
		result =
		    nt_ool_fixup(&(*plan)->ool, &o, &nt_ool_nofault, own_tf ? NT_OOL_OWN_TF : 0);
	}
	if (result == NT_OOL_BEFORE || result == NT_OOL_DONE)
		nt_arch_from_ool(&o, regs);
	return result;
}
