// SPDX-License-Identifier: GPL-2.0
// Engines that stop, step, break, watch, trace, change and die at random, on programs that thread,
// fork, vfork, exec, signal, write code and exit at random, while strace and gdb come and go. No
// engine changes what a program computes: each program checks itself and its end is checked here.
// With a MODULE the module is taken out of the kernel and put back now and then, whoever uses it.
//   stress SECONDS [SEED [MODULE]]   prints "stress: N rounds of programs, 0 hurt, ..., seed S"; 1
//   if one was
#include <cpuid.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "ntrace.h"
#include "witness.h"

#define PROGRAMS 3
#define ENGINES 4
#define UNHURT 42 // how a program ends that found nothing wrong
#define MISSED 5  // ... and one that missed a signal

static uint64_t state;
static struct shared {
	pid_t programs[PROGRAMS];
	volatile unsigned long calls, actions, texts, frames; // about: engines count at once
	struct witnessed witnessed;
} * shared;

static uint32_t below(uint32_t n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (state >> 16) % n;
}

static void seed_with(uint64_t seed)
{
	state = seed * 2654435761u + 88172645463325252ull;
}

// ---- the programs -------------------------------------------------------------------------------
static volatile sig_atomic_t handled;

static void handler(int signo)
{
	(void)signo;
	handled++;
}

__attribute__((noinline)) long step_me(long a, long b)
{
	for (long i = 0; i < 20; i++)
		a = a * 31 + (b ^ i);
	return a;
}

static void *compute(void *expected)
{
	long sum = 0;

	for (long i = 0; i < 2000; i++)
		sum += step_me(i, sum);
	if (*(long *)expected && sum != *(long *)expected)
		_exit(1);
	*(long *)expected = sum;
	return NULL;
}

static void hurt(const char *what, pid_t pid, pid_t got, int status, int code)
{
	printf("stress: the child %d of a %s: %d (%s), %#x\n", pid, what, got, strerror(errno),
	       status);
	fflush(stdout);
	_exit(code);
}

/* Code that is written, run, and written anew. */
static void write_code(void)
{
	uint8_t *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED)
		_exit(10);
	for (uint32_t i = 0; i < 100; i++) {
		uint8_t *at = page + i * 16;

		*at = 0xb8; // mov $i, %eax; ret
		memcpy(at + 1, &i, sizeof(i));
		at[5] = 0xc3;
		if (((uint32_t(*)(void))(uintptr_t)at)() != i)
			_exit(11);
	}
	munmap(page, 4096);
}

/* The program begins anew in the same process, by its leader or by another thread. */
static const char *renew_self;
static char renew_seed[24], renew_acts[12];

static void *do_renew(void *none)
{
	execl(renew_self, "stress", "program", renew_seed, renew_acts, NULL);
	_exit(12);
	return none;
}

static void renew(const char *self, unsigned acts)
{
	pthread_t thread;

	renew_self = self;
	snprintf(renew_seed, sizeof(renew_seed), "%u", below(1u << 31));
	snprintf(renew_acts, sizeof(renew_acts), "%u", acts);
	if (below(2))
		do_renew(NULL);
	if (pthread_create(&thread, NULL, do_renew, NULL))
		_exit(13);
	pthread_join(thread, NULL);
}

static void one_act(const char *self, long *sum)
{
	pthread_t threads[3];
	pid_t pid, got;
	int status = 0;

	switch (below(6)) {
	case 0:
		for (int i = 0; i < 3; i++)
			if (pthread_create(&threads[i], NULL, compute, sum))
				_exit(2);
		for (int i = 0; i < 3; i++)
			pthread_join(threads[i], NULL);
		break;
	case 1:
		pid = fork();
		if (!pid) {
			compute(sum);
			_exit(7);
		}
		got = waitpid(pid, &status, 0);
		if (got != pid || status != 7 << 8)
			hurt("fork", pid, got, status, 3);
		break;
	case 2:
		pid = vfork();
		if (!pid) {
			execl(self, self, "leaf", NULL);
			_exit(9);
		}
		got = waitpid(pid, &status, 0);
		if (got != pid || status != UNHURT << 8)
			hurt("vfork", pid, got, status, 4);
		break;
	case 3:
		for (int i = 0; i < 50; i++) {
			int before = handled;
			raise(SIGUSR1);
			if (handled == before)
				_exit(MISSED);
		}
		break;
	case 4:
		write_code();
		break;
	default:
		usleep(below(3000));
		compute(sum);
	}
}

