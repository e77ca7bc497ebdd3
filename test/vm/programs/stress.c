// SPDX-License-Identifier: GPL-2.0
// Engines at random on programs at random, while strace and gdb come and go. No engine changes what
// a program computes: each program checks itself, and its end is judged here. With a MODULE the
// module is taken out of the kernel and put back now and then, whoever uses it.
//   stress SECONDS [SEED [MODULE]]   prints "stress: N rounds of programs, 0 hurt, ..., seed S"; 1
//   if one was. Without the module in the kernel it shows what strace and gdb do by themselves.
#define _GNU_SOURCE // the names of registers in a signal frame
#include <errno.h>
#include <linux/perf_event.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "stress-engine.h"
#include "stress-program.h"
#include "stress-visitor.h"
#include "witness.h"

#define ENGINES 4

static struct visitor visitors[] = {{.trace = true}, {.trace = false}};
static bool traced[PROGRAMS];	// strace came since that program began
static bool debugged[PROGRAMS]; // gdb came
static pid_t engines[ENGINES];
static uint64_t next_seed;
static unsigned long hurt, missed, left;

static pid_t start(int (*run)(uint64_t), uint64_t seed)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
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

static void begin(int i)
{
	traced[i] = debugged[i] = false;
	shared->programs[i] = start(run_program, next_seed++);
}

/* strace that is interrupted detaches from a thread that stands at a signal without the signal
 * (PTRACE_DETACH with none), engines or not: that one is its own.
 */
static void judge(int i, int status)
{
	shared->witnessed.rounds++;
	if (status == UNHURT << 8)
		return;
	if (status == MISSED << 8 && traced[i]) {
		missed++;
		return;
	}
	hurt++;
	printf("stress: program %d (%d) ended with %#x%s\n", i, shared->programs[i], status,
	       traced[i] ? ", strace was there" : "");
	fflush(stdout);
}

static void visit(struct visitor *v)
{
	int i = below(PROGRAMS);

	if (v->pid) {
		visitor_end(v, time(NULL));
		if (!v->pid && !v->trace && v->status) {
			printf("stress: gdb on program %d ended with %#x\n", v->program, v->status);
			fflush(stdout);
		}
	} else if (below(20) == 0) {
		traced[i] |= v->trace;
		debugged[i] |= !v->trace;
		v->program = i;
		visitor_begin(v, shared->programs[i]);
	}
}

/* gdb comes to grief where a thread that is not the leader execs while it attaches, engines or not:
 * one that dies of it may leave the SIGSTOP of its PTRACE_ATTACH behind. Nothing else here stops a
 * program for good.
 */
static void let_go_on(int i)
{
	pid_t pid = shared->programs[i];

	if (!is_stopped(pid))
		return;
	printf("stress: program %d (%d) was left stopped, gdb %s\n", i, pid,
	       debugged[i] ? "was there" : "was never there");
	fflush(stdout);
	left += debugged[i];
	hurt += !debugged[i];
	kill(pid, SIGCONT);
}

static void look_after(void)
{
	int status, i = below(100 * PROGRAMS); // once a second

	if (i < PROGRAMS)
		let_go_on(i);
	for (i = 0; i < PROGRAMS; i++)
		if (waitpid(shared->programs[i], &status, WNOHANG) > 0) {
			judge(i, status);
			begin(i);
		}
	for (int i = 0; i < ENGINES; i++) {
		if (below(200) == 0)
			kill(engines[i], SIGKILL);
		// or the module was not there
		if (waitpid(engines[i], NULL, WNOHANG) == engines[i])
			engines[i] = start(engine, next_seed++);
	}
	for (int i = 0; i < 2; i++)
		visit(&visitors[i]);
}

/* Everybody goes, and the programs, which nobody holds any more, come to their end. */
static void wind_up(void)
{
	int status;

	shared->witnessed.phase = "kills the engines";
	for (int i = 0; i < ENGINES; i++) {
		kill(engines[i], SIGKILL);
		waitpid(engines[i], NULL, 0);
	}
	shared->witnessed.phase = "waits for strace and gdb";
	for (int i = 0; i < 2; i++)
		for (visitors[i].until = 0; visitors[i].pid; usleep(100000))
			visitor_end(&visitors[i], time(NULL));
	shared->witnessed.phase = "waits for the programs";
	for (int i = 0; i < PROGRAMS; i++) {
		while (waitpid(shared->programs[i], &status, WNOHANG) == 0) {
			let_go_on(i);
			usleep(100000);
		}
		judge(i, status);
	}
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

/* The visitors go on coming to their end: the module waits for a thread that stands in a stop
 * of strace's, which strace may wait to end for ever (stress-visitor.h).
 */
static int command(const char *name, const char *argument)
{
	int status = -1;
	pid_t pid = fork();

	if (!pid) {
		quiet();
		execlp(name, name, argument, NULL);
		_exit(127);
	}
	while (waitpid(pid, &status, WNOHANG) == 0) {
		usleep(10000);
		for (int i = 0; i < 2; i++)
			if (visitors[i].pid)
				visitor_end(&visitors[i], time(NULL));
	}
	return status;
}

/* It takes seconds where all are busy. */
static void reload(const char *module)
{
	shared->witnessed.phase = "takes the module out and puts it back";
	if (command("rmmod", "ntrace") || command("insmod", module)) {
		printf("stress: the module does not come and go\n");
		exit(1);
	}
	shared->witnessed.reloads++;
	shared->witnessed.phase = "all of it";
}

int main(int argc, char **argv)
{
	time_t end = time(NULL) + (argc > 1 ? atoi(argv[1]) : 10), next_reload = time(NULL) + 10;
	uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 0) : (uint64_t)time(NULL);

	if (argc > 1 && !strcmp(argv[1], "leaf"))
		return UNHURT;
	if (argc > 3 && !strcmp(argv[1], "program"))
		return program("/proc/self/exe", seed, atoi(argv[3]));
	shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	shared->witnessed.phase = "all of it";
	keep_perf();
	seed_with(seed);
	next_seed = seed;
	setpriority(PRIO_PROCESS, 0, -15); // it has to get about among them
	witness(&shared->witnessed, 20, 100);
	for (int i = 0; i < PROGRAMS; i++)
		begin(i);
	for (int i = 0; i < ENGINES; i++)
		engines[i] = start(engine, next_seed++);
	while (time(NULL) < end) {
		usleep(10000);
		look_after();
		if (argc > 3 && time(NULL) >= next_reload) {
			next_reload = time(NULL) + 10 + below(20);
			reload(argv[3]);
		}
	}
	wind_up();
	printf("stress: %lu rounds of programs, %lu hurt, %lu missed a signal of strace's, "
	       "%lu left stopped by gdb, %lu visits of strace, %lu of gdb, %lu times without the "
	       "module, %lu acts of engines, %lu breakpoints with actions, %lu texts, %lu trace "
	       "frames, seed %llu\n",
	       shared->witnessed.rounds, hurt, missed, left, visitors[0].visits, visitors[1].visits,
	       shared->witnessed.reloads, shared->calls, shared->actions, shared->texts,
	       shared->frames, (unsigned long long)seed);
	return hurt != 0;
}
