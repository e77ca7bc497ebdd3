// SPDX-License-Identifier: GPL-2.0
/*
 * Hits of tracepoints: decide, collect, count.
 */
#include "trace.h"
#include "agent.h"

#define PAGE 4096u /* no machine has smaller ones; reads never cross one */

/* One hit or step on its way into the buffer. */
struct hand {
	struct nt_trace *trace;
	const struct nt_trace_place *place;
	const struct nt_trace_ops *ops;
	void *ctx;
	bool full; /* the buffer took no more */
};

void nt_trace_start(struct nt_trace *trace, u64 now_ns)
{
	nt_trace_buffer_init(&trace->buffer, trace->buffer.data, trace->buffer.size);
	trace->running = true;
	trace->reason = NTRACE_TRACE_NEVER_RAN;
	trace->number = trace->error = 0;
	trace->start_ns = now_ns;
	trace->stop_ns = 0;
}

void nt_trace_stop(struct nt_trace *trace, u32 reason, u32 number, u32 error, u64 now_ns)
{
	if (!trace->running)
		return;
	trace->running = false;
	trace->reason = reason;
	trace->number = number;
	trace->error = error;
	trace->stop_ns = now_ns;
}

/* Read into the frame in hand, whose room was reserved. */
static u32 read_into(struct hand *h, u64 addr, u32 len)
{
	struct nt_trace_buffer *b = &h->trace->buffer;
	u32 done = 0;

	while (done < len) {
		u64 part = len - done;
		void *to = nt_trace_span(b, b->open, &part);
		u32 got = h->ops->read_mem(h->ctx, addr + done, to, (u32)part);

		b->open += got;
		done += got;
		if (got < part)
			break;
	}
	return done;
}

/* A block of memory ends: its length is known. */
static bool end_memory(struct nt_trace_buffer *b, u64 at, u64 addr)
{
	struct ntrace_block head = {NTRACE_BLOCK_MEMORY, 0, addr, 0, 0};

	head.len = (u32)(b->open - at - sizeof(head));
	if (!head.len) {
		b->open = at;
		return true;
	}
	nt_trace_put(b, at, &head, sizeof(head));
	return nt_trace_pad(b);
}

/* Every page of it that can be read; runs of pages make one block each. */
static bool collect_memory(struct hand *h, u64 addr, u64 len)
{
	struct nt_trace_buffer *b = &h->trace->buffer;
	u64 block = 0, first = 0;
	bool open = false;

	while (len) {
		u32 room = PAGE - (u32)(addr % PAGE);
		u32 piece = len < room ? (u32)len : room;

		if (!open) {
			if (!nt_trace_reserve(b, sizeof(struct ntrace_block)))
				return false;
			block = b->open;
			first = addr;
			b->open += sizeof(struct ntrace_block);
			open = true;
		}
		if (!nt_trace_reserve(b, piece))
			return false;
		if (read_into(h, addr, piece) < piece) {
			if (!end_memory(b, block, first))
				return false;
			open = false;
		}
		addr += piece;
		len -= piece;
	}
	return !open || end_memory(b, block, first);
}

static bool collect_registers(struct hand *h, u32 note)
{
	struct ntrace_block head = {NTRACE_BLOCK_REGS, note, 0, 0, 0};
	const void *data;

	if (h->ops->read_regset(h->ctx, note, &data, &head.len))
		return true; /* this thread has none */
	return nt_trace_block(&h->trace->buffer, &head, data);
}

static int op_read_reg(void *ctx, u32 number, u64 *value)
{
	struct hand *h = (struct hand *)ctx;

	return h->ops->read_reg(h->ctx, number, value);
}

static int op_read_mem(void *ctx, u64 addr, void *buf, u32 len)
{
	struct hand *h = (struct hand *)ctx;
	u32 room = PAGE - (u32)(addr % PAGE);
	u32 first = len < room ? len : room;

	if (h->ops->read_mem(h->ctx, addr, buf, first) < first)
		return -1;
	if (first == len)
		return 0;
	len -= first;
	return h->ops->read_mem(h->ctx, addr + first, (u8 *)buf + first, len) < len ? -1 : 0;
}

static int op_trace_mem(void *ctx, u64 addr, u64 len)
{
	struct hand *h = (struct hand *)ctx;

	if (!collect_memory(h, addr, len))
		h->full = true;
	return h->full ? -1 : 0;
}

static int op_trace_var(void *ctx, u32 number)
{
	struct hand *h = (struct hand *)ctx;
	struct ntrace_block head = {NTRACE_BLOCK_VARIABLE, number, 0, sizeof(u64), 0};
	u64 value = 0;

	if (!nt_trace_get(h->trace, number, h->place->now_ns, &value))
		return 0;
	if (!nt_trace_block(&h->trace->buffer, &head, &value))
		h->full = true;
	return h->full ? -1 : 0;
}