static int program(const char *self, uint64_t seed, unsigned acts)
{
	long sum = 0;

	seed_with(seed);
	signal(SIGUSR1, handler);
	compute(&sum);
	while (acts-- > 0) {
		one_act(self, &sum);
		if (acts > 0 && below(30) == 0)
			renew(self, acts);
	}
	return UNHURT;
}

// ---- the engines --------------------------------------------------------------------------------
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
	  {CODE(0x26, 0, 13, 0x22, 0, 0x34, 1, 0, 4, '%', 'd', '\n', 0)}, // printf "%d\n", $rsi
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
	}
}

// ---- all of it ----------------------------------------------------------------------------------
static pid_t start(int (*run)(uint64_t), uint64_t seed)
{
	pid_t pid = fork();

	if (!pid) {
		setpriority(PRIO_PROCESS, 0, 0);
		_exit(run(seed));
	}
	return pid;
}

static int run_program(uint64_t seed)
{
	return program("/proc/self/exe", seed, 20);
}

/* Another tracer on a program, by ptrace. */
struct visitor {
	bool trace; // strace, else gdb
	pid_t pid, target;
	time_t until; // it is asked to go then
	unsigned long visits;
};

static void quiet(void)
{
	int null = open("/dev/null", O_RDWR);

	dup2(null, 0);
	dup2(null, 1);
	dup2(null, 2);
}

static void visit(struct visitor *v)
{
	char target[12];

	if (v->pid) {
		if (waitpid(v->pid, NULL, WNOHANG) == v->pid)
			v->pid = 0;
		else if (time(NULL) >= v->until)
			kill(v->pid, SIGINT);
		return;
	}
	if (below(20))
		return;
	v->target = shared->programs[below(PROGRAMS)];
	snprintf(target, sizeof(target), "%d", v->target);
	v->pid = fork();
	if (!v->pid) {
		quiet();
		/* strace that is to go waits for the parent of a vfork() whose child it holds
		 * itself, for ever: then it is killed
		 */
		if (v->trace)
			execlp("timeout", "timeout", "-s", "INT", "-k", "20", "10", "strace", "-f",
			       "-o", "/dev/null", "-p", target, NULL);
		else
			execlp("gdb", "gdb", "-nx", "-batch", "-p", target, "-ex", "bt", "-ex",
			       "info registers rip", "-ex", "detach", NULL);
		_exit(1);
	}
	// gdb goes by itself
	v->until = time(NULL) + (v->trace ? 1 + below(3) : 600);
	v->visits++;
}

/* While there is an event of a thread, the kernel does not patch its scheduler for the next one:
 * an emulated processor goes on with what was there (scripts/vm/qemu), here with an int3 that is
 * gone, which is an Oops. Watchpoints come and go many times a second.
 */
static void keep_perf(void)
{
	struct perf_event_attr attr = {
	    .type = PERF_TYPE_SOFTWARE, .size = sizeof(attr), .config = PERF_COUNT_SW_DUMMY};

	syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
}

static int command(const char *name, const char *argument)
{
	int status = -1;
	pid_t pid = fork();

	if (!pid) {
		quiet();
		execlp(name, name, argument, NULL);
		_exit(127);
	}
	waitpid(pid, &status, 0);
	return status;
}

