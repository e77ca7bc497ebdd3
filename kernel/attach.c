// SPDX-License-Identifier: GPL-2.0
/* Attaching: every thread of a process without disturbing it, or why not. */
#include <linux/rculist.h>
#include <linux/sched/coredump.h>
#include <linux/sched/mm.h>
#include <linux/sched/task.h>
#include <linux/static_call.h>

#include "ntrace.h"

#define EXEC_PATIENCE HZ

typedef bool nt_may_access_fn(struct task_struct *task, unsigned int mode);
DEFINE_STATIC_CALL_NULL(nt_may_access, nt_may_access_fn);
static bool can_ask;

void nt_attach_init(void)
{
	unsigned long address = nt_symbol("ptrace_may_access");

	can_ask = address;
	if (address)
		static_call_update(nt_may_access, (nt_may_access_fn *)address);
	else
		pr_warn("ntrace: no ptrace_may_access: only CAP_SYS_PTRACE may attach\n");
}

/* What ptrace would ask, with the opener's credentials. */
static bool may_access(struct nt_engine *e, struct task_struct *task)
{
	const struct cred *old;
	bool may;

	if (!can_ask)
		return file_ns_capable(e->file, &init_user_ns, CAP_SYS_PTRACE);
	old = override_creds(e->cred);
	may = static_call(nt_may_access)(task, PTRACE_MODE_ATTACH_REALCREDS);
	revert_creds(old);
	return may;
}

static u32 refusal(struct nt_engine *e, struct task_struct *task)
{
	const struct cred *theirs;
	u32 reason = NTRACE_WHY_LSM;
	struct mm_struct *mm;

	rcu_read_lock();
	theirs = __task_cred(task);
	if (!uid_eq(e->cred->uid, theirs->uid) || !uid_eq(e->cred->uid, theirs->euid) ||
	    !uid_eq(e->cred->uid, theirs->suid) || !gid_eq(e->cred->gid, theirs->gid) ||
	    !gid_eq(e->cred->gid, theirs->egid) || !gid_eq(e->cred->gid, theirs->sgid))
		reason = NTRACE_WHY_CREDS;
	rcu_read_unlock();
	if (reason == NTRACE_WHY_CREDS)
		return reason;
	mm = get_task_mm(task);
	if (mm) {
		if (get_dumpable(mm) != SUID_DUMP_USER)
			reason = NTRACE_WHY_CREDS;
		mmput(mm);
	}
	if (reason == NTRACE_WHY_LSM && IS_ENABLED(CONFIG_SECURITY_YAMA))
		reason = NTRACE_WHY_YAMA;
	return reason;
}

static int refuse(struct ntrace_attach *r, u32 reason, int error)
{
	r->reason = reason;
	return -error;
}

static struct task_struct *find_task(struct nt_engine *e, pid_t pid)
{
	struct task_struct *task;

	rcu_read_lock();
	task = pid_task(find_pid_ns(pid, e->ns), PIDTYPE_PID);
	if (task)
		get_task_struct(task);
	rcu_read_unlock();
	return task;
}

/* The memory of the first thread that still has one. */
static struct mm_struct *process_mm(struct task_struct *leader)
{
	struct mm_struct *mm = get_task_mm(leader);
	struct task_struct *other = leader;

	if (mm)
		return mm;
	rcu_read_lock();
	for_each_thread(leader, other) {
		task_lock(other);
		mm = other->flags & PF_KTHREAD ? NULL : other->mm;
		if (mm)
			mmget(mm);
		task_unlock(other);
		if (mm)
			break;
	}
	rcu_read_unlock();
	return mm;
}

