// SPDX-License-Identifier: GPL-2.0
// Instructions of every shape that a jump can take the place of, each in a function that says
// whether it was executed exactly once. Four threads call them again and again ("calls" rounds,
// "wrong" results); with a number of milliseconds the main thread sends them signals so long, then
// all stand still and "finished" is 5. argv: what else is special.
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define THREADS 4

unsigned long counter; // rounds of one thread, when there is only that
unsigned long calls, sent, received, wrong, finished, middles, children;
unsigned long copy, copies; // where two_form() is mapped once more, and how often it was
volatile unsigned long variable = 42, wanted, jump_in;
unsigned long *volatile pointer = (unsigned long *)&variable;
static volatile int over;
static pthread_t threads[THREADS];

__asm__(".text\n"
	"	.p2align 4\n"
	".globl long_form, site_long\n"
	"long_form:\n"
	"site_long: lea 0x12345(%rdi), %rax\n" /* 7 bytes */
	"	ret\n"
	"	.p2align 4\n"
	".globl two_form, site_two, site_two_middle\n"
	"two_form:\n"
	"site_two: mov %rdi, %rax\n"	  /* 3 */
	"site_two_middle: add $2, %rax\n" /* 4 */
	"	ret\n"
	"	.p2align 4\n"
	".globl three_form, site_three, site_three_last\n"
	"three_form:\n"
	"site_three: xor %eax, %eax\n"		    /* 2 */
	"	nop\n"				    /* 1 */
	"site_three_last: lea 3(%rax,%rdi), %rax\n" /* 5 */
	"	ret\n"
	"	.p2align 4\n"
	".globl branch_form, site_branch\n"
	"branch_form:\n"
	"site_branch: test %rdi, %rdi\n" /* 3 */
	"	je 1f\n"		 /* 2 */
	"	mov $5, %eax\n"
	"	ret\n"
	"1:	mov $6, %eax\n"
	"	ret\n"
	"	.p2align 4\n"
	".globl call_form, site_call\n"
	"call_form: sub $8, %rsp\n"
	"site_call: call long_form\n" /* 5 */
	"	add $8, %rsp\n"
	"	ret\n"
	"	.p2align 4\n"
	".globl flags_form, site_flags\n"
	"flags_form: stc\n"
	"site_flags: mov $1, %eax\n" /* 5, and the carry has to survive */
	"	adc %rdi, %rax\n"
	"	ret\n"
	"	.p2align 4\n"
	".globl red_form, site_red\n"
	"red_form: mov %rdi, -8(%rsp)\n"
	"	mov %rdi, -128(%rsp)\n"
	"site_red: mov $7, %eax\n" /* 5, above what belongs to it */
	"	add -8(%rsp), %rax\n"
	"	sub -128(%rsp), %rax\n"
	"	add %rdi, %rax\n"
	"	ret\n"
	"	.p2align 4\n"
	".globl memory_form, site_memory\n"
	"memory_form:\n"
	"site_memory: mov variable(%rip), %rax\n" /* 7, relative to its place */
	"	ret\n"
	/* a jump would reach over its end */
	"	.p2align 4\n"
	".globl ended_form, site_ended\n"
	"ended_form: mov %rdi, %rax\n"
	"site_ended: inc %eax\n" /* 2 */
	"	ret\n"
	"	.p2align 4\n"
	".globl spare\n"
	"spare:	.fill 32, 1, 0x90\n");

unsigned long long_form(unsigned long a);
unsigned long two_form(unsigned long a);
unsigned long three_form(unsigned long a);
unsigned long branch_form(unsigned long a);
unsigned long call_form(unsigned long a);
unsigned long flags_form(unsigned long a);
unsigned long red_form(unsigned long a);
unsigned long memory_form(void);
unsigned int ended_form(unsigned long a);

static void handler(int signo)
{
	(void)signo;
	__atomic_fetch_add(&received, 1, __ATOMIC_SEQ_CST);
}

static void check(int right)
{
	if (!right)
		__atomic_fetch_add(&wrong, 1, __ATOMIC_SEQ_CST);
}

/* Goes on in the middle of two_form(). */
static unsigned long enter_middle(unsigned long a)
{
	__asm__ volatile("sub $128, %%rsp; call site_two_middle; add $128, %%rsp"
			 : "+a"(a)
			 :
			 : "memory", "cc");
	return a;
}

static void round_of_calls(unsigned long i)
{
	check(long_form(i) == i + 0x12345);
	check(two_form(i) == i + 2);
	check(three_form(i) == i + 3);
	check(branch_form(i % 2) == (i % 2 ? 5 : 6));
	check(call_form(i) == i + 0x12345);
	check(flags_form(i) == i + 2);
	check(red_form(i) == i + 7);
	check(memory_form() == variable);
	check(ended_form(7) == 8);
	if (copy)
		check(((unsigned long (*)(unsigned long))copy)(i) == i + 2);
	if (jump_in) {
		jump_in = 0;
		check(enter_middle(i) == i + 2);
		__atomic_fetch_add(&middles, 1, __ATOMIC_SEQ_CST);
	}
}

