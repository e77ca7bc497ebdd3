/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Length and facts of one x86 instruction, 64-bit and 32-bit code.
 *
 * Sources: Intel SDM volume 2, chapter 2 and appendix A; AMD APM volume 3, appendix A
 * (XOP, 3DNow!). Pure: no memory but what is handed in, nothing kept.
 */
#ifndef NT_CORE_INSN_H
#define NT_CORE_INSN_H

#include "types.h"

#ifdef __cplusplus
extern "C" {
#endif

#define NT_INSN_MAX 15 /* bytes; a longer one faults */

enum nt_insn_encoding {
	NT_ENC_LEGACY,
	NT_ENC_VEX,
	NT_ENC_EVEX,
	NT_ENC_XOP,
};

enum nt_insn_map {
	NT_MAP_1BYTE = 0,
	NT_MAP_0F = 1,
	NT_MAP_0F38 = 2,
	NT_MAP_0F3A = 3,
	NT_MAP_FP16_5 = 5, /* EVEX maps 5 and 6 */
	NT_MAP_FP16_6 = 6,
	NT_MAP_XOP8 = 8,
	NT_MAP_XOP9 = 9,
	NT_MAP_XOPA = 10,
	NT_MAP_3DNOW = 15, /* opcode is the byte after the operands */
};

enum nt_insn_branch {
	NT_BR_NONE,
	NT_BR_JMP,	/* relative */
	NT_BR_JCC,	/* relative, 70-7f and 0f 80-8f */
	NT_BR_LOOP,	/* loopne loope loop jrcxz: e0-e3 */
	NT_BR_CALL,	/* relative */
	NT_BR_JMP_IND,	/* through a register or memory */
	NT_BR_CALL_IND, /* through a register or memory */
	NT_BR_RET,	/* near */
	NT_BR_FAR,	/* jmp, call and ret with a code segment */
	NT_BR_IRET,
	NT_BR_SYSCALL,
	NT_BR_SYSENTER,
	NT_BR_INT,    /* int n, imm says which */
	NT_BR_TRAP,   /* int3, int1, into: a trap of the program's own */
	NT_BR_XBEGIN, /* relative: where a transaction goes on when it aborts */
	NT_BR_SYSTEM, /* sysret, sysexit, uiret, enclaves: the next pc is not in the code */
};

enum nt_insn_prefix {
	NT_PFX_OPSIZE = 1 << 0, /* 66 */
	NT_PFX_ADDR = 1 << 1,	/* 67 */
	NT_PFX_REPNE = 1 << 2,	/* f2 was the last of f2 and f3 */
	NT_PFX_REP = 1 << 3,	/* f3 was the last of f2 and f3 */
	NT_PFX_LOCK = 1 << 4,	/* f0 */
	NT_PFX_SEGMENT = 1 << 5,
};

enum nt_insn_rex { NT_REX_B = 1, NT_REX_X = 2, NT_REX_R = 4, NT_REX_W = 8 };

enum nt_insn_flag {
	NT_INSN_MODRM = 1 << 0,
	NT_INSN_MEM = 1 << 1,	  /* the ModRM operand is in memory */
	NT_INSN_RIP = 1 << 2,	  /* ... and relative to the next instruction */
	NT_INSN_STRING = 1 << 3,  /* movs cmps stos lods scas ins outs */
	NT_INSN_REPEAT = 1 << 4,  /* a string instruction under rep */
	NT_INSN_PRIV = 1 << 5,	  /* faults in user mode, or asks for I/O privilege */
	NT_INSN_PUSHF = 1 << 6,	  /* writes the flags to the stack */
	NT_INSN_POPF = 1 << 7,	  /* loads the flags, TF and IF among them: popf, iret */
	NT_INSN_IF = 1 << 8,	  /* may change IF: cli sti popf iret */
	NT_INSN_STACK = 1 << 9,	  /* moves the stack pointer by itself: push, call, leave, ... */
	NT_INSN_SHADOW = 1 << 10, /* holds traps off until after the next: mov ss, pop ss, sti */
	NT_INSN_X87 = 1 << 11,	  /* the x87 unit may remember its address */
	NT_INSN_VENDOR = 1 << 12, /* Intel and AMD read it differently: 66 with a near branch */
};

struct nt_insn {
	u8 length;   /* bytes; 0: not an instruction, or more bytes are needed */
	u8 encoding; /* enum nt_insn_encoding */
	u8 map;	     /* enum nt_insn_map */
	u8 opcode;
	u8 prefixes; /* enum nt_insn_prefix */
	u8 segment;  /* last override: 26 2e 36 3e 64 65, or 0 */
	u8 rex;	     /* enum nt_insn_rex, of whichever prefix carried it */
	u8 simd;     /* VEX, EVEX, XOP: implied prefix, 0 none 1 66 2 f3 3 f2 */
	u8 opcode_at;
	u8 modrm_at; /* offsets from the first byte; 0: none */
	u8 modrm;
	u8 sib;
	u8 disp_at;
	u8 disp_size;
	u8 imm_at;   /* relative branches too */
	u8 imm_size; /* all immediates together */
	u8 branch;   /* enum nt_insn_branch */
	u8 mode64;
	u32 flags; /* enum nt_insn_flag */
	s32 disp;
	s64 imm; /* the first immediate, sign-extended */
};

/*
 * Decode what starts at bytes[0], reading at most len bytes.
 * Returns the length, also in out->length; 0 for what no processor decodes, for more than
 * NT_INSN_MAX bytes and for a cut-off instruction.
 */
u32 nt_insn_decode(const u8 *bytes, u32 len, bool mode64, struct nt_insn *out);

/* Where a relative branch at addr goes. */
u64 nt_insn_target(const struct nt_insn *insn, u64 addr);

/* The second half of nt_insn_decode: branch and flags; false for an undefined form. */
bool nt_insn_facts(struct nt_insn *insn);

static inline u8 nt_insn_mod(const struct nt_insn *insn)
{
	return insn->modrm >> 6;
}

/* The reg field without its REX bit: register number or opcode extension. */
static inline u8 nt_insn_reg(const struct nt_insn *insn)
{
	return (insn->modrm >> 3) & 7;
}

static inline u8 nt_insn_rm(const struct nt_insn *insn)
{
	return insn->modrm & 7;
}

#ifdef __cplusplus
}
#endif

#endif
