// SPDX-License-Identifier: GPL-2.0
/*
 * System calls: entries from a hook that ptrace and seccomp come after, exits
 * from the thread's work, after ptrace: it runs that work where it stops inside
 * of a call, and is kept from it.
 *
 * A thread takes the slow path of system calls while some engine's set is not
 * empty, by the switch of the audit subsystem: without an audit context the
 * switch does nothing else, and it is the thread's own. Entries pass the engines
 * in reverse order of attaching, so that who came first has the last word;
 * exits pass in order. Numbers, arguments, results are the thread's registers.
 */
#include "ntrace.h"

#include <linux/audit.h>
#include <asm/syscall.h>

#include "hook.h"

static bool has(const __u64 *set, int nr)
{
	unsigned int bit = nr < 0 || nr >= NT_SYSCALL_LIMIT ? NT_SYSCALL_LIMIT - 1 : nr;

	return READ_ONCE(set[bit / 64]) >> (bit % 64) & 1;
}

/* Under rcu_read_lock(). */
static enum nt_want wants(struct nt_att *a, int nr, bool entry)
{
	const struct ntrace_sets *s = nt_call_sets(a);

	if (!nt_feature(entry ? NTRACE_F_SYSCALL_ENTRY : NTRACE_F_SYSCALL_EXIT))
		return NT_PASS;
	if (has(entry ? s->entry_stop : s->exit_stop, nr))
		return a->engine->observer ? NT_NOTE : NT_STOP;
	return has(entry ? s->entry_note : s->exit_note, nr) ? NT_NOTE : NT_PASS;
}

/* Threads whose end of a call is to be seen are counted: while there are some, no call
 * goes by unseen, and an end that never came is forgotten at the next call.
 */
static void expect(struct nt_task *t, bool end)
{
	if (t->call.exit != end && xchg(&t->call.exit, end) != end)
		atomic_add(end ? 1 : -1, &nt_wanted_ends);
}

void nt_call_free(struct nt_task *t)
{
	expect(t, false);
}

static enum nt_want wants_now(struct nt_att *a, int nr, bool entry)
{
	enum nt_want want;

	rcu_read_lock();
	want = wants(a, nr, entry);
	rcu_read_unlock();
	return want;
}

static void look(struct nt_facts *f, struct pt_regs *regs, int nr, bool entry)
{
	f->type = entry ? NTRACE_EV_SYSCALL_ENTRY : NTRACE_EV_SYSCALL_EXIT;
	f->nr = entry ? syscall_get_nr(current, regs) : nr;
	f->count = entry ? 6 : 1;
	if (entry)
		syscall_get_arguments(current, regs, f->args);
	else
		f->args[0] = syscall_get_return_value(current, regs);
}

/* One engine after the other; each sees what those before left. False: dying. */
static bool pass(struct nt_task *t, struct pt_regs *regs, int nr, bool entry)
{
	struct nt_att *a = NULL;
	struct nt_event ev;
	struct nt_facts f;

	while ((a = entry ? nt_att_prev(t, a) : nt_att_next(t, a))) {
		enum nt_want want = wants_now(a, nr, entry);

		if (want == NT_PASS)
			continue;
		look(&f, regs, nr, entry);
		if (want == NT_NOTE) {
			nt_note_call(a, &f);
			continue;
		}
		nt_event_init(&ev, t, f.type, true);
		nt_facts_tell(&ev.r, &f);
		if (!nt_report_one(t, a, &ev)) {
			nt_att_put(a);
			return false;
		}
	}
	return true;
}

/* Nothing but notes: the thread passes nobody, and need not be able to stop. */
static void note_all(struct nt_task *t, struct pt_regs *regs, int nr, bool entry)
{
	struct nt_att *a;
	struct nt_facts f;

	look(&f, regs, nr, entry);
	rcu_read_lock();
	list_for_each_entry_rcu(a, &t->atts, in_task)
		if (wants(a, nr, entry) != NT_PASS)
			nt_note_call(a, &f);
	rcu_read_unlock();
}

/* What the engines want most, of either end of a call. */
struct ends {
	enum nt_want entry;
	enum nt_want exit;
};

