// SPDX-License-Identifier: GPL-2.0
// Other tracers that come to a program and go, by ptrace: strace and gdb.
#ifndef NTRACE_STRESS_VISITOR_H
#define NTRACE_STRESS_VISITOR_H
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "chance.h"
#include "witness.h"

#define VISIT_LIMIT 20 // seconds that one may take to go

struct visitor {
	bool trace;  // strace, else gdb
	int program; // which one it visits
	pid_t pid;
	int status;   // how it ended
	time_t until; // strace is to go then; gdb goes by itself
	int how;      // ... asked, or killed: a signal
	unsigned long visits;
};

static inline void quiet(void)
{
	int null = open("/dev/null", O_RDWR);

	dup2(null, 0);
	dup2(null, 1);
	dup2(null, 2);
}

static inline void visitor_begin(struct visitor *v, pid_t pid)
{
	char target[12];

	snprintf(target, sizeof(target), "%d", pid);
	v->pid = fork();
	if (!v->pid) {
		quiet();
		if (v->trace)
			execlp("strace", "strace", "-f", "-o", "/dev/null", "-p", target, NULL);
		else
			execlp("gdb", "gdb", "-nx", "-batch", "-p", target, "-ex", "bt", "-ex",
			       "info registers rip", "-ex", "detach", NULL);
		_exit(1);
	}
	v->until = time(NULL) + 1 + below(3);
	v->how = below(2) ? SIGKILL : SIGINT;
	v->visits++;
}

/* strace that was asked to go may wait for ever for the parent of a vfork()
 * whose child it holds itself.
 */
static inline void visitor_end(struct visitor *v, time_t now)
{
	if (v->trace && now >= v->until)
		kill(v->pid, now >= v->until + VISIT_LIMIT ? SIGKILL : v->how);
	if (waitpid(v->pid, &v->status, WNOHANG) == v->pid)
		v->pid = 0;
}

/* Is a process stopped as by SIGSTOP, and no ptracer there? */
static inline bool is_stopped(pid_t pid)
{
	char name[12], line[512];
	const char *stat;

	snprintf(name, sizeof(name), "%d", pid);
	stat = process_stat(name, line, sizeof(line));
	return stat && !strncmp(stat, ") T", 3);
}
#endif
