/* SPDX-License-Identifier: GPL-2.0 */
/*
 * ntrace.ko from the inside: objects, lifetimes, locks.
 *
 * OBJECTS
 *   nt_engine  one open control file. Lives from open() to release(); notes and
 *              stops queue up in it. References: the file, its nt_procs.
 *   nt_proc    one engine on one process: sets, release mode, the memory it may
 *              touch. References: the engine's list, its nt_atts, its last event.
 *   nt_task    one thread that somebody traces, found by its task_struct.
 *              Hashed from the first attachment until the last one goes (or the
 *              thread dies); pins keep it hashed without attachments (a child
 *              that must be cleaned, a thread in the middle of a step).
 *              References: the hash, its nt_atts, its queued work.
 *   nt_att     one engine on one thread: does it hold it, since when, why, with
 *              which stop id; the event it has to read; how it wants it resumed.
 *              On two lists (the thread's, the process's) until nt_att_drop().
 *
 *   engine 1--* proc 1--* att *--1 task
 *
 *   nt_tracing (tracing.h): the trace experiment of an engine, with its nt_points,
 *              the tracepoints. Goes with the engine, which each point references.
 *   A keeper (keeper.c) is an engine without a file: it has the persistent actions
 *              of engines that are gone, until the process that opened them ends.
 *
 * The four are counted references freed after an RCU grace period. Lists are
 * walked under rcu_read_lock() and changed under the spinlock of their head.
 * An att that was taken off its lists has "gone" set; whoever sleeps with a
 * reference to one looks at that first when it wakes.
 *
 * A THREAD RUNS WHEN task->holds IS ZERO. Holds come from two sides:
 *   - the thread itself, in a context of its own that may sleep (its one
 *     task_work, or a hook in get_signal, syscall entry, do_exit): it posts an
 *     event with nt_report() or nt_report_one() and parks until nobody holds;
 *   - a control call, which asks (att->asked) and kicks. The thread turns asks
 *     into holds when it gets to its work. A thread that is parked, or that is
 *     blocked inside the kernel where nothing will disturb it, is held at once:
 *     it cannot reach user mode without passing its work.
 * "parked" says that it sleeps in nt_park(): its registers may be written.
 *
 * No wait of a target is uninterruptible: a fatal signal drops every hold of
 * that thread and lets it go on to die. No wait depends on a controller being
 * alive: release() drops all its holds, whoever died.
 *
 * ORDER OF THE QUESTIONS in the work of a thread (stop.c): a trap, the exit of a
 * system call, life-cycle reports, asks of engines; then it parks; when nobody
 * holds, what the engines said at resume takes effect (steps, signals).
 *
 * LOCK ORDER, outermost first
 *   engine->mutex       attach, detach, sets of one engine: may sleep
 *   keep_mutex          one engine's persistent actions pass to a keeper
 *   tracing->mutex      the hits of an experiment, while they are collected, and calls
 *                       about it: the program's memory is read under it, so that it is
 *                       waited for killably, and never by who ends an engine or process
 *   tracing->points_lock  which points there are, and where they are in force
 *   nt_engines_lock     the list of engines
 *   the mutex of a memory record (breakpoints)
 *   mmap_lock
 *   proc->lock          the list of atts, natts, state, mm
 *   nt_hash_lock        adding to and removing from the hash
 *   task->lock          irq-safe; nests inside siglock; holds, asks, atts, parked
 *   engine->reading     who takes events, or throws some away
 *   engine->queue_lock  irq-safe; events, notes, proc list
 *   wait queue locks    inside __wake_up
 * Never: siglock under task->lock; sleeping under any spinlock; wake_up_state()
 * on a target (a hold is ended through task->wait alone); ptrace or jobctl bits.
 * Sealed kernel functions (no ENDBR on IBT kernels) are called directly, by
 * static_call_update() with an address from nt_symbol(), never by pointer.
 *
 * UNLOAD: exit() stops new engines, closes those that are open, cancels or waits
 * for queued work, unhooks, waits out RCU and RCU tasks, then counts what is
 * left: anything but zero is a bug that it reports.
 */
