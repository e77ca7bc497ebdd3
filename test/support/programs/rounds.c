// SPDX-License-Identifier: GPL-2.0
// argv[1] threads go round in one loop for ever, counting in counts[]; the range of a source line
// is from "begin" to "end". %rcx says how many more rounds before the line is left.
#include <pthread.h>
#include <stdlib.h>

#define MOST 16

volatile unsigned long counts[MOST], counter;

void line(volatile unsigned long *count, unsigned long rounds);
__asm__(".globl line, begin, inside, end\n"
	".type line, @function\n"
	".text\n"
	"line:	mov %rsi, %rcx\n"
	"begin:	addq $1, (%rdi)\n"
	"inside: nop\n"
	"	dec %rcx\n"
	"	jnz begin\n"
	"end:	ret\n");

static void *worker(void *argument)
{
	__atomic_fetch_add(&counter, 1, __ATOMIC_SEQ_CST);
	for (;;)
		line(&counts[(unsigned long)argument], 100);
	return NULL;
}

int main(int argc, char **argv)
{
	int number = argc > 1 ? atoi(argv[1]) : 1;

	for (long i = 1; i < number && i < MOST; i++) {
		pthread_t thread;

		pthread_create(&thread, NULL, worker, (void *)i);
	}
	worker(0);
}
