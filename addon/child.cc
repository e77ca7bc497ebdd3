// SPDX-License-Identifier: GPL-2.0
// Between clone(CLONE_VM) and execve. Our memory, our thread-local storage: so no libc here, only
// system calls and the plan.
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <signal.h>

#include "raw_syscall.h"

namespace ntrace
{

namespace
{

constexpr int kSignals = 64;
constexpr long kSignalSetSize = 8;
constexpr unsigned kCloseRangeCloexec = 1u << 2;
constexpr int kMostDescriptors = 4096; // without close_range()

long address(const void *p)
{
	return reinterpret_cast<long>(p);
}

[[noreturn]] void fail(const ChildPlan &plan, long error, Step step)
{
	ChildStatus status = {int32_t(error < 0 ? -error : error), int32_t(step)};
	raw_syscall(SYS_write, plan.status_fd, address(&status), sizeof(status));
	for (;;)
		raw_syscall(SYS_exit_group, 127);
}

bool wait_for_go(const ChildPlan &plan)
{
	char byte;
	long got;
	raw_syscall(SYS_close, plan.parent_go_fd);
	do {
		got = raw_syscall(SYS_read, plan.go_fd, address(&byte), 1);
	} while (got == -EINTR);
	return got == 1;
}

bool same(const char *a, const char *b)
{
	for (; *a && *a == *b; a++)
		b++;
	return *a == *b;
}

long open_standard(const ChildPlan &plan, int fd)
{
	const ChildPlan::Standard &wanted = plan.stdio[fd];
	if (wanted.duplicate_of >= 0)
		return wanted.duplicate_of == fd
			   ? 0
			   : raw_syscall(SYS_dup3, wanted.duplicate_of, fd, 0);
	if (!wanted.path)
		return 0;
	// one file for both: one offset, or each would overwrite the other's lines
	if (fd == 2 && plan.stdio[1].path && same(plan.stdio[1].path, wanted.path))
		return raw_syscall(SYS_dup3, 1, 2, 0);
	int flags = fd ? O_WRONLY | O_CREAT | O_TRUNC : O_RDONLY;
	long got = raw_syscall(SYS_openat, AT_FDCWD, address(wanted.path), flags | O_NOCTTY, 0666);
	if (got < 0 || got == fd)
		return got;
	long moved = raw_syscall(SYS_dup3, got, fd, 0);
	raw_syscall(SYS_close, got);
	return moved;
}

// As a freshly started process has them; Node ignores SIGPIPE and SIGXFSZ.
void reset_signals()
{
	struct {
		unsigned long handler, flags, restorer, mask;
	} standard = {};
	for (int signo = 1; signo <= kSignals; signo++)
		raw_syscall(SYS_rt_sigaction, signo, address(&standard), 0, kSignalSetSize);
	uint64_t none = 0;
	raw_syscall(SYS_rt_sigprocmask, SIG_SETMASK, address(&none), 0, kSignalSetSize);
}

void leave_only_stdio()
{
	for (int fd = 0; fd < 3; fd++)
		raw_syscall(SYS_fcntl, fd, F_SETFD, 0); // Node sets it on its own
	if (raw_syscall(SYS_close_range, 3, ~0u, kCloseRangeCloexec) >= 0)
		return;
	for (int fd = 3; fd < kMostDescriptors; fd++)
		raw_syscall(SYS_fcntl, fd, F_SETFD, FD_CLOEXEC);
}

// The groups first: a user who is not root may not change them.
long become_user(const ChildPlan &plan)
{
	long err = raw_syscall(SYS_setgroups, plan.group_count, address(plan.groups));
	if (err >= 0)
		err = raw_syscall(SYS_setresgid, plan.gid, plan.gid, plan.gid);
	if (err >= 0)
		err = raw_syscall(SYS_setresuid, plan.uid, plan.uid, plan.uid);
	return err;
}

} // namespace

int run_child(void *argument)
{
	const ChildPlan &plan = *static_cast<const ChildPlan *>(argument);
	if (!wait_for_go(plan))
		for (;;)
			raw_syscall(SYS_exit_group, 127);
	if (plan.new_group)
		raw_syscall(SYS_setpgid, 0, 0);
	if (plan.take_terminal) {
		// every signal is still blocked, so SIGTTOU cannot stop us
		int32_t self = int32_t(raw_syscall(SYS_getpid));
		raw_syscall(SYS_ioctl, 0, TIOCSPGRP, address(&self));
	}
	if (plan.cwd) {
		long err = raw_syscall(SYS_chdir, address(plan.cwd));
		if (err < 0)
			fail(plan, err, Step::kChdir);
	}
	for (int fd = 0; fd < 3; fd++) {
		long err = open_standard(plan, fd);
		if (err < 0)
			fail(plan, err, Step::kStdio);
	}
	if (plan.no_randomize) {
		long now = raw_syscall(SYS_personality, 0xffffffff);
		raw_syscall(SYS_personality, now | ADDR_NO_RANDOMIZE);
	}
	raw_syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, address(plan.open_files), 0);
	raw_syscall(SYS_prlimit64, 0, RLIMIT_RTTIME, address(plan.realtime), 0);
	leave_only_stdio();
	reset_signals();
	if (plan.change_user) {
		long err = become_user(plan);
		if (err < 0)
			fail(plan, err, Step::kUser);
	}
	if (plan.lookup_error)
		fail(plan, plan.lookup_error, Step::kExec);
	fail(plan,
	     raw_syscall(SYS_execve, address(plan.file), address(plan.argv), address(plan.envp)),
	     Step::kExec);
}

} // namespace ntrace
