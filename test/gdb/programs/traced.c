// SPDX-License-Identifier: GPL-2.0
// Works in rounds: as many as the first argument says, or for ever.
#include <stdlib.h>
#include <unistd.h>

struct item {
	int weight;
	char name[16];
	struct item *next;
};

int total;
int table[4] = {10, 20, 30, 40};
struct item last = {7, "last", NULL};
struct item first = {3, "first", &last};
volatile int rounds;

__attribute__((noinline)) int work(int n, struct item *it)
{
	int twice = n * 2;

	total += twice; /* sum */
	it->weight++;
	return total;
}

__attribute__((noinline)) void done(void)
{
	rounds = 0;
}

int main(int argc, char **argv)
{
	int most = argc > 1 ? atoi(argv[1]) : 0;

	for (int n = 1; !most || n <= most; n++) {
		work(n, &first);
		rounds++;
		if (!most)
			usleep(1000);
	}
	done();
	return 0;
}
