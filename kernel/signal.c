// SPDX-License-Identifier: GPL-2.0
/*
 * Signals on their way to a thread pass its engines in order of attaching.
 *
 * The place is where the kernel takes a signal off the queues: get_signal() calls
 * dequeue_signal(), and our wrapper reports what comes out, in the thread's own
 * context, with siglock dropped as ptrace does. Other callers of dequeue_signal()
 * (sigtimedwait, signalfd) are not deliveries and see no difference. What an
 * instruction caused is taken by get_signal() in another way, inlined: the hook at
 * its beginning takes it first, and parks what is left of it for the wrapper.
 *
 * Two more wrappers keep signals coming that would never be dequeued: those that
 * are ignored (prepare_signal) and those that end the process when they are sent
 * (complete_signal). ptrace comes after us, but for what it and the thread have to
 * settle between them: traps, and the stops a ptracer asks for. For those a thread
 * that engines hold is woken, stops for the ptracer and returns to where it was held.
 */
#include "ntrace.h"

#include <linux/sched/signal.h>
#include <linux/signal.h>
#include <linux/static_call.h>

#include "hook.h"

#define SYNCHRONOUS                                                                                \
	(sigmask(SIGSEGV) | sigmask(SIGBUS) | sigmask(SIGILL) | sigmask(SIGTRAP) |                 \
	 sigmask(SIGFPE) | sigmask(SIGSYS))

bool nt_signal_trapped(struct nt_task *t)
{
	return t->call.parked == SIGTRAP ||
	       current->pending.signal.sig[0] & ~current->blocked.sig[0] & sigmask(SIGTRAP);
}

/* What the sets call a fault; a trap of the program's own is a signal. */
static bool is_fault(const kernel_siginfo_t *info)
{
	int signo = info->si_signo;

	return info->si_code > 0 &&
	       (signo == SIGSEGV || signo == SIGBUS || signo == SIGILL || signo == SIGFPE);
}

/* Under rcu_read_lock(). */
static enum nt_want wants(struct nt_att *a, int signo, bool fault)
{
	const struct ntrace_sets *s = nt_sets(a->proc);
	u64 stop = fault ? s->fault_stop : s->signal_stop, bit = 1ull << (signo - 1);

	if (READ_ONCE(a->step.action))
		stop |= s->signal_step;
	if (stop & bit)
		return a->engine->observer ? NT_NOTE : NT_STOP;
	return s->signal_note & bit ? NT_NOTE : NT_PASS;
}

/* Does any engine of this thread have an interest? Atomic. */
static bool concerns(struct task_struct *task, int signo)
{
	bool found = false;
	struct nt_task *t;
	struct nt_att *a;

	rcu_read_lock();
	t = nt_task_get_rcu(task);
	if (t)
		list_for_each_entry_rcu(a, &t->atts, in_task)
			if (a->self_signo == signo || wants(a, signo, false) != NT_PASS ||
			    wants(a, signo, true) != NT_PASS)
				found = true;
	rcu_read_unlock();
	return found;
}

/* ... of any thread of its process? */
static bool concerns_group(struct task_struct *task, int signo)
{
	struct task_struct *thread;
	bool found = false;

	if (!atomic_read(&nt_tasks))
		return false;
	if (concerns(task, signo))
		return true;
	rcu_read_lock();
	for_each_thread(task, thread) {
		found = concerns(thread, signo);
		if (found)
			break;
	}
	rcu_read_unlock();
	return found;
}

/* ---- passing the engines ------------------------------------------------------ */
static void describe(struct nt_event *ev, struct nt_task *t, const kernel_siginfo_t *info,
		     int original, bool changed)
{
	nt_event_init(ev, t, NTRACE_EV_SIGNAL, true);
	ev->r.signo = info->si_signo;
	ev->r.original = original;
	ev->r.code = info->si_code;
	if (is_fault(info)) {
		ev->r.flags |= NTRACE_EVF_FAULT;
		ev->r.addr = nt_trap_pc(current->mm, (unsigned long)info->si_addr);
	}
	if (changed)
		ev->r.flags |= NTRACE_EVF_CHANGED;
	if (info->si_code <= 0)
		ev->r.flags |= NTRACE_EVF_FROM_USER;
}

