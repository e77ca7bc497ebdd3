// SPDX-License-Identifier: GPL-2.0
// argv[1] threads count in counts[]; the leader calls stop_here() again and again, and if "waits"
// is set only after thread 1 got on.
#include <pthread.h>
#include <stdlib.h>

#define MOST 64

volatile unsigned long counts[MOST], counter, rounds, waits;

__attribute__((noinline)) void stop_here(void)
{
	rounds++;
}

static void *worker(void *argument)
{
	__atomic_fetch_add(&counter, 1, __ATOMIC_SEQ_CST);
	for (;;)
		counts[(unsigned long)argument]++;
	return NULL;
}

int main(int argc, char **argv)
{
	int number = argc > 1 ? atoi(argv[1]) : 1;

	for (long i = 0; i < number && i < MOST; i++) {
		pthread_t thread;

		pthread_create(&thread, NULL, worker, (void *)i);
	}
	for (;;) {
		unsigned long before = counts[1];

		while (waits && counts[1] == before)
			;
		stop_here();
	}
}
