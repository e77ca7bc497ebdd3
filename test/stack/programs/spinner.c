// Never leaves the processor.
#include <unistd.h>

volatile unsigned long spins;

int main(void)
{
	alarm(600); // should a test forget it
	if (write(1, "ready\n", 6) != 6)
		return 1;
	for (;;)
		spins++; /* spin */
}
