// SPDX-License-Identifier: GPL-2.0
// Counts for ever; one instruction a label, so that steps are predictable.
volatile unsigned long counter;

__asm__(".globl loop, site, back\n"
	".type loop, @function\n"
	".text\n"
	"loop:	addq $1, counter(%rip)\n"
	"site:	nop\n"
	"	nop\n"
	"	nop\n"
	"	nop\n"
	"back:	jmp loop\n");

extern void loop(void);

int main(void)
{
	loop();
}