/* Under rcu_read_lock(). */
static struct ends most_wanted(struct nt_task *t, int nr)
{
	struct ends most = {NT_PASS, NT_PASS};
	struct nt_att *a;

	list_for_each_entry_rcu(a, &t->atts, in_task) {
		most.entry = max(most.entry, wants(a, nr, true));
		most.exit = max(most.exit, wants(a, nr, false));
	}
	return most;
}

static enum nt_want exit_wanted(struct nt_task *t, int nr)
{
	struct ends most;

	rcu_read_lock();
	most = most_wanted(t, nr);
	rcu_read_unlock();
	return most.exit;
}

static void note_exit(struct callback_head *head)
{
	struct nt_task *t = container_of(head, struct nt_task, call.work);
	struct pt_regs *regs = task_pt_regs(current);

	t->call.noting = false;
	if (t->call.notifying) {
		t->call.again = true;
	} else if (!(current->flags & PF_EXITING)) {
		if (exit_wanted(t, t->call.nr) == NT_STOP)
			pass(t, regs, t->call.nr, false); /* sets have changed */
		else
			note_all(t, regs, t->call.nr, false);
	}
	nt_work_over(t);
}

/* Is the end of this call to be seen? Then work that it runs then shows it. */
static void expect_exit(struct nt_task *t, int nr, enum nt_want most)
{
	unsigned long flags;

	t->call.nr = nr;
	expect(t, most == NT_STOP);
	if (most == NT_STOP)
		nt_task_kick(t, false);
	if (most != NT_NOTE || t->call.noting)
		return;
	spin_lock_irqsave(&t->lock, flags);
	t->call.noting = nt_work_begin(t);
	spin_unlock_irqrestore(&t->lock, flags);
	if (!t->call.noting)
		return;
	init_task_work(&t->call.work, note_exit);
	if (task_work_add(current, &t->call.work, TWA_RESUME)) {
		t->call.noting = false;
		nt_work_over(t);
	}
}

/* A ptracer may have come while it was held here: the slow path is to see that. */
static void look_again(struct nt_frame *frame, unsigned long work)
{
	unsigned long *arg = &frame->args[nt_hook_clone("syscall_trace_enter") ? 1 : 2];

	if (*arg == work)
		*arg = READ_ONCE(current_thread_info()->syscall_work);
}

/* syscall_trace_enter(regs, nr, work); a clone of it lacks the second one. */
bool nt_hook_syscall_enter(struct nt_frame *frame)
{
	struct pt_regs *regs = (struct pt_regs *)frame->args[0];
	unsigned long work = READ_ONCE(current_thread_info()->syscall_work);
	int nr = syscall_get_nr(current, regs);
	struct ends most = {NT_PASS, NT_PASS};
	struct nt_task *t;

	rcu_read_lock();
	t = nt_task_get_rcu(current);
	if (t)
		expect(t, false); /* of one that never came to its end: sigreturn, exec */
	if (t && has(t->call.wanted, nr))
		most = most_wanted(t, nr);
	/* it stays while it is under the lock, only a stop takes longer */
	if (most.entry == NT_STOP && !refcount_inc_not_zero(&t->ref))
		most = (struct ends){NT_PASS, NT_PASS};
	if (most.entry == NT_NOTE)
		note_all(t, regs, nr, true);
	if (most.entry != NT_STOP && most.exit != NT_PASS)
		expect_exit(t, nr, most.exit);
	rcu_read_unlock();
	if (most.entry != NT_STOP)
		return false;
	if (pass(t, regs, nr, true)) /* which takes its time: sets may have changed */
		expect_exit(t, nr, exit_wanted(t, nr));
	look_again(frame, work);
	nt_task_put(t);
	return false;
}

/*
 * ptrace_notify(exit_code, message): a stop of ptrace's at either end of a call or in
 * the middle, which runs the thread's work first. The call has no result yet, or the
 * ptracer is about to change it.
 */
