// SPDX-License-Identifier: GPL-2.0
/* Events on their way: stops wait in slots of their own, notes in a ring. */
#include <linux/elf.h>
#include <linux/pagemap.h>
#include <linux/regset.h>
#include <linux/uaccess.h>

#include "ntrace.h"

/* Once, where it stays: field by field is half of what clearing all of it, and then a
 * copy, take.
 */
static void describe(struct ntrace_event *r, struct nt_task *t, u32 type, bool regs)
{
	struct pt_regs *user = task_pt_regs(t->task);
	bool compat = regs && task_user_regset_view(t->task)->e_machine != ELF_ARCH;

	static_assert(sizeof(*r) == 160); /* none is left out */
	r->size = sizeof(*r);
	r->type = type;
	r->flags = compat ? NTRACE_EVF_COMPAT : 0;
	r->seq = 0;
	r->time_ns = ktime_get_ns();
	r->cookie = t->cookie;
	r->tid = 0;
	r->tgid = 0;
	r->stop_id = 0;
	r->signo = 0;
	r->code = 0;
	r->child = 0;
	r->core = task_cpu(t->task);
	r->pc = regs ? nt_trap_pc(READ_ONCE(t->task->mm), instruction_pointer(user)) : 0;
	r->sp = regs ? user_stack_pointer(user) : 0;
	r->fp = regs ? frame_pointer(user) : 0;
	r->addr = 0;
	r->break_id = 0;
	r->original = 0;
	r->nr = 0;
	r->args[0] = 0;
	r->args[1] = 0;
	r->args[2] = 0;
	r->args[3] = 0;
	r->args[4] = 0;
	r->args[5] = 0;
}

void nt_event_init(struct nt_event *ev, struct nt_task *t, u32 type, bool regs)
{
	describe(&ev->r, t, type, regs);
	ev->child = NULL;
}

void nt_event_ids(struct ntrace_event *r, struct nt_engine *e, struct nt_task *t, struct pid *child)
{
	r->tid = pid_nr_ns(t->pid, e->ns);
	r->tgid = pid_nr_ns(t->tgid, e->ns);
	if (child)
		r->child = pid_nr_ns(child, e->ns);
}

void nt_wake(struct nt_engine *e)
{
	if (wq_has_sleeper(&e->wait))
		wake_up_all(&e->wait);
}

void nt_queue(struct nt_engine *e, struct nt_pending *slot)
{
	unsigned long flags;

	spin_lock_irqsave(&e->queue_lock, flags);
	slot->r.seq = ++e->seq;
	list_add_tail(&slot->link, &e->stops);
	spin_unlock_irqrestore(&e->queue_lock, flags);
}

void nt_unqueue(struct nt_engine *e, struct nt_pending *slot)
{
	unsigned long flags;

	spin_lock_irqsave(&e->queue_lock, flags);
	list_del_init(&slot->link);
	spin_unlock_irqrestore(&e->queue_lock, flags);
}

/* queue_lock is held. Room for the next note, or NULL. */
static struct ntrace_event *claim(struct nt_engine *e)
{
	if (e->note_count == e->capacity)
		return NULL;
	return &e->notes[(e->note_head + e->note_count++) & (e->capacity - 1)];
}

/* Tells how many were dropped, once there is room again. queue_lock is held. */
static void push_lost(struct nt_engine *e)
{
	struct ntrace_event *to = e->lost ? claim(e) : NULL;

	if (!to)
		return;
	*to = (struct ntrace_event){
	    .size = sizeof(*to),
	    .type = NTRACE_EV_LOST,
	    .seq = ++e->seq,
	    .time_ns = ktime_get_ns(),
	    .core = -1,
	    .addr = e->lost,
	};
	e->lost = 0;
}

/* The place of the next note, or NULL: that one is lost. queue_lock is held. */
static struct ntrace_event *next_note(struct nt_engine *e)
{
	struct ntrace_event *to;

	push_lost(e);
	to = e->lost ? NULL : claim(e);
	if (!to)
		e->lost++;
	return to;
}

