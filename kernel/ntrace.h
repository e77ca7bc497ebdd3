/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of ntrace.ko offer each other; the objects are in model.h. */
#ifndef _NTRACE_KERNEL_H
#define _NTRACE_KERNEL_H

#include "model.h"

/* ---- main.c: features, symbols, counts ----------------------------------- */
extern u64 nt_features[4];
static inline bool nt_feature(enum ntrace_feature bit)
{
	return nt_features[bit / 64] >> bit % 64 & 1;
}
/* Turns a feature on, unless the load parameter off= names it. */
void nt_feature_on(enum ntrace_feature bit);

/* Address of any kernel function or 0; after nt_symbols_init(). May sleep. */
unsigned long nt_symbol(const char *name);
int nt_symbols_init(void);

/* What is alive, counted for the unload check. */
enum nt_kind {
	NT_ENGINE,
	NT_PROC,
	NT_ATT,
	NT_TASK,
	NT_WORK,
	NT_SITE,
	NT_MM,
	NT_TRACING,
	NT_POINT,
	NT_KINDS,
};
extern atomic_t nt_count[NT_KINDS];
/* The module goes: whoever waits for an engine gives up. */
extern bool nt_unloading;
/* For what must sleep and cannot where it begins; empty before anything is freed. */
extern struct workqueue_struct *nt_workqueue;

/* ---- engine.c ------------------------------------------------------------ */
extern struct list_head nt_engines; /* in order of opening */
extern struct mutex nt_engines_lock;
struct nt_engine *nt_engine_open(struct file *file);
/* One without a file, for what another leaves behind. */
struct nt_engine *nt_engine_heir(struct nt_engine *of, const char *label);
void nt_engine_close(struct nt_engine *e);
void nt_engine_put(struct nt_engine *e);
/* A new one, listed; natts is biased by one. -ENOMEM, -EBADF when it closes. */
struct nt_proc *nt_proc_new(struct nt_engine *e, struct pid *tgid, u64 cookie, struct mm_struct *mm,
			    const struct ntrace_sets *sets, gfp_t gfp);
void nt_proc_put(struct nt_proc *p);
/* One thread less (or the bias): the last one makes it gone. True: it was. */
bool nt_proc_leave(struct nt_proc *p);
/* Takes it off the engine's list; false: it is gone already. Its lock is held. */
bool nt_proc_unlist(struct nt_proc *p);
/* Puts its last event before the engine; what may sleep follows in a worker. */
void nt_proc_last(struct nt_proc *p, u32 type, int code);
/* The engine's attachment to a process of its namespace; a reference, or NULL. */
bool nt_proc_gone(struct nt_proc *p); /* detached or dead */
/* Its memory, with a user: mmput(); or NULL. */
struct mm_struct *nt_proc_mm(struct nt_proc *p);
struct nt_proc *nt_proc_find(struct nt_engine *e, pid_t pid);
/* Under rcu_read_lock(). */
static inline struct ntrace_sets *nt_sets(struct nt_proc *p)
{
	return &rcu_dereference(p->sets)->s;
}

/* ... as far as system calls go. */
static inline struct ntrace_sets *nt_call_sets(struct nt_att *a)
{
	struct nt_sets *own = rcu_dereference(a->own);

	return own ? &own->s : nt_sets(a->proc);
}

/* ---- task.c -------------------------------------------------------------- */
extern atomic_t nt_tasks; /* hashed ones: zero makes every lookup free */
struct nt_task *__nt_task_get_rcu(struct task_struct *task);

/* Calls fn for every hashed thread, under rcu_read_lock(). */
void nt_task_each(void (*fn)(struct nt_task *t));
/* Ends its being known: no attachments, no lookups. Atomic. */
void nt_task_dead(struct nt_task *t);
void nt_task_init(void);
void nt_task_exit(void); /* at unload: waits for queued work */

/* The record of a thread, or NULL for the many nobody traces. Under
 * rcu_read_lock(); valid until rcu_read_unlock(). From any context but NMI.
 */
static inline struct nt_task *nt_task_get_rcu(struct task_struct *task)
{
	return atomic_read(&nt_tasks) ? __nt_task_get_rcu(task) : NULL;
}

/* As above, with a reference; nt_task_put() gives it back. */
struct nt_task *nt_task_find(struct task_struct *task);
/* ... or a new, hashed one. Context of gfp. Pinned once: nt_task_unpin(). */
struct nt_task *nt_task_make(struct task_struct *task, gfp_t gfp);
void nt_task_put(struct nt_task *t);
void nt_task_pin(struct nt_task *t);
/* Unhashes it when nobody needs it any more. */
void nt_task_unpin(struct nt_task *t);
/* A work is to be queued: unloading waits for it. False: the thread is not known any
 * more, none may be. Its lock is held; not that of nt_work_over(), when it is done.
 */
