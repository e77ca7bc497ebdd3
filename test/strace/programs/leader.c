// SPDX-License-Identifier: GPL-2.0
// The first thread ends before the other one, which ends the process: the status is the process's.
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

static void *last(void *unused)
{
	(void)unused;
	usleep(200000);
	exit(7);
}

int main(void)
{
	pthread_t thread;

	pthread_create(&thread, NULL, last, NULL);
	pthread_exit(NULL);
}
