// SPDX-License-Identifier: GPL-2.0
/*
 * Births, execs and deaths.
 *
 * Four places tell: the tracepoints task_newtask (in the creator, before the
 * child runs), sched_process_exec and sched_process_exit, all atomic, and the end
 * of do_exit(), where the thread has left /proc or is a zombie that its parent
 * was told of. What may stop a thread is noted there and reported by its work.
 */
#include <linux/binfmts.h>
#include <linux/file.h>
#include <linux/kprobes.h>
#include <linux/rculist.h>
#include <linux/sched/mm.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/tracepoint.h>

#include "hook.h"
#include "ntrace.h"

/* The feature that is this event, or -1. */
static int feature_of(u32 type)
{
	switch (type) {
	case NTRACE_EV_NEWTHREAD:
		return NTRACE_F_NEWTHREAD;
	case NTRACE_EV_FORK:
	case NTRACE_EV_VFORK:
	case NTRACE_EV_VFORK_DONE:
		return NTRACE_F_FORK;
	case NTRACE_EV_EXEC:
		return NTRACE_F_EXEC;
	case NTRACE_EV_EXITING:
		return NTRACE_F_EXITING;
	case NTRACE_EV_DEAD:
		return NTRACE_F_DEAD;
	}
	return -1;
}

static enum nt_want wanted(struct nt_att *a, u32 type)
{
	enum nt_want want = NT_PASS;
	struct ntrace_sets *s;

	if (feature_of(type) >= 0 && !nt_feature(feature_of(type)))
		return NT_PASS;
	rcu_read_lock();
	s = nt_sets(a->proc);
	if (s->life_stop & NTRACE_LIFE(type))
		want = a->engine->observer ? NT_NOTE : NT_STOP;
	else if (s->life_note & NTRACE_LIFE(type))
		want = NT_NOTE;
	rcu_read_unlock();
	return want;
}

static enum nt_want match_life(struct nt_att *a, const struct nt_event *ev)
{
	return wanted(a, ev->r.type);
}

/* Those who only get a note have it from the creator, before anything else it tells. */
static enum nt_want match_new_thread(struct nt_att *a, const struct nt_event *ev)
{
	enum nt_want want = wanted(a, ev->r.type);

	return want == NT_NOTE ? NT_PASS : want;
}

static enum nt_want match_everybody(struct nt_att *a, const struct nt_event *ev)
{
	return NT_STOP;
}

/* Nobody can hold what SIGKILL ends. */
static enum nt_want match_exiting(struct nt_att *a, const struct nt_event *ev)
{
	enum nt_want want = wanted(a, ev->r.type);

	if (want == NT_STOP && ((ev->r.code & 0x7f) == SIGKILL || fatal_signal_pending(current)))
		want = NT_NOTE;
	return want;
}

static void set_pid(struct pid **at, struct pid *pid)
{
	struct pid *old = *at;

	*at = get_pid(pid);
	put_pid(old);
}

/* ---- births ---------------------------------------------------------------- */
static void new_thread(struct nt_task *t, struct task_struct *task)
{
	struct nt_task *c = nt_task_make(task, GFP_ATOMIC);
	struct nt_event ev;
	struct nt_att *a;

	if (!c)
		return;
	list_for_each_entry_rcu(a, &t->atts, in_task)
		if (!a->proc->thread_only)
			nt_att_add(a->proc, c, GFP_ATOMIC, NULL);
	c->life.fresh = true;
	set_pid(&c->life.creator, t->pid);
	nt_event_init(&ev, c, NTRACE_EV_NEWTHREAD, true);
	ev.child = c->life.creator;
	list_for_each_entry_rcu(a, &c->atts, in_task)
		if (wanted(a, NTRACE_EV_NEWTHREAD) == NT_NOTE)
			nt_note(a, &ev);
	nt_syscall_engage(c);
	nt_task_kick(c, false);
	nt_task_unpin(c);
	nt_task_put(c);
}

/* A child for those who follow; they hold it before its first instruction. */
static void follow(struct nt_task *c, struct nt_att *a, struct mm_struct *mm)
{
	struct nt_proc *p;

	p = nt_proc_new(a->engine, c->tgid, c->cookie, mm, nt_sets(a->proc), GFP_ATOMIC);
	if (IS_ERR(p))
		return;
	p->release = a->proc->release;
	p->quiesced = !a->engine->observer;
	nt_att_add(p, c, GFP_ATOMIC, NULL);
	if (nt_proc_leave(p)) /* the bias; no thread: the list's reference goes as well */
		nt_proc_put(p);
	nt_proc_put(p);
}

