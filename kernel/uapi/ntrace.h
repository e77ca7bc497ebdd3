/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * ntrace: many tracers on one thread.
 *
 * This header is the only contract between a client and a provider. Three
 * providers serve it: the module (ioctl and read on /proc/ntrace/control), the
 * embedded provider (the same calls, served by ptrace inside the client's own
 * process) and the fake one (scripted, for tests).
 *
 * An ENGINE is one open control file. It attaches to processes, holds and
 * releases their threads, reads and writes registers and memory, owns
 * breakpoints and receives events, independently of every other engine.
 * Closing the file is the only teardown: breakpoints go, holds are let go,
 * whatever is attached is detached by its release mode.
 *
 * Calls are synchronous: ioctl(fd, NTRACE_IOC_x, &record) returns 0 or a
 * negative errno; batches return 0 and leave an errno in every entry's "error"
 * (0 or positive), and the number of entries that succeeded in "done".
 * Events are struct ntrace_event records, obtained by read(); poll() says when.
 * The first call must be NTRACE_IOC_HELLO; every other answers ENOTCONN before.
 * A second HELLO is EALREADY.
 *
 * A THREAD RUNS WHEN NO ENGINE HOLDS IT. An engine holds a thread from the
 * moment it is given an event whose stop_id is not zero (or a stop it asked
 * for took effect) until it resumes it. Each hold has a stop id, unique within
 * the engine and never zero; a request that quotes another id is ESTALE;
 * quoting 0 means "whatever the present stop is".
 *
 * errno: ESRCH gone or not attached; EALREADY dying; EBUSY the thread runs or
 * is held by others only (NTRACE_IOC_WHO names them); ESTALE; EPERM not
 * permitted (see ntrace_attach.reason); EACCES let go after a set-id exec;
 * ENOSPC no free debug register (NTRACE_IOC_WHO names the owners) or table
 * full; EOPNOTSUPP the feature bit is off; EEXIST attached already; EFAULT an
 * address (ours or the target's); EINVAL anything malformed: an unknown flag,
 * a reserved field that is not zero, a size or count out of range; EROFS an
 * observer asked for a change; EMSGSIZE a buffer too small for one record.
 *
 * Growth: records grow at their end only. The size in the ioctl number is the
 * caller's; a provider zero-fills what an older caller does not send and
 * ignores nothing a newer one does (a non-zero byte past its own size is
 * E2BIG). Record sizes in arrays are told by the handshake. All fields are in
 * host byte order, every record is a multiple of 8 bytes, pointers are __u64.
 * Process and thread ids are those of the opener's pid namespace.
 */
#ifndef _UAPI_NTRACE_H
#define _UAPI_NTRACE_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define NTRACE_ABI_VERSION 1
#define NTRACE_CONTROL_PATH "/proc/ntrace/control"
#define NTRACE_ENGINES_PATH "/proc/ntrace/engines"

#define NTRACE_LABEL_LEN 32 /* bytes, NUL-padded, last byte always NUL */
#define NTRACE_COMM_LEN 16 /* bytes, as TASK_COMM_LEN */
#define NTRACE_SYSCALL_WORDS 8 /* bitmaps of 512 system calls; the last bit: 511 and up */
#define NTRACE_MAX_BATCH 65536 /* entries of any one array */

/* ---- features: bit N is features[N / 64] >> (N % 64) & 1 ---------------- */
enum ntrace_feature {
	NTRACE_F_ATTACH = 0, /* attach, detach, hold, resume */
	NTRACE_F_SOFT_STOP = 1, /* a stop that leaves a blocked thread undisturbed */
	NTRACE_F_HARD_STOP = 2, /* a stop that interrupts system calls, as ptrace does */
	NTRACE_F_STEP = 3, /* single step */
	NTRACE_F_RANGE_STEP = 4, /* NTRACE_ACT_RANGE */
	NTRACE_F_REGSETS = 5,
	NTRACE_F_MEMORY = 6,
	NTRACE_F_BREAK = 7, /* software breakpoints with shadowed memory */
	NTRACE_F_HWBREAK = 8, /* execution breakpoints in debug registers */
	NTRACE_F_WATCH = 9, /* write and access watchpoints */
	NTRACE_F_WATCH_READ = 10, /* watchpoints on reads alone */
	NTRACE_F_SIGNALS = 11, /* stop at a signal, change it, discard it */
	NTRACE_F_SIGNALS_FATAL = 12, /* also those that kill at once or are ignored */
	NTRACE_F_SYSCALL_ENTRY = 13,
	NTRACE_F_SYSCALL_EXIT = 14,
	NTRACE_F_SYSCALL_CHANGE = 15, /* number, arguments, result, skip */
	NTRACE_F_FORK = 16, /* fork, vfork, vfork-done */
	NTRACE_F_FOLLOW = 17, /* children attached before their first instruction */
	NTRACE_F_NEWTHREAD = 18, /* threads held before their first instruction */
	NTRACE_F_EXEC = 19,
	NTRACE_F_EXITING = 20, /* about to exit, memory still there */
	NTRACE_F_DEAD = 21,
	NTRACE_F_RECORD = 22, /* records that stop nobody (the *_note sets) */
	NTRACE_F_CONDITIONS = 23, /* agent expressions on breakpoints */
	NTRACE_F_ACTIONS = 24, /* agent expressions run at a hit (dprintf) */
	NTRACE_F_TRACEPOINTS = 25,
	NTRACE_F_OUT_OF_LINE = 26, /* step-over without lifting the breakpoint */
	NTRACE_F_YIELD = 27, /* a held thread yields to a new ptracer */
	NTRACE_F_STACK = 28, /* engines of other processes stack here too */
	NTRACE_F_WHO = 29,
	NTRACE_F_RELEASE = 30, /* NTRACE_IOC_RELEASE */
	NTRACE_F_LEAVE_STOPPED = 31, /* NTRACE_RELEASE_STOP */
	NTRACE_F_ATTACH_THREAD = 32, /* NTRACE_ATTACH_THREAD */
	NTRACE_F_GRACE = 33, /* NTRACE_RESUME_GRACE */
};

/* ---- handshake ----------------------------------------------------------- */
#define NTRACE_HELLO_OBSERVER 0x1u /* never holds, never changes: EROFS */

#define NTRACE_MAX_EVENTS (1u << 18)

struct ntrace_hello {
	__u32 abi_version; /* in: newest known to the caller; out: in force */
	__u32 flags; /* in: NTRACE_HELLO_* */
	char label[NTRACE_LABEL_LEN]; /* in: shown to people and to other engines */
	__u64 features[4]; /* out: NTRACE_F_* */
	char provider[16]; /* out: "kernel", "embedded", "fake" */
	__u64 engine_id; /* out: unique on this machine (kernel) or process */
	__u32 machine; /* out: EM_* of the native architecture */
	__u32 page_size; /* out: bytes */
	__u32 event_size; /* out: bytes of one struct ntrace_event */
	__u32 thread_size; /* out: bytes of one struct ntrace_thread */
	__u32 max_batch; /* out: entries */
	__u32 event_capacity; /* in: how many records are to be kept, 0: as usual; out: how many
				 are, before noting ones are dropped; up to NTRACE_MAX_EVENTS */
	__u32 hw_breaks; /* out: debug registers for execution */
	__u32 hw_watches; /* out: debug registers for data */
	__u32 hw_watch_len; /* out: most bytes one register watches */
	__u32 reserved;
};

/* ---- attach and detach --------------------------------------------------- */
#define NTRACE_ATTACH_STOP 0x1u /* hold every thread before returning */
#define NTRACE_ATTACH_THREAD 0x2u /* pid is one thread, not a process */
#define NTRACE_ATTACH_OWNED 0x4u /* our own child: killed when the owner dies */

enum ntrace_release {
	NTRACE_RELEASE_RESUME = 0, /* remove everything, let it run */
	NTRACE_RELEASE_KILL = 1,
	NTRACE_RELEASE_STOP = 2, /* leave it in a job-control stop */
};

/* why an attach was refused (ntrace_attach.reason) */
enum ntrace_refusal {
	NTRACE_WHY_NONE = 0,
	NTRACE_WHY_GONE = 1, /* no such process */
	NTRACE_WHY_ZOMBIE = 2, /* dead, waiting for its parent */
	NTRACE_WHY_KERNEL = 3, /* a kernel thread */
	NTRACE_WHY_SELF = 4, /* the server itself */
	NTRACE_WHY_TRACED = 5, /* another ptracer: holder_pid */
	NTRACE_WHY_CREDS = 6, /* another user's, or not dumpable */
	NTRACE_WHY_YAMA = 7, /* kernel.yama.ptrace_scope */
	NTRACE_WHY_LSM = 8, /* another security module, seccomp or a container */
	NTRACE_WHY_ATTACHED = 9, /* this engine has it already */
	NTRACE_WHY_NOT_LEADER = 10, /* a thread id where a process id is wanted */
	NTRACE_WHY_EXEC = 11, /* an exec waits for a thread that is held */
};

struct ntrace_attach { /* NTRACE_IOC_ATTACH */
	__s32 pid; /* in */
	__u32 flags; /* in: NTRACE_ATTACH_* */
	__u32 release; /* in: enum ntrace_release, for close() */
	__u32 threads; /* out: threads attached */
	__u64 cookie; /* out: start cookie of the process */
	__u32 reason; /* out: enum ntrace_refusal */
	__s32 holder_pid; /* out: with NTRACE_WHY_TRACED */
};

struct ntrace_detach { /* NTRACE_IOC_DETACH */
	__s32 pid; /* in */
	__u32 release; /* in: enum ntrace_release */
	__s32 signo; /* in: signal to deliver to the thread "tid", or 0 */
	__s32 tid; /* in: with signo; or the one thread of an ATTACH_THREAD */
};

/* ---- threads ------------------------------------------------------------- */
enum ntrace_thread_state {
	NTRACE_THREAD_RUNNING = 1,
	NTRACE_THREAD_STOPPED = 2, /* held by at least one engine */
	NTRACE_THREAD_STOPPING = 3, /* a stop was asked for, not there yet */
	NTRACE_THREAD_EXITING = 4,
};

#define NTRACE_THREAD_HELD 0x1u /* by the asking engine */
#define NTRACE_THREAD_HELD_BY_OTHER 0x2u
#define NTRACE_THREAD_LEADER 0x4u
#define NTRACE_THREAD_STEPPING 0x8u
#define NTRACE_THREAD_VFORK 0x10u /* waits for its vfork child */

struct ntrace_thread {
	__s32 tid;
	__s32 tgid;
	__u64 cookie; /* start time: tells a reused tid apart */
	__u64 stop_id; /* the asking engine's, 0 if it does not hold it */
	__u32 state; /* enum ntrace_thread_state */
	__u32 flags; /* NTRACE_THREAD_* */
	__s32 core; /* where it ran last, -1 unknown */
	__u32 reserved;
	char comm[NTRACE_COMM_LEN]; /* its name; empty in a brief listing */
};

#define NTRACE_THREADS_BRIEF 0x1u /* core and cookie only where they cost nothing */

struct ntrace_threads { /* NTRACE_IOC_THREADS */
	__s32 pid; /* in: one process, 0 every one attached */
	__u32 flags; /* in: NTRACE_THREADS_* */
	__u64 buf; /* in: struct ntrace_thread[capacity] */
	__u32 capacity; /* in */
	__u32 count; /* out: how many there are; may exceed capacity */
};

/* ---- hold and resume ----------------------------------------------------- */
/*
 * An entry names one thread (tid > 0), every thread of a process that no
 * earlier entry of the batch named (pid > 0, tid = -1), or of every attached
 * process (pid = -1, tid = -1). First match wins.
 *
 * Nothing is passed over unseen: a wildcard lets go only what the engine has
 * been told of. A thread whose event is still to be read stays held; an entry
 * that names it and quotes 0 is ESTALE.
 */
enum ntrace_action {
	NTRACE_ACT_CONT = 1,
	NTRACE_ACT_STEP = 2, /* one instruction, then NTRACE_EV_STEP */
	NTRACE_ACT_RANGE = 3, /* step while lo <= pc < hi */
	NTRACE_ACT_STAY = 4, /* matches, does nothing: shields from a wildcard */
};

struct ntrace_resume_entry {
	__s32 pid;
	__s32 tid;
	__u32 action; /* enum ntrace_action */
	__s32 signo; /* deliver this; 0 discards the one it stopped for */
	__u64 stop_id; /* 0, or refuse with ESTALE */
	__u64 lo; /* NTRACE_ACT_RANGE */
	__u64 hi;
	__s32 error; /* out: ESRCH, ESTALE, EBUSY, ... wildcards: 0 */
	__u32 held; /* out: threads of this entry that others still hold */
};

/*
 * Of many threads let go the one that stopped by itself last runs at once, the others when it has
 * not stopped again within half a millisecond. They are as good as running all the while: they
 * can be stopped, and they run first when they have been kept too long in a row.
 */
#define NTRACE_RESUME_GRACE 0x1u

struct ntrace_resume { /* NTRACE_IOC_RESUME */
	__u64 entries; /* in: struct ntrace_resume_entry[count] */
	__u32 count;
	__u32 flags; /* in: NTRACE_RESUME_* */
	__u32 wait_us; /* in: wait up to this long for a readable event */
	__u32 done; /* out: entries without error */
	__u32 events; /* out: events readable now */
	__u32 resumed; /* out: threads this engine let go */
};

#define NTRACE_STOP_SOFT 0x1u /* do not disturb a blocked thread (feature bit) */
#define NTRACE_STOP_WAIT 0x2u /* return when all are held or timeout_us passed */
#define NTRACE_STOP_QUIET 0x4u /* hold without an NTRACE_EV_STOPPED event */

struct ntrace_stop_entry {
	__s32 pid;
	__s32 tid; /* as in ntrace_resume_entry */
	__s32 error; /* out */
	__u32 reserved;
};

struct ntrace_stop { /* NTRACE_IOC_STOP */
	__u64 entries; /* in: struct ntrace_stop_entry[count] */
	__u32 count;
	__u32 flags; /* in: NTRACE_STOP_* */
	__u32 timeout_us; /* in: with WAIT; 0 waits until a fatal signal */
	__u32 done; /* out: entries without error */
	__u32 stopped; /* out: threads of these entries held now */
	__u32 pending; /* out: threads not there yet */
};

/* ---- registers: raw regsets, by ELF core note type ----------------------- */
/* NT_SIGINFO reads and writes the siginfo of a signal stop. */
#define NTRACE_NT_SIGINFO 0x53494749

struct ntrace_regset {
	__s32 tid;
	__u32 note; /* NT_PRSTATUS, NT_X86_XSTATE, ... */
	__u64 stop_id;
	__u64 buf;
	__u32 len; /* in: bytes of buf */
	__u32 got; /* out: bytes transferred; the regset's size if len is 0 */
	__s32 error;
	__u32 reserved;
};

struct ntrace_regs { /* NTRACE_IOC_GETREGS, NTRACE_IOC_SETREGS */
	__u64 entries; /* struct ntrace_regset[count] */
	__u32 count;
	__u32 done;
};

/* ---- memory -------------------------------------------------------------- */
/*
 * Reads show what the program would see: no engine's breakpoint bytes. Writes
 * go through to the shadow, so a breakpoint stays armed and the new byte is
 * there when it goes. "done" bytes of a vector were transferred before error.
 */
#define NTRACE_MEM_RAW 0x1u /* reads only: what is really there */

struct ntrace_memvec {
	__u64 addr; /* in the target */
	__u64 len; /* bytes */
	__u64 buf; /* in the caller */
	__u64 done; /* out: bytes */
	__s32 error; /* out: EFAULT where "done" ends, ESRCH, ... */
	__u32 reserved;
};

struct ntrace_mem { /* NTRACE_IOC_READMEM, NTRACE_IOC_WRITEMEM */
	__s32 pid;
	__u32 flags; /* NTRACE_MEM_* */
	__u64 vecs; /* struct ntrace_memvec[count] */
	__u32 count;
	__u32 done; /* out: vectors transferred whole */
};

/* ---- breakpoints --------------------------------------------------------- */
enum ntrace_break_type { /* the numbers of the Z packets */
	NTRACE_BREAK_SW = 0,
	NTRACE_BREAK_HW = 1,
	NTRACE_WATCH_WRITE = 2,
	NTRACE_WATCH_READ = 3,
	NTRACE_WATCH_ACCESS = 4,
};

/*
 * bytecode: GDB agent expressions (GDB manual, appendix F). Its register N is the
 * N-th 64-bit word of the native NT_PRSTATUS: clients translate their numbers.
 */
struct ntrace_code {
	__u64 bytes; /* in: pointer */
	__u32 len; /* in: bytes */
	__u32 error_at; /* out: offset the verifier rejects, with EINVAL */
};

#define NTRACE_BREAK_PERSIST 0x1u /* actions stay when the engine goes */

struct ntrace_break { /* NTRACE_IOC_BREAK */
	__s32 pid;
	__u32 type; /* enum ntrace_break_type */
	__u64 addr;
	__u32 len; /* bytes of instruction (SW, HW) or of data */
	__u32 flags;
	__u64 conditions; /* struct ntrace_code[nconditions], any true one stops */
	__u64 actions; /* struct ntrace_code[nactions] */
	__u32 nconditions;
	__u32 nactions;
	__u32 id; /* out: this engine's name for it; the same place: the same id */
	__u32 owners; /* out: engines that share the site */
};

struct ntrace_unbreak { /* NTRACE_IOC_UNBREAK */
	__u32 id;
	__u32 reserved;
};

struct ntrace_break_stats { /* NTRACE_IOC_BREAK_STATS */
	__u32 id; /* in */
	__u32 owners;
	__u64 hits;
	__u64 evaluated;
	__u64 true_hits;
	__u64 false_hits;
	__u64 errors;
	__u64 cost_ns; /* all evaluations of the provider together */
	__u64 native; /* of hits, those whose conditions the program itself found false */
};

/* ---- what an engine wants to see ----------------------------------------- */
/* life-cycle events: bit NTRACE_EV_x - NTRACE_EV_NEWTHREAD */
#define NTRACE_LIFE(ev) (1ull << ((ev)-NTRACE_EV_NEWTHREAD))

#define NTRACE_SET_SIGNALS 0x1u /* which fields below count */
#define NTRACE_SET_LIFE 0x2u
#define NTRACE_SET_SYSCALLS 0x4u
#define NTRACE_SET_FOLLOW 0x8u

#define NTRACE_FOLLOW_FORK 0x1u /* attach the children of fork and clone */
#define NTRACE_FOLLOW_VFORK 0x2u

/*
 * Defaults at attach: signals all stop, NTRACE_EV_EXEC, and the death of a
 * process, which always comes, are noted, no syscalls, no children followed.
 * Children that are followed inherit the sets. "stop" holds the thread, "note"
 * leaves a record and lets it run. Bit N of a signal set is signal N + 1.
 */
struct ntrace_sets { /* NTRACE_IOC_SETS */
	__s32 pid; /* in: a process; 0 every one attached and the default */
	__s32 tid; /* in: 0, or one thread (syscalls only) */
	__u32 valid; /* in: NTRACE_SET_* */
	__u32 follow; /* NTRACE_FOLLOW_* */
	__u64 signal_stop;
	__u64 signal_note;
	__u64 fault_stop; /* as signal_stop, for synchronous faults */
	__u64 life_stop;
	__u64 life_note;
	__u64 entry_stop[NTRACE_SYSCALL_WORDS];
	__u64 exit_stop[NTRACE_SYSCALL_WORDS];
	__u64 entry_note[NTRACE_SYSCALL_WORDS];
	__u64 exit_note[NTRACE_SYSCALL_WORDS];
	__u64 signal_step; /* more that stop a thread while it steps for this engine */
};

struct ntrace_signal { /* NTRACE_IOC_SIGNAL: as kill() or tgkill() */
	__s32 pid;
	__s32 tid; /* 0: the process */
	__s32 signo; /* SIGKILL ends it even while held */
	__u32 reserved;
};

/* ---- who holds what ------------------------------------------------------ */
struct ntrace_holder {
	__u64 engine_id;
	__u64 since_ns; /* CLOCK_MONOTONIC */
	__s32 pid; /* of the opener */
	__u32 uid;
	__s32 tid; /* what it holds; 0: attached, holds nothing */
	__u32 why; /* enum ntrace_event_type of the hold; breakpoints: type */
	char label[NTRACE_LABEL_LEN];
};

struct ntrace_who { /* NTRACE_IOC_WHO */
	__s32 pid; /* in: a process, 0 all */
	__s32 tid; /* in: a thread, 0 all */
	__u64 buf; /* in: struct ntrace_holder[capacity] */
	__u32 capacity;
	__u32 count; /* out: may exceed capacity */
};

struct ntrace_release_hold { /* NTRACE_IOC_RELEASE: let another's holds go */
	__u64 engine_id;
	__s32 tid; /* 0: all of them */
	__u32 released; /* out */
};

/* ---- tracepoints --------------------------------------------------------- */
/*
 * A tracepoint collects where its thread stands and lets it run on; nobody is
 * told. An engine has one trace buffer, definitions that outlive a run, and
 * state variables that conditions and actions read and set. Its frames are
 * numbered from the oldest that is left.
 */
#define NTRACE_TP_ENABLED 0x1u

enum ntrace_collect_type {
	NTRACE_COLLECT_REGS = 1, /* a regset: note */
	NTRACE_COLLECT_MEMORY = 2, /* len bytes at addr, reg's value added */
	NTRACE_COLLECT_CODE = 3, /* bytecode whose trace opcodes collect */
};

#define NTRACE_COLLECT_STEP 0x1u /* after each single step, not at the hit */
#define NTRACE_COLLECT_ABSOLUTE 0xffffffffu /* reg: none, addr is the address */

struct ntrace_collect {
	__u32 type; /* enum ntrace_collect_type */
	__u32 flags; /* NTRACE_COLLECT_STEP */
	__u32 note; /* REGS */
	__u32 reg; /* MEMORY: as in bytecode, or NTRACE_COLLECT_ABSOLUTE */
	__u64 addr; /* MEMORY */
	__u64 len; /* MEMORY: bytes */
	__u64 bytes; /* CODE: as struct ntrace_code */
	__u32 code_len;
	__u32 error_at; /* out */
};

/* The same pid, number and addr: replaced, its hits stay. While tracing runs: in force at once. */
struct ntrace_tracepoint { /* NTRACE_IOC_TRACEPOINT */
	__s32 pid;
	__u32 number; /* the client's */
	__u64 addr;
	__u32 flags; /* NTRACE_TP_* */
	__u32 step; /* single steps to collect after a hit */
	__u64 pass; /* stop tracing after so many hits, 0 never */
	__u64 condition; /* struct ntrace_code *, or 0; memory that cannot be read: true */
	__u64 actions; /* struct ntrace_collect[nactions] */
	__u32 nactions;
	__u32 reserved;
	__u64 hits; /* out, by NTRACE_IOC_TRACE_QUERY */
	__u64 usage; /* out: bytes of all its frames */
};

enum ntrace_trace_command {
	NTRACE_TRACE_CLEAR = 1, /* stop; forget definitions, variables and frames */
	NTRACE_TRACE_START = 2, /* counts from zero; EALREADY while it runs */
	NTRACE_TRACE_STOP = 3, /* nothing happens if it does not run */
	NTRACE_TRACE_STATUS = 4,
	NTRACE_TRACE_SETUP = 5, /* flags and size; another size forgets the frames */
};

#define NTRACE_TRACE_CIRCULAR 0x1u /* the oldest frames make room for new ones */

enum ntrace_trace_reason {
	NTRACE_TRACE_NEVER_RAN = 0,
	NTRACE_TRACE_STOPPED = 1, /* by NTRACE_TRACE_STOP or _CLEAR */
	NTRACE_TRACE_FULL = 2,
	NTRACE_TRACE_PASSED = 3, /* a tracepoint's pass count: number */
	NTRACE_TRACE_ERROR = 4, /* an expression of tracepoint "number" failed: error */
};

struct ntrace_trace_control { /* NTRACE_IOC_TRACE_CONTROL */
	__u32 command; /* in: enum ntrace_trace_command */
	__u32 flags; /* in, with SETUP: NTRACE_TRACE_*; out: as it is */
	__u64 size; /* in, with SETUP: bytes of buffer, 0 keeps; out: as it is */
	__u64 free; /* out: bytes */
	__u64 frames; /* out: in the buffer */
	__u64 created; /* out: ever */
	__u64 used; /* out: bytes */
	__u64 start_ns; /* out: CLOCK_MONOTONIC */
	__u64 stop_ns; /* out */
	__u32 running; /* out */
	__u32 reason; /* out: enum ntrace_trace_reason */
	__u32 number; /* out: the tracepoint that stopped it */
	__u32 error; /* out: positive errno: EDOM a division by zero, ETIME the budget, ... */
};

/* What a frame is made of: its head, then blocks of a head and len bytes, padded to 8. */
struct ntrace_frame {
	__u32 size; /* bytes, this head included */
	__u32 number; /* of the tracepoint */
	__u64 addr; /* of the tracepoint */
	__u64 pc; /* where the thread stood */
	__u64 time_ns; /* CLOCK_MONOTONIC */
	__s32 pid;
	__s32 tid;
	__u32 step; /* 0 the hit, N the N-th step after it */
	__u32 reserved;
};

enum ntrace_block_type {
	NTRACE_BLOCK_REGS = 1, /* name: note; the regset */
	NTRACE_BLOCK_MEMORY = 2, /* addr; the memory */
	NTRACE_BLOCK_VARIABLE = 3, /* name: number; __s64 value */
};

struct ntrace_block {
	__u32 type; /* enum ntrace_block_type */
	__u32 name;
	__u64 addr;
	__u32 len; /* bytes that follow */
	__u32 reserved;
};

struct ntrace_trace_read { /* NTRACE_IOC_TRACE_READ: bytes of one frame; ENOENT no such frame */
	__u64 frame; /* index from the oldest */
	__u64 offset;
	__u64 buf;
	__u32 len;
	__u32 got; /* out: bytes; 0 past the end */
};

#define NTRACE_VARIABLE_SET 0x1u
#define NTRACE_VARIABLES 1024u /* number is less; 0 is none */
#define NTRACE_VARIABLE_TIMESTAMP 1u /* always there: CLOCK_MONOTONIC in microseconds */

struct ntrace_variable { /* NTRACE_IOC_VARIABLE: state variables; ENOENT never set */
	__u32 number;
	__u32 flags; /* NTRACE_VARIABLE_SET, else get */
	__s64 value; /* a set of a built-in one is without effect */
};

/* ---- events -------------------------------------------------------------- */
enum ntrace_event_type {
	NTRACE_EV_STOPPED = 1, /* a stop that was asked for */
	NTRACE_EV_STEP = 2, /* a step or range ended */
	NTRACE_EV_BREAK = 3, /* addr = pc: the site; break_id */
	NTRACE_EV_HWBREAK = 4,
	/*
	 * addr: what was touched; break_id. The same instruction may have touched more watchpoints
	 * of this engine: nr of them, at args[0 .. nr). One event tells all, each address once.
	 */
	NTRACE_EV_WATCH = 5,
	NTRACE_EV_SIGNAL = 6, /* signo, code = si_code, addr = si_addr */
	NTRACE_EV_SYSCALL_ENTRY = 7, /* nr, args */
	NTRACE_EV_SYSCALL_EXIT = 8, /* nr, args[0] = result */
	NTRACE_EV_JOBSTOP = 9, /* signo: a job-control stop began */
	NTRACE_EV_ERROR = 10, /* a condition could not be decided: code = errno */

	NTRACE_EV_NEWTHREAD = 16, /* tid is the new thread, child its creator */
	NTRACE_EV_FORK = 17, /* child */
	NTRACE_EV_VFORK = 18, /* child */
	NTRACE_EV_VFORK_DONE = 19, /* child */
	NTRACE_EV_EXEC = 20, /* child: the tid it had before */
	NTRACE_EV_EXITING = 21, /* one thread; code: its wait status */
	NTRACE_EV_DEAD = 22, /* one thread, gone */
	NTRACE_EV_PROC_DEAD = 23, /* the process, gone; code: its wait status */
	NTRACE_EV_CHILD = 24, /* a followed child, held before its first step */

	NTRACE_EV_DETACHED = 32, /* lost; code: errno (EACCES, EPERM, ...) */
	NTRACE_EV_LOST = 33, /* addr: how many notes were dropped */
	NTRACE_EV_TRACE_STOPPED = 34, /* a note; code: enum ntrace_trace_reason */
	/*
	 * A note: text of an action at break_id, "code" bytes of it, from args on; addr more
	 * follow in the next records. All of it comes in a row, or none.
	 */
	NTRACE_EV_PRINT = 35,
};

#define NTRACE_EVF_FAULT 0x1u /* a synchronous signal */
#define NTRACE_EVF_CHANGED 0x2u /* an engine before us changed it */
#define NTRACE_EVF_FROM_USER 0x4u /* another process sent the signal */
#define NTRACE_EVF_COMPAT 0x8u /* the thread runs 32-bit code */

struct ntrace_event {
	__u32 size; /* bytes of this record */
	__u16 type; /* enum ntrace_event_type */
	__u16 flags; /* NTRACE_EVF_* */
	__u64 seq; /* counts up per engine */
	__u64 time_ns; /* CLOCK_MONOTONIC */
	__u64 cookie; /* of the thread */
	__s32 tid;
	__s32 tgid;
	__u64 stop_id; /* 0: a note, nobody was held */
	__s32 signo;
	__s32 code;
	__s32 child;
	__s32 core;
	__u64 pc; /* as the program would see it: the breakpoint's own address */
	__u64 sp;
	__u64 fp; /* the frame pointer register */
	__u64 addr;
	__u32 break_id;
	__u32 original; /* the signal before other engines changed it */
	__u64 nr;
	__u64 args[6];
};

/* ---- the calls ----------------------------------------------------------- */
#define NTRACE_IOC_MAGIC 0xE7
#define NTRACE_IOC(nr, type) _IOWR(NTRACE_IOC_MAGIC, nr, type)

#define NTRACE_IOC_HELLO NTRACE_IOC(0, struct ntrace_hello)
#define NTRACE_IOC_ATTACH NTRACE_IOC(1, struct ntrace_attach)
#define NTRACE_IOC_DETACH NTRACE_IOC(2, struct ntrace_detach)
#define NTRACE_IOC_THREADS NTRACE_IOC(3, struct ntrace_threads)
#define NTRACE_IOC_RESUME NTRACE_IOC(4, struct ntrace_resume)
#define NTRACE_IOC_STOP NTRACE_IOC(5, struct ntrace_stop)
#define NTRACE_IOC_GETREGS NTRACE_IOC(6, struct ntrace_regs)
#define NTRACE_IOC_SETREGS NTRACE_IOC(7, struct ntrace_regs)
#define NTRACE_IOC_READMEM NTRACE_IOC(8, struct ntrace_mem)
#define NTRACE_IOC_WRITEMEM NTRACE_IOC(9, struct ntrace_mem)
#define NTRACE_IOC_BREAK NTRACE_IOC(10, struct ntrace_break)
#define NTRACE_IOC_UNBREAK NTRACE_IOC(11, struct ntrace_unbreak)
#define NTRACE_IOC_BREAK_STATS NTRACE_IOC(12, struct ntrace_break_stats)
#define NTRACE_IOC_SETS NTRACE_IOC(13, struct ntrace_sets)
#define NTRACE_IOC_SIGNAL NTRACE_IOC(14, struct ntrace_signal)
#define NTRACE_IOC_WHO NTRACE_IOC(15, struct ntrace_who)
#define NTRACE_IOC_RELEASE NTRACE_IOC(16, struct ntrace_release_hold)
#define NTRACE_IOC_TRACEPOINT NTRACE_IOC(17, struct ntrace_tracepoint)
#define NTRACE_IOC_TRACE_CONTROL NTRACE_IOC(18, struct ntrace_trace_control)
#define NTRACE_IOC_TRACE_QUERY NTRACE_IOC(19, struct ntrace_tracepoint)
#define NTRACE_IOC_TRACE_READ NTRACE_IOC(20, struct ntrace_trace_read)
#define NTRACE_IOC_VARIABLE NTRACE_IOC(21, struct ntrace_variable)

#endif /* _UAPI_NTRACE_H */
