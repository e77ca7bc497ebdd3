// SPDX-License-Identifier: GPL-2.0
// Range stepping without steps: a thread that goes round in its range runs instead, with a patched
// byte wherever it could leave, and wherever the next instruction is not in the code to be read.
#include "fence.h"
#include "procfs.h"
#include "server.h"

#include <sys/ptrace.h>

#include <algorithm>

namespace ntrace::embedded
{

namespace
{

bool is_stable(const Process &p, pid_t tid, uint64_t lo, uint64_t hi)
{
	for (const Mapping &m : read_maps(p.pid, tid))
		if (lo >= m.start && hi <= m.end)
			return m.file && !m.writable && !m.shared;
	return false;
}

} // namespace

// True when the thread runs behind a fence. It stands inside its range, and not at a site.
bool Server::run_fenced(Thread &t)
{
	Process &p = *t.process;
	if (t.hi - t.lo > NT_FENCE_LONGEST || !load_regs(t))
		return false;
	std::vector<uint8_t> code(t.hi - t.lo);
	uint64_t posts[NT_FENCE_POSTS];
	if (!is_stable(p, t.tid, t.lo, t.hi) ||
	    read_shadowed(p, t.lo, code.data(), code.size()) != ssize_t(code.size()))
		return false;
	uint32_t count = nt_fence_posts(code.data(), t.lo, code.size(), is_native(t), posts);
	if (!count || std::count(posts, posts + count, t.regs.rip))
		return false;
	// a jump decides there without stopping anybody
	for (uint64_t addr : posts)
		if (auto found = p.space->sites.find(addr);
		    found != p.space->sites.end() && (found->second.pad || found->second.inside))
			return false;
	t.fence = std::make_unique<Fence>();
	t.fence->space = p.space;
	for (uint32_t i = 0; i < count; i++) {
		Site *site = arm_site(p, posts[i]);
		if (!site) {
			lift_fence(t);
			return false;
		}
		site->fenced.push_back(&t);
		t.fence->posts.push_back(posts[i]);
	}
	request(t, PTRACE_CONT, 0);
	return true;
}

void Server::lift_fence(Thread &t)
{
	std::unique_ptr<Fence> fence = std::move(t.fence);
	if (!fence || fence->space != t.process->space)
		return; // none, or gone in an exec with all memory
	for (uint64_t addr : fence->posts) {
		auto found = fence->space->sites.find(addr);
		if (found == fence->space->sites.end())
			continue;
		auto &fenced = found->second.fenced;
		fenced.erase(std::remove(fenced.begin(), fenced.end(), &t), fenced.end());
		drop_site(*t.process, found->second);
	}
}

} // namespace ntrace::embedded
