// SPDX-License-Identifier: GPL-2.0
/* Trace experiments: when they run, their buffers, their state variables. */
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#include "break.h"
#include "tracing.h"

#define DEFAULT_SIZE (5u << 20) /* bytes of buffer */
#define MOST_SIZE (64u << 20)

struct nt_tracing *nt_tracing_make(struct nt_engine *e)
{
	struct nt_tracing *tracing = nt_tracing(e), *other;

	if (tracing)
		return tracing;
	tracing = kvzalloc(sizeof(*tracing), GFP_KERNEL_ACCOUNT);
	if (!tracing)
		return NULL;
	mutex_init(&tracing->mutex);
	mutex_init(&tracing->points_lock);
	INIT_LIST_HEAD(&tracing->points);
	other = cmpxchg(&e->tracing, NULL, tracing);
	if (other) {
		kvfree(tracing);
		return other;
	}
	atomic_inc(&nt_count[NT_TRACING]);
	return tracing;
}

void nt_tracing_free(struct nt_engine *e)
{
	struct nt_tracing *tracing = e->tracing;

	if (!tracing)
		return;
	kvfree(tracing->scratch);
	vfree(tracing->core.buffer.data);
	kvfree(tracing);
	atomic_dec(&nt_count[NT_TRACING]);
}

static void drop_points(struct nt_tracing *tracing)
{
	struct nt_point *pt, *next;

	mutex_lock(&tracing->points_lock);
	list_for_each_entry_safe(pt, next, &tracing->points, in_tracing)
		nt_point_drop(tracing, pt);
	mutex_unlock(&tracing->points_lock);
}

void nt_tracing_close(struct nt_engine *e)
{
	struct nt_tracing *tracing = nt_tracing(e);

	if (tracing)
		drop_points(tracing);
}

void nt_tracing_lower(struct nt_tracing *tracing)
{
	struct nt_point *pt;

	mutex_lock(&tracing->points_lock);
	list_for_each_entry(pt, &tracing->points, in_tracing)
		nt_point_lower(pt);
	mutex_unlock(&tracing->points_lock);
}

/* ---- NTRACE_IOC_TRACE_CONTROL: the mutex is held --------------------------------- */
static int set_size(struct nt_tracing *tracing, u64 size)
{
	void *data = __vmalloc(size, GFP_KERNEL_ACCOUNT | __GFP_ZERO | __GFP_NOWARN);

	if (!data)
		return -ENOMEM;
	vfree(tracing->core.buffer.data);
	nt_trace_buffer_init(&tracing->core.buffer, data, size);
	return 0;
}

static int start(struct nt_tracing *tracing)
{
	struct nt_trace *core = &tracing->core;
	struct nt_point *pt;
	int error = 0;

	if (core->running)
		return -EALREADY;
	if (!core->buffer.data)
		error = set_size(tracing, DEFAULT_SIZE);
	if (error)
		return error;
	nt_trace_start(core, ktime_get_ns());
	WRITE_ONCE(tracing->run, tracing->run + 1);
	mutex_lock(&tracing->points_lock);
	list_for_each_entry(pt, &tracing->points, in_tracing) {
		pt->core.hits = pt->core.usage = 0;
		error = nt_point_raise(pt);
		if (error)
			break;
	}
	mutex_unlock(&tracing->points_lock);
	if (error) {
		nt_trace_stop(core, NTRACE_TRACE_ERROR, pt->core.number, -error, ktime_get_ns());
		nt_tracing_lower(tracing);
	}
	return error;
}

static void stop(struct nt_tracing *tracing)
{
	nt_trace_stop(&tracing->core, NTRACE_TRACE_STOPPED, 0, 0, ktime_get_ns());
	nt_tracing_lower(tracing);
}

static void clear(struct nt_tracing *tracing)
{
	struct nt_trace_buffer *b = &tracing->core.buffer;

	stop(tracing);
	drop_points(tracing);
	nt_trace_forget_variables(&tracing->core);
	nt_trace_buffer_init(b, b->data, b->size);
}

static int set_up(struct nt_tracing *tracing, u32 flags, u64 size)
{
	struct nt_trace_buffer *b = &tracing->core.buffer;
	int error = 0;

	if (size && size != b->size)
		error = tracing->core.running ? -EBUSY : set_size(tracing, size);
	if (!error)
		b->circular = flags & NTRACE_TRACE_CIRCULAR;
	return error;
}

