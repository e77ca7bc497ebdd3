// SPDX-License-Identifier: GPL-2.0
/* Registers: whole regsets, found by their core note type. */
#include <linux/delay.h>
#include <linux/elf.h>
#include <linux/regset.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "batch.h"
#include "ntrace.h"

#define SIGINFO_SIZE 128 /* of siginfo_t, <asm/siginfo.h> */
#define UPGRADE_MS 1000	 /* a thread blocked in the kernel comes to its stop meanwhile */

const struct user_regset *nt_regset_find(struct task_struct *task, u32 note)
{
	const struct user_regset_view *view = task_user_regset_view(task);
	unsigned int i;

	for (i = 0; i < view->n; i++)
		if (view->regsets[i].core_note_type == note && view->regsets[i].regset_get)
			return &view->regsets[i];
	return NULL;
}

static int get_siginfo(struct nt_task *t, struct ntrace_regset *r)
{
	char info[SIGINFO_SIZE] = {};

	BUILD_BUG_ON(sizeof(kernel_siginfo_t) > SIGINFO_SIZE);
	if (!t->siginfo)
		return EINVAL;
	memcpy(info, t->siginfo, sizeof(*t->siginfo));
	r->got = sizeof(info);
	if (copy_to_user(u64_to_user_ptr(r->buf), info, min_t(size_t, r->len, sizeof(info))))
		return EFAULT;
	return 0;
}

static int set_siginfo(struct nt_task *t, struct ntrace_regset *r)
{
	char info[SIGINFO_SIZE];

	if (!t->siginfo || r->len != sizeof(info))
		return EINVAL;
	if (copy_from_user(info, u64_to_user_ptr(r->buf), sizeof(info)))
		return EFAULT;
	memcpy(t->siginfo, info, sizeof(*t->siginfo));
	r->got = sizeof(info);
	return 0;
}

static int get(struct nt_task *t, struct ntrace_regset *r, void **scratch, size_t *room)
{
	const struct user_regset *set;
	size_t size;
	int got;

	if (r->note == NTRACE_NT_SIGINFO)
		return get_siginfo(t, r);
	set = nt_regset_find(t->task, r->note);
	if (!set)
		return EINVAL;
	size = (size_t)set->n * set->size;
	if (!r->len) {
		/* its true size, which may be less than the most it could be */
		r->len = size;
		got = get(t, r, scratch, room);
		r->len = 0;
		return got;
	}
	if (size > *room) {
		kvfree(*scratch);
		*scratch = kvmalloc(size, GFP_KERNEL);
		*room = *scratch ? size : 0;
		if (!*scratch)
			return ENOMEM;
	}
	got = regset_get(t->task, set, min_t(size_t, size, r->len), *scratch);
	if (got < 0)
		return -got;
	r->got = got;
	if (r->note == NT_PRSTATUS && !READ_ONCE(t->parked))
		nt_trap_show(t, *scratch, got);
	if (r->buf && copy_to_user(u64_to_user_ptr(r->buf), *scratch, got))
		return EFAULT;
	return 0;
}

/* Who read the registers in the middle of a system call and writes them back does not
 * mean to change what it returned meanwhile.
 */
static void keep_result(struct nt_task *t, void *bytes, size_t size)
{
	unsigned long *result = bytes + offsetof(struct user_regs_struct, ax);

	if (size >= sizeof(struct user_regs_struct) && *result == -ENOSYS)
		*result = task_pt_regs(t->task)->ax;
}

static int set(struct nt_task *t, struct ntrace_regset *r, bool halfway)
{
	const struct user_regset *set;
	size_t size;
	void *bytes;
	int error;

	if (r->note == NTRACE_NT_SIGINFO)
		return set_siginfo(t, r);
	set = nt_regset_find(t->task, r->note);
	if (!set || !set->set || !r->len || r->len % set->size)
		return EINVAL;
	size = min_t(size_t, r->len, (size_t)set->n * set->size);
	bytes = kvmalloc(size, GFP_KERNEL);
	if (!bytes)
		return ENOMEM;
	if (copy_from_user(bytes, u64_to_user_ptr(r->buf), size))
		error = -EFAULT;
	else
		error = 0;
	if (!error && halfway && r->note == NT_PRSTATUS)
		keep_result(t, bytes, size);
	if (!error)
		error = set->set(t->task, set, 0, size, bytes, NULL);
	kvfree(bytes);
	if (!error)
		r->got = size;
	return -error;
}