bool nt_work_begin(struct nt_task *t);
void nt_work_over(struct nt_task *t);

/* Adds an engine to a thread: -ESRCH if either is gone, -EEXIST. */
int nt_att_add(struct nt_proc *p, struct nt_task *t, gfp_t gfp, struct nt_att **out);
/* Takes it off its lists; its hold and its unread event vanish. Once.
 * Returns true for the caller that did.
 */
bool nt_att_drop(struct nt_att *a);
void nt_att_put(struct nt_att *a);
/* Engine x thread; under rcu_read_lock(). */
struct nt_att *nt_att_of(struct nt_engine *e, struct nt_task *t);
struct nt_att *nt_att_by_tid(struct nt_engine *e, pid_t tid);
/* Walks a thread's engines in attach order (first: NULL) or backwards, across
 * sleeps. Takes a reference to the next and gives back that of the previous one.
 */
struct nt_att *nt_att_next(struct nt_task *t, struct nt_att *previous);
struct nt_att *nt_att_prev(struct nt_task *t, struct nt_att *previous);

/* ---- stop.c -------------------------------------------------------------- */
/* Queues the thread's one work: soft waits until it returns from the kernel by
 * itself, hard interrupts what it blocks in. Atomic context.
 */
void nt_task_kick(struct nt_task *t, bool hard);

/* What follows is for the thread itself, in a context that may sleep. */

/* Tells everybody at once: match() says what each engine makes of it. Returns
 * when nobody holds the thread. False: it is dying.
 */
typedef enum nt_want (*nt_match)(struct nt_att *a, const struct nt_event *ev);
bool nt_report(struct nt_task *t, struct nt_event *ev, nt_match match);
/* Tells one engine and waits likewise: for events that pass them in series. The
 * answer to a signal is in a->signo. An observer gets a note.
 */
bool nt_report_one(struct nt_task *t, struct nt_att *a, struct nt_event *ev);
/* Holds for one engine without waiting: several reports, then one nt_park(). */
void nt_post_stop(struct nt_att *a, struct nt_event *ev);
/* Sleeps until nobody holds it; false: a fatal signal is pending. */
bool nt_park(struct nt_task *t);
/* Is any engine waiting for the thread to stop, or holding it? */
bool nt_wanted(struct nt_task *t);

/* task->lock is held for these. */
void nt_hold(struct nt_att *a, u32 why);
/* The stop it asked for: a hold, and an event unless quiet. The thread is parked
 * or blocked in the kernel. The caller wakes the engine.
 */
void nt_satisfy(struct nt_att *a);
/* Forgets the ask. */
void nt_unask(struct nt_att *a);
/* Has the engine read of this hold, or was there nothing to read? */
bool nt_told(struct nt_att *a);
bool nt_release(struct nt_att *a); /* true: it held */
/* Nobody holds it any more: it may go on. */
void nt_go(struct nt_task *t);
/* Every engine lets go of it; it goes on by itself. */
void nt_drop_holds(struct nt_task *t);
/* Sleeps in the kernel where nothing (hard) or no stop (soft) will disturb it; it
 * was kicked before, so it cannot reach user mode unseen.
 */
bool nt_blocked(struct nt_task *t, bool soft);
/* On no processor, and not in a sleep that the kick ends: it cannot execute another
 * instruction of its program before its work. Its registers may be half way.
 */
bool nt_off_cpu(struct nt_task *t);
/* Keeps a parked thread parked while its registers are used; false: not parked. */
bool nt_inspect(struct nt_task *t);
void nt_inspect_end(struct nt_task *t);

/* ---- event.c ------------------------------------------------------------- */
/* type, time, thread, and with regs pc, sp, fp and EVF_COMPAT of its user state. */
void nt_event_init(struct nt_event *ev, struct nt_task *t, u32 type, bool regs);
/* A record that stops nobody. Atomic context. */
void nt_note(struct nt_att *a, const struct nt_event *ev);
void nt_note_engine(struct nt_engine *e, struct nt_task *t, const struct nt_event *ev);
/* Either end of a system call of the current thread, likewise. */
void nt_note_call(struct nt_att *a, const struct nt_facts *f);
/* NTRACE_EV_PRINT records, all or none. */
void nt_note_text(struct nt_engine *e, struct nt_task *t, const struct nt_event *ev,
		  const char *text, u32 len);
/* Queues what is never lost; the caller wakes. queue_lock is taken. */
void nt_queue(struct nt_engine *e, struct nt_pending *slot);
void nt_unqueue(struct nt_engine *e, struct nt_pending *slot);
/* Drops the notes of a process. */
void nt_forget_notes(struct nt_engine *e, pid_t tgid);
/* Tells how an engine names this process. */
void nt_event_ids(struct ntrace_event *r, struct nt_engine *e, struct nt_task *t,
		  struct pid *child);
