// SPDX-License-Identifier: GPL-2.0
// Threads that each create the next one, count and end, several at a time, for ever.
#include <pthread.h>
#include <unistd.h>

#define CHAINS 4

volatile unsigned long counter;
static pthread_attr_t detached;

static void *follow(void *argument)
{
	pthread_t next;

	while (pthread_create(&next, &detached, follow, argument) != 0)
		;
	__atomic_fetch_add(&counter, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

int main(void)
{
	pthread_attr_init(&detached);
	pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
	for (int i = 0; i < CHAINS; i++) {
		pthread_t first;

		pthread_create(&first, &detached, follow, NULL);
	}
	for (;;)
		pause();
}
