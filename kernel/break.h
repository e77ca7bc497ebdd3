/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Breakpoints: what traps, breakpoints, slots and watchpoints share.
 *
 *   nt_mm    one address space that has or had breakpoints, found by its
 *            mm_struct, which it grabs. Lives until that memory has no user.
 *   nt_site  one address with a patched byte. Stays, unarmed, as long as the
 *            nt_mm: a trap that is on its way always finds it.
 *   nt_plan  how the instruction at an address is executed elsewhere, with its
 *            slot. Goes with the area of the slot.
 *   nt_area  a page of slots in the program. When the last breakpoint goes it is
 *            retired: nobody enters it any more, every thread that could be in it
 *            passes its work once, and then the page is unmapped. No slot is ever
 *            used for anything else.
 *   nt_fence sites around the range of a range step, for one thread.
 *   nt_break one engine's interest in a site or in debug registers.
 *   nt_watch one debug register of all threads of an address space.
 *
 * Traps see all of it under RCU; changes are made under nt_mm.mutex.
 */
#ifndef _NT_BREAK_H
#define _NT_BREAK_H

#include <linux/hashtable.h>

#include "ntrace.h"
#include "core/agent.h"
#include "core/fence.h"
#include "core/ool.h"
#include "arch/x86.h"

#define NT_SITE_BITS 7
#define NT_WATCHES 4

struct nt_plan {
	struct hlist_node link; /* nt_mm.plans, by addr */
	struct rcu_head rcu;
	u8 bytes[NT_INSN_MAX];
	u8 len; /* of bytes */
	struct nt_ool_plan ool;
};

#define NT_AREA_SLOTS (PAGE_SIZE / NT_OOL_SLOT)

/* A page of slots in the target, readable and executable. */
struct nt_area {
	struct list_head link; /* RCU */
	unsigned long start;
	unsigned int used; /* mutex */
	bool retired;	   /* mutex */
	struct list_head grave;
	struct nt_plan __rcu *plans[NT_AREA_SLOTS];
};

struct nt_site {
	struct hlist_node link; /* nt_mm.sites */
	unsigned long addr;
	bool armed; /* the byte is there, as far as we know */
	u8 original;
	unsigned long disarmed; /* the last time, by nt_mm.disarms */
	u32 generation;		/* tells one that was removed and inserted again apart */
	struct nt_plan __rcu *plan;
	struct list_head owners; /* nt_break.link, RCU, by order */
	unsigned int count;	 /* of owners */
	struct list_head points; /* nt_point.link, by order; mutex */
	unsigned int traces;	 /* of points */
	unsigned int fences;	 /* it is a post of */
	unsigned int lifted;	 /* by how many threads */
};

/* Instead of stepping it in its range, a thread is caught where it may leave it. */
struct nt_fence {
	struct list_head link;	  /* nt_mm.fences */
	struct nt_task *task;	  /* referenced */
	struct nt_engine *engine; /* compared, never looked into */
	u32 count;
	struct nt_site *posts[NT_FENCE_POSTS];
};

/* Perf events of one debug register, one a thread. */
struct nt_watch_thread {
	struct list_head link;
	struct task_struct *task; /* referenced */
	struct perf_event *event;
	bool gone; /* the thread is */
};

struct nt_watch {
	u32 type; /* enum ntrace_break_type */
	unsigned long addr;
	u32 len;
	struct list_head owners;  /* nt_break_use.link; empty: free */
	struct list_head threads; /* nt_watch_thread */
};

struct nt_mm {
	struct hlist_node hash; /* RCU */
	refcount_t ref;
	struct rcu_work freeing;
	struct mm_struct *mm; /* grabbed */
	struct mutex mutex;
	bool mode64;
	DECLARE_HASHTABLE(sites, NT_SITE_BITS);
	DECLARE_HASHTABLE(plans, NT_SITE_BITS);
	unsigned long site_lo, site_hi; /* all sites ever */
	unsigned long disarms;		/* of sites, ever */
	unsigned long slot_lo, slot_hi; /* all areas */
	struct list_head areas;		/* RCU */
	struct list_head fences;
	struct nt_watch watches[NT_WATCHES];
	unsigned int breaks;   /* nt_breaks of any kind, and fences */
	unsigned int watching; /* ... of debug registers */

