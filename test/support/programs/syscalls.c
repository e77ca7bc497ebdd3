// SPDX-License-Identifier: GPL-2.0
// Asks for its parent's pid for ever.
#include <sys/syscall.h>
#include <unistd.h>

volatile unsigned long counter;

int main(void)
{
	for (;;) {
		syscall(SYS_getppid, 11, 22, 33, 44, 55, 66);
		counter++;
	}
}
