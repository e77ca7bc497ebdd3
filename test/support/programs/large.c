// SPDX-License-Identifier: GPL-2.0
// Calls function() for ever and counts the calls; has much memory to read.
volatile unsigned long counter;
unsigned char memory[8 << 20];

__attribute__((noinline)) void function(void)
{
	__asm__ volatile("nop; nop; nop");
}

__attribute__((noinline)) void never(void)
{
	__asm__ volatile("nop; nop; nop; nop");
}

int main(int argc, char **argv)
{
	(void)argv;
	for (unsigned long i = 0; i < sizeof(memory); i++)
		memory[i] = i * 7;
	for (;;) {
		function();
		counter++;
		if (argc > 9)
			never();
	}
}
