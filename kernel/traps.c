// SPDX-License-Identifier: GPL-2.0
/*
 * Traps of threads: what happened, in the exception itself, where nothing may
 * sleep; and what it means, later, in the thread's work.
 */
#include <linux/sched/task_stack.h>
#include <linux/signal.h>
#include <linux/tracepoint.h>
#include <linux/uaccess.h>

#include "break.h"
#include "hook.h"

/* Stands before a site that is to be passed in silence. */
static void stand_at(struct nt_trap *trap, unsigned long addr, u32 generation)
{
	trap->at = addr;
	trap->at_generation = generation;
}

static bool passes(struct nt_trap *trap, struct nt_site *s, const struct pt_regs *regs)
{
	unsigned int i;

	for (i = 0; i < NT_PASSES; i++) {
		struct nt_pass *pass = &trap->passes[i];

		if (pass->addr != s->addr || pass->generation != READ_ONCE(s->generation) ||
		    !nt_arch_pass_same(regs, pass->words))
			continue;
		pass->addr = 0;
		return true;
	}
	return false;
}

/* ---- in the exception ------------------------------------------------------ */
/* One instruction of the current thread is done. */
static void stepped(struct nt_task *t, struct nt_mm *m, struct pt_regs *regs)
{
	if (nt_step_ended(t, instruction_pointer(regs))) {
		t->trap.pending |= NT_TRAP_STEP;
		nt_task_kick(t, false);
	} else if (nt_fence_due(t) || !nt_step_start(t, m, regs, false)) {
		nt_task_kick(t, false); /* its work goes on with it */
	}
}

static bool may_be_probed(void)
{
	return nt_mm_probed(current->mm) || (current->utask && current->utask->return_instances);
}

/*
 * The program's own breakpoint, or a uprobe's. Uprobes execute the instruction below theirs
 * on the way to the program, before the work: emulated, or in a step of their own, which a
 * trap flag of ours would make a SIGTRAP of the program's.
 */
static enum nt_owner_of_trap not_ours(struct nt_task *t, struct pt_regs *regs)
{
	if (t && nt_step_wanted(t) && may_be_probed()) {
		nt_arch_step_off(regs);
		t->trap.pending |= NT_TRAP_PROBE;
		nt_task_kick(t, false);
	}
	return NT_TRAP_FOREIGN;
}

static enum nt_owner_of_trap pass_over(struct nt_task *t, struct nt_mm *m, struct nt_site *s,
				       struct pt_regs *regs)
{
	struct nt_plan *plan = rcu_dereference(s->plan);
	bool stepping = t && nt_step_wanted(t);
	struct nt_task *fresh = NULL;

	nt_arch_step_off(regs);
	if (!plan)
		goto later;
	if (stepping && plan->ool.flags & NT_OOL_SYSCALL && nt_arch_is_sigreturn(regs))
		goto later;
	switch (nt_slot_over(m, plan, regs, stepping, &nt_ool_nofault)) {
	case NT_OVER_DONE:
		if (stepping)
			stepped(t, m, regs);
		return NT_TRAP_OURS;
	case NT_OVER_SLOT:
		return NT_TRAP_OURS;
	case NT_OVER_TRAP:
		return not_ours(t, regs);
	case NT_OVER_FAIL:
		break;
	}
later:
	if (!t)
		t = fresh = nt_task_make(current, GFP_ATOMIC);
	if (t) {
		stand_at(&t->trap, s->addr, s->generation);
		nt_task_kick(t, false);
	}
	if (fresh) {
		nt_task_unpin(fresh);
		nt_task_put(fresh);
	}
	return NT_TRAP_OURS; /* without memory for it, it tries again */
}

/* Is the thread caught at the end of its range? */
static bool is_caught(struct nt_task *t, struct nt_site *s)
{
	return t && t->trap.fence_mm && READ_ONCE(s->fences) && nt_step_wanted(t);
}

enum nt_owner_of_trap nt_trap_breakpoint(struct pt_regs *regs, unsigned long addr)
{
	struct nt_mm *m = nt_mm_get_rcu(current->mm);
	struct nt_site *s = m ? nt_site_find(m, addr) : NULL;
	struct nt_task *t = nt_task_get_rcu(current);
	bool caught;
	u8 byte;

