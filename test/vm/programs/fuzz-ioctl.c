// SPDX-License-Identifier: GPL-2.0
// Malformed calls on the control file: every request and size, valid, stale and foreign ids, good
// and wild pointers, random bytes; half of the records are well-formed but for a few bytes, so that
// breakpoints, their bytecode and tracepoints are there and are hit. Nothing but errno may come of
// it. Several threads do so in the first process of a pid namespace: what it kills by chance is its
// own. One call that is still there after a minute is told of, with where it is, and ends with 1.
//   fuzz-ioctl SECONDS [SEED]    prints "fuzz: N calls, M of them well, seed S" and exits with 0
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "ntrace.h"

static __thread uint64_t state;
static __thread long me;

static uint64_t rnd(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static uint32_t below(uint32_t n)
{
	return rnd() % n;
}

static const unsigned long requests[] = {
    NTRACE_IOC_HELLO,	    NTRACE_IOC_ATTACH,	   NTRACE_IOC_DETACH,	     NTRACE_IOC_THREADS,
    NTRACE_IOC_RESUME,	    NTRACE_IOC_STOP,	   NTRACE_IOC_GETREGS,	     NTRACE_IOC_SETREGS,
    NTRACE_IOC_READMEM,	    NTRACE_IOC_WRITEMEM,   NTRACE_IOC_BREAK,	     NTRACE_IOC_UNBREAK,
    NTRACE_IOC_BREAK_STATS, NTRACE_IOC_SETS,	   NTRACE_IOC_SIGNAL,	     NTRACE_IOC_WHO,
    NTRACE_IOC_RELEASE,	    NTRACE_IOC_TRACEPOINT, NTRACE_IOC_TRACE_CONTROL, NTRACE_IOC_TRACE_QUERY,
    NTRACE_IOC_TRACE_READ,  NTRACE_IOC_VARIABLE,
};
#define REQUESTS (sizeof(requests) / sizeof(requests[0]))

#define ENGINES 4
#define FUZZERS 3 // threads
#define TARGETS 3
static int engines[ENGINES];
static pid_t targets[TARGETS];
static uint32_t ids[16], next_id; // of breakpoints
static __thread char *arena;	  // two pages, the third is not there

/* What whoever watches sees. */
static volatile struct progress {
	uint64_t calls, well;	     // those without error
	uint64_t made[32], good[32]; // of each request
	struct {
		uint64_t calls;
		unsigned long request; // that was begun last
	} each[FUZZERS];
} * progress;

/* Where breakpoints and tracepoints go. */
__attribute__((noinline)) static long site(long a)
{
	for (int i = 0; i < 4; i++)
		a = a * 31 + i;
	return a;
}

static void *busy(void *counter)
{
	for (;;)
		*(volatile long *)counter += site(1);
	return NULL;
}

static volatile long counter;
static char written_over[1 << 16];

static pid_t start_target(int kind)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setpriority(PRIO_PROCESS, 0, 0);
	close_range(3, ~0u, 0); // an engine of its own would keep what it holds
	for (int i = 0; i < 3; i++) {
		pthread_t t;
		pthread_create(&t, NULL, busy, (void *)&counter);
	}
	for (;;) {
		if (kind == 0)
			pause();
		else if (kind == 1)
			usleep(1000);
		else if (fork() == 0)
			_exit(0);
		else
			wait(NULL);
	}
}

