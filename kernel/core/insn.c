// SPDX-License-Identifier: GPL-2.0
#include "insn.h"
#include "insn_table.h"

struct cursor {
	const u8 *bytes;
	u32 len;
	u32 at;
	bool cut; /* something was wanted beyond the end */
};

static u8 peek(const struct cursor *c)
{
	return c->at < c->len ? c->bytes[c->at] : 0;
}

static u8 next(struct cursor *c)
{
	if (c->at >= c->len) {
		c->cut = true;
		return 0;
	}
	return c->bytes[c->at++];
}

/* Little-endian, sign-extended; size 0 to 8. */
static s64 number(struct cursor *c, u32 size)
{
	u64 value = 0;
	u32 i;

	for (i = 0; i < size; i++)
		value |= (u64)next(c) << (8 * i);
	if (size > 0 && size < 8 && (value >> (8 * size - 1)) & 1)
		value |= ~0ull << (8 * size);
	return (s64)value;
}

/* Notes a legacy prefix; false when the byte is none. */
static bool legacy_prefix(struct nt_insn *insn, u8 byte)
{
	switch (byte) {
	case 0x66:
		insn->prefixes |= NT_PFX_OPSIZE;
		return true;
	case 0x67:
		insn->prefixes |= NT_PFX_ADDR;
		return true;
	case 0xf0:
		insn->prefixes |= NT_PFX_LOCK;
		return true;
	case 0xf2:
		insn->prefixes = (insn->prefixes & ~NT_PFX_REP) | NT_PFX_REPNE;
		return true;
	case 0xf3:
		insn->prefixes = (insn->prefixes & ~NT_PFX_REPNE) | NT_PFX_REP;
		return true;
	case 0x26:
	case 0x2e:
	case 0x36:
	case 0x3e:
	case 0x64:
	case 0x65:
		insn->prefixes |= NT_PFX_SEGMENT;
		insn->segment = byte;
		return true;
	}
	return false;
}

/* Prefixes up to the first byte that is none. A REX counts only right before the opcode. */
static void read_prefixes(struct cursor *c, struct nt_insn *insn)
{
	while (c->at < c->len && c->at < NT_INSN_MAX) {
		u8 byte = peek(c);

		if (legacy_prefix(insn, byte))
			insn->rex = 0;
		else if (insn->mode64 && (byte & 0xf0) == 0x40)
			insn->rex = 0x40 | (byte & 0x0f);
		else
			return;
		c->at++;
	}
}

/* Bits R, X and B of a VEX, EVEX or XOP prefix are stored inverted, at the top of a byte. */
static u8 inverted_rxb(u8 byte)
{
	return (u8)~byte >> 5;
}

static bool vex2(struct cursor *c, struct nt_insn *insn)
{
	u8 p = next(c);

	insn->rex = p & 0x80 ? 0 : NT_REX_R;
	insn->simd = p & 3;
	insn->map = NT_MAP_0F;
	return true;
}

/* VEX with three bytes, and XOP, which differs in its maps. */
static bool vex3(struct cursor *c, struct nt_insn *insn)
{
	u8 p0 = next(c);
	u8 p1 = next(c);

	insn->rex = inverted_rxb(p0) | (p1 & 0x80 ? NT_REX_W : 0);
	insn->simd = p1 & 3;
	insn->map = p0 & 0x1f;
	if (insn->encoding == NT_ENC_XOP)
		return insn->map >= NT_MAP_XOP8 && insn->map <= NT_MAP_XOPA;
	return insn->map >= NT_MAP_0F && insn->map <= NT_MAP_0F3A;
}

static bool evex(struct cursor *c, struct nt_insn *insn)
{
	u8 p0 = next(c);
	u8 p1 = next(c);

	next(c); /* masking and vector length change no length of ours */
	insn->rex = inverted_rxb(p0) | (p1 & 0x80 ? NT_REX_W : 0);
	insn->simd = p1 & 3;
	insn->map = p0 & 7;
	/* p0 bit 3 and p1 bit 2 are fixed; APX (map 4) gives them a meaning we do not know */
	if (p0 & 0x08 || !(p1 & 0x04))
		return false;
	return insn->map != 0 && insn->map != 4 && insn->map != 7;
}

