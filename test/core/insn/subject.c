// SPDX-License-Identifier: GPL-2.0
#include "subject.h"
#include <elf.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static void fail(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	exit(2);
}

static void map(u64 addr, size_t size, int extra)
{
	void *at = mmap((void *)addr, size, PROT_READ | PROT_WRITE | extra,
			MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	if (at != (void *)addr)
		fail("mmap");
	if (extra)
		memset(at, 0xcc, size);
}

static struct iovec xstate_iov(struct subject *subject, const u8 *xstate)
{
	return (struct iovec){(void *)xstate, subject->xstate_size};
}

void subject_start(struct subject *subject)
{
	struct iovec iov = {subject->template.xstate, XSTATE_MAX};
	cpu_set_t one;

	map(CODE, CODE_SIZE, PROT_EXEC);
	map(NEAR_SLOT, 4096, PROT_EXEC);
	map(FAR_SLOT, 4096, PROT_EXEC);
	map(SCRATCH, SCRATCH_SIZE, 0);
	map(STACK, STACK_SIZE, 0);
	/* one processor: switching is faster, and what depends on it (rdpid, lsl) is equal */
	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	sched_setaffinity(0, sizeof(one), &one);

	subject->pid = fork();
	if (subject->pid < 0)
		fail("fork");
	if (subject->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
		_exit(3);
	}
	if (waitpid(subject->pid, NULL, 0) != subject->pid)
		fail("waitpid");
	ptrace(PTRACE_SETOPTIONS, subject->pid, NULL, PTRACE_O_EXITKILL);
	if (ptrace(PTRACE_GETREGS, subject->pid, NULL, &subject->template.regs) < 0)
		fail("PTRACE_GETREGS");
	if (ptrace(PTRACE_GETREGSET, subject->pid, NT_X86_XSTATE, &iov) < 0)
		fail("PTRACE_GETREGSET");
	subject->xstate_size = iov.iov_len;
	memcpy(&subject->xfeatures, subject->template.xstate + 464, 8);
}

void subject_end(struct subject *subject)
{
	kill(subject->pid, SIGKILL);
	waitpid(subject->pid, NULL, 0);
}

void subject_set_regs(struct subject *subject, const struct user_regs_struct *regs)
{
	if (ptrace(PTRACE_SETREGS, subject->pid, NULL, regs) < 0)
		fail("PTRACE_SETREGS");
}

void subject_load(struct subject *subject, const struct state *state)
{
	struct iovec iov = xstate_iov(subject, state->xstate);

	memcpy((void *)SCRATCH, state->scratch, SCRATCH_SIZE);
	memcpy((void *)STACK, state->stack, STACK_SIZE);
	subject_set_regs(subject, &state->regs);
	if (ptrace(PTRACE_SETREGSET, subject->pid, NT_X86_XSTATE, &iov) < 0)
		fail("PTRACE_SETREGSET");
}

bool subject_run(struct subject *subject, int request, struct outcome *out)
{
	siginfo_t info;
	int status;

	if (ptrace(request, subject->pid, NULL, NULL) < 0)
		fail("ptrace: resume");
	if (waitpid(subject->pid, &status, 0) != subject->pid || !WIFSTOPPED(status))
		return false;
	if (ptrace(PTRACE_GETSIGINFO, subject->pid, NULL, &info) < 0 ||
	    ptrace(PTRACE_GETREGS, subject->pid, NULL, &out->state.regs) < 0)
		fail("ptrace: stop");
	out->sig = info.si_signo;
	out->code = info.si_code;
	out->addr = (u64)info.si_addr;
	out->trapped = info.si_signo == SIGTRAP && info.si_code == SI_KERNEL;
	if (out->trapped)
		out->state.regs.rip--;
	return true;
}

void subject_save(struct subject *subject, struct outcome *out)
{
	struct iovec iov = xstate_iov(subject, out->state.xstate);

	if (ptrace(PTRACE_GETREGSET, subject->pid, NT_X86_XSTATE, &iov) < 0)
		fail("PTRACE_GETREGSET");
	memcpy(out->state.scratch, (void *)SCRATCH, SCRATCH_SIZE);
	memcpy(out->state.stack, (void *)STACK, STACK_SIZE);
}
