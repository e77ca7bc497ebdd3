/* SPDX-License-Identifier: GPL-2.0 */
/* Between the planner and the emulator. */
#ifndef NT_CORE_OOL_EMULATE_H
#define NT_CORE_OOL_EMULATE_H

#include "ool.h"

#define NT_OOL_NO_REG 0xff

enum nt_ool_op {
	NT_OP_NOP,
	NT_OP_PUSH, /* src or imm */
	NT_OP_POP,  /* dst */
	NT_OP_LEAVE,
	NT_OP_MOV, /* dst, src or imm */
	NT_OP_LEA, /* dst, src + index << scale + imm */
	NT_OP_ADD, /* dst, src or imm */
	NT_OP_SUB,
	NT_OP_CMP,
	NT_OP_JMP,	/* imm */
	NT_OP_JCC,	/* cond, imm */
	NT_OP_LOOP,	/* cond, imm */
	NT_OP_CALL,	/* imm */
	NT_OP_JMP_REG,	/* src */
	NT_OP_CALL_REG, /* src */
	NT_OP_JMP_MEM,	/* operand as lea's */
	NT_OP_CALL_MEM,
	NT_OP_RET, /* imm: bytes of arguments to drop */
};

/* Operands for the emulator; false when the instruction is none of those it knows. */
bool nt_ool_emulation(const struct nt_insn *insn, u64 addr, struct nt_ool_emulation *out);

#endif
