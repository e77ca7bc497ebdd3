// SPDX-License-Identifier: GPL-2.0
// Calls function() for ever and counts the calls.
volatile unsigned long counter;

__attribute__((noinline)) void function(void)
{
	__asm__ volatile("nop; nop; nop");
}

int main(void)
{
	for (;;) {
		function();
		counter++;
	}
}