	bool lost;	  /* the program has unmapped an area: stay out of all */
	bool no_areas;	  /* ... and none is mapped again for a breakpoint */
	atomic_t leavers; /* threads that may be in a retired area, + 1 while they are sought */
	struct nt_task *lifter;	   /* steps in place: the others wait; referenced */
	wait_queue_head_t wait;	   /* for lifter and leavers */
	struct llist_head orphans; /* dead threads that have lifted a byte; referenced */
	struct work_struct settle;
};

/* The bytecode of one breakpoint: conditions, then actions. Never changed. */
struct nt_codes {
	refcount_t ref;
	struct rcu_head rcu;
	u32 conditions, actions;
	u32 uses; /* NT_AGENT_USE_*, of all of them */
	struct {
		u32 at, len;
	} code[]; /* the bytes follow */
};

/* An engine's share of a debug register. */
struct nt_break_use {
	struct list_head link; /* nt_watch.owners */
	struct nt_break *owner;
	struct nt_watch *watch;
};

struct nt_break {
	refcount_t ref;
	struct rcu_head rcu;
	struct list_head link;		      /* nt_site.owners */
	struct nt_engine *engine;	      /* proc's */
	struct nt_proc *proc;		      /* referenced */
	struct nt_mm *m;		      /* referenced */
	struct nt_site *site;		      /* NTRACE_BREAK_SW */
	struct nt_break_use uses[NT_WATCHES]; /* the others */
	u32 nuses;
	u32 id;
	u32 type;
	u32 len;
	u64 addr;
	u64 order;
	bool gone;    /* m->mutex: out of its lists */
	bool persist; /* m->mutex: its actions go on without the engine */
	struct nt_codes __rcu *codes;
	atomic64_t hits, evaluated, true_hits, false_hits, errors, cost_ns;
};

/* ---- mm.c ---------------------------------------------------------------- */
extern atomic_t nt_mms; /* records there are: zero makes every lookup free */
struct nt_mm *__nt_mm_get_rcu(struct mm_struct *mm);

/* The record of an address space; under rcu_read_lock(), from traps too. */
static inline struct nt_mm *nt_mm_get_rcu(struct mm_struct *mm)
{
	return atomic_read(&nt_mms) && mm ? __nt_mm_get_rcu(mm) : NULL;
}

struct nt_mm *nt_mm_find(struct mm_struct *mm);		     /* a reference, or NULL */
struct nt_mm *nt_mm_make(struct mm_struct *mm, bool mode64); /* ... or a new one, or NULL */
void nt_mm_put(struct nt_mm *m);
void nt_mm_sweep(void); /* forgets memories that are gone; may sleep */
struct nt_site *nt_site_find(struct nt_mm *m, unsigned long addr); /* RCU or mutex */
/* Before bytes are read that nt_shadow_rcu() is to make clean: a breakpoint may go in between. */
static inline unsigned long nt_shadow_begin(const struct nt_mm *m)
{
	/* of whatever is counted here the byte is gone */
	return m ? smp_load_acquire(&m->disarms) : 0;
}

/* As nt_break_shadow_read(), under rcu_read_lock(). */
void nt_shadow_rcu(struct nt_mm *m, unsigned long addr, void *buf, size_t len, unsigned long begun);
/* A worker does what threads that are dead or have left leave to do. Atomic. */
void nt_mm_settle(struct nt_mm *m);
int nt_mm_init(void);
void nt_mm_exit(void);

