// SPDX-License-Identifier: GPL-2.0
/* Which instructions are emulated, and their operands. */
#include "ool_emulate.h"

static u8 rm_register(const struct nt_insn *insn)
{
	return nt_insn_rm(insn) | (insn->rex & NT_REX_B ? 8 : 0);
}

static u8 reg_register(const struct nt_insn *insn)
{
	return nt_insn_reg(insn) | (insn->rex & NT_REX_R ? 8 : 0);
}

static u8 opcode_register(const struct nt_insn *insn)
{
	return (insn->opcode & 7) | (insn->rex & NT_REX_B ? 8 : 0);
}

static u8 stack_size(const struct nt_insn *insn)
{
	return insn->mode64 ? 8 : 4;
}

/* base + index << scale + imm; an operand relative to rip becomes a number. */
static bool operand(const struct nt_insn *insn, u64 addr, struct nt_ool_emulation *out)
{
	u8 mod = nt_insn_mod(insn);
	u8 index;

	if (mod == 3 || insn->prefixes & NT_PFX_ADDR)
		return false;
	out->imm = (u64)(s64)insn->disp;
	if (insn->flags & NT_INSN_RIP) {
		out->imm += addr + insn->length;
		return true;
	}
	if (nt_insn_rm(insn) != 4) {
		if (mod != 0 || nt_insn_rm(insn) != 5)
			out->src = rm_register(insn);
		return true;
	}
	if (mod != 0 || (insn->sib & 7) != 5)
		out->src = (insn->sib & 7) | (insn->rex & NT_REX_B ? 8 : 0);
	index = ((insn->sib >> 3) & 7) | (insn->rex & NT_REX_X ? 8 : 0);
	if (index != 4) {
		out->index = index;
		out->scale = insn->sib >> 6;
	}
	return true;
}

static bool branch(const struct nt_insn *insn, u64 addr, struct nt_ool_emulation *out)
{
	bool through_memory = insn->flags & NT_INSN_MEM;
	bool call = insn->branch == NT_BR_CALL_IND;

	out->size = stack_size(insn);
	if (insn->prefixes & (NT_PFX_LOCK | NT_PFX_ADDR))
		return false;
	/* of loopne and loope: to some processors these are the condition */
	if (insn->branch == NT_BR_LOOP && insn->prefixes & (NT_PFX_REP | NT_PFX_REPNE))
		return false;
	switch (insn->branch) {
	case NT_BR_JMP:
	case NT_BR_CALL:
		out->op = insn->branch == NT_BR_JMP ? NT_OP_JMP : NT_OP_CALL;
		out->imm = nt_insn_target(insn, addr);
		return true;
	case NT_BR_JCC:
	case NT_BR_LOOP:
		out->op = insn->branch == NT_BR_JCC ? NT_OP_JCC : NT_OP_LOOP;
		out->cond = insn->branch == NT_BR_JCC ? insn->opcode & 0x0f : insn->opcode;
		out->imm = nt_insn_target(insn, addr);
		return true;
	case NT_BR_RET:
		out->op = NT_OP_RET;
		out->imm = insn->imm & 0xffff;
		return true;
	case NT_BR_JMP_IND:
	case NT_BR_CALL_IND:
		if (!through_memory) {
			out->op = call ? NT_OP_CALL_REG : NT_OP_JMP_REG;
			out->src = rm_register(insn);
			return true;
		}
		/* fs and gs have a base; in 32-bit code any segment may */
		if (insn->segment >= 0x64 || (insn->segment && !insn->mode64))
			return false;
		out->op = call ? NT_OP_CALL_MEM : NT_OP_JMP_MEM;
		return operand(insn, addr, out);
	}
	return false;
}

static void two_registers(const struct nt_insn *insn, u8 op, struct nt_ool_emulation *out)
{
	bool to_reg = insn->opcode & 2;

	out->op = op;
	out->dst = to_reg ? reg_register(insn) : rm_register(insn);
	out->src = to_reg ? rm_register(insn) : reg_register(insn);
}

static bool with_immediate(u8 op, u8 dst, u64 imm, struct nt_ool_emulation *out)
{
	out->op = op;
	out->dst = dst;
	out->imm = imm;
	return true;
}