static void tell(const struct nt_trace *core, struct ntrace_trace_control *r)
{
	const struct nt_trace_buffer *b = &core->buffer;

	r->flags = b->circular ? NTRACE_TRACE_CIRCULAR : 0;
	r->size = b->size ?: DEFAULT_SIZE;
	r->used = b->tail - b->head;
	r->free = r->size - r->used;
	r->frames = b->frames;
	r->created = b->created;
	r->start_ns = core->start_ns;
	r->stop_ns = core->stop_ns;
	r->running = core->running;
	r->reason = core->reason;
	r->number = core->number;
	r->error = core->error;
}

static int run(struct nt_tracing *tracing, struct ntrace_trace_control *r)
{
	switch (r->command) {
	case NTRACE_TRACE_CLEAR:
		clear(tracing);
		return 0;
	case NTRACE_TRACE_START:
		return start(tracing);
	case NTRACE_TRACE_STOP:
		stop(tracing);
		return 0;
	case NTRACE_TRACE_SETUP:
		return set_up(tracing, r->flags, r->size);
	default:
		return 0;
	}
}

int nt_trace_control(struct nt_engine *e, void *record)
{
	struct ntrace_trace_control *r = record;
	struct nt_tracing *tracing;
	int error;

	if (!r->command || r->command > NTRACE_TRACE_SETUP)
		return -EINVAL;
	if (r->command == NTRACE_TRACE_SETUP &&
	    (r->flags & ~NTRACE_TRACE_CIRCULAR || r->size > MOST_SIZE))
		return -EINVAL;
	tracing = nt_tracing_make(e);
	if (!tracing)
		return -ENOMEM;
	if (mutex_lock_killable(&tracing->mutex))
		return -EINTR;
	error = run(tracing, r);
	tell(&tracing->core, r);
	mutex_unlock(&tracing->mutex);
	return error;
}

/* ---- NTRACE_IOC_TRACE_READ ---------------------------------------------------------- */
/* Some bytes of a frame, named by its number since tracing began: it may be gone since. */
static s64 read_piece(struct nt_tracing *tracing, u64 *number, bool first, u64 offset, void *to,
		      u32 len)
{
	struct nt_trace_buffer *b = &tracing->core.buffer;
	u64 oldest;
	s64 got = -ENOENT;

	if (mutex_lock_killable(&tracing->mutex))
		return -EINTR;
	oldest = b->created - b->frames;
	if (first && *number < b->frames)
		*number += oldest;
	else if (first || *number < oldest)
		goto out;
	got = nt_trace_frame_read(b, *number - oldest, offset, to, len);
	if (got < 0)
		got = -ENOENT;
out:
	mutex_unlock(&tracing->mutex);
	return got;
}

int nt_trace_read(struct nt_engine *e, void *record)
{
	struct nt_tracing *tracing = nt_tracing(e);
	struct ntrace_trace_read *r = record;
	u64 number = r->frame;
	bool first = true;
	s64 got = 0;
	u8 *piece;

	r->got = 0;
	if (!r->buf && r->len)
		return -EFAULT;
	if (!tracing)
		return -ENOENT;
	piece = kmalloc(PAGE_SIZE, GFP_KERNEL);
	if (!piece)
		return -ENOMEM;
	do {
		u32 len = min_t(u32, r->len - r->got, PAGE_SIZE);

		got = read_piece(tracing, &number, first, r->offset + r->got, piece, len);
		if (got > 0 && copy_to_user(u64_to_user_ptr(r->buf + r->got), piece, got))
			got = -EFAULT;
		if (got > 0)
			r->got += got;
		first = false;
	} while (got > 0 && r->got < r->len);
	kfree(piece);
	return got < 0 ? got : 0;
}

/* ---- NTRACE_IOC_VARIABLE ------------------------------------------------------------- */
int nt_variable(struct nt_engine *e, void *record)
{
	struct ntrace_variable *r = record;
	struct nt_tracing *tracing;
	u64 value;

	if (r->flags & ~NTRACE_VARIABLE_SET || !r->number || r->number >= NTRACE_VARIABLES)
		return -EINVAL;
	tracing = nt_tracing_make(e);
	if (!tracing)
		return -ENOMEM;
	if (r->flags & NTRACE_VARIABLE_SET) {
		nt_trace_set(&tracing->core, r->number, r->value);
		return 0;
	}
	if (!nt_trace_get(&tracing->core, r->number, ktime_get_ns(), &value))
		return -ENOENT;
	r->value = value;
	return 0;
}
