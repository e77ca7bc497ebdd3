// SPDX-License-Identifier: GPL-2.0
/*
 * Agent expressions as text.
 */
#include "agent_code.h"
#include "agent.h"

struct text {
	char *buf;
	u32 size;
	u32 used;
};

static void put(struct text *t, const char *word)
{
	for (; *word && t->used + 1 < t->size; word++)
		t->buf[t->used++] = *word;
	t->buf[t->used] = '\0';
}

static void put_number(struct text *t, u64 value, u32 columns)
{
	char digits[21];
	u32 i = sizeof(digits) - 1;

	digits[i] = '\0';
	do {
		digits[--i] = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	for (; columns > sizeof(digits) - 1 - i; columns--)
		put(t, " ");
	put(t, digits + i);
}

static void put_format(struct text *t, const u8 *format, u32 len)
{
	char ch[2] = {0, 0};
	u32 i;

	put(t, " \"");
	for (i = 0; i < len && format[i]; i++) {
		ch[0] = format[i] >= ' ' && format[i] < 0x7f ? (char)format[i] : '?';
		put(t, ch);
	}
	put(t, "\", ");
}

u32 nt_agent_disasm(const u8 *code, u32 len, u32 at, char *buf, u32 size)
{
	const struct nt_agent_opcode *row;
	struct text t = {buf, size, 0};
	struct nt_agent_insn insn;

	put(&t, "");
	if (at >= len)
		return 0;
	put_number(&t, at, 3);
	put(&t, "  ");
	row = nt_agent_opcode(code[at]);
	if (!row) {
		put(&t, "<bad opcode ");
		put_number(&t, code[at], 0);
		put(&t, ">");
		return 1;
	}
	if (row->reserved) {
		put(&t, row->name);
		return 1;
	}
	if (nt_agent_decode(code, len, at, &insn)) {
		put(&t, "<incomplete opcode ");
		put(&t, row->name);
		put(&t, ">");
		return len - at;
	}
	put(&t, row->name);
	if (code[at] == NT_OP_PRINTF) {
		put_format(&t, code + insn.text, insn.text_len);
		put_number(&t, insn.operand, 0);
		put(&t, " args");
	} else if (row->operand) {
		put(&t, " ");
		put_number(&t, insn.operand, 0);
	}
	return insn.size;
}