	if (!s)
		return not_ours(t, regs);
	if (!READ_ONCE(s->armed)) {
		/* removed after it was hit, or the program's own */
		if (!copy_from_user_nofault(&byte, (const void __user *)addr, 1) &&
		    byte == NT_BREAK_BYTE)
			return not_ours(t, regs);
		instruction_pointer_set(regs, addr);
		return NT_TRAP_OURS;
	}
	instruction_pointer_set(regs, addr);
	caught = is_caught(t, s);
	if (caught) {
		stand_at(&t->trap, s->addr, s->generation);
		t->trap.pending |= NT_TRAP_STEP; /* if that is where it ends */
		nt_task_kick(t, false);
	}
	if (t && !passes(&t->trap, s, regs) && nt_break_wanted(t, s, regs)) {
		t->trap.pending |= NT_TRAP_HIT;
		nt_task_kick(t, false);
		return NT_TRAP_OURS;
	}
	return caught ? NT_TRAP_OURS : pass_over(t, m, s, regs);
}

/* What a step in place has left behind. */
static void clean_up(struct nt_trap *trap, const struct pt_regs *regs)
{
	if (trap->pushes_flags)
		nt_arch_clean_pushed(regs);
	if (trap->pops_flags)
		nt_arch_step_forget();
	trap->pushes_flags = trap->pops_flags = false;
}

enum nt_owner_of_trap nt_trap_step(struct pt_regs *regs)
{
	struct nt_mm *m = nt_mm_get_rcu(current->mm);
	struct nt_task *t = nt_task_get_rcu(current);
	struct nt_plan *plan = NULL;
	u8 result = NT_OOL_ELSEWHERE;
	bool own, theirs, wanted;

	if (t && t->trap.back.frame)
		nt_arch_sigreturn_claim(&t->trap.back, regs);
	own = nt_arch_own_step(regs);
	if (nt_in_probe()) {
		if (t && t->trap.put_off)
			nt_task_kick(t, false);
		return NT_TRAP_FOREIGN;
	}
	if (m)
		result = nt_slot_fixup(m, regs, own, &plan);
	if (result == NT_OOL_AGAIN)
		return NT_TRAP_OURS;
	if (!nt_arch_stepping() && (!t || !t->trap.stepping))
		return NT_TRAP_FOREIGN;
	if (t)
		t->trap.back.frame = 0;
	if (t && t->trap.lifted)
		nt_task_kick(t, false);
	if (plan && plan->ool.flags & NT_OOL_POPS_F && result == NT_OOL_DONE)
		nt_arch_step_forget();
	else if (t && result == NT_OOL_ELSEWHERE)
		clean_up(&t->trap, regs);
	theirs = own || test_thread_flag(TIF_SINGLESTEP);
	wanted = t && nt_step_wanted(t);
	if (result == NT_OOL_BEFORE && !theirs && !wanted) {
		instruction_pointer_set(regs, plan->ool.slot);
		return NT_TRAP_OURS;
	}
	nt_arch_step_off(regs);
	if (wanted) {
		if (result == NT_OOL_BEFORE) /* a repeated instruction goes on in the slot */
			stand_at(&t->trap, plan->ool.addr, 0);
		stepped(t, m, regs);
	}
	return theirs ? NT_TRAP_FOREIGN : NT_TRAP_OURS;
}

/* The system call that was to be stepped has not begun. */
static void undo_return(struct nt_trap *trap, u8 result)
{
	if (trap->back.frame && result == NT_OOL_BEFORE)
		nt_arch_sigreturn_undo(&trap->back);
	trap->back.frame = 0;
}

/* ---- a signal comes -------------------------------------------------------- */
static void remember_pass(struct nt_trap *trap, struct nt_site *s, const struct pt_regs *regs)
{
	struct nt_pass *pass = &trap->passes[trap->pass_next++ % NT_PASSES];

	pass->addr = s->addr;
	pass->generation = s->generation;
	nt_arch_pass_save(regs, pass->words);
}

/* Of faults, whose instruction was tried. */
#define SYNCHRONOUS_MASK                                                                           \
	(sigmask(SIGSEGV) | sigmask(SIGBUS) | sigmask(SIGILL) | sigmask(SIGTRAP) |                 \
	 sigmask(SIGFPE) | sigmask(SIGSYS))