/* ---- area.c -------------------------------------------------------------- */
/* One with a free slot near addr; a new one if need be, or NULL. m->mutex. May sleep. */
struct nt_area *nt_area_near(struct nt_mm *m, unsigned long addr);
/* The page of slots around a pc; under rcu_read_lock(). */
struct nt_area *nt_area_at(struct nt_mm *m, unsigned long pc);
/* Nobody enters those that are there any more; they go when all have left. Without
 * m->mutex; may sleep. "wait": for the moment that takes threads that run.
 */
void nt_area_retire(struct nt_mm *m, bool wait);
/* Unmaps what is retired, once nobody can be in it. m->mutex; may sleep. */
void nt_area_bury(struct nt_mm *m);
void nt_area_free(struct nt_mm *m); /* the records of them, not the memory */

/* ---- slot.c -------------------------------------------------------------- */
/* The plan for an instruction, made with its slot if need be. m->mutex. May sleep.
 * "must": of a system call that is stepped, which nothing but a slot will do for.
 */
struct nt_plan *nt_plan_get(struct nt_mm *m, unsigned long addr, const u8 *bytes, u32 len,
			    bool must);
/* A slot that does nothing but go to addr. m->mutex. May sleep. */
struct nt_plan *nt_plan_jump(struct nt_mm *m, unsigned long addr);
/* One that is there already; under rcu_read_lock(). */
struct nt_plan *nt_plan_find(struct nt_mm *m, unsigned long addr, const u8 *bytes, u32 len);
struct nt_plan *nt_plan_at(struct nt_mm *m, unsigned long pc); /* whose slot that is; RCU */
void nt_plan_forget(struct nt_mm *m, struct nt_plan *plan);    /* m->mutex; RCU */
void nt_plan_free(struct nt_mm *m);			       /* all of them */

enum nt_over {
	NT_OVER_DONE, /* the instruction is executed */
	NT_OVER_SLOT, /* the thread goes to its slot */
	NT_OVER_TRAP, /* the program's own int3: its SIGTRAP */
	NT_OVER_FAIL, /* not here: try where it may sleep */
};

/* Takes the current thread, which stands before it, over an instruction. */
enum nt_over nt_slot_over(struct nt_mm *m, struct nt_plan *plan, struct pt_regs *regs, bool step,
			  const struct nt_ool_ops *ops);
/* After a trap of the processor: is it one of a slot? enum nt_ool_result. RCU. */
u8 nt_slot_fixup(struct nt_mm *m, struct pt_regs *regs, bool own_tf, struct nt_plan **plan);
/* Moves the thread's pc back to the program. enum nt_ool_result. RCU. */
u8 nt_slot_rewind(struct nt_mm *m, struct pt_regs *regs, struct nt_plan **plan);

extern const struct nt_ool_ops nt_ool_nofault;	/* in a trap */
extern const struct nt_ool_ops nt_ool_sleeping; /* in the thread's own context */

/* ---- code.c -------------------------------------------------------------- */
#define NT_MOST_CODE 4096u /* bytes of one expression */
#define NT_REGISTERS 27u   /* words of NT_PRSTATUS */

static inline const u8 *nt_code(const struct nt_codes *c, u32 index)
{
	return (const u8 *)c + c->code[index].at;
}

/* 0, or -errno and *at is the offset of what was refused. *uses: NT_AGENT_USE_* are added. */
int nt_code_verify(const u8 *code, u32 len, u32 allow, bool result, u32 *uses, u32 *at);
/* NULL where a breakpoint has neither. */
int nt_codes_take(const struct ntrace_break *b, struct nt_codes **out);
struct nt_codes *nt_codes_of(struct nt_break *b); /* a reference, or NULL */
void nt_codes_put(struct nt_codes *c);
/* Has the engine what they need of one? May sleep. */
bool nt_codes_served(const struct nt_codes *c, struct nt_engine *e);
/* Those that set state variables run one at a time; false: the thread dies. May sleep. */
bool nt_codes_lock(struct nt_break *b, const struct nt_codes *c);
void nt_codes_unlock(struct nt_break *b, const struct nt_codes *c);

