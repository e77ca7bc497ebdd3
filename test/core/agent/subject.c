// SPDX-License-Identifier: GPL-2.0
/*
 * What expressions of the differential test speak about: values of every width
 * and sign, arrays, pointers, bit fields. spot() is where the process stops.
 */
#include <unistd.h>

enum colour { RED = -3, GREEN = 0, BLUE = 70000 };

struct inner {
	short s;
	signed char c;
	long l;
};

struct outer {
	int i;
	unsigned b3 : 3;
	int sb5 : 5;
	unsigned long b40 : 40;
	long sb33 : 33;
	_Bool flag : 1;
	struct inner in;
	struct inner many[3];
	struct outer *next;
	char name[12];
};

union mixed {
	unsigned long u64;
	int i32[2];
	unsigned char u8[8];
};

signed char g_c = -7;
unsigned char g_uc = 250;
short g_s = -12345;
unsigned short g_us = 60000;
int g_i = -2000000011;
unsigned g_u = 4000000007u;
long g_l = -0x7123456789abcdefL;
unsigned long g_ul = 0xfedcba9876543210ul;
_Bool g_b = 1;
enum colour g_e = RED;
int g_zero, g_one = 1, g_seven = 7;
int g_array[5] = {3, -1, 4, -1, 5};
unsigned char g_bytes[4] = {0x80, 0x7f, 0xff, 0};
long g_matrix[2][3] = {{1, -2, 3}, {-4, 5, -6}};
int *g_p = &g_array[2];
int **g_pp = &g_p;
const char *g_text = "agent text";
union mixed g_union = {.u64 = 0x8877665544332211ul};
struct outer g_second = {9, 5, -16, 0xff12345678ul, -1, 0, {-1, -2, -3}, {{4, 5, 6}}, 0, "second"};
struct outer g_first = {
    .i = -5,
    .b3 = 6,
    .sb5 = -3,
    .b40 = 0x8000000001ul,
    .sb33 = -0x80000000L,
    .flag = 1,
    .in = {-300, 17, 1L << 40},
    .many = {{1, 2, 3}, {-4, -5, -6}, {7, 8, 9}},
    .next = &g_second,
    .name = "first",
};
struct outer *g_sp = &g_first;
volatile int g_round;

__attribute__((noinline)) void spot(int argument, long wide, unsigned char narrow)
{
	volatile int local = argument * 3;
	volatile long local_long = wide ^ 0x5a5a5a5a5a5aL;
	volatile unsigned short local_array[4] = {narrow, 65535, 1, 32768};

	g_round++; /* stop */
	g_round++; /* tail */
	local += (int)local_long + local_array[0];
}

int main(void)
{
	/* Nobody is left to end it when a test is killed. */
	alarm(120);
	for (;;)
		spot(-42, 0x123456789abcL, 200);
}