static void new_process(struct nt_task *t, struct task_struct *task, u64 flags)
{
	u32 wish = flags & CLONE_VFORK ? NTRACE_FOLLOW_VFORK : NTRACE_FOLLOW_FORK;
	u32 type = flags & CLONE_VFORK ? NTRACE_EV_VFORK : NTRACE_EV_FORK;
	bool needed = task->mm && nt_mm_needs(current->mm), told = false;
	struct nt_task *c = NULL;
	struct nt_event ev;
	struct nt_att *a;

	if (t)
		list_for_each_entry_rcu(a, &t->atts, in_task)
			needed |= nt_sets(a->proc)->follow & wish;
	if (needed)
		c = nt_task_make(task, GFP_ATOMIC);
	if (c) {
		c->life.fresh = c->life.process = true;
		if (t)
			set_pid(&c->life.creator, t->tgid);
		if (t)
			list_for_each_entry_rcu(a, &t->atts, in_task)
				if (nt_sets(a->proc)->follow & wish)
					follow(c, a, task->mm);
		nt_syscall_engage(c);
		nt_task_kick(c, false);
		nt_task_unpin(c);
		nt_task_put(c);
	}
	if (!t)
		return;
	list_for_each_entry_rcu(a, &t->atts, in_task)
		told |= wanted(a, type) != NT_PASS || wanted(a, NTRACE_EV_VFORK_DONE) != NT_PASS;
	if (!told && !(flags & CLONE_VFORK))
		return;
	set_pid(&t->life.child, task_pid(task));
	if (!(flags & CLONE_VFORK)) {
		t->life.fork = true;
		nt_task_kick(t, false);
		return;
	}
	/* it goes to sleep until the child has its own memory: told and held now, where
	 * it does not matter that it still has to get there
	 */
	t->life.vfork = true;
	nt_task_kick(t, false);
	nt_event_init(&ev, t, type, true);
	ev.child = t->life.child;
	list_for_each_entry_rcu(a, &t->atts, in_task) {
		enum nt_want want = wanted(a, type);

		if (want == NT_STOP)
			nt_post_stop(a, &ev);
		else if (want == NT_NOTE)
			nt_note(a, &ev);
	}
	spin_lock_irq(&t->lock);
	list_for_each_entry(a, &t->atts, in_task)
		if (a->asked)
			nt_satisfy(a);
	spin_unlock_irq(&t->lock);
}

static void on_newtask(void *data, struct task_struct *task, unsigned long flags)
{
	struct nt_task *t;

	/* a child of a program that nobody traces any more may be a copy from before */
	if (!atomic_read(&nt_tasks) && !nt_mm_needs(current->mm))
		return;
	rcu_read_lock();
	t = nt_task_get_rcu(current);
	if (flags & CLONE_THREAD) {
		if (t && !(task->flags & NT_PF_WORKER)) /* never runs the program */
			new_thread(t, task);
	} else if (!(task->flags & PF_KTHREAD)) {
		new_process(t, task, flags);
	}
	if (t)
		nt_syscall_born(task);
	rcu_read_unlock();
}

/* ---- exec ------------------------------------------------------------------ */
static void thread_dead(struct nt_att *a);

/* May this engine go on with what the program became? */
static bool allowed(struct nt_engine *e, struct linux_binprm *bprm)
{
	if (!bprm->secureexec && !(bprm->interp_flags & BINPRM_FLAGS_ENFORCE_NONDUMP))
		return true;
	return e->file && file_ns_capable(e->file, current->mm->user_ns, CAP_SYS_PTRACE);
}

/* The threads that were there before are dead, although some still say so. */
static void reap_others(struct nt_proc *p, struct nt_task *t)
{
	struct nt_att *a;

	list_for_each_entry_rcu(a, &p->atts, in_proc)
		if (a->task != t)
			thread_dead(a);
}

