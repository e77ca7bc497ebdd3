// SPDX-License-Identifier: GPL-2.0
#include "spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <mutex>

namespace ntrace
{

namespace
{

constexpr size_t kStack = 64 * 1024;
constexpr size_t kGuard = 4096 * 4; // at its low end; a multiple of any page size up to 16 KiB
constexpr rlim_t kUsualOpenFiles = 1024;

// Both ends above the standard descriptors, which the child replaces.
bool make_pipe(int &read_end, int &write_end)
{
	int fds[2];
	if (pipe2(fds, O_CLOEXEC))
		return false;
	for (int &fd : fds) {
		if (fd > 2)
			continue;
		int moved = fcntl(fd, F_DUPFD_CLOEXEC, 3);
		close(fd);
		fd = moved;
	}
	read_end = fds[0];
	write_end = fds[1];
	return fds[0] >= 0 && fds[1] >= 0;
}

void close_once(int &fd)
{
	if (fd >= 0)
		close(fd);
	fd = -1;
}

std::vector<char *> pointers(std::vector<std::string> &strings)
{
	std::vector<char *> result;
	for (std::string &s : strings)
		result.push_back(s.data());
	result.push_back(nullptr);
	return result;
}

// Node raises its own soft limit to the hard one. What it was is not recorded anywhere; our
// parent's is the best witness.
void original_open_files(uint64_t limit[2])
{
	rlimit own = {kUsualOpenFiles, kUsualOpenFiles}, parents;
	getrlimit(RLIMIT_NOFILE, &own);
	rlim_t soft = own.rlim_cur;
	if (own.rlim_cur == own.rlim_max) {
		soft = std::min(kUsualOpenFiles, own.rlim_max);
		if (!prlimit(getppid(), RLIMIT_NOFILE, nullptr, &parents) &&
		    parents.rlim_cur < own.rlim_max)
			soft = parents.rlim_cur;
	}
	limit[0] = soft;
	limit[1] = own.rlim_max;
}

// As we were started; a server's own is lower while it goes first (precedence.cc).
const rlimit original_realtime = [] {
	rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};
	getrlimit(RLIMIT_RTTIME, &limit);
	return limit;
}();

// "/dev/stdout" and the like mean our descriptor: opening them fails for sockets.
int duplicated(const std::string &path)
{
	static const char *const names[] = {"/dev/stdin", "/dev/stdout", "/dev/stderr"};
	for (int fd = 0; fd < 3; fd++)
		if (path == names[fd])
			return fd;
	if (path.rfind("/dev/fd/", 0) != 0 || path.size() <= 8)
		return -1;
	char *end;
	long fd = strtol(path.c_str() + 8, &end, 10);
	return *end || fd < 0 || fd > INT_MAX ? -1 : int(fd);
}

// The group the terminal was given to last: who is started after it may have it as well.
std::atomic<pid_t> given_to{0};

bool own_terminal()
{
	pid_t foreground = tcgetpgrp(0);
	return foreground > 0 && tcgetsid(0) == getsid(0) &&
	       (foreground == getpgrp() || foreground == given_to);
}

// The terminal comes back to us when we end.
void restore_foreground_at_exit()
{
	static const bool once = [] {
		atexit([] {
			sigset_t block, before;
			sigemptyset(&block);
			sigaddset(&block, SIGTTOU);
			pthread_sigmask(SIG_BLOCK, &block, &before);
			tcsetpgrp(0, getpgrp());
			pthread_sigmask(SIG_SETMASK, &before, nullptr);
		});
		return true;
	}();
	(void)once;
}

// Launches whose child may still be on its stack.
std::mutex unfinished_lock;
std::vector<std::unique_ptr<Launch>> unfinished;

} // namespace

