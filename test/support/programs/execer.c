// SPDX-License-Identifier: GPL-2.0
// Executes argv[1]; with a second argument from a thread that is not the leader.
#include <pthread.h>
#include <unistd.h>

static char *program[2];

static void *executing(void *argument)
{
	execv(program[0], program);
	return argument;
}

int main(int argc, char **argv)
{
	pthread_t thread;

	program[0] = argv[1];
	if (argc < 3)
		executing(NULL);
	pthread_create(&thread, NULL, executing, NULL);
	pause();
}
