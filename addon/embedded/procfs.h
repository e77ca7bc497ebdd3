// SPDX-License-Identifier: GPL-2.0
// The few facts about a task that only /proc tells (man 5 proc).
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <string>
#include <vector>

namespace ntrace::embedded
{

struct TaskStat {
	char comm[16] = {};
	char state = '?';
	unsigned flags = 0;	 // PF_*
	uint64_t start_time = 0; // clock ticks after boot
	int core = -1;
};

// /proc/TGID/task/TID/stat; false when it is gone.
bool read_stat(pid_t tgid, pid_t tid, TaskStat &stat);

struct TaskStatus {
	pid_t tgid = 0;
	pid_t tracer = 0;
	uid_t uid[3] = {}; // real, effective, saved
	size_t threads = 0;
};

// /proc/PID/status; false when it is gone.
bool read_status(pid_t pid, TaskStatus &status);

struct Mapping {
	uint64_t start, end;
	bool readable, writable, executable, shared;
	bool file; // of a file, so its text is the linker's
	std::string name;
};

// /proc/TGID/task/TID/maps, in ascending order; empty when it is gone.
std::vector<Mapping> read_maps(pid_t tgid, pid_t tid);

// Is there a seccomp filter on the thread? Also true when that cannot be read.
bool has_seccomp(pid_t tgid, pid_t tid);

// Does the processor have shadow stacks, and the kernel let programs have them?
bool has_shadow_stacks();

// Thread ids of a process now; empty when it is gone. The list breaks off at a thread that ends
// while it is read.
std::vector<pid_t> list_tasks(pid_t pid);

// /proc/sys/kernel/yama/ptrace_scope; 0 without yama.
int yama_scope();

// Does tid belong to tgid?
bool is_thread_of(pid_t tgid, pid_t tid);

} // namespace ntrace::embedded