static int op_get_var(void *ctx, u32 number, u64 *value)
{
	struct hand *h = (struct hand *)ctx;

	if (!nt_trace_get(h->trace, number, h->place->now_ns, value))
		*value = 0;
	return 0;
}

static int op_set_var(void *ctx, u32 number, u64 value)
{
	struct hand *h = (struct hand *)ctx;

	return nt_trace_set(h->trace, number, value) ? 0 : -1;
}

static int evaluate(struct hand *h, const u8 *code, u32 len, u64 *result)
{
	static const struct nt_agent_ops ops = {
	    op_read_reg, op_read_mem, op_trace_mem, op_trace_var, op_get_var, op_set_var, NULL};
	u32 error_at;

	return nt_agent_eval(code, len, &ops, h, NT_AGENT_BUDGET, result, &error_at);
}

/* One action. Memory that cannot be read is left out: the client sees that it is not there. */
static int collect(struct hand *h, const struct nt_trace_action *action)
{
	u64 base = 0;
	int err = 0;

	switch (action->type) {
	case NTRACE_COLLECT_REGS:
		h->full |= !collect_registers(h, action->note);
		break;
	case NTRACE_COLLECT_MEMORY:
		if (action->reg != NTRACE_COLLECT_ABSOLUTE &&
		    h->ops->read_reg(h->ctx, action->reg, &base))
			return NT_AGENT_E_REGISTER;
		h->full |= !collect_memory(h, base + action->addr, action->len);
		break;
	default:
		err = evaluate(h, action->code, action->code_len, NULL);
		if (h->full || err == NT_AGENT_E_MEMORY)
			err = 0;
		break;
	}
	return err;
}

/* A frame: all of it or, when the buffer is full, nothing. Return: 0 or an enum nt_agent_error. */
static int make_frame(struct hand *h, struct nt_trace_point *point, u32 step)
{
	const struct nt_trace_action *actions = step ? point->step_actions : point->actions;
	u32 n = step ? point->nstep_actions : point->nactions;
	struct ntrace_frame head = {0, point->number, point->addr, 0, 0, 0, 0, step, 0};
	int err = 0, first = 0;
	u32 i;

	head.pc = h->place->pc;
	head.time_ns = h->place->now_ns;
	head.pid = h->place->pid;
	head.tid = h->place->tid;
	h->full = !nt_trace_frame_begin(&h->trace->buffer, &head);
	for (i = 0; i < n && !h->full; i++) {
		err = collect(h, &actions[i]);
		if (!first)
			first = err;
	}
	if (!h->full)
		point->usage += nt_trace_frame_end(&h->trace->buffer);
	return first;
}

static enum nt_trace_next end(struct hand *h, u32 reason, u32 number, int error)
{
	nt_trace_stop(h->trace, reason, number, (u32)nt_agent_errno(error), h->place->now_ns);
	return NT_TRACE_ENDED;
}

enum nt_trace_next nt_trace_hit(struct nt_trace *trace, struct nt_trace_point *point,
				const struct nt_trace_place *place, const struct nt_trace_ops *ops,
				void *ctx)
{
	struct hand h = {trace, place, ops, ctx, false};
	u64 wanted = 1;
	int err;

	if (!trace->running || !point->enabled)
		return NT_TRACE_GO;
	if (point->condition) {
		err = evaluate(&h, point->condition, point->condition_len, &wanted);
		if (err == NT_AGENT_E_MEMORY)
			wanted = 1; /* rather one frame too many than one too few */
		else if (err)
			return end(&h, NTRACE_TRACE_ERROR, point->number, err);
		if (!wanted)
			return NT_TRACE_GO;
	}
	point->hits++;
	err = make_frame(&h, point, 0);
	if (point->pass && point->hits >= point->pass && !point->step)
		return end(&h, NTRACE_TRACE_PASSED, point->number, 0);
	if (h.full)
		return end(&h, NTRACE_TRACE_FULL, 0, 0);
	if (err)
		return end(&h, NTRACE_TRACE_ERROR, point->number, err);
	return point->step ? NT_TRACE_STEP : NT_TRACE_GO;
}

enum nt_trace_next nt_trace_stepped(struct nt_trace *trace, struct nt_trace_point *point, u32 step,
				    const struct nt_trace_place *place,
				    const struct nt_trace_ops *ops, void *ctx)
{
	struct hand h = {trace, place, ops, ctx, false};
	int err;

	if (!trace->running)
		return NT_TRACE_GO;
	err = make_frame(&h, point, step);
	if (step >= point->step && point->pass && point->hits >= point->pass)
		return end(&h, NTRACE_TRACE_PASSED, point->number, 0);
	if (h.full)
		return end(&h, NTRACE_TRACE_FULL, 0, 0);
	if (err)
		return end(&h, NTRACE_TRACE_ERROR, point->number, err);
	return step < point->step ? NT_TRACE_STEP : NT_TRACE_GO;
}
