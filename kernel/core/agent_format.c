// SPDX-License-Identifier: GPL-2.0
/*
 * Parser of agent printf formats. It admits what gdbserver prints, and %p.
 */
#include "agent_format.h"
#include "agent_machine.h"

struct cursor {
	const u8 *text;
	u32 len;
	u32 at;
};

/* NUL behind the end. */
static u8 peek(const struct cursor *c)
{
	return c->at < c->len ? c->text[c->at] : 0;
}

static u32 flag_of(u8 ch)
{
	switch (ch) {
	case '-':
		return NT_PIECE_LEFT;
	case '0':
		return NT_PIECE_ZERO;
	case '+':
		return NT_PIECE_PLUS;
	case ' ':
		return NT_PIECE_SPACE;
	case '#':
		return NT_PIECE_ALTERNATE;
	default:
		return 0;
	}
}

/* A decimal number, held below what is ever printed. */
static u32 take_number(struct cursor *c)
{
	u32 n = 0;
	u8 ch;

	for (ch = peek(c); ch >= '0' && ch <= '9'; ch = peek(c)) {
		n = n * 10 + (u32)(ch - '0');
		if (n > NT_AGENT_PRINT_MAX)
			n = NT_AGENT_PRINT_MAX;
		c->at++;
	}
	return n;
}

/* The length modifier: bits of the argument, 0 if there is none. */
static u32 take_length(struct cursor *c)
{
	switch (peek(c)) {
	case 'h':
		c->at++;
		return 16;
	case 'z':
		c->at++;
		return 64;
	case 'l':
		c->at++;
		if (peek(c) == 'l')
			c->at++;
		return 64;
	default:
		return 0;
	}
}

/* The letter, and whether flags, precision and length go with it. */
static int take_conversion(struct cursor *c, struct nt_agent_piece *piece, u32 length)
{
	u32 refused = 0;

	piece->conversion = (char)peek(c);
	piece->bits = length ? length : 32;
	switch (piece->conversion) {
	case 'd':
	case 'i':
		piece->kind = NT_PIECE_SIGNED;
		break;
	case 'u':
		refused = NT_PIECE_ALTERNATE | NT_PIECE_SPACE | NT_PIECE_PLUS;
		piece->kind = NT_PIECE_UNSIGNED;
		break;
	case 'o':
	case 'x':
	case 'X':
		refused = NT_PIECE_SPACE | NT_PIECE_PLUS;
		piece->kind = NT_PIECE_UNSIGNED;
		break;
	case 'c':
		refused = NT_PIECE_ZERO | NT_PIECE_SPACE | NT_PIECE_PLUS | NT_PIECE_PRECISION;
		piece->kind = NT_PIECE_CHAR;
		break;
	case 'p':
		refused = (u32)~NT_PIECE_LEFT;
		piece->kind = NT_PIECE_POINTER;
		piece->bits = 64;
		break;
	case 's':
		refused = NT_PIECE_ZERO | NT_PIECE_SPACE | NT_PIECE_PLUS;
		piece->kind = NT_PIECE_STRING;
		break;
	default:
		return NT_AGENT_E_FORMAT;
	}
	if (length && piece->kind != NT_PIECE_SIGNED && piece->kind != NT_PIECE_UNSIGNED)
		return NT_AGENT_E_FORMAT;
	c->at++;
	return piece->flags & refused ? NT_AGENT_E_FORMAT : 0;
}

static int take_directive(struct cursor *c, struct nt_agent_piece *piece)
{
	u32 flag;

	for (flag = flag_of(peek(c)); flag; flag = flag_of(peek(c))) {
		piece->flags |= flag;
		c->at++;
	}
	piece->width = take_number(c);
	if (peek(c) == '.') {
		c->at++;
		piece->flags |= NT_PIECE_PRECISION;
		piece->precision = take_number(c);
	}
	return take_conversion(c, piece, take_length(c));
}

static int take_escape(struct cursor *c, struct nt_agent_piece *piece)
{
	static const char escapes[] = "\\\\a\ab\be\033f\fn\nr\rt\tv\v\"\"";
	u32 i;

	for (i = 0; i + 1 < sizeof(escapes); i += 2) {
		if ((u8)escapes[i] != peek(c))
			continue;
		piece->conversion = escapes[i + 1];
		c->at++;
		return 0;
	}
	return NT_AGENT_E_FORMAT;
}

int nt_agent_next_piece(const u8 *format, u32 len, u32 *pos, struct nt_agent_piece *piece)
{
	struct cursor c = {format, len, *pos};
	int err = 0;

	piece->kind = NT_PIECE_LITERAL;
	piece->flags = 0;
	piece->bits = 0;
	piece->width = 0;
	piece->precision = 0;
	piece->conversion = (char)peek(&c);
	switch (piece->conversion) {
	case '\0':
	case '"':
		piece->kind = NT_PIECE_END;
		return 0;
	case '\\':
		c.at++;
		err = take_escape(&c, piece);
		break;
	case '%':
		c.at++;
		if (peek(&c) == '%')
			c.at++;
		else
			err = take_directive(&c, piece);
		break;
	default:
		c.at++;
		break;
	}
	if (!err)
		*pos = c.at;
	return err;
}

int nt_agent_check_format(const u8 *format, u32 len, u64 nargs, u32 *error_at)
{
	struct nt_agent_piece piece;
	u64 wanted = 0;
	u32 pos = 0;
	int err;

	*error_at = 0;
	if (!len || format[len - 1])
		return NT_AGENT_E_FORMAT;
	for (;;) {
		*error_at = pos;
		err = nt_agent_next_piece(format, len, &pos, &piece);
		if (err)
			return err;
		if (piece.kind == NT_PIECE_END)
			break;
		if (piece.kind != NT_PIECE_LITERAL && ++wanted > nargs)
			return NT_AGENT_E_FORMAT;
	}
	return wanted == nargs ? 0 : NT_AGENT_E_FORMAT;
}
