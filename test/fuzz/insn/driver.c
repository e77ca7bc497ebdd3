// SPDX-License-Identifier: GPL-2.0
/*
 * Inputs for fuzz.c where there is no libFuzzer: files, then random ones.
 * Usage: driver SECONDS SEED FILE... Output: the number of random ones.
 */
#include "types.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define HEADER 18
#define LONGEST 20

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static u64 next(u64 *state)
{
	u64 z = *state += 0x9e3779b97f4a7c15ull; /* splitmix64 */

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

/* Our own code is as good an example of instructions as any. */
static void real_code(u64 *state, u8 *at)
{
	const u8 *code = (const u8 *)(uintptr_t)LLVMFuzzerTestOneInput;

	memcpy(at, code - next(state) % 2048, LONGEST);
}

static void prefixes_and_opcode(u64 *state, u8 *at)
{
	static const u8 starts[] = {0x66, 0x67, 0xf0, 0xf2, 0xf3, 0x2e, 0x64, 0x48, 0x41, 0x4f,
				    0x0f, 0x0f, 0xc4, 0xc5, 0x62, 0x8f, 0xff, 0xe8, 0xeb, 0x70};
	u64 count = next(state) % 4;

	for (u64 i = 0; i < count; i++)
		at[i] = starts[next(state) % sizeof(starts)];
}

static size_t make(u64 *state, u8 *data)
{
	for (size_t i = 0; i < HEADER + LONGEST; i += 1)
		data[i] = (u8)(next(state) >> 17);
	switch (next(state) % 3) {
	case 0:
		real_code(state, data + HEADER);
		break;
	case 1:
		prefixes_and_opcode(state, data + HEADER);
		break;
	}
	if (next(state) % 4 == 0)
		data[HEADER + next(state) % LONGEST] ^= 1 << next(state) % 8;
	return HEADER + 1 + next(state) % LONGEST;
}

static bool replay(const char *path)
{
	u8 data[HEADER + 64];
	FILE *file = fopen(path, "rb");
	size_t size;

	if (!file)
		return false;
	size = fread(data, 1, sizeof(data), file);
	fclose(file);
	LLVMFuzzerTestOneInput(data, size);
	return size > HEADER;
}

int main(int argc, char **argv)
{
	u8 data[HEADER + LONGEST];
	u64 seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
	time_t end = time(NULL) + (argc > 1 ? atoi(argv[1]) : 5);
	unsigned long runs = 0;

	for (int i = 3; i < argc; i++) {
		if (!replay(argv[i])) {
			fprintf(stderr, "driver: %s: not an input\n", argv[i]);
			return 2;
		}
	}
	while (time(NULL) < end)
		for (int i = 0; i < 1000; i++, runs++)
			LLVMFuzzerTestOneInput(data, make(&seed, data));
	printf("%lu\n", runs);
	return 0;
}
