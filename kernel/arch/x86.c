// SPDX-License-Identifier: GPL-2.0
/*
 * x86: int3 and debug exceptions, the trap flag, registers.
 *
 * The die notifier is the first of its chain but for the hardware breakpoint
 * layer: uprobes would take every int3 of a memory it has probes in.
 */
#include <linux/hw_breakpoint.h>
#include <linux/kdebug.h>
#include <linux/sched/signal.h>
#include <linux/sched/task_stack.h>
#include <linux/uaccess.h>
#include <asm/debugreg.h>
#include <asm/msr.h>
#include <asm/segment.h>
#include <asm/ucontext.h>
#include <asm/unistd.h>
#include <asm/user.h>

#include "../break.h"

bool nt_arch_mode64(const struct pt_regs *regs)
{
	return regs->cs != __USER32_CS;
}

void nt_arch_to_ool(const struct pt_regs *regs, struct nt_ool_regs *out)
{
	const u64 gpr[16] = {regs->ax,	regs->cx,  regs->dx,  regs->bx, regs->sp,  regs->bp,
			     regs->si,	regs->di,  regs->r8,  regs->r9, regs->r10, regs->r11,
			     regs->r12, regs->r13, regs->r14, regs->r15};

	memcpy(out->gpr, gpr, sizeof(gpr));
	out->ip = regs->ip;
	out->flags = regs->flags;
	if (test_thread_flag(TIF_FORCED_TF) && !test_thread_flag(TIF_SINGLESTEP))
		out->flags &= ~(u64)X86_EFLAGS_TF;
}

void nt_arch_from_ool(const struct nt_ool_regs *from, struct pt_regs *regs)
{
	const u64 arithmetic = X86_EFLAGS_CF | X86_EFLAGS_PF | X86_EFLAGS_AF | X86_EFLAGS_ZF |
			       X86_EFLAGS_SF | X86_EFLAGS_OF;

	regs->ax = from->gpr[0];
	regs->cx = from->gpr[1];
	regs->dx = from->gpr[2];
	regs->bx = from->gpr[3];
	regs->sp = from->gpr[4];
	regs->bp = from->gpr[5];
	regs->si = from->gpr[6];
	regs->di = from->gpr[7];
	regs->r8 = from->gpr[8];
	regs->r9 = from->gpr[9];
	regs->r10 = from->gpr[10];
	regs->r11 = from->gpr[11];
	regs->r12 = from->gpr[12];
	regs->r13 = from->gpr[13];
	regs->r14 = from->gpr[14];
	regs->r15 = from->gpr[15];
	regs->ip = from->ip;
	regs->flags = (regs->flags & ~arithmetic) | (from->flags & arithmetic);
}

void nt_arch_jump_back(struct nt_ool_plan *ool)
{
	u32 at = ool->length;
	s32 jump = (s32)(ool->next - (ool->slot + at + 5));

	ool->code[at] = 0xe9;
	memcpy(ool->code + at + 1, &jump, sizeof(jump));
	ool->code_length = at + 5;
}

bool nt_arch_call_done(const struct nt_ool_plan *ool, struct nt_ool_regs *regs, bool own_step)
{
	if (!(ool->flags & NT_OOL_SYSCALL) || regs->ip != ool->next)
		return false;
	regs->gpr[1] = regs->ip;
	if (!own_step)
		regs->gpr[11] &= ~(u64)X86_EFLAGS_TF;
	return true;
}

/* In the order of struct user_regs_struct, whose head is struct pt_regs. */
int nt_arch_reg(const struct pt_regs *regs, u32 number, u64 *value)
{
	const u32 flags = offsetof(struct pt_regs, flags) / sizeof(long);
	u16 selector;

	if (number < sizeof(struct pt_regs) / sizeof(long)) {
		*value = ((const unsigned long *)regs)[number];
		if (number == flags && test_thread_flag(TIF_FORCED_TF))
			*value &= ~(u64)X86_EFLAGS_TF;
		return 0;
	}
	switch (number - sizeof(struct pt_regs) / sizeof(long)) {
	case 0:
		rdmsrl(MSR_FS_BASE, *value);
		return 0;
	case 1:
		rdmsrl(MSR_KERNEL_GS_BASE, *value);
		return 0;
	case 2:
		savesegment(ds, selector);
		break;
	case 3:
		savesegment(es, selector);
		break;
	case 4:
		savesegment(fs, selector);
		break;
	case 5:
		savesegment(gs, selector);
		break;
	default:
		return -ENXIO;
	}
	*value = selector;
	return 0;
}

void nt_arch_show_pc(struct task_struct *task, void *prstatus, size_t len, unsigned long pc)
{
	const size_t ip32 = 12 * sizeof(u32); /* struct user_regs_struct32 */

	if (nt_arch_mode64(task_pt_regs(task))) {
		if (len >= offsetofend(struct user_regs_struct, ip))
			((struct user_regs_struct *)prstatus)->ip = pc;
	} else if (len >= ip32 + sizeof(u32)) {
		*(u32 *)(prstatus + ip32) = pc;
	}
}

