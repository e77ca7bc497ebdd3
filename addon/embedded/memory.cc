// SPDX-License-Identifier: GPL-2.0
// Target memory by the fastest path for its size, with every engine's breakpoint bytes hidden.
#include "server.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>

namespace ntrace::embedded
{

namespace
{

// Below, pread of /proc/PID/mem is faster than process_vm_readv; above, it is the other way round.
constexpr size_t kSmall = 4096;
constexpr size_t kVectorLimit = 1 << 20;

} // namespace

int Server::mem_fd(Process &p)
{
	if (p.mem_fd >= 0)
		return p.mem_fd;
	char path[64];
	// any live thread will do: the leader may be a zombie
	for (auto &entry : p.threads) {
		snprintf(path, sizeof(path), "/proc/%d/mem", entry.first);
		p.mem_fd = ::open(path, O_RDWR | O_CLOEXEC);
		if (p.mem_fd >= 0)
			return p.mem_fd;
	}
	return -1;
}

// What is really there. Bytes read, 0 if none.
ssize_t Server::peek(Process &p, uint64_t addr, void *buf, size_t len)
{
	char *out = static_cast<char *>(buf);
	size_t done = 0;
	if (len >= kSmall) {
		while (done < len) {
			size_t part = std::min(len - done, kVectorLimit);
			struct iovec local = {out + done, part};
			struct iovec remote = {reinterpret_cast<void *>(addr + done), part};
			ssize_t n = process_vm_readv(p.pid, &local, 1, &remote, 1, 0);
			if (n <= 0)
				break;
			done += n;
		}
	}
	int fd = done < len ? mem_fd(p) : -1;
	while (fd >= 0 && done < len) {
		ssize_t n = pread(fd, out + done, len - done, static_cast<off_t>(addr + done));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		done += n;
	}
	return done;
}

ssize_t Server::poke(Process &p, uint64_t addr, const void *buf, size_t len)
{
	const char *in = static_cast<const char *>(buf);
	size_t done = 0;
	int fd = mem_fd(p);
	while (fd >= 0 && done < len) {
		ssize_t n = pwrite(fd, in + done, len - done, static_cast<off_t>(addr + done));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		done += n;
	}
	return done;
}

ssize_t Server::read_shadowed(Process &p, uint64_t addr, void *buf, size_t len)
{
	ssize_t done = peek(p, addr, buf, len);
	auto &sites = p.space->sites;
	if (sites.empty())
		return done;
	auto *bytes = static_cast<uint8_t *>(buf);
	uint64_t end = addr + done;
	for (auto it = sites.lower_bound(addr - std::min<uint64_t>(addr, kWindow - 1));
	     it != sites.end() && it->first < end; ++it) {
		const Site &site = it->second;
		if (site.addr >= addr && !site.pad && !site.inside)
			bytes[site.addr - addr] = site.original;
		for (uint32_t i = 0; site.pad && i < kWindow; i++) {
			uint64_t at = site.addr + i;
			// not where the memory was mapped anew
			if (at >= addr && at < end && bytes[at - addr] == site.pad->patch[i])
				bytes[at - addr] = site.pad->original[i];
		}
	}
	return done;
}

ssize_t Server::write_shadowed(Process &p, uint64_t addr, const void *buf, size_t len)
{
	close_windows(p, addr, len);
	auto &sites = p.space->sites;
	forget_plans(*p.space, addr, len);
	auto first = sites.lower_bound(addr);
	if (first == sites.end() || first->first - addr >= len)
		return poke(p, addr, buf, len);
	const auto *bytes = static_cast<const uint8_t *>(buf);
	std::vector<uint8_t> patched(bytes, bytes + len);
	std::vector<Site *> armed;
	for (auto it = first; it != sites.end() && it->first - addr < len; ++it) {
		if (!is_armed(p, it->first))
			continue;
		patched[it->first - addr] = kInt3;
		armed.push_back(&it->second);
	}
	ssize_t done = poke(p, addr, patched.data(), len);
	for (Site *site : armed)
		if (site->addr - addr < (size_t)done)
			site->original = bytes[site->addr - addr];
	return done;
}

// Is the breakpoint byte still there, or the jump? Not when the memory was mapped anew.
bool Server::is_armed(Process &p, uint64_t addr)
{
	auto found = p.space->sites.find(addr);
	if (found != p.space->sites.end() && found->second.pad) {
		uint8_t window[kWindow];
		return peek(p, addr, window, kWindow) == kWindow &&
		       memcmp(window, found->second.pad->patch, kWindow) == 0;
	}
	uint8_t present = 0;
	return peek(p, addr, &present, 1) == 1 && present == kInt3;
}

int Server::read_mem(Engine &engine, void *record)
{
	auto &m = *static_cast<struct ntrace_mem *>(record);
	Process *p = process_of(engine, m.pid);
	if (!p)
		return -ESRCH;
	if (m.flags & ~NTRACE_MEM_RAW || m.count > NTRACE_MAX_BATCH)
		return -EINVAL;
	auto *vecs = reinterpret_cast<struct ntrace_memvec *>(m.vecs);
	if (!vecs && m.count)
		return -EFAULT;
	m.done = 0;
	for (uint32_t i = 0; i < m.count; i++) {
		struct ntrace_memvec &v = vecs[i];
		void *buf = reinterpret_cast<void *>(v.buf);
		ssize_t n = 0;
		if (buf)
			n = m.flags & NTRACE_MEM_RAW ? peek(*p, v.addr, buf, v.len)
						     : read_shadowed(*p, v.addr, buf, v.len);
		v.done = n;
		v.error = static_cast<uint64_t>(n) == v.len ? 0 : EFAULT;
		if (!v.error)
			m.done++;
	}
	return 0;
}

int Server::write_mem(Engine &engine, void *record)
{
	auto &m = *static_cast<struct ntrace_mem *>(record);
	Process *p = process_of(engine, m.pid);
	if (!p)
		return -ESRCH;
	if (m.flags || m.count > NTRACE_MAX_BATCH)
		return -EINVAL;
	auto *vecs = reinterpret_cast<struct ntrace_memvec *>(m.vecs);
	if (!vecs && m.count)
		return -EFAULT;
	m.done = 0;
	for (uint32_t i = 0; i < m.count; i++) {
		struct ntrace_memvec &v = vecs[i];
		ssize_t n =
		    v.buf ? write_shadowed(*p, v.addr, reinterpret_cast<void *>(v.buf), v.len) : 0;
		v.done = n;
		v.error = static_cast<uint64_t>(n) == v.len ? 0 : EFAULT;
		if (!v.error)
			m.done++;
	}
	return 0;
}

} // namespace ntrace::embedded
