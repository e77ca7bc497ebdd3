// SPDX-License-Identifier: GPL-2.0
/*
 * The printf of agent expressions (dprintf-style agent), with the output of the
 * C library's printf.
 */
#include "agent_format.h"
#include "agent_machine.h"

#define DIGITS 24 /* enough for 64 bits in octal */

struct printer {
	struct nt_agent_machine *machine;
	char buf[NT_AGENT_BLOCK];
	u32 used;
	u32 total; /* of this printf, what was cut off not counted */
	bool cut;
};

static int flush(struct printer *p)
{
	struct nt_agent_machine *m = p->machine;
	u32 len = p->used;

	p->used = 0;
	if (!len)
		return 0;
	if (nt_agent_charge(m, 1))
		return NT_AGENT_E_BUDGET;
	return m->ops->print(m->ctx, p->buf, len) ? NT_AGENT_E_SINK : 0;
}

static int put(struct printer *p, char ch)
{
	int err = 0;

	if (p->total == NT_AGENT_PRINT_MAX) {
		p->cut = true;
		return 0;
	}
	if (p->used == sizeof(p->buf))
		err = flush(p);
	p->buf[p->used++] = ch;
	p->total++;
	return err;
}

static int put_many(struct printer *p, char ch, u64 count)
{
	int err = 0;

	for (; count && !err && !p->cut; count--)
		err = put(p, ch);
	return err;
}

static int put_bytes(struct printer *p, const char *text, u32 len)
{
	int err = 0;
	u32 i;

	for (i = 0; i < len && !err; i++)
		err = put(p, text[i]);
	return err;
}

/* Columns missing to the width go left or right of a body of len columns. */
static u64 padding(const struct nt_agent_piece *piece, u64 len, bool left)
{
	if (left != !!(piece->flags & NT_PIECE_LEFT) || len >= piece->width)
		return 0;
	return piece->width - len;
}

static int put_padded(struct printer *p, const struct nt_agent_piece *piece, const char *text,
		      u32 len)
{
	int err = put_many(p, ' ', padding(piece, len, false));

	if (!err)
		err = put_bytes(p, text, len);
	return err ? err : put_many(p, ' ', padding(piece, len, true));
}

/* Digits, least significant last, ending where "end" points. Return: how many, 0 for zero. */
static u32 digits(u64 value, char conversion, char *end)
{
	const char *set = conversion == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
	u32 n;

	for (n = 0; value; n++) {
		switch (conversion) {
		case 'o':
			*--end = set[value & 7];
			value >>= 3;
			break;
		case 'x':
		case 'X':
			*--end = set[value & 15];
			value >>= 4;
			break;
		default:
			*--end = set[value % 10];
			value /= 10;
			break;
		}
	}
	return n;
}

static int put_number(struct printer *p, const struct nt_agent_piece *piece, u64 value,
		      const char *prefix, u32 prefix_len)
{
	char text[DIGITS];
	u32 n = digits(value, piece->conversion, text + DIGITS);
	u32 zeros = piece->flags & NT_PIECE_PRECISION ? piece->precision : 1;
	bool fill =
	    (piece->flags & (NT_PIECE_ZERO | NT_PIECE_LEFT | NT_PIECE_PRECISION)) == NT_PIECE_ZERO;
	u64 len;
	int err;

	zeros = zeros > n ? zeros - n : 0;
	/* "#" makes the first octal digit a zero. */
	if (piece->conversion == 'o' && (piece->flags & NT_PIECE_ALTERNATE) && !zeros)
		zeros = 1;
	len = (u64)prefix_len + zeros + n;
	if (fill && len < piece->width) {
		zeros += piece->width - (u32)len;
		len = piece->width;
	}
	err = put_many(p, ' ', padding(piece, len, false));
	if (!err)
		err = put_bytes(p, prefix, prefix_len);
	if (!err)
		err = put_many(p, '0', zeros);
	if (!err)
		err = put_bytes(p, text + DIGITS - n, n);
	return err ? err : put_many(p, ' ', padding(piece, len, true));
}