static void open_engine(int i)
{
	struct ntrace_hello hello = {.abi_version = 1, .label = "fuzz"};

	engines[i] = open(NTRACE_CONTROL_PATH, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (engines[i] < 0) {
		perror(NTRACE_CONTROL_PATH);
		exit(2);
	}
	if (below(8))
		ioctl(engines[i], NTRACE_IOC_HELLO, &hello);
}

static int32_t some_id(void)
{
	switch (below(10)) {
	case 0:
		return -1;
	case 1:
		return 0;
	case 2:
		return 1 + below(3); // ourselves, our first children
	case 3:
		return getpid();
	case 4:
		return rnd();
	case 5:
		return 0x7fffffff;
	case 6:
		return targets[below(TARGETS)] + 1 + below(3); // a thread, maybe
	default:
		return targets[below(TARGETS)];
	}
}

static uint64_t some_pointer(void)
{
	switch (below(8)) {
	case 0:
		return 0;
	case 1:
		return rnd();
	case 2:
		return (uint64_t)arena + 8192 - below(64); // runs into nothing
	case 3:
		return 0xffffffff81000000ull + below(1 << 20);
	case 4:
		return (uint64_t)written_over + below(4096);
	default:
		return (uint64_t)arena + below(4096);
	}
}

static uint64_t some_word(void)
{
	switch (below(6)) {
	case 0:
		return below(8);
	case 1:
		return rnd();
	case 2:
		return some_pointer();
	case 3:
		return (uint32_t)some_id() | (uint64_t)(uint32_t)some_id() << 32;
	case 4:
		return below(16) | (uint64_t)below(16) << 32;
	default:
		return 0;
	}
}

static void fill(void *to, size_t size)
{
	uint64_t *words = to;

	for (size_t i = 0; i < size / 8; i++)
		words[i] = some_word();
	if (below(2) && size >= 4)
		*(int32_t *)to = some_id();
}

// ---- records that are almost well ---------------------------------------------------------------
/* The second page of the arena, from which records take what they point to. */
static __thread size_t taken;

static void *take(size_t size)
{
	void *at = arena + 4096 + taken;

	taken += (size + 7) & ~(size_t)7;
	return taken <= 4096 ? at : NULL;
}

static void put(uint8_t **at, int bytes, uint64_t value)
{
	while (bytes--)
		*(*at)++ = value >> (8 * bytes);
}

static uint64_t target_address(void)
{
	switch (below(6)) {
	case 0:
		return some_pointer();
	case 1:
		return (uint64_t)written_over + below(sizeof(written_over));
	case 2:
		return (uint64_t)&counter - below(16);
	default:
		return (uint64_t)site + below(24);
	}
}

/* An expression: registers, memory, variables, loops, text and what is to be traced. */
static uint32_t some_code(__u64 *bytes)
{
	uint8_t *code = take(96), *at = code;

	*bytes = (uint64_t)code;
	if (!code)
		return below(5000);
	for (int n = below(6); n >= 0 && at - code < 64; n--)
		switch (below(9)) {
		case 0: // const64; ref8 to ref64; pop
			put(&at, 1, 0x25);
			put(&at, 8, target_address());
			put(&at, 1, 0x17 + below(4));
			put(&at, 1, 0x29);
			break;
		case 1: // reg; setv
			put(&at, 3, 0x260000 | below(28));
			put(&at, 3, 0x2d0000 | below(1100));
			break;
		case 2: // getv; const8 1; add; setv; pop
			put(&at, 3, 0x2c0002);
			put(&at, 3, 0x220102);
			put(&at, 3, 0x2d0002);
			put(&at, 1, 0x29);
			break;
		case 3: // const64; const16; trace or tracenz
			put(&at, 1, 0x25);
			put(&at, 8, target_address());
			put(&at, 3, 0x230000 | (below(3) ? below(300) : below(65536)));
			put(&at, 1, below(2) ? 0x0c : 0x2f);
			break;
		case 4: // tracev
			put(&at, 3, 0x2e0000 | below(3));
			break;
		case 5: // reg; function; channel; printf of one
			put(&at, 3, 0x260000 | below(27));
			put(&at, 4, 0x22002200);
			put(&at, 4, 0x34010005);
			memcpy(at, below(2) ? "<%d>" : "<%s>", 5);
			at += 5;
			break;
		case 6: // round and round
			put(&at, 3, 0x210000 | (uint64_t)below(at - code + 1));
			break;
		case 7: // division
			put(&at, 5, 0x2207220005);
			break;
		default:
			put(&at, 2, 0x2200 | below(256));
		}
	put(&at, 2, 0x2200 | below(2));
	put(&at, 1, 0x27);
	if (below(4) == 0)
		code[below(at - code)] ^= 1 << below(8);
	return at - code + (below(16) ? 0 : below(8192));
}

static uint64_t some_codes(uint32_t *count)
{
	struct ntrace_code *codes;

	*count = below(4);
	codes = *count ? take(*count * sizeof(*codes)) : NULL;
	for (uint32_t i = 0; codes && i < *count; i++)
		codes[i].len = some_code(&codes[i].bytes);
	if (below(32) == 0)
		*count = rnd();
	return (uint64_t)codes;
}

static uint64_t some_collects(uint32_t *count)
{
	struct ntrace_collect *all;

	*count = below(4);
	all = *count ? take(*count * sizeof(*all)) : NULL;
	for (uint32_t i = 0; all && i < *count; i++) {
		struct ntrace_collect *c = &all[i];

		memset(c, 0, sizeof(*c));
		c->type = 1 + below(3);
		c->flags = below(2);
		c->note = below(3) == 0 ? (uint32_t)rnd() : below(2) ? 1 : 0x202;
		c->reg = below(2) ? NTRACE_COLLECT_ABSOLUTE : below(28);
		c->addr = target_address();
		c->len = below(8) ? below(9000) : below(20u << 20);
		c->code_len = some_code(&c->bytes);
	}
	if (below(32) == 0)
		*count = rnd();
	return (uint64_t)all;
}

static void shape(unsigned long request, void *record)
{
	int32_t pid = targets[below(TARGETS)];

	taken = 0;
	switch (_IOC_NR(request)) {
	case _IOC_NR(NTRACE_IOC_ATTACH): {
		struct ntrace_attach *a = record;
		*a = (struct ntrace_attach){.pid = pid, .flags = below(4) ? 0 : below(8)};
		break;
	}
	case _IOC_NR(NTRACE_IOC_DETACH): {
		struct ntrace_detach *d = record;
		*d = (struct ntrace_detach){.pid = below(8) ? 0 : pid};
		break;
	}
	case _IOC_NR(NTRACE_IOC_RESUME): {
		struct ntrace_resume *r = record;
		struct ntrace_resume_entry *e = take(sizeof(*e));
		*e = (struct ntrace_resume_entry){
		    .pid = below(2) ? -1 : pid, .tid = -1, .action = 1 + below(4)};
		e->lo = (uint64_t)site;
		e->hi = e->lo + below(64);
		*r = (struct ntrace_resume){.entries = (uint64_t)e, .count = 1};
		break;
	}
	case _IOC_NR(NTRACE_IOC_STOP): {
		struct ntrace_stop *s = record;
		struct ntrace_stop_entry *e = take(sizeof(*e));
		*e = (struct ntrace_stop_entry){.pid = below(2) ? -1 : pid, .tid = -1};
		*s = (struct ntrace_stop){.entries = (uint64_t)e, .count = 1, .flags = below(8)};
		break;
	}
	case _IOC_NR(NTRACE_IOC_BREAK): {
		struct ntrace_break *b = record;
		*b = (struct ntrace_break){.pid = pid, .type = below(3) ? 0 : below(6), .len = 1};
		b->addr = target_address();
		if (b->type == 0) {
			b->flags = below(2);
			b->conditions = some_codes(&b->nconditions);
			b->actions = some_codes(&b->nactions);
		}
		break;
	}
	case _IOC_NR(NTRACE_IOC_UNBREAK):
	case _IOC_NR(NTRACE_IOC_BREAK_STATS):
		memset(record, 0, sizeof(struct ntrace_break_stats));
		*(uint32_t *)record = below(4) ? ids[below(16)] : below(4096);
		break;
	case _IOC_NR(NTRACE_IOC_TRACEPOINT):
	case _IOC_NR(NTRACE_IOC_TRACE_QUERY): {
		struct ntrace_tracepoint *t = record;
		struct ntrace_code *code = below(3) ? NULL : take(sizeof(*code));
		*t = (struct ntrace_tracepoint){.pid = pid, .number = below(4), .flags = 1};
		t->addr = below(2) ? (uint64_t)site : target_address();
		t->step = below(2) ? 0 : below(8) ? below(50) : (uint32_t)rnd();
		t->pass = below(3) ? 0 : below(100);
		t->actions = some_collects(&t->nactions);
		if (code)
			code->len = some_code(&code->bytes);
		t->condition = (uint64_t)code;
		break;
	}
	case _IOC_NR(NTRACE_IOC_TRACE_CONTROL): {
		struct ntrace_trace_control *c = record;
		static const uint32_t commands[] = {2, 2, 2, 3, 4, 5, 5, 1};
		*c = (struct ntrace_trace_control){.command = commands[below(8)]};
		if (c->command == NTRACE_TRACE_SETUP) {
			c->flags = below(2);
			c->size = below(8) ? below(1 << (4 + below(16))) : below(70u << 20);
		}
		break;
	}
	case _IOC_NR(NTRACE_IOC_TRACE_READ): {
		struct ntrace_trace_read *r = record;
		*r = (struct ntrace_trace_read){.frame = below(20), .len = below(6000)};
		r->buf = (uint64_t)written_over;
		if (below(8) == 0)
			r->len = rnd();
		if (below(4) == 0)
			r->offset = below(2) ? below(4096) : rnd();
		break;
	}
	case _IOC_NR(NTRACE_IOC_VARIABLE): {
		struct ntrace_variable *v = record;
		*v = (struct ntrace_variable){.number = below(4), .flags = below(2)};
		break;
	}
	default:
		return;
	}
	if (below(4) == 0) // and a word of it is another
		((uint32_t *)record)[below(_IOC_SIZE(request) / 4)] = some_word();
}

// Waits that would only slow us down are taken out, wherever the record is: it may be another.
static char *tame(unsigned long request, char *record)
{
	unsigned int nr = _IOC_NR(request);
	bool ours = record >= arena && record < arena + 8192;
	struct ntrace_stop *s;

	if (nr != _IOC_NR(NTRACE_IOC_RESUME) && nr != _IOC_NR(NTRACE_IOC_STOP))
		return record;
	if ((ours && record + sizeof(struct ntrace_resume) > arena + 8192) ||
	    (record >= written_over && record < written_over + sizeof(written_over)))
		record = arena;
	else if (!ours)
		return record; // there is nothing
	if (nr == _IOC_NR(NTRACE_IOC_RESUME)) {
		((struct ntrace_resume *)record)->wait_us %= 1000;
		return record;
	}
	s = (struct ntrace_stop *)record;
	s->timeout_us = 1 + below(1000);
	if (_IOC_SIZE(request) <= offsetof(struct ntrace_stop, timeout_us) + 3)
		s->flags &= ~NTRACE_STOP_WAIT; // for ever
	return record;
}

/* So that there is something to call for: targets live, are attached and run. */
static void look_after(void)
{
	struct ntrace_resume_entry entry = {.pid = -1, .tid = -1, .action = NTRACE_ACT_CONT};
	struct ntrace_resume resume = {.entries = (uint64_t)&entry, .count = 1};
	struct ntrace_attach attach = {.flags = below(2)};
	static struct ntrace_event events[16];
	int e = engines[below(ENGINES)];
	pid_t pid;

	while (me == 0 && (pid = waitpid(-1, NULL, WNOHANG)) > 0)
		for (int i = 0; i < TARGETS; i++)
			if (targets[i] == pid)
				targets[i] = start_target(i);
	attach.pid = targets[below(TARGETS)];
	ioctl(e, NTRACE_IOC_ATTACH, &attach);
	while (read(e, events, sizeof(events)) > 0)
		ioctl(e, NTRACE_IOC_RESUME, &resume);
	ioctl(e, NTRACE_IOC_RESUME, &resume);
}

static void count(volatile uint64_t *number)
{
	__atomic_fetch_add(number, 1, __ATOMIC_RELAXED);
}

static void one(void)
{
	int e = below(ENGINES);
	unsigned long request = requests[below(REQUESTS)];
	char *record = below(16) ? arena : (char *)some_pointer();

	if (below(8) == 0)
		look_after();
	fill(arena, 8192);
	if (below(2))
		shape(request, arena);
	if (below(64) == 0) {
		close(engines[e]);
		open_engine(e);
	}
	if (below(512) == 0) {
		int t = below(TARGETS);
		if (targets[t] > 0)
			kill(targets[t], SIGKILL);
	}
	if (below(8) == 0)
		request = (request & ~((unsigned long)_IOC_SIZEMASK << _IOC_SIZESHIFT)) |
			  (unsigned long)below(1 << 14) << _IOC_SIZESHIFT;
	if (below(64) == 0)
		request = (uint32_t)rnd();
	if (below(16) == 0)
		(void)!read(engines[e], below(4) ? arena : (char *)some_pointer(), below(8192));
	record = tame(request, record);
	progress->each[me].request = request;
	count(&progress->made[_IOC_NR(request) % 32]);
	if (ioctl(engines[e], request, record) == 0) {
		if (request == NTRACE_IOC_BREAK)
			ids[next_id++ % 16] = ((struct ntrace_break *)record)->id;
		count(&progress->good[_IOC_NR(request) % 32]);
		count(&progress->well);
	}
	progress->each[me].calls++;
	count(&progress->calls);
}

static time_t end_at;
static uint64_t first_seed;

static void *fuzzer(void *number)
{
	me = (long)number;
	state = (first_seed + me) * 2654435761u + 88172645463325252ull;
	arena = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	munmap(arena + 8192, 4096);
	while (time(NULL) < end_at)
		one();
	return NULL;
}

static int fuzz(int argc, char **argv)
{
	pthread_t threads[FUZZERS];
	time_t end = time(NULL) + (argc > 1 ? atoi(argv[1]) : 10);
	uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 0) : (uint64_t)time(NULL);

	setpriority(PRIO_PROCESS, 0, -5); // targets spin, and shall do so
	end_at = end;
	first_seed = seed;
	state = seed * 2654435761u + 88172645463325252ull;
	for (int i = 0; i < ENGINES; i++)
		open_engine(i);
	for (int i = 0; i < TARGETS; i++)
		targets[i] = start_target(i);
	for (long i = 0; i < FUZZERS; i++)
		if (pthread_create(&threads[i], NULL, fuzzer, (void *)i))
			return 2;
	for (int i = 0; i < FUZZERS; i++)
		pthread_join(threads[i], NULL);
	for (int i = 0; i < ENGINES; i++)
		close(engines[i]);
	for (size_t i = 0; i < REQUESTS; i++)
		printf("fuzz: request %zu: %llu calls, %llu well\n", i,
		       (unsigned long long)progress->made[i],
		       (unsigned long long)progress->good[i]);
	printf("fuzz: %llu calls, %llu of them well, seed %llu\n",
	       (unsigned long long)progress->calls, (unsigned long long)progress->well,
	       (unsigned long long)seed);
	return 0;
}

