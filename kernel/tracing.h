/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Trace experiments: what tracing.c, tracepoint.c, collect.c and the code of
 * breakpoints share.
 *
 *   nt_tracing  the experiment of one engine: its state variables, its buffer, its
 *               tracepoints. Made when it is first needed, gone with the engine.
 *   nt_point    one tracepoint, as defined. Outlives runs, and the process it was made
 *               for. While tracing runs it is in force: on the list of its site.
 *               References: the experiment, hits, threads that step for it.
 *
 * Hits are collected in the work of the thread, under the mutex of the experiment, and
 * read the program meanwhile, which may take for ever: whoever waits for that mutex is
 * killable, and who must not wait, because an engine or a process ends, does without.
 * What is in force where is under points_lock, which is never held that long.
 */
#ifndef _NT_TRACING_H
#define _NT_TRACING_H

#include "ntrace.h"
#include "core/agent.h"
#include "core/trace.h"

struct nt_mm;
struct nt_site;

struct nt_tracing {
	struct mutex mutex;	  /* core, the codes and counts of points, scratch */
	struct nt_trace core;	  /* but for variables, which anybody reads at any time */
	void *scratch;		  /* a regset */
	size_t room;		  /* of it */
	struct mutex points_lock; /* nests inside; the points, and where they are in force */
	struct list_head points;
	u32 npoints;
	u32 run; /* tells a thread that steps for an earlier one */
};

/* What the pointers of a tracepoint lead to. */
struct nt_point_codes {
	u32 count;
	struct nt_trace_action actions[]; /* at the hit, then after steps; the bytes follow */
};

struct nt_point {
	refcount_t ref;
	struct nt_engine *engine; /* referenced */
	/* under points_lock */
	struct list_head in_tracing;
	struct nt_proc *proc;	    /* referenced; NULL: gone, has another program, or is let go */
	struct mm_struct *made_for; /* compared, never looked into */
	struct nt_mm *m;	    /* where it is in force, referenced; or NULL */
	struct nt_site *site;
	/* nt_mm.mutex */
	struct list_head link; /* nt_site.points, by order */
	u64 order;
	/* the mutex of its experiment */
	struct nt_trace_point core;
	struct nt_point_codes *codes;
};

/* A thread that steps for a tracepoint it has hit; touched by itself alone. */
struct nt_collecting {
	struct list_head link;	/* nt_trap.collecting */
	struct nt_point *point; /* referenced */
	u32 run;
	u32 step;
};

/* The experiment of an engine, or NULL; valid as long as the engine. */
static inline struct nt_tracing *nt_tracing(struct nt_engine *e)
{
	/* pairs with the cmpxchg() of who made it */
	return smp_load_acquire(&e->tracing);
}

/* ---- tracing.c ----------------------------------------------------------- */
struct nt_tracing *nt_tracing_make(struct nt_engine *e); /* ... or a new one; NULL: no memory */
/* Its points leave their sites; they are not deleted. The mutex is held. May sleep. */
void nt_tracing_lower(struct nt_tracing *tracing);

/* ---- tracepoint.c -------------------------------------------------------- */
void nt_point_put(struct nt_point *pt);
/* In force, not any more, of no process any more. points_lock is held. May sleep. */
int nt_point_raise(struct nt_point *pt);
void nt_point_lower(struct nt_point *pt);
void nt_point_orphan(struct nt_point *pt);
/* Out of its experiment; points_lock is held. May sleep. */
void nt_point_drop(struct nt_tracing *tracing, struct nt_point *pt);

#endif /* _NT_TRACING_H */
