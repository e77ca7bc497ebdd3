#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

volatile int handled;

static void handler(int signo)
{
	handled += signo; /* in handler */
}

int main(int argc, char **argv)
{
	signal(SIGUSR1, handler);
	signal(SIGUSR2, handler);
	raise(SIGUSR1);
	raise(SIGUSR2);
	printf("%d\n", handled); /* raised */
	if (argc > 1 && !strcmp(argv[1], "crash"))
		*(volatile int *)16 = 1; /* crash */
	if (argc > 1 && !strcmp(argv[1], "abort"))
		abort();
	return 0;
}
