// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <stdint.h>

namespace ntrace
{

enum class Step : int32_t { kNone, kChdir, kStdio, kExec, kUser };

// What the child tells through status_fd when it cannot exec.
struct ChildStatus {
	int32_t error;
	int32_t step; // Step
};

// Everything the child needs, prepared by the parent: it shares our memory and may touch only this.
struct ChildPlan {
	struct Standard {
		const char *path; // null: keep
		int duplicate_of; // instead of path, if not negative
	};

	int go_fd;	  // the child waits for one byte
	int status_fd;	  // close-on-exec
	int parent_go_fd; // our copy of the other end: while it is open go_fd never ends
	bool new_group;
	bool take_terminal; // descriptor 0's foreground group
	bool no_randomize;
	bool change_user;
	uint32_t uid, gid;
	uint32_t group_count;
	const uint32_t *groups;
	const char *cwd; // null: keep
	Standard stdio[3];
	uint64_t open_files[2]; // RLIMIT_NOFILE, soft and hard
	uint64_t realtime[2];	// RLIMIT_RTTIME, as we had it
	const char *file;
	int lookup_error; // why there is no file, else 0
	char *const *argv;
	char *const *envp;
};

// What the child runs; never returns. plan: ChildPlan.
int run_child(void *plan);

} // namespace ntrace
