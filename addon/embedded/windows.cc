// SPDX-License-Identifier: GPL-2.0
// Windows: a jump to a pad in the program's text, where a breakpoint with conditions is passed over
// all the time. The instructions that begin inside of it are sites of their own: where they begin
// the jump has the byte of a breakpoint, so whoever comes there otherwise goes on from there.
//
// Text is changed from or to a window only while no thread of the address space runs.
#include "procfs.h"
#include "server.h"

#include <string.h>

#include <algorithm>

namespace ntrace::embedded
{

namespace
{

constexpr uint64_t kFreezeTimeout = 20 * kNanosPerMilli;
constexpr uint32_t kNever = UINT32_MAX;
// Threads that come to an instruction inside so often would be better off without the window.
constexpr uint32_t kInside = 64;
// Where it did not work now it may later, after so many times as many hits.
constexpr uint32_t kPatienceFactor = 16;
constexpr uint32_t kMostPatience = kHot * kPatienceFactor * kPatienceFactor;

void wait_longer(Site &site)
{
	if (site.patience < kMostPatience)
		site.patience *= kPatienceFactor;
}

bool has_debug_registers(const AddressSpace &space)
{
	for (const Process *p : space.processes)
		for (const DebugRegister &reg : p->debug)
			if (!reg.owners.empty())
				return true;
	return false;
}

// Sites with a window whose instructions overlap these bytes.
std::vector<Site *> windows_at(AddressSpace &space, uint64_t addr, uint64_t len)
{
	constexpr uint64_t kMost = kWindow - 1 + NT_INSN_MAX;
	std::vector<Site *> open;
	for (auto it = space.sites.lower_bound(addr - std::min(addr, kMost));
	     it != space.sites.end() && (it->first < addr || it->first - addr < len); ++it) {
		Site &site = it->second;
		if (site.pad && site.addr + site.pad->original.size() > addr)
			open.push_back(&site);
	}
	return open;
}

} // namespace

// A hit nobody was told of.
void Server::heat(Thread &t, Site &site)
{
	if (++site.unheard < (site.inside ? kInside : site.patience))
		return;
	site.unheard = 0;
	hot_.push_back({t.process->space, site.addr, t.regs.rsp});
}

// May its conditions be decided in the program?
bool Server::suits_pad(const AddressSpace &space, const Site &site) const
{
	if (space.no_areas || space.processes.size() != 1 || has_debug_registers(space) ||
	    site.inside || site.owners.empty() || !site.tracepoints.empty() || !site.fenced.empty())
		return false;
	Process &p = *space.processes.front();
	for (const Owner &owner : site.owners)
		if (owner.conditions.empty() || !owner.actions.empty() ||
		    !p.attachment(owner.engine))
			return false;
	auto it = space.sites.lower_bound(site.addr - std::min<uint64_t>(site.addr, kWindow - 1));
	for (; it != space.sites.end() && it->first < site.addr + kWindow; ++it)
		if (it->first > site.addr || it->second.pad)
			return false;
	return true;
}

// A thread to make calls in, best one that stands at the place; nullptr: not all are stopped, or
// none can be asked.
Thread *Server::caller_of(AddressSpace &space, uint64_t addr)
{
	Thread *caller = nullptr;
	for (auto &entry : space.processes.front()->threads) {
		Thread &t = *entry.second;
		TaskStat stat;
		if (t.zombie || t.job_stopped)
			continue;
		// one that sleeps in the kernel stops before it runs on
		if (t.stop == Stop::none && read_stat(t.process->pid, t.tid, stat) &&
		    stat.state == 'R')
			return nullptr;
		if (!can_call(t) || !load_regs(t) || !is_native(t))
			continue;
		if (t.regs.rip == addr)
			caller = &t;
		else if (!caller && static_cast<long>(t.regs.orig_rax) < 0)
			caller = &t;
	}
	return caller;
}

void Server::open_window(const std::shared_ptr<AddressSpace> &space, uint64_t addr, uint64_t sp)
{
	freeze(*space, nullptr, kFreezeTimeout);
	auto found = space->sites.find(addr);
	if (found != space->sites.end() && suits_pad(*space, found->second)) {
		Site &site = found->second;
		Process &p = *space->processes.front();
		Thread *caller = caller_of(*space, addr);
		pid_t tid = caller ? caller->tid : 0;
		std::shared_ptr<Pad> pad =
		    caller && is_armed(p, addr) ? pad_for(*caller, site, sp) : nullptr;
		// it may have died of its calls
		bool there = pad && find_thread(tid) == caller;
		if (there) {
			mark_patched(p, addr, kWindow);
			if (!p.owned)
				site.guarded_jump.text(guard_, p.pid, p.cookie, addr, pad->patch,
						       pad->original.data(), kWindow);
			there = poke(p, addr, pad->patch, kWindow) == kWindow;
		}
		for (size_t i = 0; there && i < pad->inner.size(); i++) {
			Site &inner = space->sites[pad->inner[i]];
			inner.addr = pad->inner[i];
			inner.original = pad->original[inner.addr - addr];
			inner.inside = true;
			inner.generation = next_generation_++;
			if (next_generation_ == 0)
				next_generation_ = 1;
		}
		if (there) {
			site.pad = pad;
			site.patience = kHot;
			count_natives(p, site);
			pad->looked = pad->counted;
		} else {
			site.guarded_jump.end();
			wait_longer(site);
			if (caller)
				site.patience = kNever;
		}
	} else if (found != space->sites.end()) {
		wait_longer(found->second);
	}
	unfreeze(*space, nullptr);
}

// Sites that have become hot: they get a window, or lose one that does not pay.
void Server::tend_windows()
{
	std::vector<Hot> hot;
	hot.swap(hot_);
	for (Hot &each : hot) {
		std::shared_ptr<AddressSpace> space = each.space.lock();
		if (!space || space->processes.empty())
			continue;
		Process &p = *space->processes.front();
		auto found = space->sites.find(each.addr);
		if (found == space->sites.end())
			continue;
		if (found->second.inside) {
			while (found != space->sites.begin() && !found->second.pad)
				--found;
			uint64_t addr = found->first;
			close_windows(p, addr, 1);
			found = space->sites.find(addr);
			if (found != space->sites.end())
				found->second.patience = kNever;
			continue;
		}
		if (!found->second.pad) {
			if (!suits_pad(*space, found->second))
				wait_longer(found->second);
			else if (found->second.patience != kNever)
				open_window(space, each.addr, each.sp);
			continue;
		}
		Site &site = found->second;
		count_natives(p, site);
		uint64_t passed = site.pad->counted - site.pad->looked;
		site.pad->looked = site.pad->counted;
		if (passed > kHot && !space->no_areas)
			continue;
		close_windows(p, each.addr, 1);
		found = space->sites.find(each.addr);
		if (found != space->sites.end())
			found->second.patience = kNever;
	}
}

// Before anybody else has to do with the text there. except: a thread that is stopped and in the
// middle of something.
void Server::close_windows(Process &p, uint64_t addr, uint64_t len, Thread *except)
{
	std::shared_ptr<AddressSpace> space = p.space;
	if (windows_at(*space, addr, len).empty())
		return;
	freeze(*space, except, kFreezeTimeout);
	if (!space->processes.empty())
		shut_windows(*space->processes.front(), addr, len);
	unfreeze(*space, except);
}

// The same when nobody runs.
void Server::shut_windows(Process &p, uint64_t addr, uint64_t len)
{
	for (Site *site : windows_at(*p.space, addr, len))
		shut_window(p, *site);
}

// The site is a plain breakpoint again.
void Server::shut_window(Process &p, Site &site)
{
	auto &sites = p.space->sites;
	count_natives(p, site);
	bool armed = is_armed(p, site.addr);
	std::shared_ptr<Pad> pad;
	pad.swap(site.pad);
	uint8_t bytes[kWindow];
	memcpy(bytes, pad->original.data(), kWindow);
	bytes[0] = kInt3;
	for (uint64_t addr : pad->inner) {
		auto inner = sites.find(addr);
		if (inner == sites.end() || !inner->second.inside)
			continue;
		inner->second.inside = false;
		if (inner->second.owners.empty() && inner->second.tracepoints.empty() &&
		    inner->second.fenced.empty())
			sites.erase(inner);
		else
			bytes[addr - site.addr] = kInt3;
	}
	// whoever overwrote it behind our back keeps what it wrote
	if (armed)
		poke(p, site.addr, bytes, kWindow);
	site.guarded_jump.end();
}

// What the program has decided since is counted as if we had. A number that is read while it
// changes may be off; the next one makes up for that, at the latest when the program is stopped.
void Server::count_natives(Process &p, Site &site)
{
	uint64_t now = 0;
	if (!site.pad || peek(p, site.pad->code.counter, &now, sizeof(now)) != sizeof(now))
		return;
	uint64_t passed = now - site.pad->counted;
	site.pad->counted = now;
	for (Owner &owner : site.owners) {
		owner.hits += passed;
		owner.false_hits += passed;
		owner.native += passed;
		owner.evaluated += passed * owner.conditions.size();
	}
}

} // namespace ntrace::embedded
