/* SPDX-License-Identifier: GPL-2.0 */
/* Which opcodes have a ModRM byte and which immediates (Intel SDM volume 2, appendix A). */
#ifndef NT_CORE_INSN_TABLE_H
#define NT_CORE_INSN_TABLE_H

#include "types.h"

enum {
	N = 0,	    /* nothing follows */
	B = 1,	    /* byte */
	W = 2,	    /* word */
	Z = 3,	    /* word or doubleword, by operand size */
	V = 4,	    /* word, doubleword or quadword */
	J = 5,	    /* branch, byte */
	K = 6,	    /* branch, word or doubleword */
	O = 7,	    /* an address: mov's moffs */
	F = 8,	    /* far pointer */
	E = 9,	    /* enter: word and byte */
	D = 10,	    /* doubleword */
	P = 11,	    /* two bytes: extrq, insertq */
	IMM = 0x0f, /* the part that is the immediate */

	M = 0x10, /* ModRM */
	MB = M | B,
	MZ = M | Z,

	L = 0x40, /* 32-bit code only */
	LM = L | M,
	LB = L | B,
	LF = L | F,
	X = 0x80, /* no instruction; prefixes and escapes are not looked up */
};

/* clang-format off */
static const u8 nt_insn_1byte[256] = {
	M,  M,  M,  M,  B,  Z,  L,  L,  M,  M,  M,  M,  B,  Z,  L,  X,  /* 00 */
	M,  M,  M,  M,  B,  Z,  L,  L,  M,  M,  M,  M,  B,  Z,  L,  L,  /* 10 */
	M,  M,  M,  M,  B,  Z,  X,  L,  M,  M,  M,  M,  B,  Z,  X,  L,  /* 20 */
	M,  M,  M,  M,  B,  Z,  X,  L,  M,  M,  M,  M,  B,  Z,  X,  L,  /* 30 */
	L,  L,  L,  L,  L,  L,  L,  L,  L,  L,  L,  L,  L,  L,  L,  L,  /* 40 */
	N,  N,  N,  N,  N,  N,  N,  N,  N,  N,  N,  N,  N,  N,  N,  N,  /* 50 */
	L,  L,  LM, M,  X,  X,  X,  X,  Z,  MZ, B,  MB, N,  N,  N,  N,  /* 60 */
	J,  J,  J,  J,  J,  J,  J,  J,  J,  J,  J,  J,  J,  J,  J,  J,  /* 70 */
	MB, MZ, L | MB, MB, M, M, M, M, M,  M,  M,  M,  M,  M,  M,  M,  /* 80 */
	N,  N,  N,  N,  N,  N,  N,  N,  N,  N,  LF, N,  N,  N,  N,  N,  /* 90 */
	O,  O,  O,  O,  N,  N,  N,  N,  B,  Z,  N,  N,  N,  N,  N,  N,  /* a0 */
	B,  B,  B,  B,  B,  B,  B,  B,  V,  V,  V,  V,  V,  V,  V,  V,  /* b0 */
	MB, MB, W,  N,  LM, LM, MB, MZ, E,  N,  W,  N,  N,  B,  L,  N,  /* c0 */
	M,  M,  M,  M,  LB, LB, L,  N,  M,  M,  M,  M,  M,  M,  M,  M,  /* d0 */
	J,  J,  J,  J,  B,  B,  B,  B,  K,  K,  LF, J,  N,  N,  N,  N,  /* e0 */
	X,  N,  X,  X,  N,  N,  M,  M,  N,  N,  N,  N,  N,  N,  M,  M,  /* f0 */
};

static const u8 nt_insn_0f[256] = {
	M,  M,  M,  M,  X,  N,  N,  N,  N,  N,  X,  N,  X,  M,  N,  MB, /* 00 */
	M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  /* 10 */
	M,  M,  M,  M,  X,  X,  X,  X,  M,  M,  M,  M,  M,  M,  M,  M,  /* 20 */
	N,  N,  N,  N,  N,  N,  X,  N,  X,  X,  X,  X,  X,  X,  X,  X,  /* 30 */
	M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  /* 40 */
	M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  /* 50 */
	M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  /* 60 */
	MB, MB, MB, MB, M,  M,  M,  N,  M,  M,  X,  X,  M,  M,  M,  M,  /* 70 */
	K,  K,  K,  K,  K,  K,  K,  K,  K,  K,  K,  K,  K,  K,  K,  K,  /* 80 */
	M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  /* 90 */
	N,  N,  N,  M,  MB, M,  M,  M,  N,  N,  N,  M,  MB, M,  M,  M,  /* a0 */
	M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  MB, M,  M,  M,  M,  M,  /* b0 */
	M,  M,  MB, M,  MB, MB, MB, M,  N,  N,  N,  N,  N,  N,  N,  N,  /* c0 */
	M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  /* d0 */
	M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  /* e0 */
	M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  /* f0 */
};
/* clang-format on */

#endif
