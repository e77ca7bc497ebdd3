// SPDX-License-Identifier: GPL-2.0
// Registers that are read while the thread is in the middle of a call, and written back after it.
#ifndef SCENE_REGISTERS_H
#define SCENE_REGISTERS_H
#include "scene.h"

#include <elf.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>

static inline int registers(int fd, pid_t pid, unsigned long request, void *buf, size_t len)
{
	struct ntrace_regset set = {
	    .tid = pid, .note = NT_PRSTATUS, .buf = (uintptr_t)buf, .len = len};
	struct ntrace_regs r = {.entries = (uintptr_t)&set, .count = 1};

	if (ioctl(fd, request, &r) < 0)
		wrong("no registers");
	return set.error;
}

static inline void its_own_are_set(int fd, pid_t pid)
{
	unsigned long own[27]; // struct user_regs_struct

	if (registers(fd, pid, NTRACE_IOC_GETREGS, own, sizeof(own)) ||
	    registers(fd, pid, NTRACE_IOC_SETREGS, own, sizeof(own)))
		wrong("its own are not set");
}

static inline void ends_with_7(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid || status != 7 << 8)
		wrong("the program ended with %#x", status);
}

static volatile sig_atomic_t signalled;

static inline void signal_came(int signo)
{
	signalled += signo == SIGUSR1;
}

/* Comes back from a handler until it is told to end; 1 if one was called but once or twice. */
static inline pid_t signals_itself(int from)
{
	pid_t pid = fork();
	char byte;

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	fcntl(from, F_SETFL, O_NONBLOCK);
	signal(SIGUSR1, signal_came);
	while (read(from, &byte, 1) < 1) {
		int before = signalled;

		raise(SIGUSR1);
		if (signalled != before + 1)
			_exit(1);
	}
	_exit(7);
}

/* As strace does, from a stop to its next entry to that call. */
static inline void trace_to_entry(pid_t pid, int status, unsigned long nr)
{
	struct user_regs_struct regs = {0};

	do {
		int signo = WSTOPSIG(status) == SIGUSR1 ? SIGUSR1 : 0;

		if (ptrace(PTRACE_SYSCALL, pid, 0, signo) || waitpid(pid, &status, 0) != pid ||
		    !WIFSTOPPED(status))
			wrong("it is not traced: %#x", status);
		if (ptrace(PTRACE_GETREGS, pid, 0, &regs))
			wrong("no registers for ptrace");
	} while (WSTOPSIG(status) != (SIGTRAP | 0x80) || regs.orig_rax != nr ||
		 regs.rax != (unsigned long)-ENOSYS);
}

/* What was read at the entry of a sigreturn() is not for where that came back to. */
static inline void returned(const char *none)
{
	struct ntrace_stop_entry entry = {0};
	struct ntrace_stop stop = {
	    .entries = (uintptr_t)&entry, .count = 1, .flags = NTRACE_STOP_WAIT};
	struct ntrace_sets none_stops = {.valid = NTRACE_SET_SIGNALS}; // in what it attaches to
	unsigned long before[27];				       // struct user_regs_struct
	int fd, go[2], error, status;
	pid_t pid;

	(void)none;
	if (pipe(go))
		wrong("no pipe");
	pid = entry.pid = entry.tid = signals_itself(go[0]);
	fd = open_engine("returned");
	if (ioctl(fd, NTRACE_IOC_SETS, &none_stops) < 0)
		wrong("no sets");
	attach(fd, pid, 0);
	if (ptrace(PTRACE_SEIZE, pid, 0, PTRACE_O_TRACESYSGOOD) ||
	    ptrace(PTRACE_INTERRUPT, pid, 0, 0) || waitpid(pid, &status, 0) != pid)
		wrong("cannot trace it");
	trace_to_entry(pid, status, SYS_rt_sigreturn);
	if (ioctl(fd, NTRACE_IOC_STOP, &stop) < 0 ||
	    registers(fd, pid, NTRACE_IOC_GETREGS, before, sizeof(before)))
		wrong("it is not held in its call");
	if (ptrace(PTRACE_SYSCALL, pid, 0, 0))
		wrong("it does not go on");
	error = registers(fd, pid, NTRACE_IOC_SETREGS, before, sizeof(before));
	if (error != ESTALE)
		wrong("registers of the handler are set: %d", error);
	its_own_are_set(fd, pid);
	close(fd);
	if (waitpid(pid, &status, 0) != pid || ptrace(PTRACE_DETACH, pid, 0, 0) ||
	    write(go[1], "x", 1) != 1)
		wrong("it does not stop at the end of its call");
	ends_with_7(pid);
}
#endif