void nt_note_engine(struct nt_engine *e, struct nt_task *t, const struct nt_event *ev)
{
	struct ntrace_event *to;
	unsigned long flags;

	spin_lock_irqsave(&e->queue_lock, flags);
	to = next_note(e);
	if (to) {
		*to = ev->r;
		nt_event_ids(to, e, t, ev->child);
		to->stop_id = 0;
		to->seq = ++e->seq;
	}
	spin_unlock_irqrestore(&e->queue_lock, flags);
	nt_wake(e);
}

void nt_note_call(struct nt_att *a, const struct nt_facts *f)
{
	struct nt_engine *e = a->engine;
	struct ntrace_event *to;
	unsigned long flags;

	spin_lock_irqsave(&e->queue_lock, flags);
	to = next_note(e);
	if (to) {
		describe(to, a->task, f->type, true);
		nt_event_ids(to, e, a->task, NULL);
		to->seq = ++e->seq;
		nt_facts_tell(to, f);
	}
	spin_unlock_irqrestore(&e->queue_lock, flags);
	nt_wake(e);
}

void nt_note_text(struct nt_engine *e, struct nt_task *t, const struct nt_event *ev,
		  const char *text, u32 len)
{
	u32 records = DIV_ROUND_UP(len, sizeof(ev->r.args));
	struct ntrace_event *to;
	unsigned long flags;

	spin_lock_irqsave(&e->queue_lock, flags);
	push_lost(e);
	if (e->lost || e->capacity - e->note_count < records) {
		e->lost += records;
		len = 0;
	}
	while (len) {
		to = claim(e);
		if (WARN_ON_ONCE(!to))
			break;
		*to = ev->r;
		nt_event_ids(to, e, t, ev->child);
		to->seq = ++e->seq;
		to->code = min_t(u32, len, sizeof(to->args));
		memcpy(to->args, text, to->code);
		text += to->code;
		len -= to->code;
		to->addr = len;
	}
	spin_unlock_irqrestore(&e->queue_lock, flags);
	nt_wake(e);
}

void nt_note(struct nt_att *a, const struct nt_event *ev)
{
	nt_note_engine(a->engine, a->task, ev);
}

/* Moves what others' notes are from number "from" up to "to" behind the first "kept": how many
 * there are then. "reading" is held, so that nobody else looks at those.
 */
static u32 keep_others(struct nt_engine *e, pid_t tgid, u32 from, u32 to, u32 kept)
{
	for (; from < to; from++) {
		struct ntrace_event *r = &e->notes[(e->note_head + from) & (e->capacity - 1)];

		if (r->tgid != tgid || r->type == NTRACE_EV_PRINT)
			e->notes[(e->note_head + kept++) & (e->capacity - 1)] = *r;
	}
	return kept;
}

void nt_forget_notes(struct nt_engine *e, pid_t tgid)
{
	u32 there, kept;

	mutex_lock(&e->reading);
	/* there may be many: interrupts are off for those alone that come meanwhile */
	spin_lock_irq(&e->queue_lock);
	there = e->note_count;
	spin_unlock_irq(&e->queue_lock);
	kept = keep_others(e, tgid, 0, there, 0);
	spin_lock_irq(&e->queue_lock);
	e->note_count = keep_others(e, tgid, there, e->note_count, kept);
	spin_unlock_irq(&e->queue_lock);
	mutex_unlock(&e->reading);
}

bool nt_readable(struct nt_engine *e)
{
	return READ_ONCE(e->note_count) || READ_ONCE(e->lost) || !list_empty_careful(&e->stops);
}

u32 nt_event_count(struct nt_engine *e)
{
	struct nt_pending *slot;
	u32 count;

	spin_lock_irq(&e->queue_lock);
	count = e->note_count + (e->lost && !e->note_count);
	list_for_each_entry(slot, &e->stops, link)
		count++;
	spin_unlock_irq(&e->queue_lock);
	return count;
}

