// SPDX-License-Identifier: GPL-2.0
// Threads one after the other, then two at once at a barrier, then an end that cuts one off.
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

static void *write_one(void *name)
{
	if (write(1, name, 2) != 2)
		return NULL;
	return NULL;
}

static void *wait_for_ever(void *unused)
{
	(void)unused;
	pause();
	return NULL;
}

int main(void)
{
	pthread_t thread;

	for (int i = 0; i < 3; i++) {
		char name[2] = {'a' + i, '\n'};
		pthread_create(&thread, NULL, write_one, name);
		pthread_join(thread, NULL);
	}
	pthread_create(&thread, NULL, wait_for_ever, NULL);
	usleep(20000);
	return 5;
}
