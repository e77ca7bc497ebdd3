// SPDX-License-Identifier: GPL-2.0
// A handler that raises its own signal: as it returns there is always one waiting.
#include <signal.h>

volatile unsigned long counter;

static void again(int signo)
{
	counter++;
	raise(signo);
}

int main(void)
{
	signal(SIGUSR1, again);
	raise(SIGUSR1);
	return 1;
}