int main(int argc, char **argv)
{
	time_t end = time(NULL) + (argc > 1 ? atoi(argv[1]) : 10);
	uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 0) : (uint64_t)time(NULL), n = seed;
	const char *module = argc > 3 ? argv[3] : NULL;
	unsigned long hurt = 0, missed = 0;
	struct visitor visitors[] = {{.trace = true}, {.trace = false}};
	time_t reload = time(NULL) + 10;
	pid_t engines[ENGINES];
	int status;

	if (argc > 1 && !strcmp(argv[1], "leaf"))
		return UNHURT;
	if (argc > 3 && !strcmp(argv[1], "program"))
		return program("/proc/self/exe", seed, atoi(argv[3]));
	shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	shared->witnessed.phase = "all of it";
	keep_perf();
	seed_with(seed);
	setpriority(PRIO_PROCESS, 0, -15); // it has to get about among them
	witness(&shared->witnessed, 20, 100);
	for (int i = 0; i < PROGRAMS; i++)
		shared->programs[i] = start(run_program, n++);
	for (int i = 0; i < ENGINES; i++)
		engines[i] = start(engine, n++);
	while (time(NULL) < end) {
		usleep(10000);
		for (int i = 0; i < PROGRAMS; i++) {
			if (waitpid(shared->programs[i], &status, WNOHANG) <= 0)
				continue;
			shared->witnessed.rounds++;
			/* strace that is interrupted detaches from a thread that stands at a
			 * signal without it, engines or not: PTRACE_DETACH with no signal
			 */
			if (status == MISSED << 8 && visitors[0].target == shared->programs[i]) {
				missed++;
			} else if (status != UNHURT << 8) {
				hurt++;
				printf("stress: program %d ended with %#x\n", i, status);
			}
			shared->programs[i] = start(run_program, n++);
		}
		for (int i = 0; i < ENGINES; i++) {
			if (below(200) == 0)
				kill(engines[i], SIGKILL);
			// or the module was not there
			if (waitpid(engines[i], NULL, WNOHANG) == engines[i])
				engines[i] = start(engine, n++);
		}
		for (int i = 0; i < 2; i++)
			visit(&visitors[i]);
		if (module && time(NULL) >= reload) { // it takes seconds where all are busy
			reload = time(NULL) + 10 + below(20);
			shared->witnessed.phase = "takes the module out and puts it back";
			if (command("rmmod", "ntrace") || command("insmod", module)) {
				printf("stress: the module does not come and go\n");
				return 1;
			}
			shared->witnessed.reloads++;
			shared->witnessed.phase = "all of it";
		}
	}
	shared->witnessed.phase = "kills the engines";
	for (int i = 0; i < ENGINES; i++) {
		kill(engines[i], SIGKILL);
		waitpid(engines[i], NULL, 0);
	}
	shared->witnessed.phase = "waits for strace and gdb";
	for (int i = 0; i < 2; i++)
		while (visitors[i].pid) {
			visitors[i].until = 0;
			usleep(100000);
			visit(&visitors[i]);
		}
	shared->witnessed.phase = "waits for the programs";
	for (int i = 0; i < PROGRAMS; i++) {
		// nobody holds them any more: they come to their end by themselves
		waitpid(shared->programs[i], &status, 0);
		shared->witnessed.rounds++;
		hurt += status != UNHURT << 8;
	}
	printf(
	    "stress: %lu rounds of programs, %lu hurt, %lu missed a signal of strace's, %lu visits "
	    "of strace, %lu of gdb, %lu times "
	    "without the module, %lu acts of engines, %lu breakpoints with actions, %lu texts, %lu "
	    "trace frames, seed "
	    "%llu\n",
	    shared->witnessed.rounds, hurt, missed, visitors[0].visits, visitors[1].visits,
	    shared->witnessed.reloads, shared->calls, shared->actions, shared->texts,
	    shared->frames, (unsigned long long)seed);
	return hurt != 0;
}
