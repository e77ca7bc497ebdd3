// SPDX-License-Identifier: GPL-2.0
/*
 * The ring of trace frames.
 */
#include "trace_buffer.h"

static u64 least(u64 a, u64 b)
{
	return a < b ? a : b;
}

void nt_trace_buffer_init(struct nt_trace_buffer *b, void *data, u64 size)
{
	b->data = (u8 *)data;
	b->size = size;
	b->head = b->tail = b->open = 0;
	b->frames = b->created = 0;
	b->cursor_frame = b->cursor_at = 0;
}

void *nt_trace_span(struct nt_trace_buffer *b, u64 at, u64 *len)
{
	u64 place = at % b->size;

	*len = least(*len, b->size - place);
	return b->data + place;
}

void nt_trace_put(struct nt_trace_buffer *b, u64 at, const void *from, u64 len)
{
	const u8 *bytes = (const u8 *)from;

	while (len) {
		u64 part = len;
		void *to = nt_trace_span(b, at, &part);

		__builtin_memcpy(to, bytes, part);
		at += part;
		bytes += part;
		len -= part;
	}
}

static void get(struct nt_trace_buffer *b, u64 at, void *to, u64 len)
{
	u8 *bytes = (u8 *)to;

	while (len) {
		u64 part = len;
		const void *from = nt_trace_span(b, at, &part);

		__builtin_memcpy(bytes, from, part);
		at += part;
		bytes += part;
		len -= part;
	}
}

/* Of the whole frame that begins there. */
static u32 frame_size(struct nt_trace_buffer *b, u64 at)
{
	u32 size;

	get(b, at + offsetof(struct ntrace_frame, size), &size, sizeof(size));
	return size;
}

static void drop_oldest(struct nt_trace_buffer *b)
{
	b->head += frame_size(b, b->head);
	b->frames--;
}

bool nt_trace_reserve(struct nt_trace_buffer *b, u64 len)
{
	/* Not worth emptying the buffer for what would not fit an empty one. */
	if (len > b->size - least(b->size, b->open - b->tail))
		return false;
	while (b->size - (b->open - b->head) < len) {
		if (!b->circular || !b->frames)
			return false;
		drop_oldest(b);
	}
	return true;
}

bool nt_trace_frame_begin(struct nt_trace_buffer *b, const struct ntrace_frame *head)
{
	b->open = b->tail;
	if (!nt_trace_reserve(b, sizeof(*head)))
		return false;
	nt_trace_put(b, b->open, head, sizeof(*head));
	b->open += sizeof(*head);
	return true;
}

bool nt_trace_pad(struct nt_trace_buffer *b)
{
	static const u8 zeros[NT_TRACE_ALIGN];
	u64 pad = (b->tail - b->open) % NT_TRACE_ALIGN;

	if (!nt_trace_reserve(b, pad))
		return false;
	nt_trace_put(b, b->open, zeros, pad);
	b->open += pad;
	return true;
}

bool nt_trace_block(struct nt_trace_buffer *b, const struct ntrace_block *head, const void *from)
{
	if (!nt_trace_reserve(b, sizeof(*head) + head->len))
		return false;
	nt_trace_put(b, b->open, head, sizeof(*head));
	nt_trace_put(b, b->open + sizeof(*head), from, head->len);
	b->open += sizeof(*head) + head->len;
	return nt_trace_pad(b);
}

u32 nt_trace_frame_end(struct nt_trace_buffer *b)
{
	u32 size = (u32)(b->open - b->tail);

	nt_trace_put(b, b->tail + offsetof(struct ntrace_frame, size), &size, sizeof(size));
	b->tail = b->open;
	b->frames++;
	b->created++;
	return size;
}

s64 nt_trace_frame_read(struct nt_trace_buffer *b, u64 index, u64 offset, void *to, u32 len)
{
	u64 oldest = b->created - b->frames;
	u64 wanted = oldest + index;
	u64 size;

	if (index >= b->frames)
		return -1;
	if (b->cursor_frame < oldest || b->cursor_frame > wanted) {
		b->cursor_frame = oldest;
		b->cursor_at = b->head;
	}
	for (; b->cursor_frame < wanted; b->cursor_frame++)
		b->cursor_at += frame_size(b, b->cursor_at);

	size = frame_size(b, b->cursor_at);
	if (offset >= size)
		return 0;
	len = (u32)least(len, size - offset);
	get(b, b->cursor_at + offset, to, len);
	return len;
}
