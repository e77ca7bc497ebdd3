// SPDX-License-Identifier: GPL-2.0
// A 32-bit program that runs the instruction at "site" for ever. "wrong": rounds in which it was
// not executed exactly once. Variables are 64 bits wide, as those of the other programs.
volatile unsigned long long counter, rounds, wrong;

__asm__(".text\n"
	".globl function\n"
	"function:\n"
	".globl site\n"
	"site:	lock incl counter\n"
	"	ret\n");
void function(void);

int main(void)
{
	for (;;) {
		unsigned before = (unsigned)counter;

		function();
		if ((unsigned)counter != before + 1)
			wrong++;
		rounds++;
	}
}
