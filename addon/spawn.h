// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "child.h"
#include "failure.h"

namespace ntrace
{

// SpawnSpec of src/native.ts.
struct SpawnSpec {
	std::string file;
	std::vector<std::string> args;
	std::optional<std::vector<std::string>> env;
	std::optional<std::string> cwd;
	bool no_randomize = false;
	bool new_group = false;
	std::optional<std::string> stdio[3];
	bool change_user = false;
	uint32_t uid = 0, gid = 0;
	std::vector<uint32_t> groups;
};

// A child made by clone(CLONE_VM): no copy of our page tables (fork of a Node process takes
// milliseconds), and we go on running while it waits for go().
class Launch
{
      public:
	static std::unique_ptr<Launch> start(SpawnSpec spec, Failure &failure);
	// Gives the child up if it still waits; frees its stack once that is safe.
	static void end(std::unique_ptr<Launch> launch);
	~Launch();

	pid_t pid() const { return pid_; }
	void go();
	// error 0 while it waits and after a successful exec.
	ChildStatus failure();
	// The wait status; nothing while it lives; -1 if somebody else took it.
	std::optional<int> reap();

      private:
	Launch() = default;
	bool prepare(Failure &failure);
	bool clone_child(Failure &failure);
	void look_up();
	// True when the child runs in our memory no longer.
	bool left_us();

	SpawnSpec spec_;
	ChildPlan plan_ = {};
	std::string file_;
	std::vector<char *> argv_, envp_;
	pid_t pid_ = -1;
	int go_write_ = -1, status_read_ = -1;
	int go_read_ = -1, status_write_ = -1;
	void *stack_ = nullptr;
	ChildStatus status_ = {};
	bool left_ = false;
	std::optional<int> wait_status_;
};

} // namespace ntrace