/* A ptracer may let a thread that engines hold have its signal: what they read of its registers
 * before would, written back, take it out of the handler.
 */
static void renew_registers(struct nt_task *t)
{
	struct nt_att *a;

	list_for_each_entry_rcu(a, &t->atts, in_task)
		WRITE_ONCE(a->renewed, true);
}

/* Before the frame of a handler is built; siglock is held. */
static void on_signal(void *data, int sig, struct kernel_siginfo *info, struct k_sigaction *ka)
{
	struct pt_regs *regs = current_pt_regs();
	bool handled = ka->sa.sa_handler != SIG_DFL && ka->sa.sa_handler != SIG_IGN;
	struct nt_plan *plan = NULL;
	struct nt_site *s = NULL;
	u8 result = NT_OOL_ELSEWHERE;
	struct nt_task *t;
	struct nt_mm *m;

	if ((!atomic_read(&nt_mms) && !atomic_read(&nt_tasks)) || !current->mm)
		return;
	rcu_read_lock();
	t = nt_task_get_rcu(current);
	m = nt_mm_get_rcu(current->mm);
	if (m)
		result = nt_slot_rewind(m, regs, &plan);
	if (m && t && (result == NT_OOL_BEFORE || t->trap.at == instruction_pointer(regs)))
		s = nt_site_find(m, instruction_pointer(regs));
	if (t && t->trap.lifted && !(sigmask(sig) & SYNCHRONOUS_MASK) &&
	    t->trap.lifted->addr == instruction_pointer(regs))
		s = t->trap.lifted; /* not executed either */
	if (s)
		remember_pass(&t->trap, s, regs);
	if (t && t->trap.back.frame)
		undo_return(&t->trap, result);
	if (t && t->trap.lifted)
		nt_task_kick(t, false);
	if (t && handled)
		renew_registers(t);
	if (t && handled && nt_step_wanted(t)) {
		/* begun or still to be: it ends at the first instruction of the handler */
		t->trap.at = 0;
		t->trap.pending |= NT_TRAP_STEP;
		nt_task_kick(t, false);
	}
	if (handled && (nt_arch_stepping() || (t && t->trap.fence_mm)))
		nt_arch_step_off(regs);
	rcu_read_unlock();
}

/* ---- in the thread's own context ------------------------------------------- */
void nt_trap_enter(struct nt_task *t)
{
	struct pt_regs *regs = current_pt_regs();
	unsigned long back = nt_arch_restart(regs);
	struct nt_plan *plan = NULL;
	struct nt_site *s;
	struct nt_mm *m;
	u8 result;

	rcu_read_lock();
	m = nt_mm_get_rcu(current->mm);
	result = m ? nt_slot_rewind(m, regs, &plan) : NT_OOL_ELSEWHERE;
	if (result == NT_OOL_BEFORE || (result == NT_OOL_DONE && back)) {
		s = nt_site_find(m, plan->ool.addr);
		if (s)
			stand_at(&t->trap, s->addr, s->generation);
	} else if (result == NT_OOL_DONE && nt_step_wanted(t)) {
		t->trap.pending |= NT_TRAP_STEP;
	}
	if (t->trap.back.frame)
		undo_return(&t->trap, result);
	if (nt_arch_stepping())
		nt_arch_step_off(regs);
	if (!t->working && (result != NT_OOL_ELSEWHERE || t->trap.stepping))
		nt_task_kick(t, false); /* nt_trap_leave() has something to do */
	rcu_read_unlock();
}

unsigned long nt_trap_pc(struct mm_struct *mm, unsigned long pc)
{
	struct nt_plan *plan;
	struct nt_mm *m;

	rcu_read_lock();
	m = nt_mm_get_rcu(mm);
	plan = m ? nt_plan_at(m, pc) : NULL;
	if (plan)
		pc = nt_ool_address(&plan->ool, pc);
	rcu_read_unlock();
	return pc;
}

void nt_trap_show(struct nt_task *t, void *prstatus, size_t len)
{
	unsigned long pc = instruction_pointer(task_pt_regs(t->task));

	nt_arch_show_pc(t->task, prstatus, len, nt_trap_pc(READ_ONCE(t->task->mm), pc));
}

