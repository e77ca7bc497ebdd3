// SPDX-License-Identifier: GPL-2.0
/* Where a thread leaves a range of code. */
#include "fence.h"
#include "insn.h"

struct fence {
	const u8 *code;
	u64 lo;
	u32 len;
	u32 count;
	u64 *posts;
	u8 starts[NT_FENCE_LONGEST / 8]; /* a bit for each instruction */
};

static bool add(struct fence *f, u64 addr)
{
	u32 i;

	for (i = 0; i < f->count; i++)
		if (f->posts[i] == addr)
			return true;
	if (f->count == NT_FENCE_POSTS)
		return false;
	f->posts[f->count++] = addr;
	return true;
}

static bool starts(const struct fence *f, u64 addr)
{
	u32 at = (u32)(addr - f->lo);

	return f->starts[at / 8] >> at % 8 & 1;
}

/* Is the next instruction the one behind, or where a relative branch goes? */
static bool is_told(const struct nt_insn *insn)
{
	switch (insn->branch) {
	case NT_BR_NONE:
		return !(insn->flags & NT_INSN_POPF); /* it may set the trap flag */
	case NT_BR_JMP:
	case NT_BR_JCC:
	case NT_BR_LOOP:
	case NT_BR_CALL:
		return !(insn->flags & NT_INSN_VENDOR);
	}
	return false;
}

/* The branch at addr, whose instructions are all known. */
static bool add_target(struct fence *f, u64 addr, u64 target)
{
	if (target < f->lo || target >= f->lo + f->len)
		return add(f, target);
	return starts(f, target) || add(f, addr);
}

u32 nt_fence_posts(const u8 *code, u64 lo, u32 len, bool mode64, u64 posts[NT_FENCE_POSTS])
{
	struct fence f = {.code = code, .lo = lo, .len = len, .posts = posts};
	struct nt_insn insn = {.length = 0};
	u32 at, length;
	bool ok = true;

	if (!len || len > NT_FENCE_LONGEST)
		return 0;
	for (at = 0; at < len; at += length) {
		length = nt_insn_decode(code + at, len - at, mode64, &insn);
		if (!length)
			return 0;
		f.starts[at / 8] |= (u8)(1u << at % 8);
	}
	/* from the last one */
	if (insn.branch != NT_BR_JMP)
		ok = add(&f, lo + len);
	for (at = 0; at < len && ok; at += length) {
		length = nt_insn_decode(code + at, len - at, mode64, &insn);
		if (!is_told(&insn))
			ok = add(&f, lo + at);
		else if (insn.branch != NT_BR_NONE)
			ok = add_target(&f, lo + at, nt_insn_target(&insn, lo + at));
	}
	return ok ? f.count : 0;
}