static void exec_of(struct nt_att *a, struct nt_task *t, struct linux_binprm *bprm)
{
	struct nt_proc *p = a->proc;
	struct mm_struct *old;

	reap_others(p, t);
	if (!allowed(a->engine, bprm)) {
		nt_proc_lose(p, EACCES);
		return;
	}
	mmgrab(current->mm);
	spin_lock_irq(&p->lock);
	old = p->mm;
	p->mm = current->mm;
	p->quiesced = false;
	spin_unlock_irq(&p->lock);
	if (old)
		mmdrop(old);
}

static void on_exec(void *data, struct task_struct *task, pid_t old_pid, struct linux_binprm *bprm)
{
	struct nt_task *t;
	struct nt_att *a;

	rcu_read_lock();
	t = nt_task_get_rcu(current);
	if (!t) {
		rcu_read_unlock();
		return;
	}
	set_pid(&t->life.former, t->pid);
	if (t->pid != task_pid(current)) {
		struct pid *old = t->pid;

		spin_lock_irq(&t->lock);
		t->pid = get_pid(task_pid(current));
		spin_unlock_irq(&t->lock);
		put_pid(old);
	}
	t->life.exec = true;
	t->life.fork = false;
	nt_task_kick(t, false);
	list_for_each_entry_rcu(a, &t->atts, in_task) {
		WRITE_ONCE(a->renewed, true);
		exec_of(a, t, bprm);
	}
	rcu_read_unlock();
}

/* ---- death ----------------------------------------------------------------- */
bool nt_hook_do_exit(struct nt_frame *frame)
{
	struct nt_task *t = nt_task_find(current);
	struct nt_event ev;

	if (!t)
		return false;
	nt_event_init(&ev, t, NTRACE_EV_EXITING, true);
	ev.r.code = frame->args[0];
	if ((ev.r.code & 0x7f) == SIGKILL)
		WRITE_ONCE(t->killed, true);
	t->exits = true;
	nt_report(t, &ev, match_exiting);
	nt_task_put(t);
	return false;
}

/* The thread's own record of its engine ends; the last one ends the process. */
static void thread_dead(struct nt_att *a)
{
	struct task_struct *task = a->task->task;
	struct signal_struct *signal = task->signal;
	struct nt_proc *p = a->proc;
	struct nt_event ev;

	/* it may be let go just now, although the list still shows it */
	if (!refcount_inc_not_zero(&a->ref))
		return;
	if (!nt_att_drop(a)) {
		nt_att_put(a);
		return;
	}
	if (wanted(a, NTRACE_EV_DEAD) != NT_PASS) {
		nt_event_init(&ev, a->task, NTRACE_EV_DEAD, false);
		ev.r.code = task->exit_code;
		nt_note(a, &ev);
	}
	if (nt_proc_leave(p)) {
		if (p->thread_only && atomic_read(&signal->live) > 0)
			nt_proc_last(p, NTRACE_EV_DETACHED, ESRCH); /* others live on */
		else
			nt_proc_last(p, NTRACE_EV_PROC_DEAD,
				     signal->flags & SIGNAL_GROUP_EXIT ? signal->group_exit_code
								       : p->leader_code);
	}
	nt_att_put(a);
}

/* What a leader leaves behind is asked for when the last thread ends. */
static void on_exit(void *data, struct task_struct *task)
{
	struct nt_task *t;
	struct nt_att *a;

	nt_keeper_exit();
	rcu_read_lock();
	t = nt_task_get_rcu(current);
	if (t && thread_group_leader(current))
		list_for_each_entry_rcu(a, &t->atts, in_task)
			WRITE_ONCE(a->proc->leader_code, current->exit_code);
	rcu_read_unlock();
}

static int on_gone(struct kprobe *probe, struct pt_regs *regs)
{
	struct nt_task *t;
	struct nt_att *a;

	if (!atomic_read(&nt_tasks))
		return 0;
	smp_mb(); /* against attach: our state or its entry is seen */
	rcu_read_lock();
	t = nt_task_get_rcu(current);
	if (t && refcount_inc_not_zero(&t->ref)) {
		list_for_each_entry_rcu(a, &t->atts, in_task)
			thread_dead(a);
		nt_task_dead(t);
		nt_task_put(t);
	}
	rcu_read_unlock();
	return 0;
}

void nt_life_jobstop(struct nt_task *t, int signo)
{
	struct nt_event ev;
	struct nt_att *a;

	nt_event_init(&ev, t, NTRACE_EV_JOBSTOP, false);
	ev.r.signo = signo;
	list_for_each_entry_rcu(a, &t->atts, in_task)
		nt_note(a, &ev);
}