void nt_trap_pause(struct nt_task *t)
{
	struct nt_trap *trap = &t->trap;

	if (trap->lift_mm) {
		if (instruction_pointer(current_pt_regs()) == trap->lifted->addr)
			stand_at(trap, trap->lifted->addr, trap->lifted->generation);
		nt_break_lower(t);
	}
	nt_fence_lift(t);
}

void nt_trap_dead(struct nt_task *t)
{
	struct nt_mm *m, *leaves;
	unsigned long flags;

	spin_lock_irqsave(&t->lock, flags);
	leaves = t->leaves;
	t->leaves = NULL;
	spin_unlock_irqrestore(&t->lock, flags);
	if (leaves)
		nt_area_left(leaves);
	nt_lift_orphan(t);
	m = t->trap.fence_mm;
	if (m)
		nt_mm_settle(m);
}

void nt_trap_free(struct nt_task *t)
{
	if (t->leaves)
		nt_mm_put(t->leaves);
	if (t->trap.fence_mm)
		nt_mm_put(t->trap.fence_mm);
	nt_trace_prune(t, true);
}

void nt_trap_abandon(struct nt_task *t)
{
	nt_arch_step_abandon(t->task);
	nt_lift_orphan(t);
}

bool nt_trap_work(struct nt_task *t)
{
	struct nt_trap *trap = &t->trap;
	bool told = false;

	nt_trap_enter(t);
	nt_trap_pause(t);
	if (trap->pending & NT_TRAP_PROBE && !nt_signal_trapped(t))
		trap->pending |= NT_TRAP_STEP;
	if (trap->pending & NT_TRAP_STEP)
		nt_trace_steps(t);
	nt_trace_prune(t, false);
	if (trap->pending & NT_TRAP_HIT)
		told |= nt_break_hit(t);
	if (trap->pending & NT_TRAP_WATCH)
		told |= nt_watch_hit(t);
	if (trap->pending & NT_TRAP_STEP)
		told |= nt_step_report(t);
	trap->pending = 0;
	if (told)
		nt_park(t);
	return true;
}

/* Away from its place, or else in it. */
static bool execute(struct nt_task *t, struct nt_mm *m, struct nt_site *s, struct pt_regs *regs,
		    bool stepping)
{
	unsigned long back = nt_arch_restart(regs);
	struct nt_arch_insn insn = {};
	struct nt_plan *plan;

	rcu_read_lock();
	plan = rcu_dereference(s->plan);
	rcu_read_unlock();
	/* it stays while the thread is in its work */
	plan = plan ?: nt_site_plan(m, s, false);
	if (!plan)
		goto in_place;
	nt_arch_classify(plan->bytes, plan->len, nt_arch_mode64(regs), &insn);
	if (insn.sleeps && plan->ool.reason == NT_OOL_NO_SLOT)
		plan = nt_site_plan(m, s, true) ?: plan;
	if (stepping && plan->ool.flags & NT_OOL_SYSCALL)
		nt_step_return(t, regs);
	switch (nt_slot_over(m, plan, regs, stepping, &nt_ool_sleeping)) {
	case NT_OVER_DONE:
		if (!stepping)
			return true;
		rcu_read_lock();
		stepped(t, m, regs);
		rcu_read_unlock();
		return true;
	case NT_OVER_SLOT:
		instruction_pointer_set(regs, instruction_pointer(regs) + back);
		return true;
	case NT_OVER_TRAP:
		/* not told once more, and then it is whose it was */
		instruction_pointer_set(regs, s->addr);
		remember_pass(&t->trap, s, regs);
		if (stepping)
			nt_arch_step_on(regs);
		return true;
	case NT_OVER_FAIL:
		break;
	}
in_place:
	/* the others cannot wait for what may sleep */
	if (!nt_break_lift(t, m, s, plan && !insn.sleeps))
		return false;
	nt_arch_step_on(regs);
	return true;
}

