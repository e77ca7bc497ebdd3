// SPDX-License-Identifier: GPL-2.0
// The same as native.c, with what stands in front of an abort handler of a restartable sequence.
#include "native.c"

__asm__(".text\n"
	"	.byte 0x0f, 0xb9, 0x3d\n"
	"	.long 0x53053053\n"
	"	ud2\n");
