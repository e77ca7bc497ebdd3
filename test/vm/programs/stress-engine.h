// SPDX-License-Identifier: GPL-2.0
// Engines that stop, step, break, watch, trace, change and die at random.
#ifndef NTRACE_STRESS_ENGINE_H
#define NTRACE_STRESS_ENGINE_H
#include <cpuid.h>
#include <elf.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>

#include "ntrace.h"
#include "stress-program.h"
#include "witness.h"

#define PROGRAMS 3

/* What the engines, the programs' keeper and the witness share. */
static struct shared {
	pid_t programs[PROGRAMS];
	volatile unsigned long calls, actions, texts, frames; // about: engines count at once
	struct witnessed witnessed;
} * shared;

static int fd;
static struct ntrace_thread threads[64];

static uint32_t list(pid_t pid)
{
	struct ntrace_threads t = {
	    .pid = pid, .buf = (uintptr_t)threads, .capacity = sizeof(threads) / sizeof(*threads)};

	if (ioctl(fd, NTRACE_IOC_THREADS, &t) < 0)
		return 0;
	return t.count < t.capacity ? t.count : t.capacity;
}

static void resume(pid_t pid, pid_t tid, uint32_t action, int signo)
{
	struct ntrace_resume_entry entry = {
	    .pid = pid, .tid = tid, .action = action, .signo = signo};
	struct ntrace_resume r = {.entries = (uintptr_t)&entry, .count = 1};

	if (action == NTRACE_ACT_RANGE) {
		entry.lo = (uintptr_t)step_me;
		entry.hi = entry.lo + 16;
	}
	ioctl(fd, NTRACE_IOC_RESUME, &r);
}

/* As they are, in the stop that is quoted. */
static void rewrite_registers(const struct ntrace_thread *t)
{
	static char buf[4096];
	struct ntrace_regset set = {
	    .tid = t->tid, .stop_id = t->stop_id, .buf = (uintptr_t)buf, .len = sizeof(buf)};
	struct ntrace_regs r = {.entries = (uintptr_t)&set, .count = 1};

	if (!t->stop_id)
		return;
	set.note = below(2) ? NT_PRSTATUS : NT_X86_XSTATE;
	if (ioctl(fd, NTRACE_IOC_GETREGS, &r) < 0 || set.error)
		return;
	set.len = set.got;
	if (set.note == NT_PRSTATUS)
		ioctl(fd, NTRACE_IOC_SETREGS, &r);
}

/* Code as it is, beside the breakpoints of others. */
static void rewrite_text(pid_t pid)
{
	static char text[8192];
	uintptr_t page = (uintptr_t)step_me & ~4095ul;
	struct ntrace_memvec v = {
	    .addr = page + below(4096), .buf = (uintptr_t)text, .len = 1 + below(sizeof(text))};
	struct ntrace_mem m = {.pid = pid, .vecs = (uintptr_t)&v, .count = 1};

	if (ioctl(fd, NTRACE_IOC_READMEM, &m) < 0 || !v.done)
		return;
	v.len = v.done;
	ioctl(fd, NTRACE_IOC_WRITEMEM, &m);
}

/* GDB agent expressions; the pointers are filled in where they are used. */
#define CODE(...) (const uint8_t[]){__VA_ARGS__, 0x27}, sizeof((const uint8_t[]){__VA_ARGS__, 0x27})
static const struct expression {
	const uint8_t *bytes;
	uint32_t len;
} conditions[] =
    {
	{CODE(0x22, 0)},					      // false
	{CODE(0x26, 0, 19, 0x1a)},				      // *$rsp, always true
	{CODE(0x22, 8, 0x1a)},					      // *8, which nobody can read
	{CODE(0x2c, 0, 2, 0x22, 1, 0x02, 0x2d, 0, 2, 0x22, 7, 0x0f)}, // ($2 = $2 + 1) & 7
},
  commands[] =
      {
	  {CODE(0x26, 0, 13, 0x22, 0, 0x22, 0, 0x34, 1, 0, 4, '%', 'd', '\n',
		0)}, // printf "%d\n", $rsi
	  {CODE(0x22, 8, 0x1a)},
	  {CODE(0x2c, 0, 3, 0x22, 1, 0x02, 0x2d, 0, 3, 0x29)}, // $3 = $3 + 1
	  {CODE(0x22, 1)},
},
  collected[] = {
      {CODE(0x26, 0, 19, 0x22, 64, 0x0c)},			       // 64 bytes at $rsp
      {CODE(0x2c, 0, 2, 0x22, 1, 0x02, 0x2d, 0, 2, 0x29, 0x2e, 0, 2)}, // $2 = $2 + 1; tracev $2
      {CODE(0x22, 8, 0x22, 8, 0x0c)},
};
#define CHOICE(of) (&(of)[below(sizeof(of) / sizeof(*(of)))])

