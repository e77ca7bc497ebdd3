// SPDX-License-Identifier: GPL-2.0
/*
 * Drives the harness where there is no libFuzzer: SECONDS [SEED], then files to
 * replay. Expressions are built so that most of them are nearly right: opcodes
 * whose operands are on the stack, jumps to where instructions begin; now and
 * then a byte is spoilt.
 */
#include "harness.h"
#include "agent_code.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MAX_CODE 600

static uint64_t state;

static uint32_t below(uint32_t limit)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)(state >> 16) % limit;
}

/* One of the values that are right, 0 to limit - 1, or now and then one just beside them. */
static uint32_t nearly(uint32_t limit)
{
	return below(200) ? below(limit) : limit - 1 + below(3);
}

struct builder {
	uint8_t header[4]; /* of the harness */
	uint8_t bytes[MAX_CODE + 64];
	uint32_t len;
	uint32_t depth;
	uint32_t starts[MAX_CODE]; /* instructions so far */
	uint32_t depths[MAX_CODE]; /* and the height they are entered with */
	uint32_t count;
	uint32_t fixups[8]; /* forward jumps without a target yet */
	uint32_t fixup_depth[8];
	uint32_t pending;
	int tall; /* mostly pushes */
};

static void emit(struct builder *b, uint32_t byte)
{
	b->bytes[b->len++] = (uint8_t)byte;
}

static void emit16(struct builder *b, uint32_t value)
{
	emit(b, value >> 8);
	emit(b, value);
}

static void patch16(struct builder *b, uint32_t at, uint32_t value)
{
	b->bytes[at] = (uint8_t)(value >> 8);
	b->bytes[at + 1] = (uint8_t)value;
}

/* Forward jumps whose height is the present one lead here. */
static void resolve(struct builder *b)
{
	for (uint32_t i = 0; i < b->pending; i++) {
		if (b->fixup_depth[i] != b->depth)
			continue;
		patch16(b, b->fixups[i], b->len);
		b->pending--;
		b->fixups[i] = b->fixups[b->pending];
		b->fixup_depth[i] = b->fixup_depth[b->pending];
		i--;
	}
}

static void emit_jump(struct builder *b)
{
	uint32_t back = b->count ? below(b->count) : 0;

	if (below(3) == 0 && b->count && (b->depths[back] == b->depth || below(50) == 0)) {
		emit16(b, b->starts[back] + (below(50) == 0));
	} else if (b->pending < 8) {
		b->fixups[b->pending] = b->len;
		b->fixup_depth[b->pending++] = b->depth;
		emit16(b, 0);
	} else {
		emit16(b, below(b->len));
	}
}

static void emit_printf(struct builder *b, uint32_t args)
{
	static const char *const pieces[] = {"%d", "%-9lld", "%#x", "%c", "%s", "%.7s", "%p"};
	uint32_t length_at;
	uint32_t start;

	emit(b, args);
	length_at = b->len;
	emit16(b, 0);
	start = b->len;
	for (uint32_t i = 0; i < args; i++) {
		const char *piece = pieces[below(sizeof(pieces) / sizeof(pieces[0]))];

		memcpy(b->bytes + b->len, piece, strlen(piece));
		b->len += (uint32_t)strlen(piece);
	}
	emit(b, 0);
	patch16(b, length_at, b->len - start);
}

static void add_instruction(struct builder *b)
{
	uint8_t op = (uint8_t)(1 + below(NT_OP_PRINTF));
	const struct nt_agent_opcode *row = nt_agent_opcode(op);
	uint32_t args = 0;

	/* Little on the stack: more often a constant, so that the rest has something to eat. */
	if ((b->depth < 3 && below(2)) || (b->tall && below(3))) {
		op = NT_OP_CONST8;
		row = nt_agent_opcode(op);
	}
	if (!row || row->reserved || op == NT_OP_END || (row->pops > b->depth && below(500)))
		return;
	if (op == NT_OP_PICK && !b->depth)
		return;
	if (row->pops > b->depth)
		b->depth = row->pops;
	if (op == NT_OP_PRINTF)
		args = below(b->depth - 1 < 5 ? b->depth - 1 : 5);
	resolve(b);
	b->starts[b->count] = b->len;
	b->depths[b->count++] = b->depth;
	emit(b, op);
	b->depth -= row->pops + args;
	if (op == NT_OP_PRINTF)
		emit_printf(b, args);
	else if (op == NT_OP_EXT || op == NT_OP_ZERO_EXT)
		emit(b, below(200) ? 1 + below(64) : below(70));
	else if (op == NT_OP_PICK)
		emit(b, nearly(b->depth));
	else if (op == NT_OP_GOTO || op == NT_OP_IF_GOTO)
		emit_jump(b);
	else if (row->operand == 2)
		emit16(b, nearly(32));
	else
		for (uint32_t i = 0; i < row->operand; i++)
			emit(b, below(8) ? below(256) : 0);
	b->depth += row->pushes;
}

static void build(struct builder *b)
{
	/* Short ones run to their end more often; tall ones come near the top of the stack. */
	uint32_t wanted = 1 + below(below(4) ? 60 : MAX_CODE - 1);

	memset(b, 0, sizeof(*b));
	for (uint32_t i = 0; i < sizeof(b->header); i++)
		b->header[i] = (uint8_t)below(256);
	b->tall = below(20) == 0;
	while (b->len < wanted && b->count < MAX_CODE)
		add_instruction(b);
	resolve(b);
	for (uint32_t i = 0; i < b->pending; i++)
		patch16(b, b->fixups[i], b->len);
	emit(b, NT_OP_END);
}

static void run_one(struct builder *b)
{
	uint8_t *data;

	build(b);
	data = malloc(sizeof(b->header) + b->len);
	memcpy(data, b->header, sizeof(b->header));
	memcpy(data + sizeof(b->header), b->bytes, b->len);
	if (below(4) == 0)
		data[below(4 + b->len)] = (uint8_t)below(256);
	LLVMFuzzerTestOneInput(data, sizeof(b->header) + b->len);
	free(data);
}

static void replay(const char *path)
{
	uint8_t data[65536];
	FILE *file = fopen(path, "rb");

	if (!file)
		err(1, "%s", path);
	LLVMFuzzerTestOneInput(data, fread(data, 1, sizeof(data), file));
	fclose(file);
}

int main(int argc, char **argv)
{
	struct builder *b = malloc(sizeof(*b));
	time_t seconds = argc > 1 ? atoi(argv[1]) : 10;
	uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 0) : (uint64_t)time(NULL);
	time_t end = time(NULL) + seconds;
	unsigned long runs = 0;

	/* Said first: whoever sees it fail can have it again. */
	fprintf(stderr, "seed %llu\n", (unsigned long long)seed);
	state = seed * 2 + 1;
	for (int i = 3; i < argc; i++, runs++)
		replay(argv[i]);
	while (time(NULL) < end)
		for (int i = 0; i < 500; i++, runs++)
			run_one(b);
	printf("%lu runs, %lu accepted\n", runs, agent_fuzz_accepted);
	free(b);
	return 0;
}