static bool arithmetic_op(u8 number, u8 *op)
{
	/* and, or and xor leave AF undefined: the processor shall do them */
	switch (number) {
	case 0:
		*op = NT_OP_ADD;
		return true;
	case 5:
		*op = NT_OP_SUB;
		return true;
	case 7:
		*op = NT_OP_CMP;
		return true;
	}
	return false;
}

/* add, sub and cmp of registers and immediates, 4 and 8 bytes */
static bool arithmetic(const struct nt_insn *insn, struct nt_ool_emulation *out)
{
	u8 op;

	if (insn->opcode == 0x81 || insn->opcode == 0x83)
		return nt_insn_mod(insn) == 3 && arithmetic_op(nt_insn_reg(insn), &op) &&
		       with_immediate(op, rm_register(insn), insn->imm, out);
	if (insn->opcode >= 0x40 || !arithmetic_op(insn->opcode >> 3, &op))
		return false;
	switch (insn->opcode & 7) {
	case 1:
	case 3:
		two_registers(insn, op, out);
		return nt_insn_mod(insn) == 3;
	case 5:
		return with_immediate(op, 0, insn->imm, out);
	}
	return false;
}

static bool stack(const struct nt_insn *insn, struct nt_ool_emulation *out)
{
	out->size = stack_size(insn);
	if (insn->opcode >= 0x50 && insn->opcode <= 0x57) {
		out->op = NT_OP_PUSH;
		out->src = opcode_register(insn);
		return true;
	}
	if (insn->opcode >= 0x58 && insn->opcode <= 0x5f) {
		out->op = NT_OP_POP;
		out->dst = opcode_register(insn);
		return true;
	}
	if (insn->opcode == 0x68 || insn->opcode == 0x6a)
		return with_immediate(NT_OP_PUSH, NT_OOL_NO_REG, insn->imm, out);
	out->op = NT_OP_LEAVE;
	return insn->opcode == 0xc9;
}

/* One-byte opcodes without prefixes but REX. */
static bool one_byte(const struct nt_insn *insn, u64 addr, struct nt_ool_emulation *out)
{
	if (insn->flags & NT_INSN_STACK)
		return stack(insn, out);
	switch (insn->opcode) {
	case 0x89:
	case 0x8b:
		two_registers(insn, NT_OP_MOV, out);
		return nt_insn_mod(insn) == 3;
	case 0x8d:
		out->op = NT_OP_LEA;
		out->dst = reg_register(insn);
		return operand(insn, addr, out);
	case 0xc7:
		return nt_insn_mod(insn) == 3 &&
		       with_immediate(NT_OP_MOV, rm_register(insn), insn->imm, out);
	}
	if (insn->opcode >= 0xb8 && insn->opcode <= 0xbf)
		return with_immediate(NT_OP_MOV, opcode_register(insn), insn->imm, out);
	return arithmetic(insn, out);
}

/* nop with ModRM, endbr64 and endbr32, and the nops of one byte with any prefix but lock */
static bool no_operation(const struct nt_insn *insn)
{
	if (insn->prefixes & NT_PFX_LOCK)
		return false;
	if (insn->map == NT_MAP_1BYTE) /* with REX.B it is xchg %r8,%rax */
		return insn->opcode == 0x90 && !(insn->rex & NT_REX_B);
	if (insn->map != NT_MAP_0F)
		return false;
	if (insn->opcode == 0x1f)
		return true;
	return insn->opcode == 0x1e && insn->prefixes & NT_PFX_REP &&
	       (insn->modrm == 0xfa || insn->modrm == 0xfb);
}

bool nt_ool_emulation(const struct nt_insn *insn, u64 addr, struct nt_ool_emulation *out)
{
	struct nt_ool_emulation blank = {
	    .op = NT_OP_NOP,
	    .size = insn->rex & NT_REX_W ? 8 : 4,
	    .dst = NT_OOL_NO_REG,
	    .src = NT_OOL_NO_REG,
	    .index = NT_OOL_NO_REG,
	};

	*out = blank;
	if (insn->encoding != NT_ENC_LEGACY)
		return false;
	if (no_operation(insn))
		return true;
	if (insn->branch != NT_BR_NONE)
		return branch(insn, addr, out);
	return insn->map == NT_MAP_1BYTE && !insn->prefixes && one_byte(insn, addr, out);
}
