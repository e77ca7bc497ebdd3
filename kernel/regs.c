// SPDX-License-Identifier: GPL-2.0
/* Registers: whole regsets, found by their core note type. */
#include <linux/delay.h>
#include <linux/elf.h>
#include <linux/regset.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "batch.h"
#include "ntrace.h"
#include "arch/x86.h"

#define SIGINFO_SIZE 128   /* of siginfo_t, <asm/siginfo.h> */
#define MOST_REGSET 65536u /* bytes */
#define UPGRADE_MS 1000	   /* a thread blocked in the kernel comes to its stop meanwhile */

const struct user_regset *nt_regset_find(struct task_struct *task, u32 note)
{
	const struct user_regset_view *view = task_user_regset_view(task);
	unsigned int i;

	for (i = 0; i < view->n; i++)
		if (view->regsets[i].core_note_type == note && view->regsets[i].regset_get)
			return &view->regsets[i];
	return NULL;
}

/* What is transferred, between our memory and the program's thread. The caller's memory may
 * keep whoever touches it waiting, and with it a thread that is looked at.
 */
struct piece {
	void *bytes;
	size_t len;
};

static int make_room(struct piece *piece, size_t size)
{
	if (size <= piece->len)
		return 0;
	kvfree(piece->bytes);
	piece->bytes = kvmalloc(size, GFP_KERNEL);
	piece->len = piece->bytes ? size : 0;
	return piece->bytes ? 0 : ENOMEM;
}

static int get_siginfo(struct nt_task *t, struct ntrace_regset *r, struct piece *piece)
{
	BUILD_BUG_ON(sizeof(kernel_siginfo_t) > SIGINFO_SIZE);
	if (!t->siginfo)
		return EINVAL;
	if (make_room(piece, SIGINFO_SIZE))
		return ENOMEM;
	memset(piece->bytes, 0, SIGINFO_SIZE);
	memcpy(piece->bytes, t->siginfo, sizeof(*t->siginfo));
	r->got = SIGINFO_SIZE;
	return 0;
}

static int set_siginfo(struct nt_task *t, struct ntrace_regset *r, const struct piece *piece)
{
	if (!t->siginfo || r->len != SIGINFO_SIZE)
		return EINVAL;
	memcpy(t->siginfo, piece->bytes, sizeof(*t->siginfo));
	r->got = SIGINFO_SIZE;
	return 0;
}

static int get(struct nt_task *t, struct ntrace_regset *r, struct piece *piece)
{
	const struct user_regset *set;
	size_t size;
	int got;

	if (r->note == NTRACE_NT_SIGINFO)
		return get_siginfo(t, r, piece);
	set = nt_regset_find(t->task, r->note);
	if (!set)
		return EINVAL;
	size = (size_t)set->n * set->size;
	if (make_room(piece, size))
		return ENOMEM;
	/* without a buffer: its true size, which may be less than the most it could be */
	got = regset_get(t->task, set, r->len ? min_t(size_t, size, r->len) : size, piece->bytes);
	if (got < 0)
		return -got;
	r->got = got;
	if (r->note == NT_PRSTATUS && !READ_ONCE(t->parked))
		nt_trap_show(t, piece->bytes, got);
	return 0;
}

static int set(struct nt_att *a, struct ntrace_regset *r, const struct piece *piece)
{
	struct nt_task *t = a->task;
	struct pt_regs *regs = task_pt_regs(t->task), now = *regs;
	const struct user_regset *set;
	size_t size;
	int error;

	if (r->note == NTRACE_NT_SIGINFO)
		return set_siginfo(t, r, piece);
	set = nt_regset_find(t->task, r->note);
	if (!set || !set->set || !r->len || r->len % set->size)
		return EINVAL;
	size = min_t(size_t, piece->len, (size_t)set->n * set->size);
	/* A handler, or another program, does not go on where the former was; nor does what a
	 * sigreturn() came back to, where the registers were read in the middle of that.
	 */
	if (READ_ONCE(a->renewed) || (a->halfway && nt_arch_regs_others(&a->seen, regs)))
		return ESTALE;
	error = set->set(t->task, set, 0, size, piece->bytes, NULL);
	/* ... and who writes back what it read there does not mean to undo the call's end */
	if (!error && a->halfway && r->note == NT_PRSTATUS)
		nt_arch_regs_keep(&a->seen, a->seen_pc, &now, regs);
	if (!error)
		r->got = size;
	return -error;
}

