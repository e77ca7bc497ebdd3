// SPDX-License-Identifier: GPL-2.0
// Stores two neighbouring words by one instruction, for ever; with an argument the kernel does, one
// after the other, in one system call.
#include <sys/time.h>

volatile unsigned long counter;
unsigned long words[2] __attribute__((aligned(16)));

__asm__(".globl loop, store, site, call_loop, returned\n"
	".text\n"
	"loop:	addq $1, counter(%rip)\n"
	"	movq counter(%rip), %xmm0\n"
	"	punpcklqdq %xmm0, %xmm0\n"
	"store:	movups %xmm0, words(%rip)\n"
	"site:	nop\n"
	"	nop\n"
	"	jmp loop\n"
	"call_loop:\n"
	"	addq $1, counter(%rip)\n"
	"	xorl %esi, %esi\n"
	"	movl $96, %eax\n" // gettimeofday
	"	leaq words(%rip), %rdi\n"
	"	syscall\n"
	"returned:\n"
	"	nop\n"
	"	jmp call_loop\n");

_Static_assert(sizeof(struct timeval) == sizeof(words), "it fills both");

extern void loop(void), call_loop(void);

int main(int argc, char **argv)
{
	(void)argv;
	if (argc > 1)
		call_loop();
	loop();
}