/* The engine made another signal of it: as if it had sent that. */
static void replace(kernel_siginfo_t *info, int signo, struct nt_engine *e)
{
	clear_siginfo(info);
	info->si_signo = signo;
	info->si_code = SI_USER;
	rcu_read_lock();
	info->si_pid = pid_nr_ns(e->opener, task_active_pid_ns(current));
	info->si_uid = from_kuid_munged(current_user_ns(), e->cred->uid);
	rcu_read_unlock();
}

/* Does it concern the ptracer alone? Its own traps, and the SIGSTOP that it attaches
 * and interrupts with. Those of engines are no signals.
 */
static bool for_ptracer(const kernel_siginfo_t *info)
{
	bool own = false;

	if (!current->ptrace)
		return false;
	if (info->si_signo == SIGTRAP)
		return info->si_code > 0;
	if (info->si_signo != SIGSTOP)
		return false;
	rcu_read_lock();
	own = info->si_code == SI_KERNEL ||
	      (info->si_code == SI_TKILL && info->si_pid == task_tgid_vnr(current->parent));
	rcu_read_unlock();
	return own;
}

/* What the engines leave of a signal: its number, or 0. No lock is held. */
static int offer(struct nt_task *t, int signo, kernel_siginfo_t *info)
{
	int original = signo;
	bool changed = false;
	struct nt_att *a = NULL;
	struct nt_event ev;

	/* one that was lost its siginfo when memory was short says so */
	info->si_signo = signo;
	while (signo && (a = nt_att_next(t, a))) {
		enum nt_want want;
		int answer;

		if (a->self_signo == signo) {
			a->self_signo = 0;
			continue;
		}
		rcu_read_lock();
		want = wants(a, signo, is_fault(info));
		rcu_read_unlock();
		if (want == NT_PASS)
			continue;
		describe(&ev, t, info, original, changed);
		if (want == NT_NOTE) {
			nt_note(a, &ev);
			continue;
		}
		nt_step_cancel(t, a); /* its step ends with this */
		a->signo = signo;
		t->siginfo = info;
		if (!nt_report_one(t, a, &ev)) {
			t->siginfo = NULL;
			nt_att_put(a);
			return signo;
		}
		t->siginfo = NULL;
		answer = a->signo;
		a->signo = 0;
		if (answer != signo) {
			changed = true;
			signo = answer;
		}
		if (signo && signo != info->si_signo)
			replace(info, signo, a->engine);
	}
	if (a)
		nt_att_put(a);
	return signo;
}

/* ---- dequeueing ---------------------------------------------------------------- */
/* siglock is held, and dropped while engines are asked. */
static int dequeue(struct nt_task *t, struct nt_frame *frame)
{
	kernel_siginfo_t *info = (kernel_siginfo_t *)frame->args[NT_DEQUEUE_INFO];
	enum pid_type *type = (enum pid_type *)frame->args[NT_DEQUEUE_TYPE];
	spinlock_t *siglock = &current->sighand->siglock;

	for (;;) {
		int signo = t->call.parked;

		if (signo) {
			t->call.parked = 0;
			copy_siginfo(info, &t->call.info);
			*type = PIDTYPE_PID;
			current->jobctl |= JOBCTL_STOP_DEQUEUED;
			recalc_sigpending();
		} else {
			signo = nt_hook_original(frame);
			if (!signo || signo == SIGKILL || !concerns(current, signo) ||
			    for_ptracer(info))
				return signo;
			/* as ptrace: it may become a stop, which SIGCONT then undoes */
			current->jobctl |= JOBCTL_STOP_DEQUEUED;
			spin_unlock_irq(siglock);
			signo = offer(t, signo, info);
			spin_lock_irq(siglock);
		}
		if (!signo)
			continue;
		if (!sigismember(&current->blocked, signo) && !fatal_signal_pending(current))
			return signo;
		/* back into the queue with it: death comes first, or it has to wait */
		spin_unlock_irq(siglock);
		send_sig_info(signo, (struct kernel_siginfo *)info, current);
		spin_lock_irq(siglock);
	}
}

bool nt_hook_dequeue_signal(struct nt_frame *frame)
{
	struct nt_task *t;

	if (!nt_hook_within(frame->caller, "get_signal"))
		return false;
	t = nt_task_find(current);
	if (!t)
		return false;
	frame->ret = dequeue(t, frame);
	nt_task_put(t);
	return true;
}