static int copy_in(const struct ntrace_regset *r, struct piece *piece)
{
	size_t len = min(r->len, MOST_REGSET);
	int error = make_room(piece, len);

	if (error)
		return error;
	piece->len = len; /* of what is there; the next one asks again */
	return copy_from_user(piece->bytes, u64_to_user_ptr(r->buf), len) ? EFAULT : 0;
}

static int copy_out(const struct ntrace_regset *r, const struct piece *piece)
{
	return copy_to_user(u64_to_user_ptr(r->buf), piece->bytes, min(r->len, r->got)) ? EFAULT
											: 0;
}

/* A thread that sleeps in the kernel need not be disturbed: everything was saved when
 * it went to sleep, and is what we read unless it ran meanwhile. False: it did.
 */
static bool get_blocked(struct nt_att *a, struct ntrace_regset *r, struct piece *piece, int *error)
{
	struct nt_task *t = a->task;
	struct task_struct *task = t->task;
	struct pt_regs seen;
	unsigned long switches = READ_ONCE(task->nvcsw) + READ_ONCE(task->nivcsw);

	if (r->note == NTRACE_NT_SIGINFO || READ_ONCE(t->parked) || !nt_blocked(t, true))
		return false;
	*error = get(t, r, piece);
	seen = *task_pt_regs(task);
	smp_rmb(); /* the counters are read behind the registers */
	if (!nt_blocked(t, true) || switches != READ_ONCE(task->nvcsw) + READ_ONCE(task->nivcsw))
		return false;
	if (r->note == NT_PRSTATUS) {
		a->seen = seen;
		a->seen_pc = nt_trap_pc(READ_ONCE(task->mm), instruction_pointer(&seen));
		a->halfway = true;
	}
	return true;
}

/* Where it is parked, or else where it sleeps; a write brings a thread that sleeps to
 * its stop.
 */
static int transfer(struct nt_att *a, struct ntrace_regset *r, bool change, struct piece *piece,
		    u64 stop_id)
{
	struct nt_task *t = a->task;
	int error, ms;

	if (!change && r->note == NT_PRSTATUS)
		WRITE_ONCE(a->renewed, false); /* before it reads: an exec may come in between */
	for (ms = 0; ms < UPGRADE_MS && !fatal_signal_pending(current) && !nt_unloading; ms++) {
		if (nt_inspect(t)) {
			if (!change)
				error = get(t, r, piece);
			else if (READ_ONCE(a->stop_id) != stop_id &&
				 READ_ONCE(a->why) == NTRACE_EV_EXEC)
				error = ESTALE; /* the exec came while we waited */
			else
				error = set(a, r, piece);
			if (!change && r->note == NT_PRSTATUS)
				a->halfway = false;
			nt_inspect_end(t);
			return error;
		}
		if (!change && get_blocked(a, r, piece, &error))
			return error;
		if (!ms)
			nt_task_kick(t, true);
		usleep_range(50, 1000);
	}
	return EBUSY;
}

/* May this engine, and is the stop the one it quotes? */
static int allowed(struct nt_att *a, struct ntrace_regset *r, bool change, u64 *stop_id)
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
	*stop_id = a->stop_id;
	spin_unlock_irq(&t->lock);
	return error;
}

static int one(struct nt_engine *e, struct ntrace_regset *r, bool change, struct piece *piece)
{
	struct nt_task *t = NULL;
	struct nt_att *a;
	u64 stop_id;
	int error;

	r->got = 0;
	rcu_read_lock();
	a = nt_att_by_tid(e, r->tid);
	if (a && refcount_inc_not_zero(&a->ref))
		t = a->task;
	rcu_read_unlock();
	if (!t)
		return ESRCH;
	error = allowed(a, r, change, &stop_id);
	if (!error && !r->buf && (change || r->len))
		error = EFAULT;
	if (!error && change)
		error = copy_in(r, piece);
	if (!error)
		error = transfer(a, r, change, piece, stop_id);
	if (!error && !change)
		error = copy_out(r, piece);
	nt_att_put(a);
	return error;
}

static int all(struct nt_engine *e, struct ntrace_regs *r, bool change)
{
	struct ntrace_regset *entries;
	struct piece piece = {};
	u32 i;

	entries = nt_batch_in(r->entries, r->count, sizeof(*entries));
	if (IS_ERR(entries))
		return PTR_ERR(entries);
	r->done = 0;
	for (i = 0; i < r->count; i++) {
		entries[i].error = one(e, &entries[i], change, &piece);
		r->done += !entries[i].error;
	}
	kvfree(piece.bytes);
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
