// SPDX-License-Identifier: GPL-2.0
// argv[1] threads: each counts in counts[], or sleeps if argv[2] is "sleep".
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#define MOST 1024

volatile unsigned long counts[MOST], counter;
static int sleeping;

static void *worker(void *argument)
{
	unsigned long n = (unsigned long)argument;

	__atomic_fetch_add(&counter, 1, __ATOMIC_SEQ_CST);
	for (;;) {
		counts[n]++;
		if (sleeping)
			pause();
	}
	return NULL;
}

int main(int argc, char **argv)
{
	int number = atoi(argv[1]);
	pthread_attr_t attributes;

	sleeping = argc > 2;
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, 65536);
	for (long i = 0; i < number && i < MOST; i++) {
		pthread_t thread;

		pthread_create(&thread, &attributes, worker, (void *)i);
	}
	for (;;)
		pause();
}