#ifndef _NTRACE_MODEL_H
#define _NTRACE_MODEL_H

#include <linux/atomic.h>
#include <linux/cred.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/ptrace.h>
#include <linux/refcount.h>
#include <linux/sched.h>
#include <linux/sched/coredump.h>
#include <linux/sched/signal.h>
#include <linux/spinlock.h>
#include <linux/task_work.h>
#include <linux/uprobes.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include "uapi/ntrace.h"
#include "call.h"
#include "compat.h"
#include "trap.h"

#define NT_EVENT_CAPACITY 16384u /* unread notes, where nobody asks for more */
#define NT_DEBUG_REGISTERS 4
#define NT_WATCH_LENGTH 8 /* bytes one of them covers at most */
#define NT_SYSCALL_LIMIT (NTRACE_SYSCALL_WORDS * 64)

/* ---- events ------------------------------------------------------------- */
/* A record on its way. Ids in it are filled in for each engine's namespace. */
struct nt_event {
	struct ntrace_event r;
	struct pid *child; /* becomes r.child; NULL: r.child as it is */
};

/* A slot in an engine's queue that is never lost, one for each thing that waits. */
struct nt_pending {
	struct list_head link; /* queue_lock; empty: nothing to read */
	struct ntrace_event r;
};

enum nt_want {
	NT_PASS, /* does not concern it */
	NT_NOTE, /* a record */
	NT_STOP, /* hold the thread */
};

/* ---- engine -------------------------------------------------------------- */
struct nt_engine {
	refcount_t ref;
	struct rcu_work freeing;
	u64 id;
	struct list_head all; /* nt_engines, nt_engines_lock */
	struct mutex mutex;
	struct file *file;	 /* valid until release() ends */
	const struct cred *cred; /* the opener's */
	struct pid_namespace *ns;
	struct pid *opener;
	char label[NTRACE_LABEL_LEN];
	bool hello;
	bool observer;
	bool keeper;		     /* of persistent actions: nobody opened it, nobody reads */
	bool closing;		     /* queue_lock: takes no more processes */
	struct ntrace_sets defaults; /* mutex */
	struct xarray breaks;	     /* breakpoint.c: its breakpoints by id */
	struct nt_tracing *tracing;  /* tracing.h; NULL until it is needed */

	struct mutex reading;	    /* notes leave, or change places */
	spinlock_t queue_lock;	    /* the events, and which processes there are */
	struct list_head procs;	    /* RCU, changed under queue_lock */
	struct list_head stops;	    /* nt_pending, in order */
	struct ntrace_event *notes; /* ring */
	u32 capacity;		    /* of it: a power of two */
	u32 note_head;		    /* next to read */
	u32 note_count;
	u64 lost;
	u64 seq;
	atomic64_t last_stop_id;
	atomic64_t last_batch;
	wait_queue_head_t wait; /* readers, pollers, waiters for stops */
};

/* ---- engine x process ---------------------------------------------------- */
/* Replaced whole, read under rcu_read_lock(): see nt_sets(). */
struct nt_sets {
	struct ntrace_sets s;
	struct rcu_head rcu;
};

struct nt_proc {
	refcount_t ref;
	struct rcu_head rcu;
	struct nt_engine *engine;
	struct list_head in_engine; /* RCU */
	struct pid *tgid;
	u64 cookie;
	u64 order;	  /* of attaching, among all engines */
	u32 release;	  /* enum ntrace_release */
	bool thread_only; /* NTRACE_ATTACH_THREAD: threads to come are not ours */
	spinlock_t lock;
	bool gone;	       /* detached or dead */
	bool quiesced;	       /* stopped by a wildcard, none resumed since */
	unsigned int natts;    /* + 1 while attaching */
	int leader_code;       /* wait status of the leader, once it exited */
	struct list_head atts; /* RCU, changed under lock */
	struct mm_struct *mm;  /* grabbed: the memory this engine was let in to */
	struct nt_sets __rcu *sets;
	struct nt_pending last;	 /* PROC_DEAD or DETACHED */
	struct work_struct reap; /* what cannot be done where it died */
};