/* ---- condition.c --------------------------------------------------------- */
/* What an evaluation is about. */
struct nt_output;
struct nt_evaluation {
	struct pt_regs *regs;
	struct nt_mm *m;
	struct nt_engine *engine; /* whose state variables they are */
	bool absent;		  /* memory that is there, but not now */
	struct nt_output *output; /* of actions that print */
};
extern const struct nt_agent_ops nt_agent_in_work;

enum nt_verdict {
	NT_FALSE,
	NT_TRUE,  /* or it cannot be decided: the engine decides */
	NT_LATER, /* where it may sleep; nothing was counted */
};

/* Does the condition of this owner hold? In the trap, under rcu_read_lock(). */
enum nt_verdict nt_decide(struct nt_break *b, struct pt_regs *regs);
/* ... in the work; never NT_LATER. */
enum nt_verdict nt_decide_sleeping(struct nt_break *b, const struct nt_codes *c,
				   struct pt_regs *regs);

/* ---- action.c ------------------------------------------------------------ */
/* Runs them in the thread's work. May sleep. */
void nt_actions_run(struct nt_task *t, struct nt_break *b, const struct nt_codes *c,
		    struct pt_regs *regs);
int nt_action_print(void *ctx, const char *text, u32 len);

/* ---- keeper.c ------------------------------------------------------------ */
/* Its engine lets go of a process: persistent actions there go on. May sleep. */
void nt_keep(struct nt_proc *p);
/* Another engine has a breakpoint there now: what was left behind goes. May sleep. */
void nt_keeper_yield(struct nt_mm *m, struct nt_break *by);
/* The engine that gets what an engine prints; a reference, or NULL. May sleep. */
struct nt_engine *nt_keeper_reader(struct nt_engine *e);

/* ---- breakpoint.c -------------------------------------------------------- */
void nt_break_put(struct nt_break *b);
/* Takes those of a process that match out of its engine's table, one a call, from an id on.
 * NULL: there is none. match() runs under rcu_read_lock().
 */
typedef bool (*nt_break_match)(const struct nt_break *b, const void *arg);
struct nt_break *nt_break_take(struct nt_proc *p, unsigned long *from, nt_break_match match,
			       const void *arg);
/* Passes it on to another engine's record of the process, counts and all; by who has taken
 * it from its engine's table. May sleep. False: it is as it was.
 */
bool nt_break_pass(struct nt_break *b, struct nt_proc *to);
/* Once it is out of the engine's table. May sleep. False: its memory is not there any more. */
bool nt_break_remove(struct nt_break *b);
/* How the threads of a process decode their instructions. */
bool nt_proc_mode64(struct nt_proc *p);
/* Patches an address for a fence; m->mutex. May sleep. */
struct nt_site *nt_site_arm(struct nt_mm *m, unsigned long addr);
/* Nobody wants the site any more, or only others do; "alive": its memory has a user. False:
 * there is nothing at that address now.
 */
bool nt_site_release(struct nt_mm *m, struct nt_site *s, bool alive);
bool nt_site_armed(struct nt_mm *m, struct nt_site *s); /* m->mutex; may sleep */
/* The plan of a site, made anew if it has lost it; "must" as above. May sleep. NULL: none. */
struct nt_plan *nt_site_plan(struct nt_mm *m, struct nt_site *s, bool must);
/* Instructions that may have changed are planned anew. m->mutex. */
void nt_break_replan(struct nt_mm *m, unsigned long addr, size_t len);
/* The program has unmapped an area: goes on without. May sleep. */
void nt_sites_lost(struct nt_mm *m);

/* ---- lift.c --------------------------------------------------------------- */
/* For the few instructions that nothing but their own place will do for: takes the
 * byte off until nt_break_lower(). With "alone" the other threads of the memory wait
 * meanwhile; else one of them may miss it. May sleep. False: nothing is lifted.
 */