/* What an instruction caused and is to be shown, or 0. siglock is held. */
static int synchronous(void)
{
	struct sigqueue *q;

	if (current->signal->flags & SIGNAL_GROUP_EXIT || current->signal->group_exec_task)
		return 0;
	if (!(current->pending.signal.sig[0] & ~current->blocked.sig[0] & SYNCHRONOUS))
		return 0;
	list_for_each_entry(q, &current->pending.list, list)
		if (q->info.si_code > SI_USER && sigmask(q->info.si_signo) & SYNCHRONOUS)
			return concerns(current, q->info.si_signo) && !for_ptracer(&q->info)
				   ? q->info.si_signo
				   : 0;
	return 0;
}

/* Takes it before get_signal() does, shows it, and parks what is left of it. */
static void take_synchronous(struct nt_task *t)
{
	while (!t->call.parked) {
		kernel_siginfo_t info;
		enum pid_type type;
		sigset_t others;
		int signo;

		spin_lock_irq(&current->sighand->siglock);
		signo = synchronous();
		if (signo) {
			siginitsetinv(&others, sigmask(signo));
			signo = nt_dequeue_signal(&others, &info, &type);
		}
		spin_unlock_irq(&current->sighand->siglock);
		if (!signo)
			return;
		nt_syscall_exit_work(t);
		signo = offer(t, signo, &info);
		if (!signo)
			continue;
		copy_siginfo(&t->call.info, &info);
		t->call.parked = signo;
	}
}

bool nt_hook_get_signal(struct nt_frame *frame)
{
	struct nt_task *t;

	if (current->flags & NT_PF_WORKER || nt_in_probe())
		return false;
	t = nt_task_find(current);
	if (!t)
		return false;
	if (t->trap.put_off)
		nt_task_kick(t, false); /* the step of a uprobe ended in a fault */
	if (current->pending.signal.sig[0] & SYNCHRONOUS)
		take_synchronous(t);
	if (t->call.parked)
		set_thread_flag(TIF_SIGPENDING); /* or get_signal() would not look */
	nt_task_put(t);
	return false;
}

/* ---- sending: under siglock --------------------------------------------------- */
/* The kernel drops SIGKILL where a process ends already: its threads may be held there, or
 * come to it.
 */
static void kill_exiting(struct task_struct *task)
{
	struct task_struct *other;
	struct nt_task *t;

	if (!(task->signal->flags & SIGNAL_GROUP_EXIT))
		return;
	rcu_read_lock();
	for_each_thread(task, other) {
		t = nt_task_get_rcu(other);
		if (t) {
			WRITE_ONCE(t->killed, true);
			__wake_up(&t->wait, TASK_NORMAL | __TASK_TRACED, 1, NULL);
		}
	}
	rcu_read_unlock();
}

/* prepare_signal(sig, task, force): false drops the signal. */
bool nt_hook_prepare_signal(struct nt_frame *frame)
{
	struct task_struct *task = (struct task_struct *)frame->args[1];
	int signo = frame->args[0];
	__sighandler_t handler;

	if (signo == SIGKILL)
		kill_exiting(task);
	if (signo <= 0 || signo > _NSIG || signo == SIGKILL || !nt_feature(NTRACE_F_SIGNALS_FATAL))
		return false;
	handler = task->sighand->action[signo - 1].sa.sa_handler;
	if (handler != SIG_IGN && (handler != SIG_DFL || !sig_kernel_ignore(signo)))
		return false;
	if (!concerns_group(task, signo))
		return false;
	frame->ret = nt_hook_original(frame) & 0xff;
	if (!(task->signal->flags & (SIGNAL_GROUP_EXIT | SIGNAL_UNKILLABLE)))
		frame->ret = true;
	return true;
}

/* A park of ours is not the sleep a signal ends: only its own wait queue wakes it. */
static void wake_for_ptracer(struct task_struct *task)
{
	struct nt_task *t;

	if (!task->ptrace)
		return;
	rcu_read_lock();
	t = nt_task_get_rcu(task);
	if (t) {
		WRITE_ONCE(t->call.yield, true);
		__wake_up(&t->wait, TASK_NORMAL | __TASK_TRACED, 1, NULL);
	}
	rcu_read_unlock();
}

/* signal_wake_up_state(task, state) */
bool nt_hook_signal_wake(struct nt_frame *frame)
{
	struct task_struct *task = (struct task_struct *)frame->args[0];

	if (task->jobctl & JOBCTL_TRAP_MASK)
		wake_for_ptracer(task);
	return false;
}

/* complete_signal(sig, task, type): one that is fatal and leaves no core kills all
 * threads here and now, unless it has a handler. The lock that is held guards the
 * handlers: for this moment it has one.
 */