/* ---- the work -------------------------------------------------------------- */
static void report_birth(struct nt_task *t)
{
	bool process = t->life.process;
	struct nt_event ev;

	if (process)
		nt_mm_fork(t);
	nt_trap_task_new(t);
	nt_event_init(&ev, t, process ? NTRACE_EV_CHILD : NTRACE_EV_NEWTHREAD, true);
	ev.child = t->life.creator;
	nt_report(t, &ev, process ? match_everybody : match_new_thread);
}

/* A child that ended without an exec lets go of the memory some time before its end
 * is told: that comes first.
 */
static void await_end(struct pid *pid)
{
	struct task_struct *task = get_pid_task(pid, PIDTYPE_PID);
	struct nt_task *child = task ? nt_task_find(task) : NULL;

	if (child && READ_ONCE(task->flags) & PF_EXITING)
		wait_event_killable_timeout(child->wait, READ_ONCE(child->dead), HZ);
	if (child)
		nt_task_put(child);
	if (task)
		put_task_struct(task);
}

void nt_life_work(struct nt_task *t)
{
	struct nt_life *life = &t->life;
	struct nt_event ev;

	if (life->fresh) {
		life->fresh = false;
		report_birth(t);
	}
	WRITE_ONCE(t->call.reporting, true);
	if (life->exec) {
		life->exec = false;
		nt_mm_exec(t);
		nt_event_init(&ev, t, NTRACE_EV_EXEC, true);
		ev.child = life->former;
		nt_report(t, &ev, match_life);
	}
	if (life->fork) {
		life->fork = false;
		nt_event_init(&ev, t, NTRACE_EV_FORK, true);
		ev.child = life->child;
		nt_report(t, &ev, match_life);
	}
	if (life->vfork) {
		nt_park(t); /* whoever was told of the vfork has not let go yet */
		await_end(life->child);
		life->vfork = false;
		nt_event_init(&ev, t, NTRACE_EV_VFORK_DONE, true);
		ev.child = life->child;
		nt_report(t, &ev, match_life);
	}
	WRITE_ONCE(t->call.reporting, false);
}

/* ---- registering ----------------------------------------------------------- */
static struct {
	const char *name;
	void *probe;
	struct tracepoint *point;
} points[] = {
    {"task_newtask", on_newtask},
    {"sched_process_exec", on_exec},
    {"sched_process_exit", on_exit},
};

/* The end of do_exit(): the first of these that the kernel has and lets us probe. */
static const char *const ends[] = {"proc_exit_connector", "exit_rcu"};
static struct kprobe gone;

static void find_point(struct tracepoint *point, void *data)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(points); i++)
		if (!strcmp(point->name, points[i].name))
			points[i].point = point;
}

static int probe_end(void)
{
	int i, error = -ENOENT;

	for (i = 0; i < ARRAY_SIZE(ends) && error; i++) {
		gone = (struct kprobe){.symbol_name = ends[i], .pre_handler = on_gone};
		error = register_kprobe(&gone);
	}
	return error;
}

int nt_life_init(void)
{
	int i, error;

	for_each_kernel_tracepoint(find_point, NULL);
	error = probe_end();
	if (error) {
		pr_err("ntrace: no probe at the end of do_exit: %d\n", error);
		return error;
	}
	for (i = 0; i < ARRAY_SIZE(points); i++) {
		error = points[i].point
			    ? tracepoint_probe_register(points[i].point, points[i].probe, NULL)
			    : -ENOENT;
		if (error) {
			pr_err("ntrace: no tracepoint %s: %d\n", points[i].name, error);
			while (--i >= 0)
				tracepoint_probe_unregister(points[i].point, points[i].probe, NULL);
			unregister_kprobe(&gone);
			return error;
		}
	}
	nt_feature_on(NTRACE_F_FORK);
	nt_feature_on(NTRACE_F_FOLLOW);
	nt_feature_on(NTRACE_F_NEWTHREAD);
	nt_feature_on(NTRACE_F_EXEC);
	nt_feature_on(NTRACE_F_DEAD);
	return 0;
}

void nt_life_exit(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(points); i++)
		tracepoint_probe_unregister(points[i].point, points[i].probe, NULL);
	tracepoint_synchronize_unregister();
	unregister_kprobe(&gone);
}
