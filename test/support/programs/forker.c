// SPDX-License-Identifier: GPL-2.0
// The child calls function() and exits with 5, the parent counts for ever.
#include <sys/wait.h>
#include <unistd.h>

volatile unsigned long counter, reaped, status;

__attribute__((noinline)) void function(void)
{
	__asm__ volatile("nop; nop");
}

int main(void)
{
	pid_t child = fork();

	if (child == 0) {
		function();
		_exit(5);
	}
	for (;;) {
		int wait_status;

		counter++;
		if (!reaped && waitpid(child, &wait_status, WNOHANG) == child) {
			status = wait_status;
			reaped = 1;
		}
	}
}
