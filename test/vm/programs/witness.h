// SPDX-License-Identifier: GPL-2.0
// Somebody beside a long test who says how it goes, and, where it does not, what each thread waits
// for: a test that hangs must tell where.
#ifndef NTRACE_TEST_WITNESS_H
#define NTRACE_TEST_WITNESS_H
#include <dirent.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

/* In memory that the test and its witness share. */
struct witnessed {
	const char *volatile phase;	// what the test is doing; read-only text
	volatile unsigned long rounds;	// goes up while all is well
	volatile unsigned long reloads; // more to tell of
};

/* The lines of a file, or those that begin with one of a list that ends with NULL. */
static inline void witness_lines(const char *path, const char *indent, const char *const *begin)
{
	char line[512];
	FILE *f = fopen(path, "re");

	while (f && fgets(line, sizeof(line), f)) {
		bool wanted = !begin;

		for (const char *const *b = begin; b && *b; b++)
			wanted |= !strncmp(line, *b, strlen(*b));
		if (wanted)
			printf("%s%s%s", indent, line, strchr(line, '\n') ? "" : "\n");
	}
	if (f)
		fclose(f);
}

static inline void witness_file(const char *path, const char *indent)
{
	witness_lines(path, indent, NULL);
}

static inline void witness_thread(const char *pid, const char *tid)
{
	static const char *const files[] = {"stat", "syscall", "stack"};
	static const char *const held[] = {"TracerPid:", "SigPnd:", "ShdPnd:", NULL};
	char path[96];

	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		snprintf(path, sizeof(path), "/proc/%.20s/task/%.20s/%s", pid, tid, files[i]);
		witness_file(path, i ? "    " : "  ");
	}
	snprintf(path, sizeof(path), "/proc/%.20s/task/%.20s/status", pid, tid);
	witness_lines(path, "    ", held);
}

/* What /proc/PID/stat has behind the name, which may hold anything: into line, NULL if it is gone.
 */
static inline const char *process_stat(const char *pid, char *line, int size)
{
	char path[64];
	FILE *f;

	*line = 0;
	snprintf(path, sizeof(path), "/proc/%.20s/stat", pid);
	f = fopen(path, "re");
	if (!f)
		return NULL;
	if (!fgets(line, size, f))
		*line = 0;
	fclose(f);
	return strrchr(line, ')');
}

/* Of the kernel, which is no program's? */
static inline bool witness_is_kernels(const char *pid)
{
	char line[512];
	const char *stat = process_stat(pid, line, sizeof(line));
	unsigned long flags = 0;

	if (stat)
		sscanf(stat, ") %*c %*d %*d %*d %*d %*d %lu", &flags);
	return flags & 0x200000; // PF_KTHREAD
}

/* The state and the kernel's stack of every thread that has, or had, a program. */
static inline void witness_threads(void)
{
	char path[64];
	DIR *proc = opendir("/proc"), *tasks;
	struct dirent *p, *t;

	while (proc && (p = readdir(proc))) {
		if (atoi(p->d_name) < 2 || witness_is_kernels(p->d_name))
			continue;
		snprintf(path, sizeof(path), "/proc/%.20s/task", p->d_name);
		tasks = opendir(path);
		while (tasks && (t = readdir(tasks)))
			if (atoi(t->d_name))
				witness_thread(p->d_name, t->d_name);
		if (tasks)
			closedir(tasks);
	}
	if (proc)
		closedir(proc);
}

/* Where everybody is, and what the module says of it. */
static inline void witness_all(void)
{
	witness_threads();
	witness_file("/proc/ntrace/engines", "  ");
}

/* Says every `often` seconds how it goes, and all of it where nothing went on for `patience`. */
static inline void witness(const struct witnessed *w, int often, int patience)
{
	time_t start = time(NULL), went_on = start;
	unsigned long rounds = 0;

	fflush(stdout);
	if (fork())
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NAME, "witness");
	for (;;) {
		sleep(often);
		if (w->rounds != rounds)
			went_on = time(NULL);
		rounds = w->rounds;
		printf("witness: %ld s, %s: %lu rounds, %lu times without the module\n",
		       (long)(time(NULL) - start), w->phase, rounds, w->reloads);
		if (time(NULL) - went_on >= patience)
			witness_all();
		fflush(stdout);
	}
}
#endif
