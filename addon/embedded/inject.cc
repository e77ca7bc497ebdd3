// SPDX-License-Identifier: GPL-2.0
// System calls made by a stopped thread of the program, for us.
#include "procfs.h"
#include "server.h"

#include <errno.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include <algorithm>

namespace ntrace::embedded
{

namespace
{

// Memory calls wait for others of the program that change its mappings, never for long.
constexpr uint64_t kCallTimeout = 5000 * kNanosPerMilli;
constexpr size_t kMostText = 4 << 20; // bytes looked through for the instruction
constexpr uint8_t kSyscall[] = {0x0f, 0x05};
constexpr uint8_t kInt80[] = {0xcd, 0x80};

} // namespace

// Can it be sent off to another pc? Not from within the kernel's fork or system call paths.
bool Server::can_call(const Thread &t)
{
	return (t.stop == Stop::signal || t.stop == Stop::trap) && !t.job_stopped &&
	       !t.before_call && !t.plan && !t.process->killed;
}

// Where the program, or its vdso, has the instruction of a system call; 0: nowhere.
uint64_t Server::find_syscall(Thread &t)
{
	std::vector<Mapping> maps = read_maps(t.process->pid, t.tid);
	std::stable_partition(maps.begin(), maps.end(),
			      [](const Mapping &m) { return m.name == "[vdso]"; });
	const uint8_t *wanted = is_native(t) ? kSyscall : kInt80;
	std::vector<uint8_t> text;
	for (const Mapping &m : maps) {
		if (!m.executable || !m.readable || m.name == "[vsyscall]")
			continue;
		text.resize(std::min<uint64_t>(m.end - m.start, kMostText));
		text.resize(read_shadowed(*t.process, m.start, text.data(), text.size()));
		auto at = std::search(text.begin(), text.end(), wanted, wanted + 2);
		if (at != text.end() && !overlaps_site(t, m.start + (at - text.begin()), 2))
			return m.start + (at - text.begin());
	}
	return 0;
}

bool Server::overlaps_site(Thread &t, uint64_t addr, uint64_t len)
{
	auto &sites = t.process->space->sites;
	for (auto it = sites.lower_bound(addr - std::min<uint64_t>(addr, kWindow - 1));
	     it != sites.end() && it->first < addr + len; ++it)
		if (it->first + (it->second.pad ? kWindow : 1) > addr)
			return true;
	return false;
}

// Its result, or -errno of the call; -ESRCH also when the thread did not come back from it.
long Server::call_in(Thread &t, uint64_t at, long nr, const std::vector<uint64_t> &args)
{
	if (!can_call(t) || !flush_regs(t) || !load_regs(t))
		return -ESRCH;
	pid_t tid = t.tid;
	bool was_signal = t.stop == Stop::signal;
	siginfo_t info;
	if (was_signal && ptrace(PTRACE_GETSIGINFO, tid, 0, &info) < 0)
		return -ESRCH;
	t.before_call = std::make_unique<struct user_regs_struct>(t.regs);
	struct user_regs_struct regs = t.regs;
	using Field = unsigned long long user_regs_struct::*;
	static constexpr Field kNative[] = {&user_regs_struct::rdi, &user_regs_struct::rsi,
					    &user_regs_struct::rdx, &user_regs_struct::r10,
					    &user_regs_struct::r8,  &user_regs_struct::r9};
	static constexpr Field kCompat[] = {&user_regs_struct::rbx, &user_regs_struct::rcx,
					    &user_regs_struct::rdx, &user_regs_struct::rsi,
					    &user_regs_struct::rdi, &user_regs_struct::rbp};
	for (size_t i = 0; i < args.size(); i++)
		regs.*(is_native(t) ? kNative : kCompat)[i] = args[i];
	regs.rip = at;
	regs.rax = nr;
	regs.orig_rax = -1;
	if (ptrace(PTRACE_SETREGS, tid, 0, &regs) < 0) {
		t.before_call.reset();
		return -ESRCH;
	}
	uint64_t until = now_ns() + kCallTimeout;
	for (;;) {
		int status;
		request(t, PTRACE_SINGLESTEP, 0);
		if (!wait_status(t, status, until > now_ns() ? until - now_ns() : 0))
			return -ESRCH; // its registers are put right when it comes
		if (!WIFSTOPPED(status) || (status >> 16 && status >> 16 != PTRACE_EVENT_STOP)) {
			arrive(t, status);
			return -ESRCH;
		}
		mark_stopped(t);
		if (status >> 16)
			continue;
		t.stop = Stop::signal;
		if (WSTOPSIG(status) == SIGTRAP)
			break;
		siginfo_t other;
		if (ptrace(PTRACE_GETSIGINFO, tid, 0, &other) == 0)
			t.deferred.push_back(other);
	}
	long result = load_regs(t) ? static_cast<long>(t.regs.rax) : -ESRCH;
	if (!is_native(t))
		result = static_cast<int32_t>(result) < 0 && static_cast<int32_t>(result) > -4096
			     ? static_cast<int32_t>(result)
			     : static_cast<uint32_t>(result);
	end_call(t);
	if (was_signal)
		ptrace(PTRACE_SETSIGINFO, tid, 0, &info);
	return result;
}

// The thread has made its call, or will not: it is where it was before.
void Server::end_call(Thread &t)
{
	t.regs = *t.before_call;
	t.before_call.reset();
	ptrace(PTRACE_SETREGS, t.tid, 0, &t.regs);
	t.regs_valid = true;
	t.stepped = false;
}

} // namespace ntrace::embedded