/* A thread that sleeps in the kernel need not be disturbed: everything was saved when
 * it went to sleep, and is what we read unless it ran meanwhile. False: it did.
 */
static bool get_blocked(struct nt_task *t, struct ntrace_regset *r, void **scratch, size_t *room,
			int *error)
{
	struct task_struct *task = t->task;
	unsigned long switches = READ_ONCE(task->nvcsw) + READ_ONCE(task->nivcsw);

	if (r->note == NTRACE_NT_SIGINFO || READ_ONCE(t->parked) || !nt_blocked(t, true))
		return false;
	*error = get(t, r, scratch, room);
	smp_rmb();
	return nt_blocked(t, true) && switches == READ_ONCE(task->nvcsw) + READ_ONCE(task->nivcsw);
}

/* Where it is parked, or else where it sleeps; a write brings a thread that sleeps to
 * its stop.
 */
static int transfer(struct nt_att *a, struct ntrace_regset *r, bool change, void **scratch,
		    size_t *room)
{
	struct nt_task *t = a->task;
	int error, ms;

	for (ms = 0; ms < UPGRADE_MS && !fatal_signal_pending(current) && !nt_unloading; ms++) {
		if (nt_inspect(t)) {
			error = change ? set(t, r, a->halfway) : get(t, r, scratch, room);
			if (!change && r->note == NT_PRSTATUS)
				a->halfway = false;
			nt_inspect_end(t);
			return error;
		}
		if (!change && get_blocked(t, r, scratch, room, &error)) {
			if (r->note == NT_PRSTATUS)
				a->halfway = true;
			return error;
		}
		if (!ms)
			nt_task_kick(t, true);
		usleep_range(50, 1000);
	}
	return EBUSY;
}

/* May this engine, and is the stop the one it quotes? */
static int allowed(struct nt_att *a, struct ntrace_regset *r, bool change)
{
	struct nt_task *t = a->task;
	int error = 0;

	spin_lock_irq(&t->lock);
	if (a->gone)
		error = ESRCH;
	else if (r->stop_id && a->stop_id != r->stop_id)
		error = t->holds || change ? ESTALE : EBUSY;
	else if (change ? !a->stop_id : !t->holds && !(a->engine->observer && t->parked))
		error = EBUSY;
	spin_unlock_irq(&t->lock);
	return error;
}

static int one(struct nt_engine *e, struct ntrace_regset *r, bool change, void **scratch,
	       size_t *room)
{
	struct nt_task *t = NULL;
	struct nt_att *a;
	int error;

	r->got = 0;
	rcu_read_lock();
	a = nt_att_by_tid(e, r->tid);
	if (a && refcount_inc_not_zero(&a->ref))
		t = a->task;
	rcu_read_unlock();
	if (!t)
		return ESRCH;
	error = allowed(a, r, change);
	if (!error && !r->buf && (change || r->len))
		error = EFAULT;
	if (!error)
		error = transfer(a, r, change, scratch, room);
	nt_att_put(a);
	return error;
}

static int all(struct nt_engine *e, struct ntrace_regs *r, bool change)
{
	struct ntrace_regset *entries;
	void *scratch = NULL;
	size_t room = 0;
	u32 i;

	entries = nt_batch_in(r->entries, r->count, sizeof(*entries));
	if (IS_ERR(entries))
		return PTR_ERR(entries);
	r->done = 0;
	for (i = 0; i < r->count; i++) {
		entries[i].error = one(e, &entries[i], change, &scratch, &room);
		r->done += !entries[i].error;
	}
	kvfree(scratch);
	return nt_batch_out(r->entries, entries, r->count, sizeof(*entries));
}

int nt_getregs(struct nt_engine *e, void *record)
{
	return all(e, record, false);
}

int nt_setregs(struct nt_engine *e, void *record)
{
	return all(e, record, true);
}
