// SPDX-License-Identifier: GPL-2.0
/*
 * Which ways instructions take. Usage:
 *	survey FILE...                 all of .text, and the first instruction of each function
 *	survey --run LIMIT COMMAND...  each instruction that a program executes, up to a limit
 * Output: one line of JSON.
 */
#include "corpus.h"
#include "ool.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#define DISTANCE 0x1000000 /* from an instruction to its slot */

struct shares {
	unsigned long total, classes[NT_OOL_EMULATE + 1], reasons[NT_OOL_TRANSACTION + 1];
	unsigned long slots[NT_OOL_EMULATE + 1]; /* when nothing is emulated */
};

static u32 count(struct shares *shares, const u8 *bytes, u32 len, u64 addr, bool mode64)
{
	u64 slot = ((addr + DISTANCE) / NT_OOL_SLOT) * NT_OOL_SLOT;
	struct nt_ool_plan plan;

	nt_ool_plan(bytes, len, addr, slot, mode64, &plan);
	shares->total++;
	shares->classes[plan.cls]++;
	shares->slots[plan.slot_cls]++;
	shares->reasons[plan.reason]++;
	return plan.length;
}

static void show(const char *name, const struct shares *s)
{
	printf("\"%s\":{\"total\":%lu,\"emulate\":%lu,\"boost\":%lu,\"step\":%lu,\"refuse\":%lu,"
	       "\"slotBoost\":%lu,\"slotStep\":%lu,\"slotRefuse\":%lu,\"reasons\":[",
	       name, s->total, s->classes[NT_OOL_EMULATE], s->classes[NT_OOL_BOOST],
	       s->classes[NT_OOL_STEP], s->classes[NT_OOL_REFUSE], s->slots[NT_OOL_BOOST],
	       s->slots[NT_OOL_STEP], s->slots[NT_OOL_REFUSE]);
	for (unsigned i = 0; i <= NT_OOL_TRANSACTION; i++)
		printf("%s%lu", i ? "," : "", s->reasons[i]);
	printf("]}");
}

static void survey_text(const struct text *text, struct shares *all, struct shares *entries)
{
	u64 *functions;
	size_t n = text_functions(text, &functions);

	for (size_t at = 0; at < text->size;) {
		u32 length =
		    count(all, text->bytes + at, text->size - at, text->addr + at, text->mode64);

		at += length ? length : 1;
	}
	for (size_t i = 0; i < n; i++) {
		u64 at = functions[i] - text->addr;

		count(entries, text->bytes + at, text->size - at, functions[i], text->mode64);
	}
	free(functions);
}

static int survey_files(char **paths)
{
	static struct shares all, entries;

	for (; *paths; paths++) {
		struct text text;

		if (!text_open(*paths, &text)) {
			fprintf(stderr, "survey: %s: no ELF file with a .text\n", *paths);
			return 2;
		}
		survey_text(&text, &all, &entries);
	}
	printf("{");
	show("all", &all);
	printf(",");
	show("entries", &entries);
	puts("}");
	return 0;
}

static void survey_step(pid_t pid, struct shares *executed)
{
	struct user_regs_struct regs;
	u8 bytes[NT_INSN_MAX];
	struct iovec to = {bytes, sizeof(bytes)}, from = {NULL, sizeof(bytes)};
	ssize_t n;

	ptrace(PTRACE_GETREGS, pid, NULL, &regs);
	from.iov_base = (void *)regs.rip;
	n = process_vm_readv(pid, &to, 1, &from, 1, 0);
	if (n > 0)
		count(executed, bytes, n, regs.rip, regs.cs == 0x33);
}

static int survey_program(unsigned long limit, char **command)
{
	static struct shares executed;
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		execvp(command[0], command);
		_exit(127);
	}
	while (waitpid(pid, &status, 0) == pid && WIFSTOPPED(status) && executed.total < limit) {
		survey_step(pid, &executed);
		ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL);
	}
	if (WIFSTOPPED(status))
		ptrace(PTRACE_KILL, pid, NULL, NULL);
	printf("{");
	show("executed", &executed);
	puts("}");
	return 0;
}

int main(int argc, char **argv)
{
	if (argc > 3 && strcmp(argv[1], "--run") == 0)
		return survey_program(strtoul(argv[2], NULL, 0), argv + 3);
	if (argc > 1)
		return survey_files(argv + 1);
	fprintf(stderr, "usage: survey FILE... | survey --run LIMIT COMMAND...\n");
	return 2;
}
