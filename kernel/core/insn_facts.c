// SPDX-License-Identifier: GPL-2.0
/* What a decoded instruction does to control flow, the stack, the flags and privilege. */
#include "insn.h"

static bool mem(const struct nt_insn *insn)
{
	return insn->flags & NT_INSN_MEM;
}

static void string(struct nt_insn *insn)
{
	insn->flags |= NT_INSN_STRING;
	if (insn->prefixes & (NT_PFX_REP | NT_PFX_REPNE))
		insn->flags |= NT_INSN_REPEAT;
}

/* A near branch: 66 cuts the target to 16 bits, in 64-bit code on AMD only. */
static void near(struct nt_insn *insn, u8 branch)
{
	insn->branch = branch;
	if (insn->prefixes & NT_PFX_OPSIZE && !(insn->rex & NT_REX_W))
		insn->flags |= NT_INSN_VENDOR;
}

/* fe and ff */
static bool group5(struct nt_insn *insn)
{
	u8 reg = nt_insn_reg(insn);

	if (insn->opcode == 0xfe)
		return reg < 2;
	switch (reg) {
	case 2:
		near(insn, NT_BR_CALL_IND);
		insn->flags |= NT_INSN_STACK;
		return true;
	case 3:
		insn->branch = NT_BR_FAR;
		insn->flags |= NT_INSN_STACK;
		return mem(insn);
	case 4:
		near(insn, NT_BR_JMP_IND);
		return true;
	case 5:
		insn->branch = NT_BR_FAR;
		return mem(insn);
	case 6:
		insn->flags |= NT_INSN_STACK;
		return true;
	}
	return reg < 2;
}

/* 00 to 3f: the segment pushes and pops among the arithmetic */
static void segment_stack(struct nt_insn *insn)
{
	u8 low = insn->opcode & 7;

	if (insn->opcode < 0x20 && (low == 6 || low == 7))
		insn->flags |= NT_INSN_STACK;
	if (insn->opcode == 0x17)
		insn->flags |= NT_INSN_SHADOW;
}

/* 80 to bf */
static bool middle(struct nt_insn *insn)
{
	switch (insn->opcode) {
	case 0x8d:
		return mem(insn);
	case 0x8c:
		return nt_insn_reg(insn) < 6;
	case 0x8e:
		if (nt_insn_reg(insn) == 2)
			insn->flags |= NT_INSN_SHADOW;
		return nt_insn_reg(insn) < 6 && nt_insn_reg(insn) != 1;
	case 0x8f:
		insn->flags |= NT_INSN_STACK;
		return nt_insn_reg(insn) == 0;
	case 0x9a:
		insn->branch = NT_BR_FAR;
		insn->flags |= NT_INSN_STACK;
		return true;
	case 0x9b:
		insn->flags |= NT_INSN_X87;
		return true;
	case 0x9c:
		insn->flags |= NT_INSN_STACK | NT_INSN_PUSHF;
		return true;
	case 0x9d:
		insn->flags |= NT_INSN_STACK | NT_INSN_POPF | NT_INSN_IF;
		return true;
	case 0xa4:
	case 0xa5:
	case 0xa6:
	case 0xa7:
	case 0xaa:
	case 0xab:
	case 0xac:
	case 0xad:
	case 0xae:
	case 0xaf:
		string(insn);
	}
	return true;
}

/* c0 to df */
static bool upper(struct nt_insn *insn)
{
	if (insn->opcode >= 0xd8) {
		insn->flags |= NT_INSN_X87;
		return true;
	}
	switch (insn->opcode) {
	case 0xc2:
	case 0xc3:
		near(insn, NT_BR_RET);
		insn->flags |= NT_INSN_STACK;
		break;
	case 0xc6:
	case 0xc7:
		if (insn->modrm == 0xf8 && insn->opcode == 0xc7)
			insn->branch = NT_BR_XBEGIN;
		return nt_insn_reg(insn) == 0 || insn->modrm == 0xf8;
	case 0xc8:
	case 0xc9:
		insn->flags |= NT_INSN_STACK;
		break;
	case 0xca:
	case 0xcb:
		insn->branch = NT_BR_FAR;
		insn->flags |= NT_INSN_STACK;
		break;
	case 0xcc:
	case 0xce:
		insn->branch = NT_BR_TRAP;
		break;
	case 0xcd:
		insn->branch = NT_BR_INT;
		break;
	case 0xcf:
		insn->branch = NT_BR_IRET;
		insn->flags |= NT_INSN_STACK | NT_INSN_POPF | NT_INSN_IF;
		break;
	}
	return true;
}

/* e0 to ff */
static bool top(struct nt_insn *insn)
{
	switch (insn->opcode) {
	case 0xe0:
	case 0xe1:
	case 0xe2:
	case 0xe3:
		near(insn, NT_BR_LOOP);
		break;
	case 0xe8:
		near(insn, NT_BR_CALL);
		insn->flags |= NT_INSN_STACK;
		break;
	case 0xe9:
	case 0xeb:
		near(insn, NT_BR_JMP);
		break;
	case 0xea:
		insn->branch = NT_BR_FAR;
		break;
	case 0xf1:
		insn->branch = NT_BR_TRAP;
		break;
	case 0xfa:
		insn->flags |= NT_INSN_PRIV | NT_INSN_IF;
		break;
	case 0xfb:
		insn->flags |= NT_INSN_PRIV | NT_INSN_IF | NT_INSN_SHADOW;
		break;
	case 0xf4:
		insn->flags |= NT_INSN_PRIV;
		break;
	case 0xfe:
	case 0xff:
		return group5(insn);
	default:
		if ((insn->opcode & 0xf4) == 0xe4) /* in and out: e4-e7, ec-ef */
			insn->flags |= NT_INSN_PRIV;
	}
	return true;
}

