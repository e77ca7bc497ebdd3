// SPDX-License-Identifier: GPL-2.0
#include "restore.h"

#include "../embedded/procfs.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

namespace ntrace::guard
{

namespace
{

constexpr int kControl = 7;
// The server that died may be a tracer still; it lets go within microseconds.
constexpr int kTries = 1000;
constexpr useconds_t kPause = 1000;

// Is it the process that was meant, and not another one with its number?
bool is_there(const Entry &entry)
{
	embedded::TaskStat stat;
	return embedded::read_stat(entry.pid, entry.pid, stat) &&
	       stat.start_time == entry.start_time;
}

bool seize(pid_t tid)
{
	for (int i = 0; i < kTries; i++) {
		if (ptrace(PTRACE_SEIZE, tid, 0, 0) == 0)
			return true;
		if (errno != EPERM)
			return false;
		usleep(kPause);
	}
	return false;
}

void clear_registers(pid_t tid)
{
	if (!seize(tid))
		return;
	int status;
	if (ptrace(PTRACE_INTERRUPT, tid, 0, 0) < 0 || waitpid(tid, &status, __WALL) != tid ||
	    !WIFSTOPPED(status))
		return;
	long control = offsetof(struct user, u_debugreg) + kControl * sizeof(long);
	ptrace(PTRACE_POKEUSER, tid, control, 0);
	// a trap of theirs that was on its way is none of the program's
	int signo = status >> 16 ? 0 : WSTOPSIG(status);
	siginfo_t info;
	if (signo == SIGTRAP && ptrace(PTRACE_GETSIGINFO, tid, 0, &info) == 0 &&
	    info.si_code == TRAP_HWBKPT)
		signo = 0;
	ptrace(PTRACE_DETACH, tid, 0, static_cast<long>(signo));
}

} // namespace

void restore_text(Table &table, Memory &memory)
{
	for (Entry &entry : table.entries) {
		if (entry.kind.load(std::memory_order_acquire) != kText)
			continue;
		int fd = memory.of(entry.pid, entry.start_time);
		uint8_t now[kMostBytes];
		auto at = static_cast<off_t>(entry.addr);
		if (fd < 0 || entry.length > kMostBytes ||
		    pread(fd, now, entry.length, at) != static_cast<ssize_t>(entry.length) ||
		    memcmp(now, entry.written, entry.length))
			continue;
		if (pwrite(fd, entry.original, entry.length, at) < 0)
			continue; // its memory is gone, and so is the breakpoint
	}
}

void restore_registers(Table &table)
{
	for (Entry &entry : table.entries) {
		if (entry.kind.load(std::memory_order_acquire) != kDebug || !is_there(entry))
			continue;
		for (pid_t tid : embedded::list_tasks(entry.pid))
			clear_registers(tid);
	}
}

} // namespace ntrace::guard
