// SPDX-License-Identifier: GPL-2.0
// Signals caught, ignored, blocked, with a restart; the last one ends it: argument "fault" or
// "kill".
#define _GNU_SOURCE
#include <signal.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static void handler(int signo)
{
	(void)signo;
}

int main(int argc, char **argv)
{
	struct sigaction act = {.sa_handler = handler, .sa_flags = SA_RESTART};
	struct itimerval soon = {{0, 0}, {0, 300000}};
	struct timespec pause_for = {2, 0};
	char byte;
	int ends[2];

	sigaction(SIGALRM, &act, NULL);
	sigaction(SIGUSR1, &act, NULL);
	signal(SIGUSR2, SIG_IGN);
	raise(SIGUSR1);
	raise(SIGUSR2);
	setitimer(ITIMER_REAL, &soon, NULL);
	nanosleep(&pause_for, &pause_for);
	if (pipe(ends))
		return 1;
	// the alarm interrupts the read, which is restarted and finds the byte of the handler's
	// timer
	act.sa_flags = 0;
	sigaction(SIGALRM, &act, NULL);
	setitimer(ITIMER_REAL, &soon, NULL);
	if (read(ends[0], &byte, 1) >= 0)
		return 2;
	if (argc > 1 && !strcmp(argv[1], "fault"))
		*(volatile int *)8 = 1;
	kill(getpid(), argc > 1 ? SIGKILL : SIGTERM);
	return 0;
}
