// SPDX-License-Identifier: GPL-2.0
// Calls f(0), f(1), f(2) ... for ever.
volatile long sum;

__attribute__((noinline)) long f(long x)
{
	sum += x;
	return 3 * x + 1;
}

int main(void)
{
	for (long x = 0;; x++)
		f(x);
}