static int put_signed(struct printer *p, const struct nt_agent_piece *piece, u64 value)
{
	u64 top = 1ull << (piece->bits - 1);
	bool negative = value & top;

	value &= top | (top - 1);
	if (negative)
		return put_number(p, piece, (value ^ (top | (top - 1))) + 1, "-", 1);
	if (piece->flags & NT_PIECE_PLUS)
		return put_number(p, piece, value, "+", 1);
	return put_number(p, piece, value, " ", piece->flags & NT_PIECE_SPACE ? 1 : 0);
}

static int put_unsigned(struct printer *p, const struct nt_agent_piece *piece, u64 value)
{
	u64 top = 1ull << (piece->bits - 1);
	char prefix[2] = {'0', piece->conversion};
	bool hex = piece->conversion == 'x' || piece->conversion == 'X';

	value &= top | (top - 1);
	return put_number(p, piece, value, prefix,
			  hex && value && (piece->flags & NT_PIECE_ALTERNATE) ? 2 : 0);
}

static int put_pointer(struct printer *p, const struct nt_agent_piece *piece, u64 value)
{
	struct nt_agent_piece hex = *piece;

	if (!value)
		return put_padded(p, piece, "(nil)", 5);
	hex.conversion = 'x';
	hex.flags |= NT_PIECE_ALTERNATE;
	return put_unsigned(p, &hex, value);
}

static int put_string(struct printer *p, const struct nt_agent_piece *piece, u64 addr)
{
	u64 max = piece->flags & NT_PIECE_PRECISION ? piece->precision : NT_AGENT_PRINT_MAX + 1;
	char block[NT_AGENT_BLOCK];
	bool ended;
	u64 len, done;
	u32 got;
	int err;

	if (!addr)
		return put_padded(p, piece, "(null)", max < 6 ? (u32)max : 6);
	err = nt_agent_find_nul(p->machine, addr, max, &len, &ended);
	if (!err)
		err = put_many(p, ' ', padding(piece, len, false));
	for (done = 0; done < len && !err; done += got) {
		err = nt_agent_read_block(p->machine, addr + done, len - done, block, &got);
		if (!err)
			err = put_bytes(p, block, got);
	}
	return err ? err : put_many(p, ' ', padding(piece, len, true));
}

static int put_piece(struct printer *p, const struct nt_agent_piece *piece, u64 value)
{
	char ch = (char)value;

	switch (piece->kind) {
	case NT_PIECE_SIGNED:
		return put_signed(p, piece, value);
	case NT_PIECE_UNSIGNED:
		return put_unsigned(p, piece, value);
	case NT_PIECE_CHAR:
		return put_padded(p, piece, &ch, 1);
	case NT_PIECE_POINTER:
		return put_pointer(p, piece, value);
	case NT_PIECE_STRING:
		return put_string(p, piece, value);
	default:
		return put(p, piece->conversion);
	}
}

/* The last bytes that were to be printed say that there was more. */
static void mark_cut(struct printer *p)
{
	u32 i;

	for (i = 1; i <= 3 && i <= p->used; i++)
		p->buf[p->used - i] = '.';
}

int nt_agent_printf(struct nt_agent_machine *m, const u8 *format, u32 len, const u64 *first,
		    u64 nargs)
{
	struct nt_agent_piece piece;
	struct printer p;
	u32 pos = 0;
	u32 where;
	int err = nt_agent_check_format(format, len, nargs, &where);

	if (!err && !m->ops->print)
		err = NT_AGENT_E_UNSUPPORTED;
	if (!err)
		err = nt_agent_charge(m, len / NT_AGENT_BLOCK);
	p.machine = m;
	p.used = 0;
	p.total = 0;
	p.cut = false;
	while (!err) {
		/* Checked above: it parses, and has as many directives as arguments. */
		(void)nt_agent_next_piece(format, len, &pos, &piece);
		if (piece.kind == NT_PIECE_END || p.cut)
			break;
		err = put_piece(&p, &piece, piece.kind == NT_PIECE_LITERAL ? 0 : *first--);
	}
	if (p.cut)
		mark_cut(&p);
	return err ? err : flush(&p);
}
