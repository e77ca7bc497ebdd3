// SPDX-License-Identifier: GPL-2.0
/*
 * The ring of trace frames against a list that keeps everything: random frames
 * of random blocks into buffers of random sizes, linear and circular, some of
 * them given up in the middle; every byte of every frame is compared.
 *
 * Usage: ring SEED ROUNDS
 */
#include "trace_buffer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_FRAMES 4096
#define MOST_FRAME 65536

struct kept {
	u8 *bytes;
	u32 size;
};

static u64 state;

static u32 below(u32 limit)
{
	state = state * 6364136223846793005ull + 1442695040888963407ull;
	return (u32)(state >> 33) % limit;
}

static void fail(const char *what, u64 a, u64 b)
{
	fprintf(stderr, "%s: %llu, %llu\n", what, (unsigned long long)a, (unsigned long long)b);
	exit(1);
}

/* What make() puts into the ring, as one piece. False: it did not fit, or was given up. */
static bool make(struct nt_trace_buffer *b, u32 number, struct kept *out)
{
	static u8 whole[MOST_FRAME];
	struct ntrace_frame head = {0, number, number * 3, number * 5, 0, 1, 2, 0, 0};
	u32 at = sizeof(head), blocks = below(5);

	memset(whole, 0, sizeof(whole));
	if (!nt_trace_frame_begin(b, &head))
		return false;
	for (u32 i = 0; i < blocks; i++) {
		u8 data[300];
		struct ntrace_block block = {1 + below(3), below(100), below(1000), 0, 0};

		block.len = below(sizeof(data));
		for (u32 k = 0; k < block.len; k++)
			data[k] = (u8)below(256);
		if (!nt_trace_block(b, &block, data))
			return false;
		memcpy(whole + at, &block, sizeof(block));
		memcpy(whole + at + sizeof(block), data, block.len);
		at += sizeof(block) + (block.len + 7) / 8 * 8;
	}
	if (!below(10))
		return false;
	head.size = nt_trace_frame_end(b);
	if (head.size != at)
		fail("size of a frame", head.size, at);
	memcpy(whole, &head, sizeof(head));
	out->bytes = malloc(at);
	out->size = at;
	memcpy(out->bytes, whole, at);
	return true;
}

static void compare(struct nt_trace_buffer *b, const struct kept *kept, u32 count, u64 index)
{
	static u8 got[MOST_FRAME];
	const struct kept *want = &kept[count - b->frames + index];
	u32 offset = below(want->size + 20), len = below(want->size + 20);
	u32 expected = offset >= want->size ? 0 : want->size - offset;
	s64 n = nt_trace_frame_read(b, index, offset, got, len);

	if (expected > len)
		expected = len;
	if (n != expected)
		fail("bytes read", (u64)n, expected);
	if (memcmp(got, want->bytes + offset, expected))
		fail("a frame differs", index, offset);
}

static void round_of(u32 round)
{
	static struct kept kept[MOST_FRAMES];
	struct nt_trace_buffer b = {0};
	u64 size = 1 + below(8000), used = 0;
	u8 *data = malloc(size);
	u32 count = 0, tries = below(MOST_FRAMES);

	nt_trace_buffer_init(&b, data, size);
	b.circular = round % 2;
	for (u32 i = 0; i < tries; i++) {
		u64 before = b.frames;

		if (make(&b, i + 1, &kept[count])) {
			count++;
			if (!b.circular && b.frames != before + 1)
				fail("a linear ring lost a frame", before, b.frames);
		}
		if (b.frames && !below(4))
			compare(&b, kept, count, below((u32)b.frames));
	}
	if (b.created != count || b.frames > count)
		fail("counts", b.created, count);
	for (u64 i = 0; i < b.frames; i++) {
		compare(&b, kept, count, i);
		used += kept[count - b.frames + i].size;
	}
	if (used != b.tail - b.head || used > size)
		fail("bytes used", used, b.tail - b.head);
	if (nt_trace_frame_read(&b, b.frames, 0, data, 0) != -1)
		fail("a frame behind the last", b.frames, 0);
	for (u32 i = 0; i < count; i++)
		free(kept[i].bytes);
	free(data);
}

int main(int argc, char **argv)
{
	u32 rounds;

	if (argc != 3)
		return 2;
	state = strtoull(argv[1], NULL, 0);
	rounds = (u32)strtoul(argv[2], NULL, 0);
	for (u32 i = 0; i < rounds; i++)
		round_of(i);
	puts("same");
	return 0;
}
