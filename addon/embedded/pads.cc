// SPDX-License-Identifier: GPL-2.0
// Pads: conditions as code in the program, behind it the instructions their jump displaces.
#include "procfs.h"
#include "server.h"

#include <insn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include <algorithm>

namespace ntrace::embedded
{

namespace
{

// Of an area: pads, and behind them filter and counters.
constexpr uint64_t kText = 16384, kData = 4096;
constexpr uint32_t kMostCounters = 256;
constexpr size_t kMostAreas = 32;
constexpr uint64_t kNameAt = kText + kData - 32;
constexpr char kAreaName[32] = "ntrace";
constexpr uint64_t kReach = 1ull << 30; // as for slots: operands relative to rip come along
// A stack without so much room left may not be one.
constexpr uint64_t kStackUse = 4096;
constexpr uint64_t kPage = 4096, kLowest = 0x10000, kHighest = (1ull << 47) - kPage;
constexpr uint64_t kStackRoom = 256 << 20;	     // below [stack], which grows
constexpr int kSetVma = 0x53564d41, kSetVmaName = 0; // PR_SET_VMA, PR_SET_VMA_ANON_NAME
constexpr uint8_t kJump = 0xe9;
constexpr uint32_t kTrapBytes = 0xcccccccc;

// Words of struct user_regs_struct as the processor numbers its registers.
constexpr uint8_t kNone = NT_PAD_NO_REG;
constexpr uint8_t kRegisters[] = {15, 14, 13, 12, 5, 3,	    11,		10,    9,     8,
				  0,  1,  2,  6,  7, kNone, NT_PAD_RIP, kNone, kNone, 4};

// A displacement as a number that grows with the address.
constexpr uint32_t kSign = 0x80000000;

uint32_t bias(uint64_t displacement)
{
	return static_cast<uint32_t>(displacement) ^ kSign;
}

// The smallest number from "low" on whose bits under the mask are those wanted; above 32 bits:
// there is none.
uint64_t least_match(uint32_t low, uint32_t mask, uint32_t wanted)
{
	uint32_t x = (low & ~mask) | wanted;
	if (x == low)
		return x;
	int top = 31 - __builtin_clz(x ^ low);
	uint32_t below = static_cast<uint32_t>((2ull << top) - 1);
	if (x > low)
		return (x & ~below) | (wanted & below);
	uint64_t sum = static_cast<uint64_t>(low | mask | below) + 1;
	return sum >> 32 ? sum : (static_cast<uint32_t>(sum) & ~mask) | wanted;
}

// The greatest one up to "high", with the same meaning.
uint64_t greatest_match(uint32_t high, uint32_t mask, uint32_t wanted)
{
	uint64_t found = least_match(~high, mask, ~wanted & mask);
	return found >> 32 ? found : static_cast<uint32_t>(~found);
}

// Addresses a jump from a window can have.
struct Aim {
	uint64_t next; // behind the window
	uint32_t mask, wanted;