bool nt_hook_ptrace_notify(struct nt_frame *frame)
{
	struct nt_task *t = nt_task_find(current);

	if (!t)
		return false;
	t->call.notifying = true;
	frame->ret = nt_hook_original(frame);
	t->call.notifying = false;
	if (t->call.again) {
		t->call.again = false;
		if (READ_ONCE(t->call.midway))
			nt_task_kick(t, false);
		else
			expect_exit(t, t->call.nr, exit_wanted(t, t->call.nr));
	}
	nt_task_put(t);
	return true;
}

bool nt_syscall_exit_work(struct nt_task *t)
{
	struct pt_regs *regs = task_pt_regs(current);

	if (t->call.notifying) {
		t->call.again |= t->call.exit || READ_ONCE(t->call.midway);
		return true;
	}
	if (READ_ONCE(t->call.midway)) {
		int nr = syscall_get_nr(current, regs);

		WRITE_ONCE(t->call.midway, false);
		if (nr >= 0 && !t->call.exit && !t->call.noting) {
			expect(t, true);
			t->call.nr = nr;
		}
	}
	if (!t->call.exit)
		return true;
	expect(t, false);
	return pass(t, regs, t->call.nr, false);
}

/* ---- the switch ------------------------------------------------------------- */
static bool audited(struct task_struct *task)
{
#ifdef CONFIG_AUDITSYSCALL
	return READ_ONCE(task->audit_context);
#else
	return false;
#endif
}

static void switch_off(struct task_struct *task)
{
	if (!audited(task))
		clear_task_syscall_work(task, SYSCALL_AUDIT);
}

/* The sets of all engines of a thread in one, and the switch as it says. */
void nt_syscall_engage(struct nt_task *t)
{
	__u64 wanted[NTRACE_SYSCALL_WORDS] = {};
	bool engage = false, kick = false;
	unsigned long flags;
	struct nt_att *a;
	int i;

	rcu_read_lock();
	spin_lock_irqsave(&t->lock, flags);
	list_for_each_entry(a, &t->atts, in_task) {
		const struct ntrace_sets *s = nt_call_sets(a);

		if (!t->hashed)
			break; /* for good */
		for (i = 0; i < NTRACE_SYSCALL_WORDS; i++)
			wanted[i] |=
			    s->entry_stop[i] | s->exit_stop[i] | s->entry_note[i] | s->exit_note[i];
	}
	for (i = 0; i < NTRACE_SYSCALL_WORDS; i++)
		engage |= wanted[i] != 0;
	nt_wanted_change(t->call.wanted, wanted);
	if (engage && !t->call.engaged) {
		set_task_syscall_work(t->task, SYSCALL_AUDIT);
		/* the end of what it sleeps in is to be seen, too */
		if (t->task != current && !t->life.fresh) {
			bool reporting = READ_ONCE(t->call.reporting);

			kick = !reporting && !t->parked &&
			       READ_ONCE(t->task->__state) &
				   (TASK_INTERRUPTIBLE | TASK_UNINTERRUPTIBLE);
			t->call.midway |= kick || reporting;
		}
	} else if (!engage) {
		/* a new thread has it from its creator */
		switch_off(t->task);
	}
	t->call.engaged = engage;
	spin_unlock_irqrestore(&t->lock, flags);
	rcu_read_unlock();
	if (kick)
		nt_task_kick(t, false);
}

void nt_call_task_gone(struct nt_task *t)
{
	static const __u64 none[NTRACE_SYSCALL_WORDS];
	unsigned long flags;

	spin_lock_irqsave(&t->lock, flags);
	if (t->call.engaged)
		switch_off(t->task);
	t->call.engaged = false;
	nt_wanted_change(t->call.wanted, none);
	spin_unlock_irqrestore(&t->lock, flags);
}

/* In the creator, under rcu_read_lock(), before the child runs: a thread of ours sees
 * the end of the call that made it, any other has nothing to do with the switch.
 */
void nt_syscall_born(struct task_struct *child)
{
	struct nt_task *t = nt_task_get_rcu(child);
	int nr = syscall_get_nr(current, task_pt_regs(current));
	struct nt_att *a;

	if (!t) {
		switch_off(child);
		return;
	}
	list_for_each_entry_rcu(a, &t->atts, in_task)
		if (wants(a, nr, false) != NT_PASS) {
			expect(t, true);
			t->call.nr = nr;
		}
}
