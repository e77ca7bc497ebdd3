// SPDX-License-Identifier: GPL-2.0
// Programs that thread, fork, vfork, exec, signal, write code and exit at random, and check
// themselves.
#ifndef NTRACE_STRESS_PROGRAM_H
#define NTRACE_STRESS_PROGRAM_H
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include "chance.h"

#define UNHURT 42 // how a program ends that found nothing wrong
#define MISSED 5  // ... and one that missed a signal

static volatile sig_atomic_t handled;

static inline void handler(int signo)
{
	(void)signo;
	handled++;
}

static long step_me(long a, long b);

/* Words of our own memory from there on, in hexadecimal, as far as there are any. */
static inline size_t words_at(char *text, size_t size, uint64_t from, size_t count)
{
	int mem = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
	size_t len = 0;
	uint64_t word;

	for (size_t i = 0; i < count && len + 24 < size; i++)
		if (pread(mem, &word, sizeof(word), (off_t)(from + i * sizeof(word))) ==
		    sizeof(word))
			len += snprintf(text + len, size - len, " %lx", word);
	close(mem);
	return len;
}

/* What nobody asked for: where, in words, and its end. The kernel logs nothing of a program that
 * has a tracer.
 */
static void fault(int signo, siginfo_t *info, void *context)
{
	const greg_t *regs = ((ucontext_t *)context)->uc_mcontext.gregs;
	const uint64_t pc = regs[REG_RIP], sp = regs[REG_RSP];
	static char text[4096];
	size_t len;

	len = snprintf(text, sizeof(text),
		       "stress: signal %d in %d, code %d, at %p, error %#llx; step_me %p, main "
		       "stack %p, tid %ld\n registers (r8-15 di si bp bx dx ax cx sp ip fl):",
		       signo, getpid(), info->si_code, info->si_addr, regs[REG_ERR],
		       (void *)(uintptr_t)step_me, (void *)environ, syscall(SYS_gettid));
	for (int i = 0; i <= REG_EFL; i++)
		len += snprintf(text + len, sizeof(text) - len, " %llx", regs[i]);
	len += snprintf(text + len, sizeof(text) - len, "\n code from ip-16:");
	len += words_at(text + len, sizeof(text) - len, pc - 16, 4);
	len += snprintf(text + len, sizeof(text) - len, "\n stack from sp-128:");
	len += words_at(text + len, sizeof(text) - len, sp - 128, 64);
	text[len++] = '\n';
	if (write(1, text, len) < 0)
		len = 0;
	signal(signo, SIG_DFL);
	raise(signo);
}

static inline void tell_faults(void)
{
	static const int faults[] = {SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGFPE, SIGSYS};
	struct sigaction action = {.sa_sigaction = fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};
	stack_t stack = {.ss_sp = malloc(65536), .ss_size = 65536};

	sigaltstack(&stack, NULL);
	for (size_t i = 0; i < sizeof(faults) / sizeof(*faults); i++)
		sigaction(faults[i], &action, NULL);
}

__attribute__((noinline)) static long step_me(long a, long b)
{
	for (long i = 0; i < 20; i++)
		a = a * 31 + (b ^ i);
	return a;
}

static inline void *compute(void *expected)
{
	long sum = 0;

	for (long i = 0; i < 2000; i++)
		sum += step_me(i, sum);
	if (*(long *)expected && sum != *(long *)expected)
		_exit(1);
	*(long *)expected = sum;
	return NULL;
}

static inline void child_ended(const char *what, pid_t pid, pid_t got, int status, int code)
{
	printf("stress: the child %d of a %s: %d (%s), %#x\n", pid, what, got, strerror(errno),
	       status);
	fflush(stdout);
	_exit(code);
}

/* Code that is written, run, and written anew. */
static inline void write_code(void)
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

static inline void *do_renew(void *none)
{
	execl(renew_self, "stress", "program", renew_seed, renew_acts, NULL);
	_exit(12);
	return none;
}

static inline void renew(const char *self, unsigned acts)
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

static inline void one_act(const char *self, long *sum)
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
			child_ended("fork", pid, got, status, 3);
		break;
	case 2:
		pid = vfork();
		if (!pid) {
			execl(self, self, "leaf", NULL);
			_exit(9);
		}
		got = waitpid(pid, &status, 0);
		if (got != pid || status != UNHURT << 8)
			child_ended("vfork", pid, got, status, 4);
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

static inline int program(const char *self, uint64_t seed, unsigned acts)
{
	long sum = 0;

	seed_with(seed);
	tell_faults();
	signal(SIGUSR1, handler);
	compute(&sum);
	while (acts-- > 0) {
		one_act(self, &sum);
		if (acts > 0 && below(30) == 0)
			renew(self, acts);
	}
	return UNHURT;
}
#endif
