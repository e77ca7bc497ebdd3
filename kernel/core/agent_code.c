// SPDX-License-Identifier: GPL-2.0
/*
 * The opcode table of agent expressions and the decoder built on it.
 */
#include "agent_code.h"
#include "agent.h"

#define ROW(op, name, operand, pops, pushes, uses) [op] = {name, operand, pops, pushes, uses, false}
#define RESERVED(op, name, pops, pushes) [op] = {name, 0, pops, pushes, 0, true}

static const struct nt_agent_opcode table[] = {
    RESERVED(NT_OP_FLOAT, "float", 0, 0),
    ROW(NT_OP_ADD, "add", 0, 2, 1, 0),
    ROW(NT_OP_SUB, "sub", 0, 2, 1, 0),
    ROW(NT_OP_MUL, "mul", 0, 2, 1, 0),
    ROW(NT_OP_DIV_SIGNED, "div_signed", 0, 2, 1, 0),
    ROW(NT_OP_DIV_UNSIGNED, "div_unsigned", 0, 2, 1, 0),
    ROW(NT_OP_REM_SIGNED, "rem_signed", 0, 2, 1, 0),
    ROW(NT_OP_REM_UNSIGNED, "rem_unsigned", 0, 2, 1, 0),
    ROW(NT_OP_LSH, "lsh", 0, 2, 1, 0),
    ROW(NT_OP_RSH_SIGNED, "rsh_signed", 0, 2, 1, 0),
    ROW(NT_OP_RSH_UNSIGNED, "rsh_unsigned", 0, 2, 1, 0),
    ROW(NT_OP_TRACE, "trace", 0, 2, 0, NT_AGENT_USE_TRACE),
    ROW(NT_OP_TRACE_QUICK, "trace_quick", 1, 1, 1, NT_AGENT_USE_TRACE),
    ROW(NT_OP_LOG_NOT, "log_not", 0, 1, 1, 0),
    ROW(NT_OP_BIT_AND, "bit_and", 0, 2, 1, 0),
    ROW(NT_OP_BIT_OR, "bit_or", 0, 2, 1, 0),
    ROW(NT_OP_BIT_XOR, "bit_xor", 0, 2, 1, 0),
    ROW(NT_OP_BIT_NOT, "bit_not", 0, 1, 1, 0),
    ROW(NT_OP_EQUAL, "equal", 0, 2, 1, 0),
    ROW(NT_OP_LESS_SIGNED, "less_signed", 0, 2, 1, 0),
    ROW(NT_OP_LESS_UNSIGNED, "less_unsigned", 0, 2, 1, 0),
    ROW(NT_OP_EXT, "ext", 1, 1, 1, 0),
    ROW(NT_OP_REF8, "ref8", 0, 1, 1, NT_AGENT_USE_MEMORY),
    ROW(NT_OP_REF16, "ref16", 0, 1, 1, NT_AGENT_USE_MEMORY),
    ROW(NT_OP_REF32, "ref32", 0, 1, 1, NT_AGENT_USE_MEMORY),
    ROW(NT_OP_REF64, "ref64", 0, 1, 1, NT_AGENT_USE_MEMORY),
    RESERVED(NT_OP_REF_FLOAT, "ref_float", 1, 1),
    RESERVED(NT_OP_REF_DOUBLE, "ref_double", 1, 1),
    RESERVED(NT_OP_REF_LONG_DOUBLE, "ref_long_double", 1, 1),
    RESERVED(NT_OP_L_TO_D, "l_to_d", 1, 1),
    RESERVED(NT_OP_D_TO_L, "d_to_l", 1, 1),
    ROW(NT_OP_IF_GOTO, "if_goto", 2, 1, 0, 0),
    ROW(NT_OP_GOTO, "goto", 2, 0, 0, 0),
    ROW(NT_OP_CONST8, "const8", 1, 0, 1, 0),
    ROW(NT_OP_CONST16, "const16", 2, 0, 1, 0),
    ROW(NT_OP_CONST32, "const32", 4, 0, 1, 0),
    ROW(NT_OP_CONST64, "const64", 8, 0, 1, 0),
    ROW(NT_OP_REG, "reg", 2, 0, 1, NT_AGENT_USE_REGISTER),
    ROW(NT_OP_END, "end", 0, 0, 0, 0),
    ROW(NT_OP_DUP, "dup", 0, 1, 2, 0),
    ROW(NT_OP_POP, "pop", 0, 1, 0, 0),
    ROW(NT_OP_ZERO_EXT, "zero_ext", 1, 1, 1, 0),
    ROW(NT_OP_SWAP, "swap", 0, 2, 2, 0),
    ROW(NT_OP_GETV, "getv", 2, 0, 1, NT_AGENT_USE_GETVAR),
    ROW(NT_OP_SETV, "setv", 2, 1, 1, NT_AGENT_USE_SETVAR),
    /* gdb's table says it pushes; gdbserver, whose word counts, pushes nothing. */
    ROW(NT_OP_TRACEV, "tracev", 2, 0, 0, NT_AGENT_USE_TRACE),
    ROW(NT_OP_TRACENZ, "tracenz", 0, 2, 0, NT_AGENT_USE_TRACE | NT_AGENT_USE_MEMORY),
    ROW(NT_OP_TRACE16, "trace16", 2, 1, 1, NT_AGENT_USE_TRACE),
    ROW(NT_OP_PICK, "pick", 1, 0, 1, 0),
    ROW(NT_OP_ROT, "rot", 0, 3, 3, 0),
    ROW(NT_OP_PRINTF, "printf", 3, 2, 0, NT_AGENT_USE_PRINT | NT_AGENT_USE_MEMORY),
};

const struct nt_agent_opcode *nt_agent_opcode(u8 op)
{
	if (op >= sizeof(table) / sizeof(table[0]) || !table[op].name)
		return NULL;
	return &table[op];
}

int nt_agent_decode(const u8 *code, u32 len, u32 at, struct nt_agent_insn *insn)
{
	const struct nt_agent_opcode *row = nt_agent_opcode(code[at]);
	u32 left = len - at - 1;
	u32 i;

	if (!row)
		return NT_AGENT_E_OPCODE;
	if (row->reserved)
		return NT_AGENT_E_UNSUPPORTED;
	if (left < row->operand)
		return NT_AGENT_E_TRUNCATED;

	insn->row = row;
	insn->size = 1u + row->operand;
	insn->pops = row->pops;
	insn->operand = 0;
	for (i = 0; i < row->operand; i++)
		insn->operand = insn->operand << 8 | code[at + 1 + i];

	if (code[at] == NT_OP_PRINTF) {
		insn->text = at + insn->size;
		insn->text_len = (u32)insn->operand & 0xffff;
		insn->operand >>= 16;
		insn->pops += (u32)insn->operand;
		insn->size += insn->text_len;
		if (left < insn->size - 1)
			return NT_AGENT_E_TRUNCATED;
	}
	return 0;
}
