#include <stdlib.h>

volatile long sum;

__attribute__((noinline)) long f(long x)
{
	long twice = 2 * x;

	sum += twice;
	return sum;
}

int main(int argc, char **argv)
{
	long rounds = argc > 1 ? atol(argv[1]) : 1000;

	for (long x = 1; x <= rounds; x++)
		f(x);
	return sum == rounds * (rounds + 1) ? 7 : 1;
}