bool Launch::prepare(Failure &failure)
{
	if (!make_pipe(go_read_, go_write_) || !make_pipe(status_read_, status_write_)) {
		failure = Failure::of(errno, "making the pipes of a child");
		return false;
	}
	fcntl(status_read_, F_SETFL, O_NONBLOCK);
	void *stack = mmap(nullptr, kStack, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	if (stack == MAP_FAILED) {
		failure = Failure::of(errno, "allocating the stack of a child");
		return false;
	}
	stack_ = stack;
	mprotect(stack_, kGuard, PROT_NONE);

	argv_ = pointers(spec_.args);
	if (spec_.env)
		envp_ = pointers(*spec_.env);
	look_up();
	plan_.go_fd = go_read_;
	plan_.status_fd = status_write_;
	plan_.parent_go_fd = go_write_;
	plan_.new_group = spec_.new_group;
	plan_.take_terminal = spec_.new_group && own_terminal();
	plan_.no_randomize = spec_.no_randomize;
	plan_.change_user = spec_.change_user;
	plan_.uid = spec_.uid;
	plan_.gid = spec_.gid;
	plan_.group_count = spec_.groups.size();
	plan_.groups = spec_.groups.data();
	plan_.cwd = spec_.cwd ? spec_.cwd->c_str() : nullptr;
	for (int fd = 0; fd < 3; fd++) {
		const auto &path = spec_.stdio[fd];
		plan_.stdio[fd] = {path ? path->c_str() : nullptr, path ? duplicated(*path) : -1};
	}
	original_open_files(plan_.open_files);
	plan_.realtime[0] = original_realtime.rlim_cur;
	plan_.realtime[1] = original_realtime.rlim_max;
	plan_.file = file_.c_str();
	plan_.argv = argv_.data();
	plan_.envp = spec_.env ? envp_.data() : environ;
	return true;
}

// execvp()'s search, here because the child may not allocate.
void Launch::look_up()
{
	file_ = spec_.file;
	if (file_.empty())
		plan_.lookup_error = ENOENT;
	if (file_.empty() || file_.find('/') != std::string::npos)
		return;
	std::string path = "/usr/local/bin:/bin:/usr/bin";
	const char *from_us = getenv("PATH");
	if (!spec_.env && from_us)
		path = from_us;
	for (const std::string &variable : spec_.env.value_or(std::vector<std::string>()))
		if (variable.rfind("PATH=", 0) == 0)
			path = variable.substr(5);
	plan_.lookup_error = ENOENT;
	for (size_t at = 0; at <= path.size();) {
		size_t end = std::min(path.find(':', at), path.size());
		std::string dir = path.substr(at, end - at);
		std::string candidate = (dir.empty() ? "." : dir) + "/" + spec_.file;
		at = end + 1;
		// relative entries count from where the child will be
		std::string seen =
		    candidate[0] == '/' || !spec_.cwd ? candidate : *spec_.cwd + "/" + candidate;
		struct stat st;
		if (stat(seen.c_str(), &st) || !S_ISREG(st.st_mode))
			continue;
		if (access(seen.c_str(), X_OK)) {
			plan_.lookup_error = EACCES;
			continue;
		}
		file_ = candidate;
		plan_.lookup_error = 0;
		return;
	}
}

bool Launch::clone_child(Failure &failure)
{
	// No handler of ours may run in the child: it would run on our memory.
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pid_ = clone(run_child, static_cast<char *>(stack_) + kStack, CLONE_VM | SIGCHLD, &plan_);
	int error = errno;
	pthread_sigmask(SIG_SETMASK, &before, nullptr);
	close_once(go_read_);
	close_once(status_write_);
	if (pid_ > 0) {
		if (plan_.take_terminal) {
			given_to = pid_;
			restore_foreground_at_exit();
		}
		return true;
	}
	left_ = true;
	failure = Failure::of(error, "starting a process",
			      error == EAGAIN ? "the limit of processes is reached" : "");
	return false;
}

std::unique_ptr<Launch> Launch::start(SpawnSpec spec, Failure &failure)
{
	{
		std::lock_guard<std::mutex> guard(unfinished_lock);
		unfinished.erase(std::remove_if(unfinished.begin(), unfinished.end(),
						[](auto &launch) { return launch->left_us(); }),
				 unfinished.end());
	}
	std::unique_ptr<Launch> launch(new Launch);
	launch->spec_ = std::move(spec);
	if (!launch->prepare(failure) || !launch->clone_child(failure))
		return nullptr;
	return launch;
}

void Launch::end(std::unique_ptr<Launch> launch)
{
	close_once(launch->go_write_);
	if (launch->left_us())
		return;
	std::lock_guard<std::mutex> guard(unfinished_lock);
	unfinished.push_back(std::move(launch));
}

Launch::~Launch()
{
	close_once(go_read_);
	close_once(go_write_);
	close_once(status_read_);
	close_once(status_write_);
	if (stack_)
		munmap(stack_, kStack);
}

void Launch::go()
{
	char byte = 1;
	if (go_write_ < 0)
		return;
	while (write(go_write_, &byte, 1) < 0 && errno == EINTR)
		;
	close_once(go_write_);
}

// End of file on the status pipe means that exec or exit closed the child's end; both give up the
// shared memory earlier (kernel fs/exec.c, exec_mmap; kernel/exit.c, exit_mm).
bool Launch::left_us()
{
	while (!left_) {
		ChildStatus status;
		ssize_t got = read(status_read_, &status, sizeof(status));
		if (got == ssize_t(sizeof(status)))
			status_ = status;
		else if (got == 0)
			left_ = true;
		else if (errno != EINTR)
			break;
	}
	if (left_ && stack_) {
		munmap(stack_, kStack);
		stack_ = nullptr;
		close_once(status_read_);
	}
	return left_;
}

ChildStatus Launch::failure()
{
	left_us();
	return status_;
}

std::optional<int> Launch::reap()
{
	if (wait_status_)
		return wait_status_;
	int status;
	pid_t got;
	do {
		got = waitpid(pid_, &status, WNOHANG | __WALL);
	} while (got < 0 && errno == EINTR);
	if (got == pid_ && (WIFEXITED(status) || WIFSIGNALED(status)))
		wait_status_ = status;
	else if (got < 0)
		wait_status_ = -1;
	return wait_status_;
}

} // namespace ntrace