bool nt_break_lift(struct nt_task *t, struct nt_mm *m, struct nt_site *s, bool alone);
void nt_break_lower(struct nt_task *t);
/* The thread will not do it itself: it is dead, or we go. Atomic. */
void nt_lift_orphan(struct nt_task *t);
void nt_lift_settle(struct nt_mm *m); /* m->mutex */

/* ---- fence.c -------------------------------------------------------------- */
/* Has it gone round in its range for long enough? In the trap, RCU. */
bool nt_fence_due(struct nt_task *t);
/* The thread, in its work, runs on behind a fence; false: it has to be stepped. */
bool nt_fence_raise(struct nt_task *t, struct pt_regs *regs);
/* The thread is caught, or stops for something else. Own context, may sleep. */
void nt_fence_lift(struct nt_task *t);
void nt_fence_detach(struct nt_proc *p); /* its engine leaves. May sleep */
void nt_fence_settle(struct nt_mm *m);	 /* of threads that are dead; m->mutex */

/* ---- hit.c --------------------------------------------------------------- */
/* Does somebody want to hear of this hit? Then it is noted in t->trap. In the trap. */
bool nt_break_wanted(struct nt_task *t, struct nt_site *s, struct pt_regs *regs);
/* Posts the hit to those who want it; true: somebody was told. */
bool nt_break_hit(struct nt_task *t);
/* Has its engine this thread? */
bool nt_break_concerns(struct nt_task *t, struct nt_break *b);
/* Posts a stop of that type to its engine; false: it has not this thread any more. */
bool nt_break_tell(struct nt_task *t, struct nt_break *b, u32 type, u64 addr);

/* ---- tracepoint.c, collect.c ----------------------------------------------- */
/* The tracepoints of an engine that leaves the process; or, with "but", has another program
 * there. May sleep.
 */
void nt_points_detach(struct nt_proc *p, struct mm_struct *but);
/* The thread is at the site: it collects for every tracepoint there. In its work. */
void nt_trace_hits(struct nt_task *t, struct nt_mm *m, struct nt_site *s, struct pt_regs *regs);
/* It has done an instruction since: it collects for those that want that. In its work. */
void nt_trace_steps(struct nt_task *t);
/* Forgets those it need not step for any more, or all of them. By itself, or when it is gone. */
void nt_trace_prune(struct nt_task *t, bool all);

/* ---- step.c -------------------------------------------------------------- */
bool nt_step_wanted(struct nt_task *t); /* does any engine step it? RCU */
/* The instruction is done, pc is at the next one; true: some step ended. RCU. */
bool nt_step_ended(struct nt_task *t, unsigned long pc);
/* Makes the next instruction trap; false: only where it may sleep. RCU unless "sleep". */
bool nt_step_start(struct nt_task *t, struct nt_mm *m, struct pt_regs *regs, bool sleep);
/* Before the system call that ends a signal handler, if it is that: the frame gets
 * another pc, which jumps to its own. May sleep.
 */
void nt_step_return(struct nt_task *t, struct pt_regs *regs);
bool nt_step_report(struct nt_task *t);
void nt_step_forget(struct nt_task *t, struct nt_engine *e); /* it was told of something else */

/* ---- hwbreak.c ----------------------------------------------------------- */
int nt_watch_insert(struct nt_mm *m, struct nt_break *b);
void nt_watch_remove(struct nt_mm *m, struct nt_break *b);
bool nt_watch_hit(struct nt_task *t);
void nt_watch_sweep(struct nt_mm *m); /* m->mutex */

/* ---- trap.c: called by the architecture ---------------------------------- */
enum nt_owner_of_trap {
	NT_TRAP_FOREIGN, /* the kernel goes on as if we were not there */
	NT_TRAP_OURS,
};
enum nt_owner_of_trap nt_trap_breakpoint(struct pt_regs *regs, unsigned long addr);
enum nt_owner_of_trap nt_trap_step(struct pt_regs *regs);

#endif /* _NT_BREAK_H */