/* Over the site it stands at; what is left is the step of the next instruction. */
static bool leave_site(struct nt_task *t, struct nt_mm *m, struct pt_regs *regs, bool stepping)
{
	struct nt_trap *trap = &t->trap;
	struct nt_site *s;

	rcu_read_lock();
	s = nt_site_find(m, trap->at);
	if (s &&
	    !(READ_ONCE(s->armed) && instruction_pointer(regs) - nt_arch_restart(regs) == s->addr &&
	      (!trap->at_generation || trap->at_generation == s->generation)))
		s = NULL;
	rcu_read_unlock();
	trap->at = 0;
	return s && execute(t, m, s, regs, stepping);
}

void nt_trap_leave(struct nt_task *t)
{
	struct pt_regs *regs = current_pt_regs();
	struct nt_mm *m;
	bool stepping;

	if (fatal_signal_pending(current) || !current->mm || t->trap.pending)
		return;
	rcu_read_lock();
	stepping = t->trap.stepping = nt_step_wanted(t);
	rcu_read_unlock();
	if (!t->trap.at && !stepping)
		return;
	m = nt_mm_find(current->mm);
	if (m && READ_ONCE(m->lost))
		nt_sites_lost(m);
	if (!(m && t->trap.at && leave_site(t, m, regs, stepping)) && stepping &&
	    !nt_fence_raise(t, regs))
		nt_step_start(t, m, regs, true);
	if (m)
		nt_mm_put(m);
}

/* ---- a fault ---------------------------------------------------------------- */
/* force_sig_fault(signo, code, addr): at the fetch from a slot, it says that the program
 * has unmapped our memory. It goes on where it would be without.
 */
bool nt_hook_fault(struct nt_frame *frame)
{
	struct pt_regs *regs = current_pt_regs();
	u8 result = NT_OOL_ELSEWHERE;
	struct nt_plan *plan = NULL;
	struct nt_site *s = NULL;
	struct nt_task *t;
	struct nt_mm *m;

	if ((int)frame->args[0] != SIGSEGV || frame->args[2] != instruction_pointer(regs) ||
	    !atomic_read(&nt_mms) || !current->mm)
		return false;
	rcu_read_lock();
	t = nt_task_get_rcu(current);
	m = nt_mm_get_rcu(current->mm);
	if (m)
		result = nt_slot_rewind(m, regs, &plan);
	if (result != NT_OOL_ELSEWHERE) {
		WRITE_ONCE(m->lost, true);
		if (result == NT_OOL_BEFORE)
			s = nt_site_find(m, plan->ool.addr);
		if (t && s)
			stand_at(&t->trap, s->addr, s->generation);
		if (t)
			nt_task_kick(t, false);
	}
	rcu_read_unlock();
	frame->ret = 0;
	return result != NT_OOL_ELSEWHERE;
}

/* ---- registering ----------------------------------------------------------- */
static struct tracepoint *signal_deliver;

static void look_up(struct tracepoint *tp, void *data)
{
	if (!strcmp(tp->name, "signal_deliver"))
		signal_deliver = tp;
}

int nt_trap_init(void)
{
	int error;

	for_each_kernel_tracepoint(look_up, NULL);
	if (!signal_deliver)
		return -ENOENT;
	error = nt_mm_init();
	if (error)
		return error;
	error = tracepoint_probe_register(signal_deliver, on_signal, NULL);
	if (error)
		goto no_probe;
	error = nt_arch_init();
	if (error)
		goto no_arch;
	nt_feature_on(NTRACE_F_STEP);
	nt_feature_on(NTRACE_F_RANGE_STEP);
	nt_feature_on(NTRACE_F_BREAK);
	nt_feature_on(NTRACE_F_HWBREAK);
	nt_feature_on(NTRACE_F_WATCH);
	nt_feature_on(NTRACE_F_CONDITIONS);
	nt_feature_on(NTRACE_F_ACTIONS);
	nt_feature_on(NTRACE_F_TRACEPOINTS);
	nt_feature_on(NTRACE_F_OUT_OF_LINE);
	return 0;
no_arch:
	tracepoint_probe_unregister(signal_deliver, on_signal, NULL);
	tracepoint_synchronize_unregister();
no_probe:
	nt_mm_exit();
	return error;
}

void nt_trap_exit(void)
{
	nt_arch_exit();
	tracepoint_probe_unregister(signal_deliver, on_signal, NULL);
	tracepoint_synchronize_unregister();
	nt_mm_exit();
}
