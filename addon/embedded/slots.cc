// SPDX-License-Identifier: GPL-2.0
// Memory in the program for instructions that are run away from their place, and their plans.
#include "procfs.h"
#include "server.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include <algorithm>

namespace ntrace::embedded
{

namespace
{

constexpr uint64_t kAreaSize = 16384;
constexpr size_t kMostAreas = 64;
// What /proc/PID/maps calls it: [anon:ntrace].
constexpr char kAreaName[NT_OOL_SLOT] = "ntrace";
constexpr uint64_t kNameAt = kAreaSize - NT_OOL_SLOT;
// An operand relative to rip reaches 2 GiB; some of that is the operand's own.
constexpr uint64_t kReach = 1ull << 30;
constexpr uint64_t kLowest = 0x10000; // vm.mmap_min_addr as it is everywhere
constexpr uint64_t kPage = 4096;
constexpr uint64_t kStackRoom = 256 << 20; // below [stack], which grows
constexpr int kCompatMmap2 = 192, kCompatMunmap = 91, kCompatPrctl = 172;
constexpr int kSetVma = 0x53564d41, kSetVmaName = 0; // PR_SET_VMA, PR_SET_VMA_ANON_NAME

uint64_t distance(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

// A free place near addr: at the upper end of a gap, because heaps grow from the lower one; in
// front of the first mapping only if there is no other. 0: none in reach.
uint64_t find_gap(const std::vector<Mapping> &maps, uint64_t addr, uint64_t highest)
{
	uint64_t best = 0, first = 0, from = kLowest;
	for (size_t i = 0; i <= maps.size(); i++) {
		uint64_t to = i < maps.size() ? maps[i].start : highest;
		if (i < maps.size() && maps[i].name == "[stack]" && to > kStackRoom)
			to -= kStackRoom;
		to = std::min(to, highest);
		if (to > from && to - from >= kAreaSize + 2 * kPage) {
			uint64_t at = to - kAreaSize - kPage;
			if (at > addr + kReach)
				at = std::max(from + kPage, (addr + kReach) & ~(kPage - 1));
			if (distance(at, addr) <= kReach + kPage) {
				if (i == 0)
					first = at;
				else if (!best || distance(at, addr) < distance(best, addr))
					best = at;
			}
		}
		if (i < maps.size())
			from = std::max(from, maps[i].end);
	}
	return best ? best : first;
}

} // namespace

// Maps one more near addr, by a call the thread makes; it stands at a breakpoint there.
bool Server::map_area(Thread &t, uint64_t addr)
{
	Process &p = *t.process;
	std::shared_ptr<AddressSpace> space = p.space;
	if (space->no_areas || space->areas.size() >= kMostAreas || !can_call(t))
		return false;
	// a filter might kill the program for a call it did not make itself
	uint64_t at = has_seccomp(p.pid, t.tid) ? 0 : find_syscall(t);
	if (!at) {
		space->no_areas = true;
		return false;
	}
	bool native = is_native(t);
	uint64_t start = find_gap(read_maps(p.pid, t.tid), addr,
				  native ? (1ull << 47) - kPage : (1ull << 32) - kStackRoom);
	if (!start)
		return false;
	long got = call_in(t, at, native ? SYS_mmap : kCompatMmap2,
			   {start, kAreaSize, PROT_READ | PROT_EXEC,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, ~0ull, 0});
	if (got < 0) {
		space->no_areas = true;
		return false;
	}
	// a kernel that does not know NOREPLACE takes the address for a hint
	start = got;
	space->areas.push_back({start, 0, kAreaSize, 0});
	poke(p, start + kNameAt, kAreaName, sizeof(kAreaName));
	call_in(t, at, native ? SYS_prctl : kCompatPrctl,
		{kSetVma, kSetVmaName, start, kAreaSize, start + kNameAt});
	return true;
}

// The last one that lets go of the program takes them along, if a thread can be asked to.
void Server::unmap_areas(Process &p)
{
	std::shared_ptr<AddressSpace> space = p.space;
	if (space->areas.empty() || space->processes.size() != 1)
		return;
	Thread *caller = nullptr;
	for (auto &entry : p.threads) {
		Thread &t = *entry.second;
		if (t.stop == Stop::none && !t.zombie)
			return; // may still be in one
		if (!can_call(t) || !load_regs(t))
			continue;
		// best one that is not in the middle of a system call of its own
		if (!caller || static_cast<long>(t.regs.orig_rax) < 0)
			caller = &t;
	}
	if (!caller || has_seccomp(p.pid, caller->tid))
		return;
	pid_t tid = caller->tid;
	uint64_t at = find_syscall(*caller);
	while (at && !space->areas.empty() && find_thread(tid) == caller) {
		call_in(*caller, at, is_native(*caller) ? SYS_munmap : kCompatMunmap,
			{space->areas.back().start, space->areas.back().size});
		space->areas.pop_back();
	}
	space->slots.clear();
	space->plans.clear();
	space->pads.clear();
}

bool Server::in_area(const AddressSpace &space, uint64_t pc) const
{
	for (const Area &area : space.areas)
		if (pc - area.start < area.size)
			return true;
	return false;
}

// The plan whose slot a thread is in.
std::shared_ptr<Plan> Server::plan_at(const AddressSpace &space, uint64_t pc) const
{
	if (!in_area(space, pc))
		return nullptr;
	auto found = space.slots.find(pc & ~static_cast<uint64_t>(NT_OOL_SLOT - 1));
	return found == space.slots.end() ? nullptr : found->second;
}

// A slot for an instruction that has none yet. False: none is to be had, or none would do.
bool Server::give_slot(Thread &t, std::shared_ptr<Plan> &plan)
{
	if (plan->ool.slot)
		return plan->ool.slot_cls != NT_OOL_REFUSE;
	if (plan->ool.reason != NT_OOL_NO_SLOT)
		return false;
	AddressSpace &space = *t.process->space;
	uint64_t addr = plan->ool.addr;
	auto fits = [&](const Area &area) {
		return !area.counters && area.used < kNameAt &&
		       distance(area.start, addr) <= kReach + kAreaSize;
	};
	auto area = std::find_if(space.areas.begin(), space.areas.end(), fits);
	if (area == space.areas.end()) {
		if (!map_area(t, addr))
			return false;
		area = space.areas.end() - 1;
	}
	auto planned = std::make_shared<Plan>(*plan);
	uint64_t slot = area->start + area->used;
	nt_ool_plan(plan->bytes, plan->length, addr, slot, plan->ool.mode64, &planned->ool);
	if (planned->ool.slot_cls != NT_OOL_REFUSE) {
		const auto &code = planned->ool;
		if (poke(*t.process, slot, code.code, code.code_length) != code.code_length) {
			lose_areas(space);
			return false;
		}
		area->used += NT_OOL_SLOT;
		space.slots[slot] = planned;
	}
	plan = space.plans[addr] = planned;
	auto site = space.sites.find(addr);
	if (site != space.sites.end())
		site->second.plan = planned;
	return plan->ool.slot_cls != NT_OOL_REFUSE;
}

// The program has unmapped one of them: none is used any more.
void Server::lose_areas(AddressSpace &space)
{
	space.no_areas = true;
	for (Area &area : space.areas)
		area.used = area.size; // threads that are in one still fault there
	space.plans.clear();
	for (auto &entry : space.sites) {
		entry.second.plan.reset();
		if (entry.second.pad)
			hot_.push_back({space.processes.front()->space, entry.first, 0});
	}
}

// The plan for the instruction of a site. A thread stands there.
std::shared_ptr<Plan> Server::plan_for(Thread &t, Site &site)
{
	Process &p = *t.process;
	AddressSpace &space = *p.space;
	bool native = is_native(t);
	if (site.plan && site.plan->stable && site.plan->ool.mode64 == native)
		return site.plan;
	uint8_t bytes[NT_INSN_MAX];
	uint32_t length = read_shadowed(p, site.addr, bytes, sizeof(bytes));
	auto same = [&](const Plan &plan) {
		return plan.ool.mode64 == native && plan.length == length &&
		       memcmp(plan.bytes, bytes, length) == 0;
	};
	if (site.plan && same(*site.plan))
		return site.plan;
	auto known = space.plans.find(site.addr);
	if (known != space.plans.end() && same(*known->second))
		return site.plan = known->second;
	auto plan = std::make_shared<Plan>();
	memcpy(plan->bytes, bytes, length);
	plan->length = length;
	plan->stable = false;
	for (const Mapping &m : read_maps(p.pid, t.tid))
		if (site.addr >= m.start && site.addr + NT_INSN_MAX <= m.end)
			plan->stable = m.file && !m.writable && !m.shared;
	struct nt_insn insn;
	plan->repeats = nt_insn_decode(bytes, length, native, &insn) && insn.flags & NT_INSN_REPEAT;
	nt_ool_plan(bytes, length, site.addr, 0, native, &plan->ool);
	return site.plan = space.plans[site.addr] = plan;
}

// Code was written through us: what was planned there is looked at again.
void Server::forget_plans(AddressSpace &space, uint64_t addr, uint64_t len)
{
	uint64_t from = addr >= NT_INSN_MAX ? addr - NT_INSN_MAX : 0;
	for (auto it = space.sites.lower_bound(from);
	     it != space.sites.end() && it->first < addr + len; ++it)
		it->second.plan.reset();
}

} // namespace ntrace::embedded
