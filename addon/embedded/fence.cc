// SPDX-License-Identifier: GPL-2.0
// Range stepping without steps: a thread that goes round in its range runs instead, with a patched
// byte wherever it could leave, and wherever the next instruction is not in the code to be read.
#include "fence.h"
#include "procfs.h"
#include "server.h"

#include <insn.h>
#include <sys/ptrace.h>

#include <algorithm>
#include <set>

namespace ntrace::embedded
{

namespace
{

// Longer ranges are stepped: a line of source is shorter.
constexpr uint64_t kLongestRange = 4096;
// With more exits the fence costs more than the steps it saves.
constexpr size_t kMostPosts = 16;

// Where a thread that runs inside [lo, hi) has to be caught. False: the code cannot be told.
bool find_posts(const uint8_t *code, uint64_t lo, uint64_t hi, bool mode64,
		std::set<uint64_t> &posts)
{
	std::set<uint64_t> starts;
	std::vector<std::pair<uint64_t, uint64_t>> jumps; // from, to
	uint64_t at = lo;
	bool falls = true; // from the instruction before "at"
	while (at < hi) {
		struct nt_insn insn;
		uint32_t length = nt_insn_decode(code + (at - lo), hi - at, mode64, &insn);
		if (!length)
			return false;
		starts.insert(at);
		falls = insn.branch != NT_BR_JMP;
		switch (insn.branch) {
		case NT_BR_NONE:
			if (insn.flags & NT_INSN_POPF)
				posts.insert(at); // it may set the trap flag
			break;
		case NT_BR_JMP:
		case NT_BR_JCC:
		case NT_BR_LOOP:
		case NT_BR_CALL:
			if (insn.flags & NT_INSN_VENDOR)
				posts.insert(at);
			else
				jumps.emplace_back(at, nt_insn_target(&insn, at));
			break;
		default:
			posts.insert(at);
		}
		at += length;
	}
	if (at != hi)
		return false;
	if (falls)
		posts.insert(hi);
	for (auto [from, to] : jumps)
		if (to < lo || to >= hi)
			posts.insert(to);
		else if (!starts.count(to))
			posts.insert(from);
	return posts.size() <= kMostPosts;
}

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
	if (t.hi - t.lo > kLongestRange || !load_regs(t))
		return false;
	std::vector<uint8_t> code(t.hi - t.lo);
	std::set<uint64_t> posts;
	if (!is_stable(p, t.tid, t.lo, t.hi) ||
	    read_shadowed(p, t.lo, code.data(), code.size()) != ssize_t(code.size()) ||
	    !find_posts(code.data(), t.lo, t.hi, is_native(t), posts) || posts.count(t.regs.rip))
		return false;
	// a jump decides there without stopping anybody
	for (uint64_t addr : posts)
		if (auto found = p.space->sites.find(addr);
		    found != p.space->sites.end() && (found->second.pad || found->second.inside))
			return false;
	t.fence = std::make_unique<Fence>();
	t.fence->space = p.space;
	for (uint64_t addr : posts) {
		Site *site = arm_site(p, addr);
		if (!site) {
			lift_fence(t);
			return false;
		}
		site->fenced.push_back(&t);
		t.fence->posts.push_back(addr);
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