#define PATIENCE 60 // seconds, for one call

static void say_where(pid_t pid, int thread)
{
	char command[256];

	printf("fuzz: thread %d stands still at call %llu, request %#lx\n", thread,
	       (unsigned long long)progress->each[thread].calls, progress->each[thread].request);
	snprintf(command, sizeof(command),
		 "cat /proc/%d/task/*/stack; grep State /proc/%d/task/*/status; "
		 "echo w >/proc/sysrq-trigger",
		 pid, pid);
	fflush(stdout);
	if (system(command))
		printf("fuzz: nor can be said where\n");
}

/* Its exit code. */
static int watch(pid_t pid)
{
	int status, still[FUZZERS] = {}, most = 0;
	uint64_t calls[FUZZERS] = {};

	while (waitpid(pid, &status, WNOHANG) == 0 && most < 2 * PATIENCE * 10) {
		for (int i = 0; i < FUZZERS; i++) {
			still[i] = progress->each[i].calls == calls[i] ? still[i] + 1 : 0;
			calls[i] = progress->each[i].calls;
			most = still[i] > most ? still[i] : most;
			if (still[i] == PATIENCE * 10) {
				say_where(pid, i);
				kill(pid, SIGKILL);
			}
		}
		usleep(100000);
	}
	if (most >= 2 * PATIENCE * 10) {
		printf("fuzz: nor can it be killed\n");
		return 1;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int main(int argc, char **argv)
{
	pid_t pid;

	progress = mmap(NULL, sizeof(*progress), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			-1, 0);
	if (progress == MAP_FAILED || unshare(CLONE_NEWPID) < 0) {
		perror("unshare");
		return 2;
	}
	pid = fork();
	if (!pid)
		exit(fuzz(argc, argv));
	return watch(pid);
}