static_assert(offsetof(struct pt_regs, orig_ax) == 120); /* x86_hook.S */

bool nt_arch_regs_others(const struct pt_regs *seen, const struct pt_regs *now)
{
	const size_t result = offsetof(struct pt_regs, ax);

	/* r15 to r8; cx to di; sp. What is left out is what the end of a call changes. */
	return memcmp(seen, now, result) || seen->cx != now->cx || seen->dx != now->dx ||
	       seen->si != now->si || seen->di != now->di || seen->sp != now->sp;
}

void nt_arch_regs_keep(const struct pt_regs *seen, unsigned long pc, const struct pt_regs *now,
		       struct pt_regs *regs)
{
	const unsigned long mask = nt_arch_mode64(now) ? ~0ul : ~0u;

	if (!((regs->ax ^ seen->ax) & mask))
		regs->ax = now->ax;
	if (!((regs->orig_ax ^ seen->orig_ax) & mask))
		regs->orig_ax = now->orig_ax;
	if (regs->ip == pc)
		regs->ip = now->ip;
}

void nt_arch_step_on(struct pt_regs *regs)
{
	if (regs->flags & X86_EFLAGS_TF)
		return;
	regs->flags |= X86_EFLAGS_TF;
	set_thread_flag(TIF_FORCED_TF);
}

void nt_arch_step_off(struct pt_regs *regs)
{
	if (!test_thread_flag(TIF_SINGLESTEP) && test_and_clear_thread_flag(TIF_FORCED_TF))
		regs->flags &= ~X86_EFLAGS_TF;
}

void nt_arch_step_forget(void)
{
	if (!test_thread_flag(TIF_SINGLESTEP))
		clear_thread_flag(TIF_FORCED_TF);
}

void nt_arch_step_abandon(struct task_struct *task)
{
	if (!test_tsk_thread_flag(task, TIF_SINGLESTEP) &&
	    test_and_clear_tsk_thread_flag(task, TIF_FORCED_TF))
		task_pt_regs(task)->flags &= ~X86_EFLAGS_TF;
}

bool nt_arch_stepping(void)
{
	return test_thread_flag(TIF_FORCED_TF) || test_thread_flag(TIF_SINGLESTEP);
}

bool nt_arch_own_step(const struct pt_regs *regs)
{
	return regs->flags & X86_EFLAGS_TF && !test_thread_flag(TIF_FORCED_TF);
}

/* arch_do_signal_or_restart() will go back over the two bytes of the instruction. */
unsigned long nt_arch_restart(const struct pt_regs *regs)
{
	if ((long)regs->orig_ax == -1)
		return 0;
	switch ((int)regs->ax) {
	case -ERESTARTSYS:
	case -ERESTARTNOINTR:
	case -ERESTARTNOHAND:
	case -ERESTART_RESTARTBLOCK:
		return 2;
	}
	return 0;
}

void nt_arch_classify(const u8 *bytes, u32 len, bool mode64, struct nt_arch_insn *out)
{
	struct nt_insn insn;

	memset(out, 0, sizeof(*out));
	if (!nt_insn_decode(bytes, len, mode64, &insn))
		return;
	out->system_call =
	    insn.branch == NT_BR_SYSCALL || (insn.branch == NT_BR_INT && (u8)insn.imm == 0x80);
	out->sleeps = insn.branch == NT_BR_SYSCALL || insn.branch == NT_BR_SYSENTER ||
		      insn.branch == NT_BR_INT;
	out->pushes_flags = insn.flags & NT_INSN_PUSHF;
	out->pops_flags = insn.flags & NT_INSN_POPF;
}

int nt_arch_clean_pushed(const struct pt_regs *regs)
{
	void __user *top = (void __user *)regs->sp;
	u16 pushed;

	if (copy_from_user_nofault(&pushed, top, sizeof(pushed)))
		return -EFAULT;
	pushed &= ~X86_EFLAGS_TF;
	return copy_to_user_nofault(top, &pushed, sizeof(pushed));
}

/* struct rt_sigframe, less the return address that is popped by then. */
struct signal_frame {
	struct ucontext uc;
};

bool nt_arch_is_sigreturn(const struct pt_regs *regs)
{
	return nt_arch_mode64(regs) && regs->ax == __NR_rt_sigreturn;
}

bool nt_arch_sigreturn(const struct pt_regs *regs, struct nt_return *back)
{
	const struct signal_frame __user *frame = (void __user *)regs->sp;
	unsigned long pc, flags;

	if (!nt_arch_is_sigreturn(regs))
		return false;
	if (get_user(pc, &frame->uc.uc_mcontext.ip) ||
	    get_user(flags, &frame->uc.uc_mcontext.flags))
		return false;
	back->frame = regs->sp;
	back->pc = pc;
	back->flags = flags;
	return true;
}

