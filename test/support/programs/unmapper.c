// SPDX-License-Identifier: GPL-2.0
// Unmaps "page", which looks like code, when "go" is set, and counts.
#define _GNU_SOURCE
#include <stddef.h>
#include <sys/mman.h>

volatile unsigned long counter, go, gone, page;

int main(void)
{
	void *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS,
			-1, 0);

	page = (unsigned long)at;
	for (;;) {
		counter++;
		if (go && !gone) {
			munmap(at, 4096);
			gone = 1;
		}
	}
}
