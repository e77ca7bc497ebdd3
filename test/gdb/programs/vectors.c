#include <immintrin.h>
#include <string.h>

double result;

static void compute(void)
{
	result = 1.5; /* computed */
}

__attribute__((target("avx"))) static void load(void)
{
	unsigned char bytes[32];
	int i;

	for (i = 0; i < 32; i++)
		bytes[i] = (unsigned char)(i + 1);
	__asm__ volatile("vmovdqu %0, %%ymm7\n\t"
			 "fldpi\n\t"
			 "call *%1\n\t"
			 "fstp %%st(0)"
			 :
			 : "m"(bytes), "r"(compute)
			 : "memory", "xmm7");
}

int main(void)
{
	if (__builtin_cpu_supports("avx"))
		load();
	return 0;
}
