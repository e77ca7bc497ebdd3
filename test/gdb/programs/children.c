#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

int where;

static int child(void)
{
	where = 1; /* in child */
	return 3;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "fork";
	int status = 0;
	pid_t pid;

	if (!strcmp(what, "exec")) {
		execl(argv[0], argv[0], "execed", NULL);
		return 1;
	}
	if (!strcmp(what, "execed")) {
		where = 2; /* in execed */
		return 0;
	}
	pid = strcmp(what, "vfork") ? fork() : vfork();
	if (pid == 0)
		_exit(child());
	waitpid(pid, &status, 0);
	where += WEXITSTATUS(status); /* in parent */
	return where;
}