static bool one_byte(struct nt_insn *insn)
{
	u8 op = insn->opcode;

	if (op >= 0xe0)
		return top(insn);
	if (op >= 0xc0)
		return upper(insn);
	if (op >= 0x80)
		return middle(insn);
	if (op < 0x40) {
		segment_stack(insn);
	} else if (op >= 0x70) {
		near(insn, NT_BR_JCC);
	} else if (op >= 0x6c) {
		string(insn);
		insn->flags |= NT_INSN_PRIV;
	} else if ((op & 0xf0) == 0x50 || op == 0x60 || op == 0x61 || op == 0x68 || op == 0x6a) {
		insn->flags |= NT_INSN_STACK;
	} else if (op == 0x62) {
		return mem(insn); /* bound */
	}
	return true;
}

/* 0f 01 with a register form: instructions without operands */
static void group7_register(struct nt_insn *insn)
{
	switch (insn->modrm) {
	case 0xc0: /* enclv */
	case 0xcf: /* encls */
	case 0xd7: /* enclu: rcx takes the next address */
		insn->branch = NT_BR_SYSTEM;
		break;
	case 0xd0: /* xgetbv */
	case 0xd5: /* xend */
	case 0xd6: /* xtest */
	case 0xf9: /* rdtscp */
	case 0xfa: /* monitorx */
	case 0xfb: /* mwaitx */
	case 0xfc: /* clzero */
	case 0xfd: /* rdpru */
		break;
	case 0xec:
	case 0xed:
	case 0xee:
	case 0xef:
	case 0xe8:
	case 0xea:
		if (insn->modrm == 0xec && insn->prefixes & NT_PFX_REP)
			insn->branch = NT_BR_SYSTEM; /* uiret */
		break;
	default:
		/* smsw is e0-e7; the rest belongs to the system */
		if (nt_insn_reg(insn) != 4)
			insn->flags |= NT_INSN_PRIV;
	}
}

/* 0f 00, 0f 01 and 0f c7 */
static void system_group(struct nt_insn *insn)
{
	u8 reg = nt_insn_reg(insn);

	if (insn->opcode == 0x00 && (reg == 2 || reg == 3))
		insn->flags |= NT_INSN_PRIV; /* lldt ltr */
	if (insn->opcode == 0x01 && !mem(insn))
		group7_register(insn);
	else if (insn->opcode == 0x01 && (reg == 2 || reg == 3 || reg == 6 || reg == 7))
		insn->flags |= NT_INSN_PRIV; /* lgdt lidt lmsw invlpg */
	if (insn->opcode == 0xc7 && mem(insn) && (reg == 3 || reg == 5 || reg == 6))
		insn->flags |= NT_INSN_PRIV; /* xrstors xsaves vmptrld vmclear vmxon */
}

static void two_byte(struct nt_insn *insn)
{
	u8 op = insn->opcode;

	if ((op & 0xf0) == 0x80) {
		near(insn, NT_BR_JCC);
		return;
	}
	switch (op) {
	case 0x00:
	case 0x01:
	case 0xc7:
		system_group(insn);
		break;
	case 0x05:
		insn->branch = NT_BR_SYSCALL;
		break;
	case 0x34:
		insn->branch = NT_BR_SYSENTER;
		break;
	case 0x07:
	case 0x35:
		insn->branch = NT_BR_SYSTEM;
		insn->flags |= NT_INSN_PRIV;
		break;
	case 0x06:
	case 0x08:
	case 0x09:
	case 0x20:
	case 0x21:
	case 0x22:
	case 0x23:
	case 0x30:
	case 0x32:
	case 0xaa:
		insn->flags |= NT_INSN_PRIV;
		break;
	case 0x37: /* getsec */
		insn->branch = NT_BR_SYSTEM;
		break;
	case 0xa0:
	case 0xa1:
	case 0xa8:
	case 0xa9:
		insn->flags |= NT_INSN_STACK;
		break;
	case 0xae: /* fxsave fxrstor xsave xrstor move the x87 unit's addresses */
		if (mem(insn) && (nt_insn_reg(insn) < 2 || nt_insn_reg(insn) > 3))
			insn->flags |= NT_INSN_X87;
		break;
	}
}

bool nt_insn_facts(struct nt_insn *insn)
{
	if (insn->encoding != NT_ENC_LEGACY)
		return true;
	if (insn->map == NT_MAP_1BYTE)
		return one_byte(insn);
	if (insn->map == NT_MAP_0F)
		two_byte(insn);
	else if (insn->map == NT_MAP_0F38 && insn->opcode >= 0x80 && insn->opcode <= 0x82)
		insn->flags |= NT_INSN_PRIV; /* invept invvpid invpcid */
	return true;
}
