/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The trace buffer: a ring of frames (struct ntrace_frame), linear or circular.
 *
 * Positions count up for ever; a position's byte is at position % size, so that
 * frames and blocks may wrap anywhere. One frame at a time is in hand; it counts
 * only when it is ended. Nothing here allocates or sleeps; who calls sees to it
 * that nobody else does at the same time.
 */
#ifndef _NT_CORE_TRACE_BUFFER_H
#define _NT_CORE_TRACE_BUFFER_H

#include "types.h"
#include "../uapi/ntrace.h"

#ifdef __cplusplus
extern "C" {
#endif

#define NT_TRACE_ALIGN 8u

/**
 * struct nt_trace_buffer - the ring.
 * @data: its bytes, the caller's.
 * @size: how many.
 * @circular: the oldest frames make room for new ones.
 * @head: where the oldest frame begins.
 * @tail: where the newest whole frame ends.
 * @open: where the frame in hand ends; @tail if there is none.
 * @frames: whole frames in the buffer.
 * @created: frames ever ended.
 * @cursor_frame: a frame whose place is known, counted from the first ever.
 * @cursor_at: its place.
 */
struct nt_trace_buffer {
	u8 *data;
	u64 size;
	bool circular;
	u64 head;
	u64 tail;
	u64 open;
	u64 frames;
	u64 created;
	u64 cursor_frame;
	u64 cursor_at;
};

/* Take over memory; no frames, none ever created. */
void nt_trace_buffer_init(struct nt_trace_buffer *b, void *data, u64 size);

/* Begin a frame; what the one before had is given up unless it was ended. False: no room. */
bool nt_trace_frame_begin(struct nt_trace_buffer *b, const struct ntrace_frame *head);

/* Make room for so many bytes of the frame in hand. False: there is none. */
bool nt_trace_reserve(struct nt_trace_buffer *b, u64 len);

/* The contiguous bytes at a position, at most *len: *len is what it is. */
void *nt_trace_span(struct nt_trace_buffer *b, u64 at, u64 *len);

/* Copy into room that was reserved. */
void nt_trace_put(struct nt_trace_buffer *b, u64 at, const void *from, u64 len);

/* One whole block, padded. False: no room. */
bool nt_trace_block(struct nt_trace_buffer *b, const struct ntrace_block *head, const void *from);

/* Pad what the frame in hand has. */
bool nt_trace_pad(struct nt_trace_buffer *b);

/* The frame in hand is whole. Return: its bytes. */
u32 nt_trace_frame_end(struct nt_trace_buffer *b);

/**
 * nt_trace_frame_read() - bytes of a frame.
 * @b: the buffer.
 * @index: of the frame, from the oldest there is.
 * @offset: of the first byte.
 * @to: where they go.
 * @len: how many at most.
 *
 * One frame after the other costs the same for each; any other order walks.
 *
 * Return: bytes, 0 past the end, -1 if there is no such frame.
 */
s64 nt_trace_frame_read(struct nt_trace_buffer *b, u64 index, u64 offset, void *to, u32 len);

#ifdef __cplusplus
}
#endif

#endif /* _NT_CORE_TRACE_BUFFER_H */
