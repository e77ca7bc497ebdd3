#include <stdio.h>
#include <string.h>

struct point {
	int x, y;
	const char *name;
};

int total;
struct point home = {3, 4, "home"};
char text[32] = "before";

int square(int n)
{
	int result = n * n; /* square */
	return result;
}

int sum(int count)
{
	int i;
	for (i = 1; i <= count; i++) { /* loop */
		total += square(i);    /* add */
	}
	return total;
}

int recurse(int depth)
{
	if (depth == 0)
		return 0; /* bottom */
	return 1 + recurse(depth - 1);
}

int main(int argc, char **argv)
{
	int result = sum(4);   /* first */
	strcpy(text, "after"); /* second */
	result += recurse(5);
	printf("%d %d %s\n", argc, result, text);
	return 7; /* last */
}
