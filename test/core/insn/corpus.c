// SPDX-License-Identifier: GPL-2.0
#include "corpus.h"
#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define KIND_BITS 20

/* One section header, of either width. */
struct section {
	u64 type, flags, addr, offset, size, entry;
	const char *name;
};

static bool section_at(const struct text *text, unsigned n, struct section *out)
{
	const u8 *image = text->image;
	u64 names;

	if (text->mode64) {
		const Elf64_Ehdr *e = text->image;
		const Elf64_Shdr *table = (const void *)(image + e->e_shoff);
		const Elf64_Shdr *s = &table[n];

		if (n >= e->e_shnum)
			return false;
		names = table[e->e_shstrndx].sh_offset;
		*out = (struct section){s->sh_type,
					s->sh_flags,
					s->sh_addr,
					s->sh_offset,
					s->sh_size,
					s->sh_entsize,
					(const char *)image + names + s->sh_name};
	} else {
		const Elf32_Ehdr *e = text->image;
		const Elf32_Shdr *table = (const void *)(image + e->e_shoff);
		const Elf32_Shdr *s = &table[n];

		if (n >= e->e_shnum)
			return false;
		names = table[e->e_shstrndx].sh_offset;
		*out = (struct section){s->sh_type,
					s->sh_flags,
					s->sh_addr,
					s->sh_offset,
					s->sh_size,
					s->sh_entsize,
					(const char *)image + names + s->sh_name};
	}
	return true;
}

bool text_open(const char *path, struct text *out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct section section;
	struct stat st;

	memset(out, 0, sizeof(*out));
	if (fd < 0 || fstat(fd, &st) < 0 || st.st_size < (off_t)sizeof(Elf64_Ehdr))
		return false;
	out->image_size = st.st_size;
	out->image = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	if (out->image == MAP_FAILED || memcmp(out->image, ELFMAG, SELFMAG) != 0)
		return false;
	out->mode64 = ((const u8 *)out->image)[EI_CLASS] == ELFCLASS64;
	for (unsigned n = 0; section_at(out, n, &section); n++) {
		if (strcmp(section.name, ".text") != 0)
			continue;
		out->bytes = (const u8 *)out->image + section.offset;
		out->size = section.size;
		out->addr = section.addr;
		return true;
	}
	return false;
}

size_t text_functions(const struct text *text, u64 **addrs)
{
	struct section section;
	size_t count = 0;

	*addrs = NULL;
	for (unsigned n = 0; section_at(text, n, &section); n++) {
		if (section.type != SHT_DYNSYM)
			continue;
		size_t total = section.size / section.entry;
		const u8 *at = (const u8 *)text->image + section.offset;

		*addrs = calloc(total, sizeof(**addrs));
		for (size_t i = 0; i < total; i++, at += section.entry) {
			u8 info = text->mode64 ? ((const Elf64_Sym *)at)->st_info
					       : ((const Elf32_Sym *)at)->st_info;
			u64 value = text->mode64 ? ((const Elf64_Sym *)at)->st_value
						 : ((const Elf32_Sym *)at)->st_value;

			if ((info & 0xf) == STT_FUNC && value >= text->addr &&
			    value < text->addr + text->size)
				(*addrs)[count++] = value;
		}
	}
	return count;
}

static unsigned kind_of(const struct nt_insn *insn)
{
	u64 key = insn->encoding | (u64)insn->map << 2 | (u64)insn->opcode << 6;
	u64 prefixes = insn->prefixes;

	key |= (prefixes | (u64)insn->simd << 6 | (u64)(insn->rex & NT_REX_W) << 5) << 14;
	if (insn->flags & NT_INSN_MODRM) {
		key |= (u64)(insn->flags & (NT_INSN_MEM | NT_INSN_RIP)) << 24;
		key |= (u64)nt_insn_reg(insn) << 28; /* groups have their opcode there */
	}
	return (key * 0x9e3779b97f4a7c15ull) >> (64 - KIND_BITS);
}

void corpus_init(struct corpus *corpus, unsigned per_kind)
{
	memset(corpus, 0, sizeof(*corpus));
	corpus->per_kind = per_kind;
	corpus->seen = calloc(1u << KIND_BITS, 1);
}

bool corpus_take(struct corpus *corpus, const u8 *bytes, const struct nt_insn *insn)
{
	u8 *seen = &corpus->seen[kind_of(insn)];
	struct sample *sample;

	if (*seen >= corpus->per_kind)
		return false;
	if (!(*seen)++)
		corpus->kinds++;
	if (!(corpus->count & (corpus->count - 1)))
		corpus->samples =
		    realloc(corpus->samples, (corpus->count * 2 + 1) * sizeof(*corpus->samples));
	sample = &corpus->samples[corpus->count++];
	memset(sample, 0, sizeof(*sample));
	memcpy(sample->bytes, bytes, insn->length);
	sample->length = insn->length;
	return true;
}

/* Every few hundred bytes some instructions, so that kinds come from many functions. */
void corpus_add(struct corpus *corpus, const struct text *text)
{
	struct nt_insn insn;
	size_t at = 0;

	while (at < text->size) {
		u32 length = nt_insn_decode(text->bytes + at, text->size - at, text->mode64, &insn);

		if (length)
			corpus_take(corpus, text->bytes + at, &insn);
		at += length ? length : 1;
	}
}