/* Attaches one thread. -EEXIST: it was already; -ESRCH: it dies. */
static int attach_thread(struct nt_proc *p, struct task_struct *task)
{
	struct nt_task *t = nt_task_make(task, GFP_KERNEL);
	struct nt_att *a;
	int error;

	if (!t)
		return -ENOMEM;
	error = nt_att_add(p, t, GFP_KERNEL, &a);
	if (!error) {
		smp_mb(); /* against the end of do_exit: our entry or its state is seen */
		if (READ_ONCE(task->exit_state)) {
			error = -ESRCH;
			if (nt_att_drop(a))
				nt_proc_leave(p);
		} else {
			nt_trap_task_new(t);
			nt_syscall_engage(t);
		}
		nt_att_put(a);
	}
	nt_task_unpin(t);
	nt_task_put(t);
	return error;
}

/* Until a pass finds none that is new: whoever is born to an attached thread is
 * attached, whoever was born before is on the list.
 */
int nt_attach_threads(struct nt_proc *p, struct task_struct *leader, u32 *count)
{
	struct task_struct *batch[32], *other;
	bool again = true;
	int error = 0;

	while (again && !error) {
		int n = 0, i;

		again = false;
		rcu_read_lock();
		for_each_thread(leader, other) {
			struct nt_task *t = nt_task_get_rcu(other);

			if (READ_ONCE(other->exit_state) || other->flags & NT_PF_WORKER ||
			    (t && nt_att_of(p->engine, t)))
				continue;
			again = true;
			if (n == ARRAY_SIZE(batch))
				break;
			get_task_struct(other);
			batch[n++] = other;
		}
		rcu_read_unlock();
		for (i = 0; i < n; i++) {
			int result = error ? error : attach_thread(p, batch[i]);

			if (!result)
				(*count)++;
			else if (result == -ENOMEM)
				error = result;
			put_task_struct(batch[i]);
		}
		if (fatal_signal_pending(current))
			error = -EINTR;
	}
	return error;
}

/* A process that nobody of this engine has, or only some threads of it by themselves. */
static struct nt_proc *new_proc(struct nt_engine *e, struct ntrace_attach *r,
				struct task_struct *task, int *error)
{
	struct task_struct *leader = task->group_leader;
	struct mm_struct *mm = process_mm(leader);
	struct nt_proc *p;

	if (!mm) {
		*error = refuse(r, NTRACE_WHY_ZOMBIE, ESRCH);
		return NULL;
	}
	if (!may_access(e, task)) {
		mmput(mm);
		*error = refuse(r, refusal(e, task), EPERM);
		return NULL;
	}
	p = nt_proc_new(e, task_tgid(task), leader->start_time, mm, &e->defaults, GFP_KERNEL);
	mmput(mm);
	if (IS_ERR(p)) {
		*error = PTR_ERR(p);
		return NULL;
	}
	p->release = r->release;
	if (r->flags & NTRACE_ATTACH_OWNED && p->release == NTRACE_RELEASE_RESUME)
		p->release = NTRACE_RELEASE_KILL;
	p->thread_only = r->flags & NTRACE_ATTACH_THREAD;
	p->quiesced = r->flags & NTRACE_ATTACH_STOP && !p->thread_only;
	if (leader->exit_state)
		p->leader_code = leader->exit_code;
	return p;
}

/* One more thread of a process of which this engine has some. */
static int join(struct nt_proc *p, struct ntrace_attach *r, struct task_struct *task)
{
	int error = attach_thread(p, task);

	if (error == -EEXIST)
		return refuse(r, NTRACE_WHY_ATTACHED, EEXIST);
	if (error == -ESRCH)
		return refuse(r, NTRACE_WHY_GONE, ESRCH);
	r->threads = !error;
	return error;
}

static int attach(struct nt_engine *e, struct ntrace_attach *r, struct task_struct *task,
		  struct nt_proc **out)
{
	bool single = r->flags & NTRACE_ATTACH_THREAD;
	struct nt_proc *p;
	int error = 0;

