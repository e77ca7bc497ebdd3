// SPDX-License-Identifier: GPL-2.0
// Creates threads that count once and end, one after the other, for ever.
#include <pthread.h>

volatile unsigned long counter;

static void *worker(void *argument)
{
	__atomic_fetch_add(&counter, 1, __ATOMIC_SEQ_CST);
	return argument;
}

int main(void)
{
	for (;;) {
		pthread_t thread;

		if (pthread_create(&thread, NULL, worker, NULL) == 0)
			pthread_join(thread, NULL);
	}
}
