// SPDX-License-Identifier: GPL-2.0
// Eight threads that each call function() 100 times (or as often as argv says); then exit(7).
#include <pthread.h>
#include <stdlib.h>

#define THREADS 8

unsigned long counter, finished;
static unsigned long times = 100;

__attribute__((noinline)) void function(void)
{
	__asm__ volatile("nop; nop");
}

static void *worker(void *argument)
{
	for (unsigned long i = 0; i < times; i++) {
		function();
		__atomic_fetch_add(&counter, 1, __ATOMIC_SEQ_CST);
	}
	__atomic_fetch_add(&finished, 1, __ATOMIC_SEQ_CST);
	return argument;
}

int main(int argc, char **argv)
{
	pthread_t threads[THREADS];

	if (argc > 1)
		times = strtoul(argv[1], NULL, 0);
	for (int i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, worker, NULL);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	return 7;
}