int nt_arch_sigreturn_to(const struct nt_return *back, unsigned long pc)
{
	struct signal_frame __user *frame = (void __user *)back->frame;

	if (put_user(pc, &frame->uc.uc_mcontext.ip) ||
	    put_user(back->flags | X86_EFLAGS_TF, &frame->uc.uc_mcontext.flags))
		return -EFAULT;
	return 0;
}

void nt_arch_sigreturn_claim(const struct nt_return *back, const struct pt_regs *regs)
{
	if (regs->flags & X86_EFLAGS_TF && !(back->flags & X86_EFLAGS_TF))
		set_thread_flag(TIF_FORCED_TF);
}

void nt_arch_sigreturn_undo(const struct nt_return *back)
{
	struct signal_frame __user *frame = (void __user *)back->frame;

	copy_to_user_nofault(&frame->uc.uc_mcontext.ip, &back->pc, sizeof(back->pc));
	copy_to_user_nofault(&frame->uc.uc_mcontext.flags, &back->flags, sizeof(back->flags));
}

/* The sixteen registers, and the flags but for those that come and go with traps. */
static void pass_words(const struct pt_regs *regs, unsigned long *words)
{
	const unsigned long passing = X86_EFLAGS_TF | X86_EFLAGS_RF;
	unsigned int i;

	BUILD_BUG_ON(NT_PASS_WORDS != 18);
	for (i = 0; i < 15; i++)
		words[i] = ((const unsigned long *)regs)[i];
	words[15] = regs->sp;
	words[16] = regs->ip;
	words[17] = regs->flags & ~passing;
}

void nt_arch_pass_save(const struct pt_regs *regs, unsigned long *words)
{
	pass_words(regs, words);
}

bool nt_arch_pass_same(const struct pt_regs *regs, const unsigned long *words)
{
	unsigned long now[NT_PASS_WORDS];

	pass_words(regs, now);
	return memcmp(now, words, sizeof(now)) == 0;
}

int nt_arch_watch_attr(u32 type, unsigned long addr, u32 len, struct perf_event_attr *attr)
{
	hw_breakpoint_init(attr);
	attr->bp_addr = addr;
	attr->bp_len = len;
	switch (type) {
	case NTRACE_BREAK_HW:
		attr->bp_type = HW_BREAKPOINT_X;
		attr->bp_len = sizeof(long);
		return 0;
	case NTRACE_WATCH_WRITE:
		attr->bp_type = HW_BREAKPOINT_W;
		return 0;
	case NTRACE_WATCH_ACCESS:
		attr->bp_type = HW_BREAKPOINT_RW;
		return 0;
	}
	return -EOPNOTSUPP; /* the processor knows no reads alone */
}

u32 nt_arch_watch_piece(unsigned long addr, u32 len)
{
	u32 size = 8;

	while (size > 1 && (addr % size || size > len))
		size /= 2;
	return size;
}

static int on_debug(struct die_args *args)
{
	/* hw_breakpoint_handler() hands it on the same way */
	unsigned long *dr6 = (unsigned long *)ERR_PTR(args->err);
	unsigned long *virtual = &current->thread.virtual_dr6;

	if (!(*dr6 & DR_STEP) || nt_trap_step(args->regs) == NT_TRAP_FOREIGN)
		return NOTIFY_DONE;
	/* The hardware breakpoint layer leaves the bits of breakpoints that do not trap now: at the
	 * next instruction, which is yet to come, or of a register that is switched off but has
	 * that address.
	 */
	*dr6 &= ~(DR_STEP | DR_TRAP_BITS);
	*virtual &= ~DR_STEP;
	return *virtual & DR_TRAP_BITS ? NOTIFY_DONE : NOTIFY_STOP;
}

static int on_die(struct notifier_block *nb, unsigned long what, void *data)
{
	struct die_args *args = data;
	enum nt_owner_of_trap owner;

	if (!args->regs || !user_mode(args->regs))
		return NOTIFY_DONE;
	switch (what) {
	case DIE_INT3:
		owner = nt_trap_breakpoint(args->regs, args->regs->ip - NT_BREAK_LEN);
		return owner == NT_TRAP_OURS ? NOTIFY_STOP : NOTIFY_DONE;
	case DIE_DEBUG:
		return on_debug(args);
	}
	return NOTIFY_DONE;
}

static struct notifier_block nt_die = {
    .notifier_call = on_die,
    .priority = INT_MAX,
};

int nt_arch_init(void)
{
	return register_die_notifier(&nt_die);
}

void nt_arch_exit(void)
{
	unregister_die_notifier(&nt_die);
}