bool nt_readable(struct nt_engine *e);
u32 nt_event_count(struct nt_engine *e);
ssize_t nt_event_read(struct nt_engine *e, char __user *buf, size_t size);
/* Wakes whoever waits for this engine. */
void nt_wake(struct nt_engine *e);

/* ---- lifecycle.c --------------------------------------------------------- */
int nt_life_init(void);
void nt_life_exit(void);
void nt_life_work(struct nt_task *t);
/* From the pre-hook of do_exit, may sleep; code: do_exit()'s. */
void nt_life_exiting(struct nt_task *t, long code);
/* A job-control stop begins in the current thread. Atomic. */
void nt_life_jobstop(struct nt_task *t, int signo);

/* ---- the calls: one file each family ------------------------------------- */
void nt_attach_init(void); /* attach.c */
/* Every thread of a process that this engine does not have; adds to *count. */
int nt_attach_threads(struct nt_proc *p, struct task_struct *leader, u32 *count);
extern const struct proc_ops nt_control_ops; /* control.c */
bool nt_send_pollers_away(struct nt_engine *e);
extern const struct proc_ops nt_engines_ops;	  /* who.c */
int nt_hello(struct nt_engine *e, void *record);  /* control.c */
int nt_attach(struct nt_engine *e, void *record); /* attach.c */
int nt_detach(struct nt_engine *e, void *record); /* detach.c */
void nt_proc_detach(struct nt_proc *p, u32 release, int signo, pid_t tid);
/* Lost against the engine's will, atomic: it reads DETACHED with this errno. */
void nt_proc_lose(struct nt_proc *p, int error);
int nt_threads(struct nt_engine *e, void *record); /* threads.c */
int nt_resume(struct nt_engine *e, void *record);  /* resume.c */
int nt_stop(struct nt_engine *e, void *record);	   /* halt.c */
/* Holds every thread of a process (tid -1) or one, as NTRACE_ATTACH_STOP wants it. */
int nt_stop_process(struct nt_proc *p, pid_t tid);
int nt_getregs(struct nt_engine *e, void *record); /* regs.c */
int nt_setregs(struct nt_engine *e, void *record);
struct user_regset;
const struct user_regset *nt_regset_find(struct task_struct *task, u32 note);
int nt_readmem(struct nt_engine *e, void *record); /* memory.c */
int nt_writemem(struct nt_engine *e, void *record);
int nt_set_sets(struct nt_engine *e, void *record); /* sets.c */
int nt_signal(struct nt_engine *e, void *record);
int nt_who(struct nt_engine *e, void *record); /* who.c */
int nt_release_hold(struct nt_engine *e, void *record);

/* Reads and writes of another's memory, plain: bytes done. May sleep. */
size_t nt_mem_read(struct mm_struct *mm, unsigned long addr, void *buf, size_t len);
size_t nt_mem_write(struct mm_struct *mm, unsigned long addr, const void *buf, size_t len);
/* From a caller's buffer, as far as that is in memory: does not wait for it. */
size_t nt_mem_write_user(struct mm_struct *mm, unsigned long addr, const char __user *in,
			 size_t len);
/* Instructions for a thread that may be about to execute there. */
size_t nt_text_write(struct mm_struct *mm, unsigned long addr, const void *buf, size_t len);
/* Makes one byte another, if it is there still; even by somebody who is being killed. */
bool nt_mem_swap(struct mm_struct *mm, unsigned long addr, u8 from, u8 to);

/* ---- traps: breakpoint.c, step.c, hwbreak.c, mm.c ------------------------ */
int nt_trap_init(void);
void nt_trap_exit(void);
int nt_break(struct nt_engine *e, void *record);
int nt_unbreak(struct nt_engine *e, void *record);
int nt_break_stats(struct nt_engine *e, void *record);
/* keeper.c: the current thread ends, maybe as the last of a process with engines. Atomic. */
void nt_keeper_exit(void);
void nt_keepers_end(void); /* at unload */
/* Before anything is told of the current thread, or it waits: takes it out of a
 * slot, and our trap flag off. nt_trap_leave() undoes it. Atomic.
 */
void nt_trap_enter(struct nt_task *t);
/* ... and what it has patched or lifted for itself is undone. May sleep. */
void nt_trap_pause(struct nt_task *t);
/* A pc, or an address in a siginfo, as the program would see it. Atomic. */
unsigned long nt_trap_pc(struct mm_struct *mm, unsigned long pc);
/* An NT_PRSTATUS of a thread that blocks in the kernel, likewise. */
void nt_trap_show(struct nt_task *t, void *prstatus, size_t len);
/* In the thread's work. False: it has to run on before anything else (in the
 * middle of a step-over), asks must wait.
 */
