// SPDX-License-Identifier: GPL-2.0
// Raw regsets by ELF note (man 2 ptrace, PTRACE_GETREGSET).
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

} // namespace

// The native general registers, kept until the thread runs.
bool Server::load_regs(Thread &t)
{
	if (!t.regs_valid)
		t.regs_valid =
		    t.stop != Stop::none && ptrace(PTRACE_GETREGS, t.tid, 0, &t.regs) == 0;
	return t.regs_valid;
}

bool Server::set_pc(Thread &t, uint64_t pc)
{
	if (!load_regs(t))
		return false;
	t.regs.rip = pc;
	return ptrace(PTRACE_POKEUSER, t.tid, offsetof(struct user_regs_struct, rip), pc) == 0;
}

int Server::get_regs(Engine &engine, void *record)
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
		Thread *t = thread_of(engine, r.tid);
		r.got = 0;
		r.error = 0;
		if (!t) {
			r.error = ESRCH;
			continue;
		}
		if (t->stop == Stop::none || (t->holds.empty() && !engine.observer)) {
			r.error = EBUSY;
			continue;
		}
		if (r.stop_id) {
			bool current = false;
			for (const Hold &hold : t->holds)
				current |= hold.engine == &engine && hold.stop_id == r.stop_id;
			if (!current) {
				r.error = ESTALE;
				continue;
			}
		}
		void *buf = reinterpret_cast<void *>(r.buf);
		if (r.len && !buf) {
			r.error = EFAULT;
			continue;
		}
		if (r.note == NT_PRSTATUS && r.len >= sizeof(t->regs) && load_regs(*t) &&
		    t->regs.cs == kNativeCodeSegment) {
			memcpy(buf, &t->regs, sizeof(t->regs));
			r.got = sizeof(t->regs);
			batch.done++;
			continue;
		}
		if (r.note == NTRACE_NT_SIGINFO) {
			siginfo_t info;
			memset(&info, 0, sizeof(info));
			if (ptrace(PTRACE_GETSIGINFO, t->tid, 0, &info) < 0) {
				r.error = errno;
				continue;
			}
			r.got = sizeof(info);
			memcpy(buf, &info, std::min<size_t>(r.len, sizeof(info)));
			batch.done++;
			continue;
		}
		std::vector<char> whole;
		struct iovec iov = {buf, r.len};
		if (!r.len) {
			whole.resize(kMostBytes);
			iov = {whole.data(), whole.size()};
		}
		if (ptrace(PTRACE_GETREGSET, t->tid, r.note, &iov) < 0) {
			r.error = errno == EINVAL ? EINVAL : errno;
			continue;
		}
		r.got = iov.iov_len;
		batch.done++;
	}
	return 0;
}

int Server::set_regs(Engine &engine, void *record)
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
		Thread *t = thread_of(engine, r.tid);
		r.got = 0;
		r.error = 0;
		if (!t) {
			r.error = ESRCH;
			continue;
		}
		const Hold *own = nullptr;
		for (const Hold &hold : t->holds)
			if (hold.engine == &engine)
				own = &hold;
		if (!own) {
			r.error = r.stop_id ? ESTALE : EBUSY;
			continue;
		}
		if (r.stop_id && own->stop_id != r.stop_id) {
			r.error = ESTALE;
			continue;
		}
		if (!r.buf) {
			r.error = EFAULT;
			continue;
		}
		if (r.note == NTRACE_NT_SIGINFO) {
			if (r.len != sizeof(siginfo_t))
				r.error = EINVAL;
			else if (ptrace(PTRACE_SETSIGINFO, t->tid, 0, r.buf) < 0)
				r.error = errno;
		} else {
			struct iovec iov = {reinterpret_cast<void *>(r.buf), r.len};
			if (ptrace(PTRACE_SETREGSET, t->tid, r.note, &iov) < 0)
				r.error = errno;
			t->regs_valid = false;
			r.got = iov.iov_len;
		}
		if (!r.error) {
			if (!r.got)
				r.got = r.len;
			batch.done++;
		}
	}
	return 0;
}

} // namespace ntrace::embedded
