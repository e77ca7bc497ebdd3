// SPDX-License-Identifier: GPL-2.0
// Becomes user argv[1] and executes the rest.
#include <grp.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	uid_t user = strtoul(argv[1], NULL, 0);

	if (argc < 3 || setgroups(0, NULL) != 0 || setgid(user) != 0 || setuid(user) != 0)
		return 126;
	execv(argv[2], argv + 2);
	return 127;
}
