/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The format of an agent printf, taken apart.
 *
 * gdb sends the text between the quotes of its printf or dprintf command as the
 * user wrote it: escape sequences are ours to resolve. It ends at a quote, as
 * gdbserver has it, or at a NUL.
 */
#ifndef _NT_CORE_AGENT_FORMAT_H
#define _NT_CORE_AGENT_FORMAT_H

#include "types.h"

enum nt_agent_piece_kind {
	NT_PIECE_END,
	NT_PIECE_LITERAL,  /* one character */
	NT_PIECE_SIGNED,   /* %d %i */
	NT_PIECE_UNSIGNED, /* %u %o %x %X */
	NT_PIECE_CHAR,
	NT_PIECE_POINTER,
	NT_PIECE_STRING,
};

#define NT_PIECE_LEFT 0x01u	 /* - */
#define NT_PIECE_ZERO 0x02u	 /* 0 */
#define NT_PIECE_PLUS 0x04u	 /* + */
#define NT_PIECE_SPACE 0x08u	 /* a space */
#define NT_PIECE_ALTERNATE 0x10u /* # */
#define NT_PIECE_PRECISION 0x20u /* there is one */

/**
 * struct nt_agent_piece - one literal character or one directive.
 * @kind: which.
 * @flags: NT_PIECE_*.
 * @bits: width of the argument.
 * @conversion: the letter of a directive; the character of a literal.
 * @width: columns at least, no more than NT_AGENT_PRINT_MAX.
 * @precision: digits at least, or bytes at most, no more than NT_AGENT_PRINT_MAX.
 */
struct nt_agent_piece {
	enum nt_agent_piece_kind kind;
	u32 flags;
	u32 bits;
	char conversion;
	u32 width;
	u32 precision;
};

/*
 * Take the next piece from offset *pos of the format.
 * Return: 0, or NT_AGENT_E_FORMAT with *pos left where the bad directive begins.
 */
int nt_agent_next_piece(const u8 *format, u32 len, u32 *pos, struct nt_agent_piece *piece);

#endif /* _NT_CORE_AGENT_FORMAT_H */
