// SPDX-License-Identifier: GPL-2.0
// Raw regsets by ELF note (man 2 ptrace, PTRACE_GETREGSET).
#include "procfs.h"
#include "server.h"

#include <elf.h>
#include <errno.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

#include <algorithm>

namespace ntrace::embedded
{

namespace
{

constexpr uint64_t kNativeCodeSegment = 0x33; // __USER_CS
constexpr size_t kMostBytes = 64 << 10;
constexpr unsigned kShadowStack = 0x204; // NT_X86_SHSTK

} // namespace

// The native general registers, kept until the thread runs.
bool Server::load_regs(Thread &t)
{
	if (!t.regs_valid)
		t.regs_valid =
		    t.stop != Stop::none && ptrace(PTRACE_GETREGS, t.tid, 0, &t.regs) == 0;
	return t.regs_valid;
}

// The kernel learns of it when somebody else has to know: before it runs, at the latest.
bool Server::set_pc(Thread &t, uint64_t pc)
{
	if (!load_regs(t))
		return false;
	t.regs.rip = pc;
	if (t.dirty == Dirty::none)
		t.dirty = Dirty::pc;
	return true;
}

bool Server::flush_regs(Thread &t)
{
	long result = 0;
	if (t.dirty == Dirty::pc)
		result = ptrace(PTRACE_POKEUSER, t.tid, offsetof(struct user_regs_struct, rip),
				t.regs.rip);
	else if (t.dirty == Dirty::all)
		result = ptrace(PTRACE_SETREGS, t.tid, 0, &t.regs);
	t.dirty = Dirty::none;
	return result == 0;
}

// Of its cached registers.
bool Server::is_native(const Thread &t)
{
	return t.regs.cs == kNativeCodeSegment;
}

// Asked at each hit of a call or a return: most machines have none.
bool Server::has_shadow_stack(const Thread &t)
{
	uint64_t pointer;
	struct iovec iov = {&pointer, sizeof(pointer)};
	return has_shadow_stacks() && ptrace(PTRACE_GETREGSET, t.tid, kShadowStack, &iov) == 0;
}

// One entry of a batch: the thread it names, if the engine may touch it; else its error is set.
Thread *Server::entry_thread(Engine &engine, struct ntrace_regset &r, bool change)
{
	Thread *t = thread_of(engine, r.tid);
	const Hold *own = nullptr;
	r.got = 0;
	r.error = 0;
	if (!t) {
		r.error = ESRCH;
		return nullptr;
	}
	for (const Hold &hold : t->holds)
		if (hold.engine == &engine)
			own = &hold;
	bool stopped = t->stop != Stop::none && (!t->holds.empty() || engine.observer);
	if (change ? !own && !r.stop_id : !stopped)
		r.error = EBUSY;
	else if (r.stop_id && (!own || own->stop_id != r.stop_id))
		r.error = ESTALE;
	else if (!r.buf && (change || r.len))
		r.error = EFAULT;
	return r.error ? nullptr : t;
}

void Server::get_regset(Thread &t, struct ntrace_regset &r)
{
	void *buf = reinterpret_cast<void *>(r.buf);
	if (r.note == NT_PRSTATUS && r.len >= sizeof(t.regs) && load_regs(t) && is_native(t)) {
		memcpy(buf, &t.regs, sizeof(t.regs));
		r.got = sizeof(t.regs);
		return;
	}
	if (r.note == NTRACE_NT_SIGINFO) {
		siginfo_t info;
		memset(&info, 0, sizeof(info));
		if (ptrace(PTRACE_GETSIGINFO, t.tid, 0, &info) < 0) {
			r.error = errno;
			return;
		}
		r.got = sizeof(info);
		memcpy(buf, &info, std::min<size_t>(r.len, sizeof(info)));
		return;
	}
	std::vector<char> whole;
	struct iovec iov = {buf, r.len};
	if (!r.len) {
		whole.resize(kMostBytes);
		iov = {whole.data(), whole.size()};
	}
	flush_regs(t);
	if (ptrace(PTRACE_GETREGSET, t.tid, r.note, &iov) < 0)
		r.error = errno;
	else
		r.got = iov.iov_len;
}

void Server::set_regset(Thread &t, struct ntrace_regset &r)
{
	if (r.note == NTRACE_NT_SIGINFO) {
		if (r.len != sizeof(siginfo_t))
			r.error = EINVAL;
		else if (ptrace(PTRACE_SETSIGINFO, t.tid, 0, r.buf) < 0)
			r.error = errno;
	} else {
		struct iovec iov = {reinterpret_cast<void *>(r.buf), r.len};
		flush_regs(t);
		if (ptrace(PTRACE_SETREGSET, t.tid, r.note, &iov) < 0)
			r.error = errno;
		t.regs_valid = false;
		r.got = iov.iov_len;
	}
	if (!r.error && !r.got)
		r.got = r.len;
}

int Server::each_regset(Engine &engine, void *record, bool change)
{
	auto &batch = *static_cast<struct ntrace_regs *>(record);
	auto *entries = reinterpret_cast<struct ntrace_regset *>(batch.entries);
	if (batch.count > NTRACE_MAX_BATCH)
		return -EINVAL;
	if (!entries && batch.count)
		return -EFAULT;
	batch.done = 0;
	for (uint32_t i = 0; i < batch.count; i++) {
		struct ntrace_regset &r = entries[i];
		Thread *t = entry_thread(engine, r, change);
		if (!t)
			continue;
		if (change)
			set_regset(*t, r);
		else
			get_regset(*t, r);
		batch.done += r.error == 0;
	}
	return 0;
}

int Server::get_regs(Engine &engine, void *record)
{
	return each_regset(engine, record, false);
}

int Server::set_regs(Engine &engine, void *record)
{
	return each_regset(engine, record, true);
}

} // namespace ntrace::embedded
