// SPDX-License-Identifier: GPL-2.0
// With an argument the first thread ends alone, and another one ends the process; else it ends
// the process, whose other threads never end by themselves.
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

volatile unsigned long counter;

static void *other(void *last)
{
	__atomic_fetch_add(&counter, 1, __ATOMIC_SEQ_CST);
	if (last) {
		usleep(200000);
		exit(7);
	}
	for (;;)
		pause();
}

int main(int argc, char **argv)
{
	pthread_t thread;
	int i;

	(void)argv;
	for (i = 0; i < (argc > 1 ? 1 : 20); i++)
		pthread_create(&thread, NULL, other, argc > 1 ? &thread : NULL);
	while (counter == 0)
		;
	if (argc > 1)
		pthread_exit(NULL);
	return 3;
}
