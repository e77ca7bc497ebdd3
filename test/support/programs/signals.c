// SPDX-License-Identifier: GPL-2.0
// Counts the signals it gets; argv[1] "wait": sleeps instead of running.
#include <signal.h>
#include <string.h>
#include <unistd.h>

volatile unsigned long counter, handled, handled2, value;

static void handler(int signo, siginfo_t *info, void *context)
{
	(void)signo;
	(void)context;
	value = (unsigned long)info->si_value.sival_ptr;
	handled++;
}

static void handler2(int signo)
{
	(void)signo;
	handled2++;
}

int main(int argc, char **argv)
{
	struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};

	(void)argc;
	sigaction(SIGUSR1, &action, NULL);
	signal(SIGUSR2, handler2);
	for (;;) {
		counter++;
		if (argv[1])
			pause();
	}
}
