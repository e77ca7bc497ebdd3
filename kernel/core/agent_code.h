/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The encoding of agent expressions: opcodes, and what each takes and leaves.
 * Shared by verifier, interpreter and disassembler.
 */
#ifndef _NT_CORE_AGENT_CODE_H
#define _NT_CORE_AGENT_CODE_H

#include "types.h"

enum nt_agent_op {
	NT_OP_FLOAT = 0x01,
	NT_OP_ADD = 0x02,
	NT_OP_SUB = 0x03,
	NT_OP_MUL = 0x04,
	NT_OP_DIV_SIGNED = 0x05,
	NT_OP_DIV_UNSIGNED = 0x06,
	NT_OP_REM_SIGNED = 0x07,
	NT_OP_REM_UNSIGNED = 0x08,
	NT_OP_LSH = 0x09,
	NT_OP_RSH_SIGNED = 0x0a,
	NT_OP_RSH_UNSIGNED = 0x0b,
	NT_OP_TRACE = 0x0c,
	NT_OP_TRACE_QUICK = 0x0d,
	NT_OP_LOG_NOT = 0x0e,
	NT_OP_BIT_AND = 0x0f,
	NT_OP_BIT_OR = 0x10,
	NT_OP_BIT_XOR = 0x11,
	NT_OP_BIT_NOT = 0x12,
	NT_OP_EQUAL = 0x13,
	NT_OP_LESS_SIGNED = 0x14,
	NT_OP_LESS_UNSIGNED = 0x15,
	NT_OP_EXT = 0x16,
	NT_OP_REF8 = 0x17,
	NT_OP_REF16 = 0x18,
	NT_OP_REF32 = 0x19,
	NT_OP_REF64 = 0x1a,
	NT_OP_REF_FLOAT = 0x1b,
	NT_OP_REF_DOUBLE = 0x1c,
	NT_OP_REF_LONG_DOUBLE = 0x1d,
	NT_OP_L_TO_D = 0x1e,
	NT_OP_D_TO_L = 0x1f,
	NT_OP_IF_GOTO = 0x20,
	NT_OP_GOTO = 0x21,
	NT_OP_CONST8 = 0x22,
	NT_OP_CONST16 = 0x23,
	NT_OP_CONST32 = 0x24,
	NT_OP_CONST64 = 0x25,
	NT_OP_REG = 0x26,
	NT_OP_END = 0x27,
	NT_OP_DUP = 0x28,
	NT_OP_POP = 0x29,
	NT_OP_ZERO_EXT = 0x2a,
	NT_OP_SWAP = 0x2b,
	NT_OP_GETV = 0x2c,
	NT_OP_SETV = 0x2d,
	NT_OP_TRACEV = 0x2e,
	NT_OP_TRACENZ = 0x2f,
	NT_OP_TRACE16 = 0x30,
	NT_OP_PICK = 0x32,
	NT_OP_ROT = 0x33,
	NT_OP_PRINTF = 0x34,
};

/**
 * struct nt_agent_opcode - one row of the opcode table.
 * @name: as gdb prints it.
 * @operand: bytes that follow the opcode; printf's string comes on top.
 * @pops: entries taken; printf's arguments come on top, pick looks deeper.
 * @pushes: entries left.
 * @uses: NT_AGENT_USE_*.
 * @reserved: defined, but neither gdb emits nor gdbserver executes it.
 */
struct nt_agent_opcode {
	const char *name;
	u8 operand;
	u8 pops;
	u8 pushes;
	u8 uses;
	bool reserved;
};

/* The row of an opcode, NULL if there is no such opcode. */
const struct nt_agent_opcode *nt_agent_opcode(u8 op);

/**
 * struct nt_agent_insn - one instruction, decoded.
 * @row: of the opcode table.
 * @size: bytes, opcode and operands.
 * @pops: entries taken from the stack, printf's arguments included.
 * @operand: value of the operand; printf: number of arguments.
 * @text: printf: offset of the format within the code.
 * @text_len: printf: its bytes, the NUL included.
 */
struct nt_agent_insn {
	const struct nt_agent_opcode *row;
	u32 size;
	u32 pops;
	u64 operand;
	u32 text;
	u32 text_len;
};

/* Decode the instruction at @at < @len. Return: 0, E_OPCODE, E_UNSUPPORTED or E_TRUNCATED. */
int nt_agent_decode(const u8 *code, u32 len, u32 at, struct nt_agent_insn *insn);

#endif /* _NT_CORE_AGENT_CODE_H */
