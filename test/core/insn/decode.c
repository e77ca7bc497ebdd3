// SPDX-License-Identifier: GPL-2.0
/*
 * Shows decodings and plans. Usage: decode 32|64 ADDR SLOT HEX...; numbers as strtoull takes them.
 * Output: a JSON object a line.
 */
#include "ool.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static u32 parse(const char *hex, u8 *bytes, u32 room)
{
	u32 n = 0;
	unsigned byte;

	for (; n < room && sscanf(hex, "%2x", &byte) == 1; hex += 2)
		bytes[n++] = byte;
	return n;
}

static void show(const u8 *bytes, u32 n, u64 addr, u64 slot, bool mode64)
{
	struct nt_insn insn;
	struct nt_ool_plan plan;

	nt_insn_decode(bytes, n, mode64, &insn);
	nt_ool_plan(bytes, n, addr, slot, mode64, &plan);
	printf("{\"length\":%u,\"encoding\":%u,\"map\":%u,\"opcode\":%u,\"branch\":%u,"
	       "\"flags\":%u,\"dispAt\":%u,\"dispSize\":%u,\"immAt\":%u,\"immSize\":%u,",
	       insn.length, insn.encoding, insn.map, insn.opcode, insn.branch, insn.flags,
	       insn.disp_at, insn.disp_size, insn.imm_at, insn.imm_size);
	printf("\"class\":%u,\"slotClass\":%u,\"reason\":%u,\"code\":\"", plan.cls, plan.slot_cls,
	       plan.reason);
	for (u32 i = 0; i < plan.code_length; i++)
		printf("%02x", plan.code[i]);
	printf("\",\"marks\":[");
	for (u32 i = 0; i < plan.mark_count; i++)
		printf("%s[%u,%u,%u]", i ? "," : "", plan.marks[i].offset, plan.marks[i].sp,
		       plan.marks[i].done);
	puts("]}");
}

int main(int argc, char **argv)
{
	u8 bytes[NT_INSN_MAX + 5];

	if (argc < 5) {
		fprintf(stderr, "usage: decode 32|64 ADDR SLOT HEX...\n");
		return 2;
	}
	for (int i = 4; i < argc; i++)
		show(bytes, parse(argv[i], bytes, sizeof(bytes)), strtoull(argv[2], NULL, 0),
		     strtoull(argv[3], NULL, 0), strcmp(argv[1], "64") == 0);
	return 0;
}
