// SPDX-License-Identifier: GPL-2.0
/*
 * Instructions executed away from their place, so that a breakpoint stays armed
 * while threads pass it: emulated, or in a slot that jumps back by itself, or
 * stepped in a slot. No thread's state says that it is in a slot: its pc does.
 */
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/kthread.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/workqueue.h>

#include "break.h"

/* A branch of 32 bits reaches 2 GiB: half of it for the slot, half for operands. */
#define NT_REACH (1ul << 30)
#define NT_TRIES 4

/* ---- areas ----------------------------------------------------------------- */
struct mapping {
	struct work_struct work;
	struct mm_struct *mm;
	unsigned long addr;
	unsigned long got;
};

static void map_area(struct work_struct *work)
{
	struct mapping *map = container_of(work, struct mapping, work);

	kthread_use_mm(map->mm);
	map->got = vm_mmap(NULL, map->addr, PAGE_SIZE, PROT_READ | PROT_EXEC,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, 0);
	kthread_unuse_mm(map->mm);
}

/*
 * A free page near addr: at the top of the nearest hole, so that neither the
 * heap below nor a stack above grows into it soon. 0: none.
 */
static unsigned long find_hole(struct mm_struct *mm, unsigned long addr)
{
	unsigned long lo = max(addr > NT_REACH ? addr - NT_REACH : 0, 1ul << 16);
	unsigned long hi = addr + NT_REACH;
	unsigned long best = 0, distance = ULONG_MAX;
	struct vm_area_struct *vma;

	mmap_read_lock(mm);
	while (lo < hi && (vma = find_vma(mm, lo))) {
		unsigned long top = vma->vm_start - PAGE_SIZE;
		unsigned long off = top > addr ? top - addr : addr - top;

		if (vma->vm_start > lo && vma->vm_start - lo >= 2 * PAGE_SIZE && top < hi &&
		    !(vma->vm_flags & VM_GROWSDOWN) && off < distance) {
			best = top;
			distance = off;
		}
		lo = max(vma->vm_end, lo + PAGE_SIZE);
	}
	mmap_read_unlock(mm);
	return best & PAGE_MASK;
}

static struct nt_area *new_area(struct nt_mm *m, unsigned long addr)
{
	struct nt_area *area = kzalloc(sizeof(*area), GFP_KERNEL);
	struct mapping map = {.mm = m->mm};
	int tries;

	if (!area || !mmget_not_zero(m->mm)) {
		kfree(area);
		return NULL;
	}
	INIT_WORK_ONSTACK(&map.work, map_area);
	for (tries = 0; tries < NT_TRIES; tries++) {
		map.addr = find_hole(m->mm, addr);
		if (!map.addr)
			break;
		queue_work(system_unbound_wq, &map.work);
		flush_work(&map.work);
		if (map.got == map.addr)
			break;
	}
	destroy_work_on_stack(&map.work);
	mmput(m->mm);
	if (!map.addr || map.got != map.addr) {
		kfree(area);
		return NULL;
	}
	area->start = map.addr;
	list_add_rcu(&area->link, &m->areas);
	WRITE_ONCE(m->slot_lo, min(m->slot_lo, area->start));
	WRITE_ONCE(m->slot_hi, max(m->slot_hi, area->start + PAGE_SIZE));
	return area;
}

static struct nt_area *area_near(struct nt_mm *m, unsigned long addr)
{
	struct nt_area *area;

	list_for_each_entry(area, &m->areas, link) {
		unsigned long off = area->start > addr ? area->start - addr : addr - area->start;

		if (off <= NT_REACH && area->used < NT_AREA_SLOTS)
			return area;
	}
	return new_area(m, addr);
}

void nt_slot_free(struct nt_mm *m)
{
	struct nt_area *area, *next;
	struct hlist_node *after;
	struct nt_plan *plan;
	unsigned int bucket;

	hash_for_each_safe(m->plans, bucket, after, plan, link)
		kfree(plan);
	list_for_each_entry_safe(area, next, &m->areas, link)
		kfree(area);
}

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
		if (nt_mem_write(m->mm, ool->slot, ool->code, ool->code_length) !=
		    ool->code_length) {
			kfree(plan);
			return NULL;
		}
		rcu_assign_pointer(area->plans[area->used++], plan);
	}
	hash_add_rcu(m->plans, &plan->link, ool->addr);
	return plan;
}

struct nt_plan *nt_plan_get(struct nt_mm *m, unsigned long addr, const u8 *bytes, u32 len)
{
	struct nt_plan *plan = nt_plan_find(m, addr, bytes, len);
	struct nt_area *area;

	if (plan)
		return plan;
	plan = new_plan(bytes, len);
	if (!plan)
		return NULL;
	area = area_near(m, addr);
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
	area = area_near(m, addr);
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
	struct nt_area *area;

	if (pc < READ_ONCE(m->slot_lo) || pc >= READ_ONCE(m->slot_hi))
		return NULL;
	list_for_each_entry_rcu(area, &m->areas, link)
		if (pc - area->start < PAGE_SIZE)
			return rcu_dereference(area->plans[(pc - area->start) / NT_OOL_SLOT]);
	return NULL;
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

enum nt_over nt_slot_over(struct nt_plan *plan, struct pt_regs *regs, bool step,
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
	if (ool->slot_cls == NT_OOL_REFUSE || ool->mode64 != nt_arch_mode64(regs))
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
