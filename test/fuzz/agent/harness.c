// SPDX-License-Identifier: GPL-2.0
/*
 * Fuzzes the verifier, the interpreter and the compiler of agent expressions.
 *
 * Input: four bytes that choose limits and surroundings, then the code. What
 * the verifier lets through must never meet an error of the code itself, must
 * keep to the budget, and must end without one when it has no loop; what it
 * does not let through may fail in any way, but cleanly. So may what is compiled,
 * whose length does not depend on its place, nor a thread's way out of it on its room.
 */
#include "harness.h"
#include "agent.h"
#include "agent_pad.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REGISTERS 40
#define VARIABLES 32
#define HEADER 4

struct world {
	u64 noise; /* state of what reads answer */
	u32 calls;
	u32 unreadable; /* one read in so many fails; 0: none does */
	u64 written;	/* digest of all that went out */
};

unsigned long agent_fuzz_accepted;

#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "does not hold: %s\n", #condition);                        \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

static u64 noise(struct world *w)
{
	w->noise ^= w->noise << 13;
	w->noise ^= w->noise >> 7;
	w->noise ^= w->noise << 17;
	return w->noise;
}

static int called(struct world *w)
{
	w->calls++;
	return w->unreadable && noise(w) % w->unreadable == 0;
}

static void digest(struct world *w, u64 value)
{
	w->written = (w->written ^ value) * 0x100000001b3ull;
}

static int read_reg(void *ctx, u32 number, u64 *value)
{
	struct world *w = ctx;

	w->calls++;
	*value = noise(w) >> (number % 64);
	return number >= REGISTERS;
}

static int read_mem(void *ctx, u64 addr, void *buf, u32 len)
{
	struct world *w = ctx;

	CHECK(len >= 1 && len <= 64);
	CHECK(len <= 8 || addr / 64 == (addr + len - 1) / 64);
	for (u32 i = 0; i < len; i++)
		((u8 *)buf)[i] = (u8)noise(w);
	return called(w);
}

static int trace_mem(void *ctx, u64 addr, u64 len)
{
	CHECK(len);
	digest(ctx, addr);
	digest(ctx, len);
	return called(ctx);
}

static int trace_var(void *ctx, u32 number)
{
	digest(ctx, number);
	return called(ctx);
}

static int get_var(void *ctx, u32 number, u64 *value)
{
	*value = noise(ctx) + number;
	return called(ctx);
}

static int set_var(void *ctx, u32 number, u64 value)
{
	digest(ctx, value + number);
	return called(ctx);
}

static int print(void *ctx, const char *text, u32 len)
{
	CHECK(len >= 1 && len <= NT_AGENT_PRINT_MAX);
	for (u32 i = 0; i < len; i++)
		digest(ctx, (u8)text[i]);
	return called(ctx);
}

static const struct nt_agent_ops ops = {
    read_reg, read_mem, trace_mem, trace_var, get_var, set_var, print,
};

static void disassemble(const u8 *code, u32 len, u32 size)
{
	char *text = malloc(size);
	u32 at = 0;
	u32 step;

	while ((step = nt_agent_disasm(code, len, at, text, size))) {
		CHECK(memchr(text, '\0', size));
		at += step;
	}
	CHECK(at == len);
	free(text);
}

/* An error that verified code must not meet, whatever its surroundings do. */
static bool is_fault_of_code(int error)
{
	return error <= NT_AGENT_E_EMPTY && error > NT_AGENT_E_BUDGET;
}

static void evaluate(const u8 *code, u32 len, const u8 *header, int verdict,
		     const struct nt_agent_limits *limits, const struct nt_agent_info *info)
{
	u64 seed = 0x9e3779b97f4a7c15ull ^ header[2];
	struct world first = {.noise = seed, .unreadable = header[3] & 128 ? header[3] & 127 : 0};
	struct world second = first;
	u32 budget = header[1] * 16u;
	u64 *result = limits->need_result ? &(u64){0} : NULL;
	u64 again = 0;
	u32 at = 0, at_again = 0;
	int error = nt_agent_eval(code, len, &ops, &first, budget, result, &at);

	CHECK(error <= 0 && error >= NT_AGENT_E_SINK);
	CHECK(!error || at < len || !len);
	CHECK(first.calls <= budget);
	CHECK(nt_agent_eval(code, len, &ops, &second, budget, result ? &again : NULL, &at_again) ==
	      error);
	CHECK(at == at_again && first.written == second.written);
	CHECK(error || !result || *result == again);

	if (verdict)
		return;
	CHECK(!is_fault_of_code(error));
	if (!(info->uses & (NT_AGENT_USE_LOOP | NT_AGENT_USE_TRACE | NT_AGENT_USE_PRINT)) &&
	    budget >= info->reachable)
		CHECK(error != NT_AGENT_E_BUDGET);
}

