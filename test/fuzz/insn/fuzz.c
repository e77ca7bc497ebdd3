// SPDX-License-Identifier: GPL-2.0
/*
 * Any bytes into the decoder and the planner: what must hold for all of them. For libFuzzer
 * (clang -fsanitize=fuzzer,address,undefined) or driver.c. A failed check aborts.
 */
#include "ool.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEADER 18 /* mode, failing callbacks, addr, slot */

#define CHECK(what)                                                                                \
	do {                                                                                       \
		if (!(what))                                                                       \
			broken(#what, __LINE__);                                                   \
	} while (0)

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static _Noreturn void broken(const char *what, int line)
{
	fprintf(stderr, "fuzz.c:%d: does not hold: %s\n", line, what);
	abort();
}

/* Memory that is there or not, in turn as the input says. */
struct world {
	u8 fails, fill;
};

static bool failing(struct world *world)
{
	bool now = world->fails & 1;

	world->fails = world->fails >> 1 | world->fails << 7;
	return now;
}

static int read_memory(void *context, u64 addr, void *to, u32 size)
{
	struct world *world = context;

	(void)addr;
	if (failing(world))
		return -1;
	memset(to, world->fill, size);
	return 0;
}

static int write_memory(void *context, u64 addr, const void *from, u32 size)
{
	struct world *world = context;

	(void)addr;
	if (failing(world))
		return -1;
	world->fill ^= ((const u8 *)from)[size - 1];
	return 0;
}

static void check_length(const u8 *bytes, u32 size, bool mode64, struct nt_insn *insn)
{
	u8 longer[NT_INSN_MAX + 1];
	struct nt_insn again;
	u32 length = nt_insn_decode(bytes, size, mode64, insn);

	CHECK(length == insn->length && length <= size && length <= NT_INSN_MAX);
	if (!length)
		return;
	for (u32 cut = 0; cut < length; cut++)
		CHECK(nt_insn_decode(bytes, cut, mode64, &again) == 0);
	memset(longer, 0xff, sizeof(longer));
	memcpy(longer, bytes, length);
	CHECK(nt_insn_decode(longer, sizeof(longer), mode64, &again) == length);
	CHECK(again.map == insn->map && again.opcode == insn->opcode);
	CHECK(again.flags == insn->flags && again.branch == insn->branch);
	CHECK(again.disp == insn->disp && again.imm == insn->imm);
	CHECK(insn->opcode_at < length && insn->modrm_at < length);
	CHECK(insn->disp_at + insn->disp_size <= length && insn->imm_at + insn->imm_size <= length);
}

/* Where a jump that the planner wrote goes. */
static u64 jump_target(const struct nt_ool_plan *plan, const struct nt_insn *jump, u32 at)
{
	u64 target = 0;
	u32 literal = at + jump->length + (u32)jump->disp;

	if (jump->branch != NT_BR_JMP_IND)
		return nt_insn_target(jump, plan->slot + at);
	CHECK(jump->flags & NT_INSN_RIP && literal <= NT_OOL_SLOT - 8 && literal % 8 == 0);
	memcpy(&target, plan->code + literal, 8);
	return target;
}

/* Marks lie on instructions of the slot; its own jumps go to the program's addresses. */
static void check_code(const struct nt_ool_plan *plan, const struct nt_insn *insn, u64 target)
{
	u32 end = plan->code_length - plan->literals;
	u32 at = 0, marks = 0, last = 0;
	struct nt_insn code;

	CHECK(plan->code_length <= NT_OOL_SLOT && plan->mark_count > 0);
	CHECK(plan->marks[0].offset == 0 && plan->marks[0].pc == plan->addr);
	while (marks < plan->mark_count || at < last) {
		if (marks < plan->mark_count && plan->marks[marks].offset == at)
			marks++;
		if (marks == plan->mark_count)
			break;
		CHECK(at < end);
		CHECK(nt_insn_decode(plan->code + at, end - at, plan->mode64, &code) > 0);
		at += code.length;
		last = at;
	}
	CHECK(marks == plan->mark_count);
	if (plan->marks[marks - 1].offset >= end)
		return; /* the int3 of a system call */
	at = plan->marks[marks - 1].offset;
	while (at < end && nt_insn_decode(plan->code + at, end - at, plan->mode64, &code)) {
		bool ours =
		    code.branch == NT_BR_JMP ||
		    (code.branch == NT_BR_JMP_IND && code.flags & NT_INSN_RIP && plan->literals);

		if (ours && insn->branch != NT_BR_JMP_IND) {
			u64 to = jump_target(plan, &code, at);

			CHECK(to == plan->next || to == target);
		}
		at += code.length;
	}
}

/* The copy means the same address. */
static void check_operand(const struct nt_ool_plan *plan, const struct nt_insn *insn)
{
	struct nt_insn copy;
	u64 mask = insn->prefixes & NT_PFX_ADDR ? 0xffffffff : ~0ull;

	if (!(insn->flags & NT_INSN_RIP))
		return;
	CHECK(nt_insn_decode(plan->code, NT_OOL_SLOT, plan->mode64, &copy) == insn->length);
	CHECK(((plan->slot + (u64)(s64)copy.disp - plan->addr - (u64)(s64)insn->disp) & mask) == 0);
}

static void check_positions(const struct nt_ool_plan *plan, struct world *world, u64 target)
{
	struct nt_ool_ops ops = {read_memory, write_memory, world};

	for (u32 at = 0; at < NT_OOL_SLOT + 2; at++) {
		struct nt_ool_regs regs = {.ip = plan->slot + at, .flags = 0x302};
		struct nt_ool_regs fixed = regs, before = regs;
		u8 result = nt_ool_rewind(plan, &regs);
		u8 fix = nt_ool_fixup(plan, &fixed, &ops, at & 3);

		CHECK(result != NT_OOL_AGAIN && result != NT_OOL_FAULT);
		if (result == NT_OOL_ELSEWHERE)
			CHECK(memcmp(&regs, &before, sizeof(regs)) == 0);
		else
			CHECK(regs.ip == plan->addr || regs.ip == plan->next || regs.ip == target);
		if (fix == NT_OOL_AGAIN || fix == NT_OOL_FAULT || fix == NT_OOL_ELSEWHERE)
			CHECK(memcmp(&fixed, &before, sizeof(fixed)) == 0);
		CHECK(nt_ool_address(plan, plan->slot + at) ==
		      (result == NT_OOL_ELSEWHERE ? plan->slot + at : regs.ip));
	}
}

static void check_emulation(const struct nt_ool_plan *plan, struct world *world, u64 seed)
{
	struct nt_ool_ops ops = {read_memory, write_memory, world};
	struct nt_ool_regs regs, before;

	for (u32 i = 0; i < 16; i++)
		regs.gpr[i] = (seed = seed * 6364136223846793005ull + 1442695040888963407ull) >>
			      (i & 1 ? 20 : 0);
	regs.ip = plan->addr;
	regs.flags = 0x202 | (seed & 0xcd5);
	before = regs;
	if (!nt_ool_emulate(plan, &regs, &ops))
		CHECK(memcmp(&regs, &before, sizeof(regs)) == 0);
	else
		CHECK(plan->cls == NT_OOL_EMULATE);
}

static void check_plan(const u8 *bytes, u32 size, const struct nt_insn *insn, const u8 *header)
{
	struct world world = {header[1], header[0]};
	struct nt_ool_plan plan;
	u64 addr, slot, target;

	memcpy(&addr, header + 2, 8);
	memcpy(&slot, header + 10, 8);
	if (header[0] & 2) /* most slots are near */
		slot = (addr & ~31ull) + (s32)slot / 2;
	if (!insn->mode64) {
		addr = (u32)addr;
		slot = (u32)slot;
	}
	slot &= header[0] & 4 ? ~0ull : ~31ull;
	if (!insn->mode64 && slot > 0xffffff00)
		slot = 0;
	nt_ool_plan(bytes, size, addr, slot, insn->mode64, &plan);
	target = nt_insn_target(insn, addr);

	CHECK(plan.length == insn->length && plan.mark_count <= NT_OOL_MARKS);
	CHECK((plan.slot_cls == NT_OOL_REFUSE) == (plan.reason != NT_OOL_OK));
	CHECK(plan.cls == NT_OOL_EMULATE || plan.cls == plan.slot_cls);
	CHECK(insn->length || plan.reason == NT_OOL_INVALID);
	if (plan.slot_cls != NT_OOL_REFUSE) {
		check_code(&plan, insn, target);
		check_operand(&plan, insn);
		check_positions(&plan, &world, target);
	} else {
		CHECK(plan.mark_count == 0);
	}
	check_emulation(&plan, &world, addr ^ slot);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct nt_insn insn;
	u8 *bytes;
	u32 count;

	if (size < HEADER || size > HEADER + 32)
		return 0;
	count = size - HEADER;
	bytes = malloc(count ? count : 1); /* exactly: a byte beyond is caught */
	memcpy(bytes, data + HEADER, count);
	check_length(bytes, count, data[0] & 1, &insn);
	check_plan(bytes, count, &insn, data);
	free(bytes);
	return 0;
}
