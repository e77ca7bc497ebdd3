// SPDX-License-Identifier: GPL-2.0
// Malformed calls on the control file: every request and size, valid, stale and foreign ids, good
// and wild pointers, random bytes. Nothing but errno may come of it. Runs as the first process of a
// pid namespace: what it kills by chance is its own.
//   fuzz-ioctl SECONDS [SEED]    prints "fuzz: N calls, seed S" and exits with 0
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "ntrace.h"

static uint64_t state;

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
#define TARGETS 3
static int engines[ENGINES];
static pid_t targets[TARGETS];
static char *arena; // two pages, the third is not there

static void *busy(void *counter)
{
	for (;;)
		++*(volatile long *)counter;
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
	for (int i = 0; i < ENGINES; i++)
		close(engines[i]);
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

// Waits and kills that would only slow us down or end us are taken out.
static void tame(unsigned long request, char *record)
{
	if (request == NTRACE_IOC_RESUME)
		((struct ntrace_resume *)record)->wait_us %= 1000;
	if (request == NTRACE_IOC_STOP)
		((struct ntrace_stop *)record)->timeout_us = 1 + below(1000);
}

static void one(void)
{
	int e = below(ENGINES);
	unsigned long request = requests[below(REQUESTS)];
	char *record = below(16) ? arena : (char *)some_pointer();

	fill(arena, 8192);
	tame(request, arena);
	if (below(64) == 0) {
		close(engines[e]);
		open_engine(e);
	}
	if (below(512) == 0) {
		int t = below(TARGETS);
		if (targets[t] > 0)
			kill(targets[t], SIGKILL);
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
		targets[t] = start_target(t);
	}
	if (below(8) == 0)
		request = (request & ~((unsigned long)_IOC_SIZEMASK << _IOC_SIZESHIFT)) |
			  (unsigned long)below(1 << 14) << _IOC_SIZESHIFT;
	if (below(64) == 0)
		request = (uint32_t)rnd();
	if (below(16) == 0)
		(void)!read(engines[e], below(4) ? arena : (char *)some_pointer(), below(8192));
	// of what is not tamed, what waits is left out
	if (record == arena || (_IOC_NR(request) != _IOC_NR(NTRACE_IOC_STOP) &&
				_IOC_NR(request) != _IOC_NR(NTRACE_IOC_RESUME)))
		ioctl(engines[e], request, record);
}

static int fuzz(int argc, char **argv)
{
	time_t end = time(NULL) + (argc > 1 ? atoi(argv[1]) : 10);
	uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 0) : (uint64_t)time(NULL), calls = 0;

	state = seed * 2654435761u + 88172645463325252ull;
	arena = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	munmap(arena + 8192, 4096);
	for (int i = 0; i < ENGINES; i++)
		open_engine(i);
	for (int i = 0; i < TARGETS; i++)
		targets[i] = start_target(i);
	for (; time(NULL) < end; calls++)
		one();
	for (int i = 0; i < ENGINES; i++)
		close(engines[i]);
	printf("fuzz: %llu calls, seed %llu\n", (unsigned long long)calls,
	       (unsigned long long)seed);
	return 0;
}

int main(int argc, char **argv)
{
	int status;
	pid_t pid;

	if (unshare(CLONE_NEWPID) < 0) {
		perror("unshare");
		return 2;
	}
	pid = fork();
	if (!pid)
		exit(fuzz(argc, argv));
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