bool nt_hook_complete_signal(struct nt_frame *frame)
{
	struct task_struct *task = (struct task_struct *)frame->args[1];
	int signo = frame->args[0];
	struct k_sigaction *action;

	if (signo == SIGSTOP)
		wake_for_ptracer(task);
	if (signo <= 0 || signo > _NSIG || signo == SIGKILL || sig_kernel_coredump(signo) ||
	    sig_kernel_ignore(signo) || sig_kernel_stop(signo) ||
	    !nt_feature(NTRACE_F_SIGNALS_FATAL))
		return false;
	action = &task->sighand->action[signo - 1];
	if (action->sa.sa_handler != SIG_DFL || !concerns_group(task, signo))
		return false;
	action->sa.sa_handler = (__sighandler_t)~0ul;
	nt_hook_original(frame);
	action->sa.sa_handler = SIG_DFL;
	return true;
}

/* do_signal_stop(signo): a job-control stop, unless a SIGCONT came in between. */
bool nt_hook_signal_stop(struct nt_frame *frame)
{
	unsigned long jobctl = current->jobctl;
	int signo = frame->args[0];
	struct nt_task *t;

	if (current->ptrace)
		return false;
	if (jobctl & JOBCTL_STOP_PENDING)
		signo = jobctl & JOBCTL_STOP_SIGMASK;
	else if (!(jobctl & JOBCTL_STOP_DEQUEUED) || current->signal->flags & SIGNAL_GROUP_EXIT ||
		 current->signal->group_exec_task)
		return false;
	rcu_read_lock();
	t = nt_task_get_rcu(current);
	if (t)
		nt_life_jobstop(t, signo);
	rcu_read_unlock();
	return false;
}

/* ---- yielding to a ptracer ------------------------------------------------------ */
typedef int nt_notify_fn(int signo, int code, int why, unsigned long message);
DEFINE_STATIC_CALL_RET0(nt_notify, nt_notify_fn);

void nt_signal_init(void)
{
	unsigned long address = nt_symbol("ptrace_do_notify");

	if (address)
		static_call_update(nt_notify, (nt_notify_fn *)address);
}

/* The trap of PTRACE_INTERRUPT and of group stops, as get_signal() has it. */
static void trap_for_ptracer(void)
{
	unsigned int flags = current->signal->flags;
	int signo = current->jobctl & JOBCTL_STOP_SIGMASK;

	if (!current->signal->group_stop_count && !(flags & SIGNAL_STOP_STOPPED))
		signo = SIGTRAP;
	static_call(nt_notify)(signo, signo | PTRACE_EVENT_STOP << 8, CLD_STOPPED, 0);
}

static bool stop_pending(void)
{
	struct sigqueue *q;

	list_for_each_entry(q, &current->pending.list, list)
		if (q->info.si_signo == SIGSTOP && for_ptracer(&q->info))
			return true;
	return false;
}

/* The SIGSTOP of PTRACE_ATTACH: what the ptracer makes of it. */
static int stop_for_ptracer(kernel_siginfo_t *info)
{
	enum pid_type type;
	sigset_t others;

	siginitsetinv(&others, sigmask(SIGSTOP));
	if (!nt_dequeue_signal(&others, info, &type))
		return 0;
	return static_call(nt_notify)(SIGSTOP, SIGSTOP, CLD_TRAPPED, 0);
}

void nt_signal_yield(struct nt_task *t)
{
	spinlock_t *siglock = &current->sighand->siglock;
	kernel_siginfo_t info;
	int signo = 0;

	spin_lock_irq(siglock);
	while (READ_ONCE(t->call.yield)) {
		WRITE_ONCE(t->call.yield, false);
		if (!nt_feature(NTRACE_F_YIELD) || !current->ptrace ||
		    __fatal_signal_pending(current))
			break;
		if (current->ptrace & PT_SEIZED && current->jobctl & JOBCTL_TRAP_MASK)
			trap_for_ptracer();
		else if (stop_pending())
			signo = stop_for_ptracer(&info);
		else
			break;
		WRITE_ONCE(t->call.yield, true); /* until there is nothing left to do */
	}
	spin_unlock_irq(siglock);
	if (!signo)
		return;
	if (signo != SIGSTOP) {
		clear_siginfo(&info);
		info.si_signo = signo;
	}
	send_sig_info(signo, (struct kernel_siginfo *)&info, current);
}
