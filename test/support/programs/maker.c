// SPDX-License-Identifier: GPL-2.0
// On one processor: creates argv[1] threads and calls function() after each; then it counts.
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

volatile unsigned long counter;

__attribute__((noinline)) void function(void)
{
	__asm__ volatile("");
}

static void *worker(void *argument)
{
	for (;;)
		pause();
	return argument;
}

int main(int argc, char **argv)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	sched_setaffinity(0, sizeof(one), &one);
	for (int i = argc > 1 ? atoi(argv[1]) : 1; i > 0; i--) {
		pthread_t thread;

		pthread_create(&thread, NULL, worker, NULL);
		function();
	}
	for (;;)
		counter++;
}