static void *worker(void *argument)
{
	for (unsigned long i = 1; !over; i++) {
		round_of_calls(i);
		__atomic_fetch_add(&calls, 1, __ATOMIC_SEQ_CST);
	}
	__atomic_fetch_add(&finished, 1, __ATOMIC_SEQ_CST);
	for (;;)
		pause();
	return argument;
}

static long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void storm(long milliseconds)
{
	struct timespec nap = {0, 200000};
	long until;

	for (int i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, worker, NULL);
	until = now_ms() + milliseconds;
	// real-time signals are queued: as many are received as were sent
	for (int i = 0; now_ms() < until; i++) {
		nanosleep(&nap, NULL);
		if (pthread_kill(threads[i % THREADS], SIGRTMIN) == 0)
			sent++;
	}
	over = 1;
	while (__atomic_load_n(&finished, __ATOMIC_SEQ_CST) < THREADS ||
	       __atomic_load_n(&received, __ATOMIC_SEQ_CST) < sent)
		nanosleep(&nap, NULL);
	__atomic_fetch_add(&finished, 1, __ATOMIC_SEQ_CST);
}

/* Executable memory that belongs to no file. */
static void unmap(void)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	char line[512];

	while (maps && fgets(line, sizeof(line), maps)) {
		unsigned long start, end, inode;
		char rights[8], name[256] = "";

		if (sscanf(line, "%lx-%lx %7s %*s %*s %lu %255s", &start, &end, rights, &inode,
			   name) < 4)
			continue;
		if (rights[2] == 'x' && !inode && (!name[0] || strstr(name, "anon")) &&
		    munmap((void *)start, end - start) == 0)
			finished++;
	}
	if (maps)
		fclose(maps);
}

/* The page of two_form() once more, in the same place each time, as a library that comes and goes.
 */
static void map_copy(void)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	unsigned long here = (unsigned long)two_form, page = here & -4096ul;
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	char line[512];

	if (copy)
		munmap((void *)(copy & -4096ul), 4096);
	while (maps && fgets(line, sizeof(line), maps)) {
		unsigned long start, end, offset;
		void *got;

		if (sscanf(line, "%lx-%lx %*s %lx", &start, &end, &offset) != 3 || here < start ||
		    here >= end)
			continue;
		got = mmap((void *)(copy & -4096ul), 4096, PROT_READ | PROT_EXEC,
			   MAP_PRIVATE | (copy ? MAP_FIXED : 0), fd, (long)(offset + page - start));
		check(got != MAP_FAILED);
		copy = (unsigned long)got + (here - page);
		copies++;
	}
	if (maps)
		fclose(maps);
	close(fd);
}

/* A filter that lets everything pass. */
static void filter(void)
{
	struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct sock_fprog program = {1, &allow};

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	check(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
}

/* A child runs through the same places; 42: with the right results. */
static void child(int is_vfork, char **argv)
{
	unsigned long before = wrong;
	int status = 0;
	pid_t pid = is_vfork ? vfork() : fork();

	if (pid == 0) {
		if (is_vfork) {
			two_form(1);
			execl(argv[0], argv[0], "exit", (char *)NULL);
		}
		for (unsigned long i = 1; i < 1000; i++)
			round_of_calls(i);
		_exit(wrong == before ? 42 : 1);
	}
	check(waitpid(pid, &status, 0) == pid && status == 42 << 8);
	children++;
}

int main(int argc, char **argv)
{
	struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
	const char *mode = argc > 1 ? argv[1] : "";
	int forks = !strcmp(mode, "fork"), vforks = !strcmp(mode, "vfork");

	if (!strcmp(mode, "exit"))
		_exit(42);
	if (!strcmp(mode, "seccomp"))
		filter();
	if (!strcmp(mode, "map"))
		map_copy();
	sigaction(SIGRTMIN, &action, NULL);
	if (strtol(mode, NULL, 0) > 0) {
		storm(strtol(mode, NULL, 0));
		for (;;)
			pause();
	}
	for (unsigned long i = 1;; i++) {
		round_of_calls(i);
		counter++;
		if (!strcmp(mode, "unmap") && wanted) {
			unmap();
			wanted = 0;
		}
		if (!strcmp(mode, "map") && wanted) {
			map_copy();
			wanted = 0;
		}
		if (!strcmp(mode, "exec") && wanted)
			execl(argv[0], argv[0], (char *)NULL);
		if ((forks || vforks) && i % 4000 == 0)
			child(vforks, argv);
	}
}
