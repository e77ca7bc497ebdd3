// SPDX-License-Identifier: GPL-2.0
// Four threads run five instructions again and again, each at a label of its own, while the main
// thread sends them signals. After so many milliseconds as argv says, all stand still and
// "finished" is 5.
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define THREADS 4

unsigned long counter; // by the instruction at site_lock
unsigned long calls, sent, received, wrong, finished;
static volatile int over;
static pthread_t threads[THREADS];
static long milliseconds = 1000;

unsigned long sum(unsigned long a);
long (*target)(unsigned long) = (long (*)(unsigned long))sum;

__asm__(".text\n"
	".globl sum\n"
	"sum:	lea 1(%rdi), %rax\n"
	"	ret\n"
	".globl locked\n"
	"locked:\n"
	".globl site_lock\n"
	"site_lock: lock incq counter(%rip)\n"
	"	ret\n"
	".globl pushed\n"
	"pushed:\n"
	".globl site_push\n"
	"site_push: push %rdi\n"
	"	pop %rax\n"
	"	ret\n"
	".globl called\n"
	"called:	sub $8, %rsp\n"
	".globl site_call\n"
	"site_call: call *target(%rip)\n"
	"	add $8, %rsp\n"
	"	ret\n"
	".globl system_call\n"
	"system_call:\n"
	"	mov %rdi, %rax\n"
	".globl site_syscall\n"
	"site_syscall: syscall\n"
	"	ret\n"
	".globl filled\n"
	"filled:\n"
	"	mov %rsi, %rcx\n"
	"	mov $0x55, %eax\n"
	".globl site_rep\n"
	"site_rep: rep stosb\n"
	"	mov %rdi, %rax\n"
	"	ret\n");

void locked(void);
unsigned long pushed(unsigned long a);
unsigned long called(unsigned long a);
long system_call(long nr);
char *filled(char *to, unsigned long count);

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

static void *worker(void *argument)
{
	long tid = syscall(SYS_gettid);

	for (unsigned long i = 0; !over; i++) {
		char bytes[16] = {0};

		locked();
		check(pushed(i) == i);
		check(called(i) == i + 1);
		check(system_call(SYS_gettid) == tid);
		check(filled(bytes, sizeof(bytes)) == bytes + sizeof(bytes) && bytes[0] == 0x55 &&
		      bytes[15] == 0x55);
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

int main(int argc, char **argv)
{
	struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
	struct timespec nap = {0, 200000};
	long until;

	if (argc > 1)
		milliseconds = strtol(argv[1], NULL, 0);
	sigaction(SIGRTMIN, &action, NULL);
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
	for (;;)
		pause();
}
