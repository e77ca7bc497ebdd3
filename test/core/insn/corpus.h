/* SPDX-License-Identifier: GPL-2.0 */
/* Real instructions, taken from the executable sections of ELF files. */
#ifndef CORPUS_H
#define CORPUS_H

#include "insn.h"
#include <stdbool.h>
#include <stddef.h>

/* A file's section .text, mapped; false when the file has none of this width. */
struct text {
	const u8 *bytes;
	size_t size;
	u64 addr;
	bool mode64;
	const void *image;
	size_t image_size;
};
bool text_open(const char *path, struct text *out);

/* Addresses of the functions in .dynsym, in no order; the caller frees. */
size_t text_functions(const struct text *text, u64 **addrs);

struct sample {
	u8 bytes[NT_INSN_MAX];
	u8 length;
};

/* Up to so many of each kind (encoding, map, opcode, prefixes, operand form) of an instruction. */
struct corpus {
	struct sample *samples;
	size_t count, kinds;
	u8 *seen;
	unsigned per_kind;
};
void corpus_init(struct corpus *corpus, unsigned per_kind);
void corpus_add(struct corpus *corpus, const struct text *text);
bool corpus_take(struct corpus *corpus, const u8 *bytes, const struct nt_insn *insn);

#endif
