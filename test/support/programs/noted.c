// SPDX-License-Identifier: GPL-2.0
// The same as native.c, with the note of a program in Go.
#include "native.c"

__asm__(".section .note.go.buildid, \"a\", @note\n"
	"	.balign 4\n"
	"	.long 4, 4, 4\n"
	"	.ascii \"Go\\0\\0\"\n"
	"	.ascii \"none\"\n"
	"	.text\n");
