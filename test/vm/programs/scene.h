// SPDX-License-Identifier: GPL-2.0
// What the scenes in a guest have in common: engines on the control file, a program that counts.
// Whatever is not as it should be ends the process with 1 and a word.
#ifndef SCENE_H
#define SCENE_H

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ntrace.h"
#include "witness.h"

#define LIMIT_MS 60000

__attribute__((format(printf, 1, 2), noreturn)) static inline void wrong(const char *format, ...)
{
	va_list list;

	va_start(list, format);
	vprintf(format, list);
	va_end(list);
	printf(" (%s)\n", strerror(errno));
	exit(1);
}

static inline int open_engine(const char *label)
{
	struct ntrace_hello hello = {.abi_version = 1};
	int fd = open(NTRACE_CONTROL_PATH, O_RDWR | O_CLOEXEC | O_NONBLOCK);

	strncpy(hello.label, label, sizeof(hello.label) - 1);
	if (fd < 0 || ioctl(fd, NTRACE_IOC_HELLO, &hello) < 0)
		wrong("no engine");
	return fd;
}

static inline void attach(int fd, pid_t pid, uint32_t flags)
{
	struct ntrace_attach a = {.pid = pid, .flags = flags};

	if (ioctl(fd, NTRACE_IOC_ATTACH, &a) < 0)
		wrong("cannot attach to %d", pid);
}

static inline void resume(int fd, pid_t pid, uint32_t action)
{
	struct ntrace_resume_entry entry = {.pid = pid, .tid = pid, .action = action};
	struct ntrace_resume r = {.entries = (uintptr_t)&entry, .count = 1};

	if (ioctl(fd, NTRACE_IOC_RESUME, &r) < 0 || entry.error)
		wrong("cannot resume %d: %d", pid, entry.error);
}

/* It waited long enough: what does everybody do instead? */
#define late(...) (witness_all(), wrong(__VA_ARGS__))

/* The next event of that type. */
static inline struct ntrace_event await(int fd, uint32_t type)
{
	struct pollfd p = {fd, POLLIN, 0};
	struct ntrace_event event;

	for (;;) {
		if (poll(&p, 1, LIMIT_MS) <= 0)
			late("no event %u", type);
		if (read(fd, &event, sizeof(event)) != sizeof(event))
			wrong("no event %u is read", type);
		if (event.type == type)
			return event;
	}
}

// ---- programs -----------------------------------------------------------------------------------
static volatile unsigned long *rounds;

__attribute__((noinline)) static void site(void)
{
	__asm__ volatile("nop");
}

static inline pid_t counter(void)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		site();
		++*rounds;
	}
}

static inline void grows(const char *when)
{
	unsigned long before = *rounds;

	for (int ms = 0; *rounds == before; ms++, usleep(1000))
		if (ms > LIMIT_MS)
			late("the program does not run %s", when);
}

static inline void finish(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static inline void run(const char *command)
{
	if (system(command))
		wrong("%s", command);
}

#endif
