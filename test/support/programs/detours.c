// SPDX-License-Identifier: GPL-2.0
// Runs the instruction at "site" for ever and counts the rounds in "rounds"; "wrong" are rounds in
// which it was not executed exactly once. argv: what else is special.
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

volatile unsigned long counter; // by the instruction at site
volatile unsigned long other, rounds, wrong, unmapped, children;

__asm__(".text\n"
	".globl function\n"
	"function:\n"
	".globl site\n"
	"site:	lock incq counter(%rip)\n"
	"	ret\n"
	".globl elsewhere\n"
	"elsewhere: lock incq other(%rip)\n"
	"	ret\n");
void function(void);

/* A filter that lets everything pass. */
static void filter(void)
{
	struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct sock_fprog program = {1, &allow};

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
		wrong++;
}

/* Executable memory that belongs to no file. */
static void unmap(void)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	char line[512];

	while (maps && fgets(line, sizeof(line), maps)) {
		unsigned long start, end, inode;
		char perms[5], name[64] = "";

		if (sscanf(line, "%lx-%lx %4s %*x %*s %lu %63s", &start, &end, perms, &inode,
			   name) < 4 ||
		    perms[2] != 'x' || inode || !strncmp(name, "[v", 2))
			continue;
		munmap((void *)start, end - start);
		unmapped++;
	}
	if (maps)
		fclose(maps);
}

static void child(void)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		unsigned long before = counter;

		function();
		_exit(counter == before + 1 ? 42 : 43);
	}
	if (waitpid(pid, &status, 0) != pid || status != 42 << 8)
		wrong++;
	children++;
}

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "";

	if (!strcmp(mode, "seccomp"))
		filter();
	for (;;) {
		unsigned long before = counter + other;

		function();
		if (counter + other != before + 1)
			wrong++;
		rounds++;
		if (!strcmp(mode, "unmap") && rounds % 100 == 0)
			unmap();
		if (!strcmp(mode, "fork") && rounds % 10 == 0)
			child();
	}
}