/* The oldest event. False: there is none. queue_lock is held. */
static bool pop(struct nt_engine *e, struct ntrace_event *out, struct nt_proc **ended)
{
	struct nt_pending *slot;

	if (!e->note_count)
		push_lost(e);
	slot = list_first_entry_or_null(&e->stops, struct nt_pending, link);
	if (slot && e->note_count && e->notes[e->note_head].seq < slot->r.seq)
		slot = NULL;
	if (slot) {
		*out = slot->r;
		list_del_init(&slot->link);
		if (out->type == NTRACE_EV_PROC_DEAD || out->type == NTRACE_EV_DETACHED)
			*ended = container_of(slot, struct nt_proc, last);
	} else if (e->note_count) {
		*out = e->notes[e->note_head];
		e->note_head = (e->note_head + 1) & (e->capacity - 1);
		e->note_count--;
	} else {
		return false;
	}
	return true;
}

/* Some of the oldest events; up to the end of a process, whose record goes then. */
static u32 pop_some(struct nt_engine *e, struct ntrace_event *out, u32 most)
{
	struct nt_proc *ended = NULL;
	u32 n = 0;

	spin_lock_irq(&e->queue_lock);
	while (n < most && !ended && pop(e, &out[n], &ended))
		n++;
	spin_unlock_irq(&e->queue_lock);
	if (ended)
		nt_proc_put(ended);
	return n;
}

#define MOST_LOOKED_AT 1024u /* with interrupts off */

/* Notes that lie one behind the other, and are older than any stop. They stay. */
static u32 look_at_notes(struct nt_engine *e, u32 most, struct ntrace_event **first)
{
	struct nt_pending *slot;
	u32 n;

	spin_lock_irq(&e->queue_lock);
	n = min3(e->note_count, e->capacity - e->note_head, min(most, MOST_LOOKED_AT));
	*first = e->notes + e->note_head;
	slot = list_first_entry_or_null(&e->stops, struct nt_pending, link);
	while (slot && n && (*first)[n - 1].seq > slot->r.seq)
		n--;
	spin_unlock_irq(&e->queue_lock);
	return n;
}

static void drop_notes(struct nt_engine *e, u32 n)
{
	spin_lock_irq(&e->queue_lock);
	e->note_head = (e->note_head + n) & (e->capacity - 1);
	e->note_count -= n;
	spin_unlock_irq(&e->queue_lock);
}

/* Straight from the ring: who makes notes does not wait for a copy. 0: there are none, or
 * the buffer would have to be brought in, for which the ring does not wait.
 */
static u32 read_notes(struct nt_engine *e, struct ntrace_event __user *buf, u32 most)
{
	struct ntrace_event *first;
	u32 n;

	mutex_lock(&e->reading);
	n = look_at_notes(e, most, &first);
	pagefault_disable();
	if (n && copy_to_user(buf, first, n * sizeof(*first)))
		n = 0;
	pagefault_enable();
	if (n)
		drop_notes(e, n);
	mutex_unlock(&e->reading);
	return n;
}

/* One after the other, stops and notes. 0: there are none, or -EFAULT. */
static int read_some(struct nt_engine *e, struct ntrace_event __user *buf, u32 most)
{
	struct ntrace_event some[8];
	u32 n;

	mutex_lock(&e->reading);
	n = pop_some(e, some, min_t(u32, most, ARRAY_SIZE(some)));
	mutex_unlock(&e->reading);
	return copy_to_user(buf, some, n * sizeof(*some)) ? -EFAULT : n;
}

/* Whole records: bytes, 0 if there are none. The buffer is tried before anything
 * leaves the queue: what was taken out is not lost on an address to nowhere.
 */
ssize_t nt_event_read(struct nt_engine *e, char __user *buf, size_t size)
{
	size_t room = min_t(size_t, size / sizeof(struct ntrace_event), nt_event_count(e));
	struct ntrace_event __user *to = (struct ntrace_event __user *)buf;
	size_t done = 0;
	int n = 0;

	if (room && fault_in_writeable(buf, room * sizeof(*to)))
		return -EFAULT;
	while (done < room) {
		n = read_notes(e, to + done, room - done);
		if (!n)
			n = read_some(e, to + done, room - done);
		if (n <= 0)
			break;
		done += n;
	}
	return done ? (ssize_t)(done * sizeof(*to)) : n;
}