bool nt_trap_work(struct nt_task *t);
/* Nobody holds it, this engine said STEP or RANGE (a->action, lo, hi). */
void nt_step_arm(struct nt_task *t, struct nt_att *a);
/* About to run user code: step over what stands at pc. After nt_step_arm(). */
void nt_trap_leave(struct nt_task *t);
/* The engine resumed without a step, or is gone: its step is forgotten. Atomic. */
void nt_step_cancel(struct nt_task *t, struct nt_att *a);
/* This engine leaves the process (which may be dead or lost): its breakpoints
 * there go, with their ids. May sleep. Called once.
 */
void nt_break_detach(struct nt_proc *p);
/* ... and has let go of its threads: our memory in the program goes with the last
 * breakpoint. May sleep.
 */
void nt_trap_detached(struct nt_proc *p);
/* It is dead: what it leaves is seen to. Atomic, once. */
void nt_trap_dead(struct nt_task *t);
/* The last reference goes. */
void nt_trap_free(struct nt_task *t);
/* Module unload: it sleeps in the kernel and will find nobody of us when it wakes. */
void nt_trap_abandon(struct nt_task *t);
/* The thread was outside of all slots since it was told to leave. Atomic. */
void nt_area_left(struct nt_mm *m);
/* Waits while another thread steps in its place. In the work, before it runs on. */
void nt_lift_gate(struct nt_task *t);
/* Must a child of this memory be looked after although nobody follows it? Atomic. */
bool nt_mm_needs(struct mm_struct *mm);
/* The child, before its first user instruction, in its own context. */
void nt_mm_fork(struct nt_task *child);
/* A new program: forget what belonged to the old memory. Own context. */
void nt_mm_exec(struct nt_task *t);
/* May uprobes have patched it? */
static inline bool nt_mm_probed(struct mm_struct *mm)
{
	return test_bit(MMF_HAS_UPROBES, &mm->flags);
}
/* Is the current thread in the middle of a step that a uprobe makes for it? Its pc is in
 * memory of uprobes, and signals wait.
 */
static inline bool nt_in_probe(void)
{
	return current->utask && current->utask->active_uprobe;
}
/* Has a signal come of a breakpoint of the program's own? In its own context. */
bool nt_signal_trapped(struct nt_task *t);
/* A new thread with its engines: debug registers. Own context, before it runs. */
void nt_trap_task_new(struct nt_task *t);
/* Replaces breakpoint bytes in what was read from addr since nt_break_shadow_begin(). */
unsigned long nt_break_shadow_begin(struct mm_struct *mm);
void nt_break_shadow_read(struct mm_struct *mm, unsigned long addr, void *buf, size_t len,
			  unsigned long begun);
/* Where breakpoint bytes are in [addr, addr + len), or were since then, how many; -E2BIG: more
 * than that.
 */
#define NT_HIDDEN 16
struct nt_hidden {
	unsigned long addr;
	u8 original;
};

int nt_break_hidden(struct mm_struct *mm, unsigned long addr, size_t len, unsigned long begun,
		    struct nt_hidden *hidden);
/* Writes through to the shadow, a page at most: bytes written. */
size_t nt_break_shadow_write(struct mm_struct *mm, bool mode64, unsigned long addr, const void *buf,
			     size_t len);
/* The same straight from a caller's buffer; 0 where a breakpoint is in the way. */
size_t nt_break_write_user(struct mm_struct *mm, bool mode64, unsigned long addr,
			   const char __user *in, size_t len);

/* ---- tracing: tracing.c, tracepoint.c, collect.c --------------------------- */
int nt_tracepoint(struct nt_engine *e, void *record);
int nt_trace_control(struct nt_engine *e, void *record);
int nt_trace_query(struct nt_engine *e, void *record);
int nt_trace_read(struct nt_engine *e, void *record);
int nt_variable(struct nt_engine *e, void *record);
/* The engine closes, all its processes are let go: its tracepoints go. May sleep. */
void nt_tracing_close(struct nt_engine *e);
void nt_tracing_free(struct nt_engine *e); /* ... nobody has it any more */

/* ---- hooks: hook.c, signal.c, syscall.c ---------------------------------- */
int nt_hook_init(void);
void nt_hook_exit(void);
bool nt_syscall_exit_work(struct nt_task *t); /* in the thread's work */
/* Sets changed, or a thread was attached: switch its system calls. Atomic. */
void nt_syscall_engage(struct nt_task *t);
/* The thread is gone, or nobody traces it any more. Atomic. */
void nt_call_task_gone(struct nt_task *t);
void nt_call_free(struct nt_task *t);

#endif /* _NTRACE_KERNEL_H */