static struct ntrace_code code_of(const struct expression *e)
{
	return (struct ntrace_code){.bytes = (uintptr_t)e->bytes, .len = e->len};
}

/* What is watched. An emulated processor tells of a watched write in a single step twice, and the
 * second time in the middle of the kernel's handler (QEMU's CPU_INTERRUPT_DEBUG, up to 10.0 at
 * least), which kills any kernel, engines or not: there it is memory that nobody writes.
 */
static volatile sig_atomic_t unwritten;

static uintptr_t watched(void)
{
	uint32_t signature[4] = {0};

	__cpuid(0x40000000, signature[0], signature[1], signature[2], signature[3]);
	return (uintptr_t)(memcmp(&signature[1], "TCGTCGTCGTCG", 12) ? &handled : &unwritten);
}

static void breakpoint(pid_t pid, uint32_t *id)
{
	struct ntrace_code condition = code_of(CHOICE(conditions));
	struct ntrace_code actions[2] = {code_of(CHOICE(commands)), code_of(CHOICE(commands))};
	struct ntrace_break b = {.pid = pid, .addr = (uintptr_t)step_me, .len = 1};
	struct ntrace_unbreak u = {.id = *id};

	if (*id) {
		ioctl(fd, NTRACE_IOC_UNBREAK, &u);
		*id = 0;
		return;
	}
	if (below(4) == 0) {
		b.type = below(2) ? NTRACE_BREAK_HW : NTRACE_WATCH_WRITE;
		if (b.type == NTRACE_WATCH_WRITE) {
			b.addr = watched();
			b.len = sizeof(handled);
		}
	} else {
		b.conditions = (uintptr_t)&condition;
		b.nconditions = below(2);
		b.actions = (uintptr_t)actions;
		b.nactions = below(3);
		b.flags = b.nactions ? below(2) : 0; // persistent ones
	}
	if (ioctl(fd, NTRACE_IOC_BREAK, &b) == 0) {
		*id = b.id;
		shared->actions += b.nactions > 0;
	}
}

static void take_events(void)
{
	static struct ntrace_event events[32];
	ssize_t got = read(fd, events, sizeof(events));

	for (ssize_t i = 0; i < got / (ssize_t)sizeof(*events); i++) {
		struct ntrace_event *e = &events[i];
		uint32_t action = below(4) ? NTRACE_ACT_CONT : NTRACE_ACT_STEP + below(2);

		shared->texts += e->type == NTRACE_EV_PRINT;
		if (e->stop_id)
			resume(e->tgid, e->tid, action, e->type == NTRACE_EV_SIGNAL ? e->signo : 0);
	}
}

static void wish(pid_t pid)
{
	struct ntrace_sets s = {.pid = pid, .valid = below(16)};

	s.signal_stop = below(2) ? ~0ull : 0;
	s.fault_stop = ~0ull;
	for (int ev = NTRACE_EV_NEWTHREAD; ev <= NTRACE_EV_DEAD; ev++) {
		s.life_stop |= below(3) == 0 ? NTRACE_LIFE(ev) : 0;
		s.life_note |= below(2) ? NTRACE_LIFE(ev) : 0;
	}
	s.follow = below(4);
	memset(below(2) ? s.entry_note : s.exit_stop, below(2) ? 0 : 0xff, sizeof(s.entry_note));
	ioctl(fd, NTRACE_IOC_SETS, &s);
}