/*
 * Which of the prefixes that carry their own map starts here, if any. In 32-bit code c4, c5
 * and 62 are les, lds and bound when the next byte names memory; 8f is pop when its reg is 0.
 */
static u8 long_prefix(const struct cursor *c, const struct nt_insn *insn)
{
	u8 following = c->at + 1 < c->len ? c->bytes[c->at + 1] : 0;
	bool ours = insn->mode64 || following >= 0xc0;

	switch (peek(c)) {
	case 0xc4:
	case 0xc5:
		return ours ? NT_ENC_VEX : NT_ENC_LEGACY;
	case 0x62:
		return ours ? NT_ENC_EVEX : NT_ENC_LEGACY;
	case 0x8f:
		return (following & 0x1f) >= 8 ? NT_ENC_XOP : NT_ENC_LEGACY;
	}
	return NT_ENC_LEGACY;
}

static bool read_long_prefix(struct cursor *c, struct nt_insn *insn)
{
	const u8 clash = NT_PFX_OPSIZE | NT_PFX_REP | NT_PFX_REPNE | NT_PFX_LOCK;
	u8 first = next(c);
	bool known;

	if (insn->rex || insn->prefixes & clash)
		return false;
	if (insn->encoding == NT_ENC_EVEX)
		known = evex(c, insn);
	else if (first == 0xc5)
		known = vex2(c, insn);
	else
		known = vex3(c, insn);
	if (!insn->mode64)
		insn->rex = 0;
	return known;
}

/* What follows an opcode of a VEX, EVEX or XOP map. */
static u8 vector_layout(const struct nt_insn *insn)
{
	switch (insn->map) {
	case NT_MAP_0F:
		if (insn->opcode == 0x77 && insn->encoding == NT_ENC_VEX)
			return N; /* vzeroupper, vzeroall */
		if ((insn->opcode & 0xfc) == 0x70 || insn->opcode == 0xc2)
			return MB;
		if (insn->opcode >= 0xc4 && insn->opcode <= 0xc6)
			return MB;
		return M;
	case NT_MAP_0F3A:
	case NT_MAP_XOP8:
		return MB;
	case NT_MAP_XOPA:
		return M | D;
	}
	return M;
}

/* Opcode, and the layout of what follows. */
static u8 read_opcode(struct cursor *c, struct nt_insn *insn)
{
	insn->opcode_at = c->at;
	insn->opcode = next(c);
	if (insn->encoding != NT_ENC_LEGACY)
		return vector_layout(insn);
	if (insn->opcode != 0x0f)
		return nt_insn_1byte[insn->opcode];

	insn->map = NT_MAP_0F;
	insn->opcode = next(c);
	if (insn->opcode == 0x38 || insn->opcode == 0x3a) {
		insn->map = insn->opcode == 0x38 ? NT_MAP_0F38 : NT_MAP_0F3A;
		insn->opcode = next(c);
		return insn->map == NT_MAP_0F38 ? M : MB;
	}
	if (insn->opcode == 0x0f)
		insn->map = NT_MAP_3DNOW;
	/* SSE4a shares its opcode with vmread: extrq and insertq have two immediates */
	if (insn->opcode == 0x78 && insn->prefixes & (NT_PFX_OPSIZE | NT_PFX_REPNE))
		return M | P;
	return nt_insn_0f[insn->opcode];
}

/* Bytes of displacement after a ModRM byte; reads the SIB byte if there is one. */
static u32 disp_size(struct cursor *c, struct nt_insn *insn)
{
	u8 mod = nt_insn_mod(insn);
	u8 rm = nt_insn_rm(insn);

	if (!insn->mode64 && insn->prefixes & NT_PFX_ADDR) {
		if (mod == 0)
			return rm == 6 ? 2 : 0;
		return mod;
	}
	if (rm == 4) {
		insn->sib = next(c);
		rm = insn->sib & 7;
	} else if (mod == 0 && rm == 5 && insn->mode64) {
		insn->flags |= NT_INSN_RIP;
	}
	if (mod == 0)
		return rm == 5 ? 4 : 0;
	return mod == 1 ? 1 : 4;
}