	if (same_thread_group(task, current))
		return refuse(r, NTRACE_WHY_SELF, EPERM);
	if (!single && !thread_group_leader(task))
		return refuse(r, NTRACE_WHY_NOT_LEADER, ESRCH);
	if (task->flags & PF_KTHREAD)
		return refuse(r, NTRACE_WHY_KERNEL, EPERM);
	p = nt_proc_find(e, pid_nr_ns(task_tgid(task), e->ns));
	if (p && !(single && p->thread_only)) {
		nt_proc_put(p);
		return refuse(r, NTRACE_WHY_ATTACHED, EEXIST);
	}
	if (p) {
		error = join(p, r, task);
	} else {
		p = new_proc(e, r, task, &error);
		if (!p)
			return error;
		error = single ? join(p, r, task) : nt_attach_threads(p, task, &r->threads);
		if (error) {
			nt_proc_detach(p, NTRACE_RELEASE_RESUME, 0, 0);
		} else if (nt_proc_leave(p)) { /* the bias: they are gone again */
			nt_break_detach(p);
			nt_proc_put(p); /* the list's */
			error = refuse(r, NTRACE_WHY_GONE, ESRCH);
		}
	}
	r->cookie = p->cookie;
	if (error)
		nt_proc_put(p);
	else
		*out = p;
	return error;
}

static bool is_valid(const struct ntrace_attach *r)
{
	u32 flags = NTRACE_ATTACH_STOP | NTRACE_ATTACH_THREAD | NTRACE_ATTACH_OWNED;

	if (r->flags & ~flags || r->pid <= 0 || r->release > NTRACE_RELEASE_STOP)
		return false;
	/* how a process is to be left is nothing to ask for one of its threads */
	return !(r->flags & NTRACE_ATTACH_THREAD) ||
	       (!(r->flags & NTRACE_ATTACH_OWNED) && r->release == NTRACE_RELEASE_RESUME);
}

/* No exec between the question and the answer. One that is under way waits for the other threads,
 * and one of them may be held: by another engine of the same caller, too, or until we unload.
 */
static int keep_from_exec(struct task_struct *task, struct ntrace_attach *r)
{
	struct mutex *guard = &task->signal->cred_guard_mutex;
	unsigned long until = jiffies + EXEC_PATIENCE;

	while (!mutex_trylock(guard)) {
		if (READ_ONCE(nt_unloading))
			return -ENODEV;
		if (time_after(jiffies, until))
			return refuse(r, NTRACE_WHY_EXEC, EBUSY);
		schedule_timeout_interruptible(1);
		if (signal_pending(current))
			return -EINTR;
	}
	return 0;
}

int nt_attach(struct nt_engine *e, void *record)
{
	struct ntrace_attach *r = record;
	struct task_struct *task;
	struct nt_proc *p = NULL;
	int error;

	r->threads = 0;
	r->reason = NTRACE_WHY_NONE;
	r->holder_pid = 0;
	if (!is_valid(r))
		return -EINVAL;
	if ((r->flags & NTRACE_ATTACH_THREAD && !nt_feature(NTRACE_F_ATTACH_THREAD)) ||
	    (r->release == NTRACE_RELEASE_STOP && !nt_feature(NTRACE_F_LEAVE_STOPPED)))
		return -EOPNOTSUPP;
	if (e->observer && r->flags & NTRACE_ATTACH_STOP)
		return -EROFS;
	task = find_task(e, r->pid);
	if (!task)
		return refuse(r, NTRACE_WHY_GONE, ESRCH);
	mutex_lock(&e->mutex);
	error = keep_from_exec(task, r);
	if (!error) {
		error = attach(e, r, task, &p);
		mutex_unlock(&task->signal->cred_guard_mutex);
	}
	mutex_unlock(&e->mutex);
	put_task_struct(task);
	if (!error && r->flags & NTRACE_ATTACH_STOP)
		error = nt_stop_process(p, r->flags & NTRACE_ATTACH_THREAD ? r->pid : -1);
	if (p)
		nt_proc_put(p);
	return error;
}