static void define(pid_t pid)
{
	struct ntrace_code condition = code_of(CHOICE(conditions));
	const struct expression *code = CHOICE(collected);
	struct ntrace_collect collect[] = {
	    {.type = NTRACE_COLLECT_REGS, .note = below(2) ? NT_PRSTATUS : NT_X86_XSTATE},
	    {.type = NTRACE_COLLECT_CODE,
	     .bytes = (uintptr_t)code->bytes,
	     .code_len = code->len,
	     .flags = below(2)},
	    {.type = NTRACE_COLLECT_MEMORY,
	     .reg = below(2) ? 19 : NTRACE_COLLECT_ABSOLUTE,
	     .addr = below(2) ? 0 : (uintptr_t)&handled,
	     .len = 1 + below(10000)},
	};
	struct ntrace_tracepoint t = {.pid = pid,
				      .number = below(3),
				      .addr = (uintptr_t)(below(4) ? step_me : (void *)compute),
				      .flags = below(8) ? NTRACE_TP_ENABLED : 0,
				      .step = below(2) ? 0 : below(40),
				      .pass = below(4) ? 0 : 1 + below(20),
				      .condition = below(2) ? (uintptr_t)&condition : 0,
				      .actions = (uintptr_t)collect,
				      .nactions = below(4)};

	ioctl(fd, NTRACE_IOC_TRACEPOINT, &t);
	ioctl(fd, NTRACE_IOC_TRACE_QUERY, &t);
}

static void trace(void)
{
	static char frame[65536];
	struct ntrace_trace_control c = {
	    .command = 1 + below(5), .flags = below(2), .size = 1 + below(1 << 20)};
	struct ntrace_trace_read r = {.buf = (uintptr_t)frame, .len = sizeof(frame)};
	struct ntrace_variable v = {.number = 1 + below(4), .flags = below(2)};

	if (c.command == NTRACE_TRACE_CLEAR && below(4))
		c.command = NTRACE_TRACE_START;
	if (c.command != NTRACE_TRACE_SETUP)
		c.flags = c.size = 0;
	ioctl(fd, NTRACE_IOC_TRACE_CONTROL, &c);
	ioctl(fd, NTRACE_IOC_VARIABLE, &v);
	for (r.frame = c.frames ? below(c.frames) : 0; below(8); r.frame++)
		if (ioctl(fd, NTRACE_IOC_TRACE_READ, &r) < 0)
			break;
		else
			shared->frames++;
}

static void act(pid_t pid, uint32_t *id)
{
	struct ntrace_attach a = {.pid = pid, .flags = below(2)};
	struct ntrace_detach d = {.pid = pid};
	struct ntrace_stop_entry entry = {.pid = pid, .tid = -1};
	struct ntrace_stop s = {.entries = (uintptr_t)&entry, .count = 1, .timeout_us = 100000};
	uint32_t count;

	shared->calls++;
	switch (below(12)) {
	case 0:
		ioctl(fd, NTRACE_IOC_ATTACH, &a);
		break;
	case 1:
		ioctl(fd, NTRACE_IOC_DETACH, &d);
		break;
	case 2:
		s.flags = below(8);
		ioctl(fd, NTRACE_IOC_STOP, &s);
		break;
	case 3:
		breakpoint(pid, id);
		break;
	case 4:
		wish(pid);
		break;
	case 5:
		if (below(3) == 0)
			rewrite_text(pid);
		count = list(pid);
		if (count)
			rewrite_registers(&threads[below(count)]);
		break;
	case 6:
		define(pid);
		break;
	case 7:
		trace();
		break;
	default:
		take_events();
		resume(pid, -1, NTRACE_ACT_CONT, 0);
	}
}

static int engine(uint64_t seed)
{
	struct ntrace_hello hello = {.abi_version = 1, .label = "stress"};
	uint32_t id = 0;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	seed_with(seed);
	fd = open(NTRACE_CONTROL_PATH, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || ioctl(fd, NTRACE_IOC_HELLO, &hello) < 0)
		return 1;
	for (;;) {
		struct pollfd p = {fd, POLLIN, 0};
		act(shared->programs[below(PROGRAMS)], &id);
		poll(&p, 1, below(3));
		// the module went: the next one opens the new one's file
		if (read(fd, NULL, 0) < 0 && errno == EIO)
			return 0;
	}
}
#endif
