// SPDX-License-Identifier: GPL-2.0
/*
 * Actions of breakpoints: run in the thread's work, where the program may be read
 * whatever is in memory. Nobody is told of the hit, and the thread runs on.
 */
#include <linux/slab.h>
#include <linux/trace_clock.h>

#include "break.h"
#include "tracing.h"

#define MOST_TEXT 4096u /* of one hit, that comes in one piece */

/* What the actions of one hit print. */
struct nt_output {
	struct nt_task *task;
	struct nt_break *owner;
	u32 len;
	char text[MOST_TEXT];
};

static void flush(struct nt_output *o)
{
	struct nt_engine *reader;
	struct nt_event ev;

	if (!o->len)
		return;
	reader = nt_keeper_reader(o->owner->proc->engine);
	if (reader) {
		nt_event_init(&ev, o->task, NTRACE_EV_PRINT, true);
		ev.r.break_id = o->owner->id;
		nt_note_text(reader, o->task, &ev, o->text, o->len);
		nt_engine_put(reader);
	}
	o->len = 0;
}

int nt_action_print(void *ctx, const char *text, u32 len)
{
	struct nt_output *o = ((struct nt_evaluation *)ctx)->output;

	if (!o)
		return -ENOMEM;
	if (len > MOST_TEXT - o->len)
		flush(o);
	memcpy(o->text + o->len, text, len); /* 64 bytes at most */
	o->len += len;
	return 0;
}

/* One that fails ends there; those behind it still run. */
static void run_all(struct nt_evaluation *e, struct nt_break *b, const struct nt_codes *c)
{
	u32 i, at, errors = 0;

	for (i = c->conditions; i < c->conditions + c->actions; i++)
		errors += nt_agent_eval(nt_code(c, i), c->code[i].len, &nt_agent_in_work, e,
					NT_AGENT_BUDGET, NULL, &at) != 0;
	atomic64_add(c->actions, &b->evaluated);
	atomic64_add(errors, &b->errors);
}

void nt_actions_run(struct nt_task *t, struct nt_break *b, const struct nt_codes *c,
		    struct pt_regs *regs)
{
	struct nt_evaluation e = {.regs = regs, .m = b->m, .engine = b->proc->engine};
	u64 began = trace_clock_local();
	s64 took;

	if (c->uses & NT_AGENT_USE_PRINT)
		e.output = kmalloc(sizeof(*e.output), GFP_KERNEL);
	if (e.output) {
		e.output->task = t;
		e.output->owner = b;
		e.output->len = 0;
	}
	if (nt_codes_lock(b, c)) {
		run_all(&e, b, c);
		nt_codes_unlock(b, c);
	}
	if (e.output)
		flush(e.output);
	kfree(e.output);
	took = trace_clock_local() - began;
	atomic64_add(took > 0 ? took : 0, &b->cost_ns);
}