	// In [low, high]; 0: none is.
	uint64_t find(uint64_t low, uint64_t high, bool upwards) const
	{
		low = std::max(low, next > kReach ? next - kReach : 0);
		high = std::min(high, next + kReach);
		if (low > high)
			return 0;
		uint32_t from = bias(low - next), to = bias(high - next);
		uint64_t found =
		    upwards ? least_match(from, mask, wanted) : greatest_match(to, mask, wanted);
		if (found >> 32 || found < from || found > to)
			return 0;
		return next + static_cast<int32_t>(static_cast<uint32_t>(found) ^ kSign);
	}
};

uint64_t distance(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

// A free place for an area with a pad at its beginning; in front of the first mapping only if there
// is no other.
uint64_t find_gap(const std::vector<Mapping> &maps, const Aim &aim)
{
	uint64_t best = 0, first = 0, from = kLowest;
	for (size_t i = 0; i <= maps.size(); i++) {
		uint64_t to = i < maps.size() ? maps[i].start : kHighest;
		if (i < maps.size() && maps[i].name == "[stack]" && to > kStackRoom)
			to -= kStackRoom;
		if (to > from && to - from > kText + kData + 2 * kPage) {
			uint64_t at = aim.find(from + kPage, to - kPage - kText - kData - 1, false);
			if (at && i == 0)
				first = at;
			else if (at && (!best || distance(at, aim.next) < distance(best, aim.next)))
				best = at;
		}
		if (i < maps.size())
			from = std::max(from, maps[i].end);
	}
	return best ? best : first;
}

// What may be run in a pad, and where in the window it may stand.
bool may_move(const struct nt_insn &insn, bool last)
{
	constexpr uint32_t kNever = NT_INSN_PRIV | NT_INSN_POPF | NT_INSN_SHADOW | NT_INSN_VENDOR;
	// a jump may skip the prefix
	if (insn.flags & kNever || insn.prefixes & NT_PFX_LOCK)
		return false;
	switch (insn.branch) {
	case NT_BR_NONE:
	case NT_BR_JCC:
		return true;
	case NT_BR_JMP:
	case NT_BR_JMP_IND:
	case NT_BR_CALL:
	case NT_BR_RET:
		return last; // what follows may be anything
	default:
		return false;
	}
}

// The copy goes on with the next copy, not in the program.
bool chain(struct nt_ool_plan &plan, uint64_t next)
{
	for (uint32_t i = 0; i < plan.mark_count; i++) {
		const struct nt_ool_mark &mark = plan.marks[i];
		if (!mark.done || mark.pc != plan.next)
			continue;
		if (plan.code[mark.offset] != kJump)
			return false;
		uint32_t relative = next - (plan.slot + mark.offset + 5);
		memcpy(plan.code + mark.offset + 1, &relative, sizeof(relative));
		return true;
	}
	return false;
}

// A note of this kind in the first page of a file makes it a program in Go: its stacks end where
// they have to, with other memory right below.
constexpr uint8_t kGoNote[] = {4, 0, 0, 0, 'G', 'o', 0, 0};
// What stands in front of the abort handlers of restartable sequences (man 2 rseq): who is in a pad
// instead of such a sequence would not be aborted.
constexpr uint8_t kAbort[] = {0x0f, 0xb9, 0x3d, 0x53, 0x30, 0x05, 0x53};
constexpr uint64_t kChunk = 1 << 20;

std::vector<Code> conditions_of(const Site &site)
{
	std::vector<Code> all;
	for (const Owner &owner : site.owners)
		all.insert(all.end(), owner.conditions.begin(), owner.conditions.end());
	return all;
}

bool compile(struct nt_pad &pad, const std::vector<Code> &conditions, uint8_t *out)
{
	std::vector<struct nt_pad_code> codes;
	size_t longest = 0;
	for (const Code &code : conditions) {
		codes.push_back({code.data(), static_cast<u32>(code.size())});
		longest = std::max(longest, code.size());
	}
	std::vector<u32> work(longest);
	return nt_pad_build(&pad, codes.data(), codes.size(), kRegisters, sizeof(kRegisters),
			    work.data(), out, NT_PAD_MAX);
}

} // namespace

// Memory for pads at a place that is free, by calls the thread makes.
bool Server::map_pads(Thread &t, uint64_t start)
{
	Process &p = *t.process;
	std::shared_ptr<AddressSpace> space = p.space;
	size_t count = std::count_if(space->areas.begin(), space->areas.end(),
				     [](const Area &area) { return area.counters > 0; });
	uint64_t at = count < kMostAreas && !has_seccomp(p.pid, t.tid) ? find_syscall(t) : 0;
	if (!at)
		return false;
	constexpr int kFlags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE;
	long got =
	    call_in(t, at, SYS_mmap, {start, kText, PROT_READ | PROT_EXEC, kFlags, ~0ull, 0});
	if (got < 0)
		return false;
	// a kernel that does not know NOREPLACE takes the address for a hint
	long data = static_cast<uint64_t>(got) == start
			? call_in(t, at, SYS_mmap,
				  {start + kText, kData, PROT_READ | PROT_WRITE, kFlags, ~0ull, 0})
			: -1;
	if (static_cast<uint64_t>(data) != start + kText) {
		call_in(t, at, SYS_munmap, {static_cast<uint64_t>(got), kText});
		if (data >= 0)
			call_in(t, at, SYS_munmap, {static_cast<uint64_t>(data), kData});
		return false;
	}
	space->areas.push_back({start, 0, kText + kData, 1});
	poke(p, start + kNameAt, kAreaName, sizeof(kAreaName));
	for (auto [from, size] : {std::pair(start, kText), std::pair(start + kText, kData)})
		call_in(t, at, SYS_prctl, {kSetVma, kSetVmaName, from, size, start + kNameAt});
	for (auto &entry : space->sites)
		for (uint64_t addr : {entry.first - 7, entry.first + kWindow - 1})
			mark_page(p, space->areas.back(), addr);
	return true;
}

// Pads that read from this page cannot know what the program would.
void Server::mark_page(Process &p, Area &area, uint64_t addr)
{
	uint32_t bit = nt_pad_filter_bit(addr);
	uint64_t at = area.start + kText + bit / 8;
	uint8_t byte = 0;
	if (peek(p, at, &byte, 1) == 1 && !(byte >> (bit % 8) & 1)) {
		byte |= 1 << (bit % 8);
		poke(p, at, &byte, 1);
	}
}

// Before text is patched. A read of up to eight bytes begins up to seven in front of it.
void Server::mark_patched(Process &p, uint64_t addr, uint32_t len)
{
	for (Area &area : p.space->areas)
		if (area.counters)
			for (uint64_t at : {addr - 7, addr + len - 1})
				mark_page(p, area, at);
}

// Where a pad of that size can lie, in an area that is there or is made; 0: nowhere.
uint64_t Server::find_pad(Thread &t, uint64_t addr, uint32_t mask, uint32_t size, Area *&in)
{
	AddressSpace &space = *t.process->space;
	Aim aim = {addr + kWindow, mask, (kTrapBytes ^ kSign) & mask};
	auto place = [&](Area &area) -> uint64_t {
		if (!area.counters || area.counters > kMostCounters || area.used + size > kText)
			return 0;
		uint64_t at = aim.find(area.start + area.used, area.start + kText - size, true);
		if (at) {
			area.used = at + size - area.start;
			in = &area;
		}
		return at;
	};
	for (Area &area : space.areas)
		if (uint64_t at = place(area))
			return at;
	uint64_t at = find_gap(read_maps(t.process->pid, t.tid), aim);
	if (!at || !map_pads(t, at & ~(kPage - 1)))
		return 0;
	return place(space.areas.back());
}

// Code, copies of what is displaced, and the jump to them. text: from the site on.
bool Server::build_pad(Thread &t, Pad &pad, const std::vector<uint8_t> &text)
{
	Process &p = *t.process;
	uint64_t addr = pad.code.addr;
	uint8_t code[NT_PAD_MAX];
	uint32_t mask = 0;
	std::vector<uint32_t> offsets;
	uint32_t at = 0;
	while (at < kWindow) {
		struct nt_insn insn;
		if (!nt_insn_decode(text.data() + at, text.size() - at, true, &insn) ||
		    !may_move(insn, at + insn.length >= kWindow))
			return false;
		if (at) {
			mask |= 0xffu << (8 * (at - 1));
			pad.inner.push_back(addr + at);
		}
		offsets.push_back(at);
		at += insn.length;
	}
	if (!compile(pad.code, pad.conditions, code))
		return false;
	Area *area = nullptr;
	uint32_t size = pad.code.length + NT_OOL_SLOT * (1 + offsets.size());
	uint64_t start = find_pad(t, addr, mask, size, area);
	if (!start)
		return false;
	// not right behind it: that is where its trap leaves a thread
	uint64_t slot = (start + pad.code.length + NT_OOL_SLOT) & ~uint64_t(NT_OOL_SLOT - 1);
	pad.code.at = start;
	pad.code.pass = slot;
	pad.code.filter = area->start + kText;
	pad.code.counter = pad.code.filter + NT_PAD_FILTER_BYTES + 8 * (area->counters++ - 1);
	if (!compile(pad.code, pad.conditions, code))
		return false;
	bool shadowed = has_shadow_stack(t);
	std::vector<std::shared_ptr<Plan>> plans;
	for (size_t i = 0; i < offsets.size(); i++, slot += NT_OOL_SLOT) {
		auto plan = std::make_shared<Plan>();
		plan->length = std::min<size_t>(text.size() - offsets[i], NT_INSN_MAX);
		plan->stable = plan->repeats = false;
		memcpy(plan->bytes, text.data() + offsets[i], plan->length);
		nt_ool_plan(plan->bytes, plan->length, addr + offsets[i], slot, true, &plan->ool);
		if (plan->ool.slot_cls != NT_OOL_BOOST ||
		    (shadowed && plan->ool.flags & NT_OOL_SHSTK_SLOT) ||
		    (i + 1 < offsets.size() && !chain(plan->ool, slot + NT_OOL_SLOT)))
			return false;
		plans.push_back(plan);
	}
	for (auto &plan : plans)
		if (poke(p, plan->ool.slot, plan->ool.code, plan->ool.code_length) !=
		    plan->ool.code_length)
			return false;
	if (poke(p, start, code, pad.code.length) != pad.code.length)
		return false;
	for (auto &plan : plans)
		p.space->slots[plan->ool.slot] = plan;
	uint32_t relative = start - (addr + kWindow);
	pad.patch[0] = kJump;
	memcpy(pad.patch + 1, &relative, sizeof(relative));
	pad.original.assign(text.begin(), text.begin() + at);
	return true;
}

// Is the text in memory where a pad may be entered from, and is the stack one it can use?
bool Server::takes_jump(Thread &t, uint64_t addr, uint64_t len, uint64_t sp)
{
	std::vector<Mapping> maps = read_maps(t.process->pid, t.tid);
	const Mapping *text = nullptr;
	bool stacked = false;
	for (const Mapping &m : maps) {
		if (addr >= m.start && addr + len <= m.end)
			text = &m;
		if (sp >= m.start + kStackUse && sp < m.end)
			stacked = !m.file && m.writable && !m.shared;
	}
	if (!text || !stacked || !text->file || text->writable || text->shared)
		return false;
	auto known = t.process->space->plain.find(text->name);
	if (known != t.process->space->plain.end())
		return known->second;
	auto first = std::find_if(maps.begin(), maps.end(),
				  [&](const Mapping &m) { return m.name == text->name; });
	bool plain =
	    !contains(*t.process, first->start, kPage, kGoNote, sizeof(kGoNote)) &&
	    !contains(*t.process, text->start, text->end - text->start, kAbort, sizeof(kAbort));
	return t.process->space->plain[text->name] = plain;
}

// Are these few bytes anywhere there?
bool Server::contains(Process &p, uint64_t addr, uint64_t len, const uint8_t *wanted, size_t size)
{
	std::vector<uint8_t> chunk;
	for (uint64_t done = 0; done < len; done += kChunk) {
		chunk.resize(std::min(len - done, kChunk + size - 1));
		chunk.resize(peek(p, addr + done, chunk.data(), chunk.size()));
		if (memmem(chunk.data(), chunk.size(), wanted, size))
			return true;
	}
	return false;
}

// The pad for a site as it is now, whose text has not been touched otherwise; nullptr: none is to
// be had. Every thread is stopped; one was there with this stack.
std::shared_ptr<Pad> Server::pad_for(Thread &t, Site &site, uint64_t sp)
{
	Process &p = *t.process;
	std::vector<Code> conditions = conditions_of(site);
	std::vector<uint8_t> text(kWindow + NT_INSN_MAX);
	text.resize(read_shadowed(p, site.addr, text.data(), text.size()));
	if (text.size() < kWindow || !takes_jump(t, site.addr, text.size(), sp))
		return nullptr;
	for (auto &entry : p.space->pads) {
		const Pad &known = *entry.second;
		if (known.code.addr == site.addr && known.conditions == conditions &&
		    known.original.size() <= text.size() &&
		    std::equal(known.original.begin(), known.original.end(), text.begin()))
			return entry.second;
	}
	auto pad = std::make_shared<Pad>();
	pad->code = {};
	pad->code.addr = site.addr;
	pad->conditions = std::move(conditions);
	if (!build_pad(t, *pad, text))
		return nullptr;
	return p.space->pads[pad->code.at] = pad;
}

} // namespace ntrace::embedded
