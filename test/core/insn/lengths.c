// SPDX-License-Identifier: GPL-2.0
/*
 * Compares our decoder with `objdump -d -w -z --insn-width=16`, read from standard input, and
 * says where they differ. Usage: lengths 32|64 [data]; bytes that are data may be refused
 * where objdump shows something that faults. Output: one line of JSON.
 */
#include "insn.h"
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHOWN 20

static struct {
	bool lenient;
	unsigned long seen, skipped, refused, wrong;
	char examples[SHOWN][200];
} counts;

/* The bytes between the tab after the address and the tab before the mnemonic. */
static unsigned hex_bytes(char *text, u8 *bytes, char **after)
{
	unsigned n = 0;

	while (n < 16 && isxdigit((unsigned char)text[0]) && isxdigit((unsigned char)text[1])) {
		char pair[3] = {text[0], text[1], 0};

		bytes[n++] = strtoul(pair, NULL, 16);
		text += 2;
		if (*text == ' ')
			text++;
	}
	*after = text;
	return n;
}

static bool starts(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

/* What objdump prints for bytes that are no instruction: data in the text, prefixes alone. */
static bool not_an_instruction(const char *mnemonic)
{
	static const char *const alone[] = {"rex",   "data16", "addr32", "cs",	  "ds",
					    "es",    "ss",     "fs",	 "gs",	  "repz",
					    "repnz", "lock",   "data32", "addr16"};
	char word[32];
	unsigned i;

	size_t length = strlen(mnemonic);

	/* "%?" stands for a segment register that does not exist; cs cannot be loaded */
	if (strstr(mnemonic, "(bad)") || strstr(mnemonic, "%?") || starts(mnemonic, "."))
		return true;
	if (strstr(mnemonic, "mov ") && length > 3 && strcmp(mnemonic + length - 3, "%cs") == 0)
		return true;
	/* nothing but prefixes up to the end of the line */
	while (sscanf(mnemonic, "%31s", word) == 1) {
		for (i = 0; i < sizeof(alone) / sizeof(*alone); i++)
			if (strcmp(word, alone[i]) == 0 || starts(word, "rex."))
				break;
		if (i == sizeof(alone) / sizeof(*alone))
			return false;
		mnemonic = strstr(mnemonic, word) + strlen(word);
	}
	return true;
}

/*
 * Several of objdump's lines are wait joined with what follows it, which takes over the
 * prefixes before the wait: "67 9b dd 0c" is fisttpll (%si). A processor ends at the wait.
 */
static unsigned wait_and_more(const u8 *bytes, unsigned want, unsigned got, bool mode64,
			      const char *text)
{
	struct nt_insn insn;
	size_t length = strlen(text);
	unsigned waits = 0;
	u8 joined[16];

	if (length >= 5 && strcmp(text + length - 5, "fwait") == 0)
		return got && bytes[got - 1] == 0x9b ? want : got;
	memcpy(joined, bytes, want);
	while (got && joined[got - 1] == 0x9b && got + waits < want) {
		waits++;
		memmove(joined + got - 1, joined + got, want - waits - (got - 1));
		got = nt_insn_decode(joined, want - waits, mode64, &insn);
	}
	return got ? got + waits : 0;
}

/*
 * objdump ends an instruction where the next symbol begins, although it decoded further: a
 * window that begins inside the padding before a function shows it. A blank line follows.
 */
static bool cut_by_symbol(const u8 *bytes, unsigned want, bool mode64)
{
	u8 longer[16] = {0};
	struct nt_insn insn;
	int next = getc(stdin);

	ungetc(next, stdin);
	memcpy(longer, bytes, want);
	return next == '\n' && nt_insn_decode(longer, sizeof(longer), mode64, &insn) > want;
}

static void compare(const char *addr, const u8 *bytes, unsigned want, bool mode64, const char *text)
{
	struct nt_insn insn;
	unsigned got = nt_insn_decode(bytes, want, mode64, &insn);

	got = wait_and_more(bytes, want, got, mode64, text);
	if (got == want)
		return;
	if (!got && cut_by_symbol(bytes, want, mode64)) {
		counts.seen--;
		counts.skipped++;
		return;
	}
	if (!got && counts.lenient) {
		counts.refused++;
		return;
	}
	if (counts.wrong < SHOWN)
		snprintf(counts.examples[counts.wrong], sizeof(*counts.examples),
			 "%.*s %u not %u: %.60s", (int)strcspn(addr, "\t"), addr, got, want, text);
	counts.wrong++;
}

int main(int argc, char **argv)
{
	bool mode64 = argc < 2 || strcmp(argv[1], "32") != 0;
	char line[1024];
	unsigned long i;

	counts.lenient = argc > 2;
	while (fgets(line, sizeof(line), stdin)) {
		char *tab = strchr(line, '\t');
		char *mnemonic;
		u8 bytes[16];
		unsigned n;

		if (!tab || tab == line || tab[-1] != ':')
			continue;
		n = hex_bytes(tab + 1, bytes, &mnemonic);
		mnemonic += strspn(mnemonic, " \t");
		mnemonic[strcspn(mnemonic, "\n#\"\\")] = 0;
		for (char *c = mnemonic; *c; c++)
			if (*c == '\t')
				*c = ' ';
		for (char *end = mnemonic + strlen(mnemonic); end > mnemonic && end[-1] == ' ';)
			*--end = 0;
		if (not_an_instruction(mnemonic)) {
			counts.skipped++;
			continue;
		}
		counts.seen++;
		compare(line + strspn(line, " "), bytes, n, mode64, mnemonic);
	}
	printf("{\"seen\":%lu,\"skipped\":%lu,\"refused\":%lu,\"wrong\":%lu,\"examples\":[",
	       counts.seen, counts.skipped, counts.refused, counts.wrong);
	for (i = 0; i < counts.wrong && i < SHOWN; i++)
		printf("%s\"%s\"", i ? "," : "", counts.examples[i]);
	puts("]}");
	return 0;
}