static int read_saved(void *context, u64 addr, void *to, u32 size)
{
	(void)context;
	CHECK(size % 8 == 0 && size <= 40);
	for (u32 i = 0; i < size; i++)
		((u8 *)to)[i] = (u8)(addr + i);
	return 0;
}

static void compile(const u8 *code, u32 len, u32 room, int verdict)
{
	static const u8 registers[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, NT_PAD_RIP, NT_PAD_NO_REG, 77};
	struct nt_ool_ops memory = {read_saved, NULL, NULL};
	struct nt_pad_code codes[] = {{code, len}, {code, len}};
	struct nt_pad low = {.at = 0x1000}, high = {.at = 0x7f0000000123, .addr = 0x7f0000000000};
	u32 *work = malloc(len * sizeof(*work));
	u8 *out = malloc(room), *again = malloc(room);

	if (nt_pad_build(&low, codes, 2, registers, sizeof(registers), work, out, room)) {
		CHECK(
		    nt_pad_build(&high, codes, 2, registers, sizeof(registers), work, again, room));
		CHECK(low.length == high.length && low.length <= room && low.length <= NT_PAD_MAX);
		CHECK(low.commit == high.commit && low.leave == high.leave);
		CHECK(low.commit < low.leave && low.leave < low.give && low.give < low.trap);
		CHECK(out[low.trap] == 0xcc && low.trap + 1 == low.length);
		for (u32 at = 0; at <= low.length + 1; at++) {
			struct nt_ool_regs regs = {.ip = low.at + at};
			u8 place = nt_pad_leave(&low, &regs, &memory);

			CHECK(place != NT_PAD_FAULT);
			CHECK(place == NT_PAD_OUTSIDE || regs.ip - low.addr <= 1);
			CHECK((place == NT_PAD_TRAPPED) == (at == low.length));
		}
		/* whatever does not end, or takes what is not there, is not compiled */
		CHECK(verdict != NT_AGENT_E_EMPTY && verdict != NT_AGENT_E_TRUNCATED);
	}
	free(again);
	free(out);
	free(work);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct nt_agent_limits limits = {
	    .max_len = NT_AGENT_MAX_LEN, .registers = REGISTERS, .variables = VARIABLES};
	struct nt_agent_info info;
	u64 registers = ~0ull;
	u32 at = 0;
	u32 len;
	u8 *code;
	int verdict;

	if (size < HEADER || size > NT_AGENT_MAX_LEN)
		return 0;
	/* Blocks of exactly that size: a byte too far is seen. */
	len = (u32)size - HEADER;
	code = malloc(len);
	memcpy(code, data + HEADER, len);
	limits.work = malloc(len);
	limits.work_len = len;
	limits.need_result = data[0] & 1;
	limits.register_set = data[0] & 2 ? &registers : NULL;
	limits.allow = (data[0] & 12) == 12 ? NT_AGENT_ALLOW_CONDITION : ~0u;

	verdict = nt_agent_verify(code, len, &limits, &info, &at);
	CHECK(verdict <= 0 && verdict > NT_AGENT_E_BUDGET);
	CHECK(!verdict || at < len || !len);
	if (!verdict) {
		agent_fuzz_accepted++;
		CHECK(info.max_depth <= NT_AGENT_STACK);
		CHECK(info.reachable <= info.instructions && info.instructions <= len);
		CHECK(!limits.need_result || info.end_depth);
	}
	evaluate(code, len, data, verdict, &limits, &info);
	compile(code, len, 64u + 16u * data[1], verdict);
	disassemble(code, len, 1u + data[0] % 64);
	free(limits.work);
	free(code);
	return 0;
}
