// Never leaves the processor.
#include <unistd.h>

volatile unsigned long spins;

int main(void)
{
	alarm(120); // should a test forget it
	for (;;)
		spins++; /* spin */
}
