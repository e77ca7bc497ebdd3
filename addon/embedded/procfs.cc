// SPDX-License-Identifier: GPL-2.0
#include "procfs.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

namespace ntrace::embedded
{

namespace
{

// The file's first bytes, NUL-terminated; false when it cannot be read.
bool slurp(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	ssize_t n = ::read(fd, buf, size - 1);
	::close(fd);
	if (n <= 0)
		return false;
	buf[n] = '\0';
	return true;
}

const char *value_of(const char *text, const char *name)
{
	const char *at = strstr(text, name);
	return at ? at + strlen(name) : nullptr;
}

} // namespace

bool read_stat(pid_t tgid, pid_t tid, TaskStat &stat)
{
	char path[64], buf[1024];
	snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", tgid, tid);
	if (!slurp(path, buf, sizeof(buf)))
		return false;
	// the name in parentheses may hold anything, parentheses included
	char *at = strrchr(buf, ')');
	if (!at || at[1] != ' ')
		return false;
	if (const char *open = strchr(buf, '(')) {
		size_t length = at - open - 1;
		if (length >= sizeof(stat.comm))
			length = sizeof(stat.comm) - 1;
		memcpy(stat.comm, open + 1, length);
	}
	at += 2;
	stat.state = *at;
	int field = 3;
	for (char *save, *word = strtok_r(at, " ", &save); word;
	     word = strtok_r(nullptr, " ", &save)) {
		if (field == 9)
			stat.flags = strtoul(word, nullptr, 10);
		else if (field == 22)
			stat.start_time = strtoull(word, nullptr, 10);
		else if (field == 39)
			stat.core = atoi(word);
		field++;
	}
	return true;
}

bool read_status(pid_t pid, TaskStatus &status)
{
	char path[64], buf[4096];
	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	if (!slurp(path, buf, sizeof(buf)))
		return false;
	const char *tgid = value_of(buf, "\nTgid:");
	const char *tracer = value_of(buf, "\nTracerPid:");
	const char *uid = value_of(buf, "\nUid:");
	const char *threads = value_of(buf, "\nThreads:");
	status.tgid = tgid ? atoi(tgid) : pid;
	status.tracer = tracer ? atoi(tracer) : 0;
	status.threads = threads ? atoi(threads) : 0;
	if (uid)
		sscanf(uid, "%u %u %u", &status.uid[0], &status.uid[1], &status.uid[2]);
	return true;
}

std::vector<pid_t> list_tasks(pid_t pid)
{
	std::vector<pid_t> tids;
	char path[64];
	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	DIR *dir = opendir(path);
	if (!dir)
		return tids;
	while (struct dirent *entry = readdir(dir))
		if (entry->d_name[0] != '.')
			tids.push_back(atoi(entry->d_name));
	closedir(dir);
	return tids;
}

std::vector<Mapping> read_maps(pid_t tgid, pid_t tid)
{
	std::vector<Mapping> maps;
	char path[64];
	snprintf(path, sizeof(path), "/proc/%d/task/%d/maps", tgid, tid);
	FILE *file = fopen(path, "re");
	if (!file)
		return maps;
	char *line = nullptr;
	size_t size = 0;
	while (getline(&line, &size, file) > 0) {
		Mapping m;
		char perms[5];
		unsigned long inode;
		int name = 0;
		if (sscanf(line, "%lx-%lx %4s %*x %*s %lu %n", &m.start, &m.end, perms, &inode,
			   &name) < 4)
			continue;
		m.readable = perms[0] == 'r';
		m.writable = perms[1] == 'w';
		m.executable = perms[2] == 'x';
		m.shared = perms[3] == 's';
		m.file = inode != 0;
		m.name = name ? line + name : "";
		while (!m.name.empty() && m.name.back() == '\n')
			m.name.pop_back();
		maps.push_back(std::move(m));
	}
	free(line);
	fclose(file);
	return maps;
}

bool has_seccomp(pid_t tgid, pid_t tid)
{
	char path[64], buf[4096];
	snprintf(path, sizeof(path), "/proc/%d/task/%d/status", tgid, tid);
	if (!slurp(path, buf, sizeof(buf)))
		return true;
	const char *mode = value_of(buf, "\nSeccomp:"); // absent: the kernel has none
	return mode && atoi(mode) != 0;
}

bool has_shadow_stacks()
{
	static const bool present = [] {
		char buf[8192];
		return slurp("/proc/cpuinfo", buf, sizeof(buf)) && strstr(buf, " user_shstk");
	}();
	return present;
}

int yama_scope()
{
	char buf[16];
	return slurp("/proc/sys/kernel/yama/ptrace_scope", buf, sizeof(buf)) ? atoi(buf) : 0;
}

bool is_thread_of(pid_t tgid, pid_t tid)
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/%d/task/%d", tgid, tid);
	return access(path, F_OK) == 0;
}

} // namespace ntrace::embedded