/* mov to and from control and debug registers read mod as if it were 3 */
static bool register_only(const struct nt_insn *insn)
{
	return insn->encoding == NT_ENC_LEGACY && insn->map == NT_MAP_0F &&
	       (insn->opcode & 0xfc) == 0x20;
}

static void read_modrm(struct cursor *c, struct nt_insn *insn)
{
	u32 size;

	insn->modrm_at = c->at;
	insn->modrm = next(c);
	insn->flags |= NT_INSN_MODRM;
	if (nt_insn_mod(insn) == 3 || register_only(insn))
		return;
	insn->flags |= NT_INSN_MEM;
	size = disp_size(c, insn);
	if (!size)
		return;
	insn->disp_at = c->at;
	insn->disp_size = size;
	insn->disp = (s32)number(c, size);
}

/* Sizes of the first and of the other immediates. */
static u32 imm_size(const struct nt_insn *insn, u8 kind, u32 *rest)
{
	bool wide = insn->rex & NT_REX_W;
	u32 operand = insn->prefixes & NT_PFX_OPSIZE && !wide ? 2 : 4;
	bool addr = insn->prefixes & NT_PFX_ADDR;

	*rest = 0;
	switch (kind) {
	case B:
	case J:
		return 1;
	case W:
		return 2;
	case D:
		return 4;
	case Z:
		return operand;
	case K:
		/* 64-bit code on Intel: always 32 bits; AMD heeds 66, see NT_INSN_VENDOR */
		return insn->mode64 ? 4 : operand;
	case V:
		return wide ? 8 : operand;
	case O:
		if (insn->mode64)
			return addr ? 4 : 8;
		return addr ? 2 : 4;
	case F:
		*rest = 2;
		return operand;
	case E:
		*rest = 1;
		return 2;
	case P:
		*rest = 1;
		return 1;
	}
	return 0;
}

static void read_immediates(struct cursor *c, struct nt_insn *insn, u8 kind)
{
	u32 rest;
	u32 size = imm_size(insn, kind, &rest);

	if (!size)
		return;
	insn->imm_at = c->at;
	insn->imm_size = size + rest;
	insn->imm = number(c, size);
	number(c, rest);
}

/* Immediates that depend on the ModRM byte. */
static u8 imm_kind(const struct nt_insn *insn, u8 layout)
{
	if (insn->encoding == NT_ENC_LEGACY && insn->map == NT_MAP_1BYTE) {
		if (insn->opcode == 0xf6 && nt_insn_reg(insn) < 2)
			return B; /* test */
		if (insn->opcode == 0xf7 && nt_insn_reg(insn) < 2)
			return Z;
		if (insn->opcode == 0xc7 && insn->modrm == 0xf8) /* xbegin */
			return insn->prefixes & NT_PFX_OPSIZE && !(insn->rex & NT_REX_W) ? W : D;
	}
	if (insn->map == NT_MAP_3DNOW)
		return N; /* its last byte is the opcode */
	return layout & IMM;
}

u32 nt_insn_decode(const u8 *bytes, u32 len, bool mode64, struct nt_insn *insn)
{
	struct cursor c = {bytes, len < NT_INSN_MAX ? len : NT_INSN_MAX, 0, false};
	struct nt_insn blank = {.mode64 = mode64};
	u8 layout;

	*insn = blank;
	read_prefixes(&c, insn);
	insn->encoding = long_prefix(&c, insn);
	if (insn->encoding != NT_ENC_LEGACY && !read_long_prefix(&c, insn))
		return 0;
	layout = read_opcode(&c, insn);
	insn->rex &= 0x0f;
	if (layout & X || (layout & L && mode64))
		return 0;
	if (layout & M)
		read_modrm(&c, insn);
	read_immediates(&c, insn, imm_kind(insn, layout));
	if (insn->map == NT_MAP_3DNOW)
		insn->opcode = next(&c);
	if (c.cut || !nt_insn_facts(insn))
		return 0;
	insn->length = c.at;
	return c.at;
}

u64 nt_insn_target(const struct nt_insn *insn, u64 addr)
{
	u64 target = addr + insn->length + (u64)insn->imm;

	return insn->mode64 ? target : (u32)target;
}
