// SPDX-License-Identifier: GPL-2.0
// Threads one after the other, then an end that cuts one off.
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

static void *write_one(void *name)
{
	if (write(1, name, 2) != 2)
		return NULL;
	return NULL;
}

/* More than the pipe takes: who reads a byte of it knows that we are in the middle of the call. */
static void *write_for_ever(void *end)
{
	static const char much[1 << 20];

	while (write(*(int *)end, much, sizeof(much)) >= 0)
		;
	return NULL;
}

int main(void)
{
	pthread_t thread;
	int ends[2];
	char byte;

	for (int i = 0; i < 3; i++) {
		char name[2] = {'a' + i, '\n'};
		pthread_create(&thread, NULL, write_one, name);
		pthread_join(thread, NULL);
	}
	if (pipe(ends) != 0)
		return 1;
	pthread_create(&thread, NULL, write_for_ever, &ends[1]);
	return read(ends[0], &byte, 1) == 1 ? 5 : 1;
}