/* ---- engine x thread ----------------------------------------------------- */
struct nt_att {
	refcount_t ref;
	struct rcu_head rcu;
	struct nt_engine *engine;
	struct nt_proc *proc;
	struct nt_task *task;
	struct list_head in_task; /* by proc->order */
	struct list_head in_proc;
	struct nt_pending stop; /* the event of the present hold */
	/* system calls of this thread alone, or NULL: as its process; the engine's mutex */
	struct nt_sets __rcu *own;

	/* all under task->lock */
	bool gone;
	bool asked;  /* a stop was asked for, not there yet */
	bool quiet;  /* ... and is to leave no event */
	u64 stop_id; /* of the present hold; 0: does not hold */
	u64 since_ns;
	u32 why;	     /* enum ntrace_event_type */
	atomic_t *stopper;   /* who counts asks down: halt.c */
	u64 batch;	     /* the resume that named it last */
	bool halfway;	     /* its registers were read before it was parked, in this hold: */
	struct pt_regs seen; /* ... these, and where it seemed to be */
	unsigned long seen_pc;
	bool renewed; /* others set them in this hold, and they were not read since */

	/* what the engine said when it let go, until it took effect */
	u32 action; /* enum ntrace_action; 0: nothing new */
	u64 lo, hi;
	int signo;	/* signal stops: in, the signal as it is; out, the answer */
	int inject;	/* not a signal stop: send this to itself */
	int self_signo; /* the engine sent this itself: do not ask it */

	struct nt_step step; /* step.c */
};

/* ---- thread -------------------------------------------------------------- */
/* What happened to the thread and is still to be reported, by lifecycle.c. */
struct nt_life {
	u32 fork;   /* NTRACE_EV_FORK, VFORK or 0 */
	bool vfork; /* waits for its child */
	bool exec;
	bool fresh;	     /* has not run yet */
	bool process;	     /* ... and is a new process */
	struct pid *child;   /* of fork, vfork, vfork-done */
	struct pid *creator; /* of a fresh thread or child */
	struct pid *former;  /* exec: the id it had before */
};

struct nt_mm;

struct nt_task {
	refcount_t ref;
	struct rcu_head rcu;
	struct hlist_node hash;
	struct task_struct *task; /* referenced */
	struct pid *pid;	  /* referenced; changes in an exec, under lock */
	struct pid *tgid;
	u64 cookie;

	spinlock_t lock; /* what follows, where nothing else is said */
	bool hashed;
	bool queued;		 /* the work is */
	bool hard;		 /* ... and disturbs system calls */
	bool parked;		 /* sleeps in nt_park(), user registers complete */
	bool working;		 /* its work runs: actions take effect at the end of it */
	bool exits;		 /* in do_exit(): held by who wants that event, else by nobody */
	bool killed;		 /* ... by SIGKILL, which is not pending there: by nobody */
	bool dead;		 /* past its last report */
	unsigned int pins;	 /* keep it hashed without atts */
	unsigned int inspectors; /* look at its registers: it stays parked */
	unsigned int holds;
	struct list_head atts; /* RCU, by proc->order */
	wait_queue_head_t wait;
	struct callback_head work;
	struct callback_head nudge; /* makes a queued soft work hard */
	bool nudged;
	struct nt_mm *leaves;	   /* areas of it, at its next work; referenced */
	struct llist_node orphan;  /* nt_mm.orphans */
	kernel_siginfo_t *siginfo; /* of the signal it is stopped for; only while parked */

	struct nt_life life;
	struct nt_trap trap;
	struct nt_call call;
};

#endif
