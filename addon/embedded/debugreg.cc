// SPDX-License-Identifier: GPL-2.0
// The four debug registers, shared by all engines of a process (Intel SDM volume 3, chapter 18).
#include "server.h"

#include <errno.h>
#include <stddef.h>
#include <sys/ptrace.h>

#include <algorithm>

namespace ntrace::embedded
{

namespace
{

constexpr uint32_t kMostBytes = 8;
constexpr int kStatus = 6, kControl = 7;

long offset(int reg)
{
	return offsetof(struct user, u_debugreg) + reg * sizeof(long);
}

// R/W and LEN bits of DR7, and its local enable bit
unsigned long control_bits(int i, const DebugRegister &reg)
{
	unsigned long rw = reg.type == NTRACE_BREAK_HW ? 0 : reg.type == NTRACE_WATCH_WRITE ? 1 : 3;
	unsigned long len = reg.type == NTRACE_BREAK_HW ? 0 : reg.len == 8 ? 2 : reg.len - 1;
	return (rw | len << 2) << (16 + 4 * i) | 1ul << (2 * i);
}

struct Piece {
	uint64_t addr;
	uint32_t len;
};

// Aligned pieces of 1, 2, 4 or 8 bytes that cover the range.
std::vector<Piece> pieces(uint64_t addr, uint32_t len)
{
	std::vector<Piece> out;
	while (len > 0 && out.size() <= kDebugRegisters) {
		uint32_t size = kMostBytes;
		while (size > 1 && (addr % size || size > len))
			size /= 2;
		out.push_back({addr, size});
		addr += size;
		len -= size;
	}
	return out;
}

// Tells of one more place in an event of a watchpoint, each once.
void add_place(struct ntrace_event &e, uint64_t addr)
{
	static_assert(kDebugRegisters <= 1 + sizeof(e.args) / sizeof(e.args[0]), "all have room");
	auto *end = e.args + e.nr;
	if (addr != e.addr && std::find(e.args, end, addr) == end)
		e.args[e.nr++] = addr;
}

} // namespace

// 0 or the errno with which the kernel refused.
int Server::write_debug(Thread &t)
{
	Process &p = *t.process;
	t.debug_generation = p.debug_generation;
	bool any = false;
	for (const DebugRegister &reg : p.debug)
		any |= !reg.owners.empty();
	if (!any && !t.has_debug_registers)
		return 0;
	// disabled while the addresses change
	ptrace(PTRACE_POKEUSER, t.tid, offset(kControl), 0);
	t.has_debug_registers = any;
	unsigned long control = 0;
	for (int i = 0; i < kDebugRegisters; i++) {
		if (p.debug[i].owners.empty())
			continue;
		if (ptrace(PTRACE_POKEUSER, t.tid, offset(i), p.debug[i].addr) < 0)
			return errno;
		control |= control_bits(i, p.debug[i]);
	}
	if (control && ptrace(PTRACE_POKEUSER, t.tid, offset(kControl), control) < 0)
		return errno;
	return 0;
}

// Running threads get the registers by a short stop nobody sees.
void Server::refresh_debug(Process &p)
{
	bool running = false;
	for (auto &entry : p.threads)
		running |= entry.second->stop == Stop::none;
	if (!running)
		return;
	std::shared_ptr<AddressSpace> space = p.space;
	freeze(*space, nullptr, 20 * kNanosPerMilli);
	unfreeze(*space, nullptr);
}

// They outlive their tracer, and would end the program.
void Server::guard_debug(Process &p)
{
	bool any = false;
	for (const DebugRegister &reg : p.debug)
		any |= !reg.owners.empty();
	if (any && !p.owned)
		p.debug_guarded.debug_registers(guard_, p.pid, p.cookie);
	else
		p.debug_guarded.end();
}

int Server::insert_debug(Process &p, Engine &engine, uint32_t type, uint64_t addr, uint32_t len,
			 uint32_t &id, uint32_t &owners)
{
	if (type == NTRACE_BREAK_HW)
		len = 1;
	if (len == 0 || len > kMostBytes * kDebugRegisters || addr + len < addr)
		return -EINVAL;
	for (auto &entry : engine.breaks) {
		const Break &b = entry.second;
		if (b.process == &p && b.type == type && b.addr == addr && b.len == len) {
			id = entry.first;
			owners = 1;
			return 0;
		}
	}
	uint32_t fresh = engine.last_break_id + 1;
	std::vector<Piece> wanted = pieces(addr, len);
	std::vector<int> taken;
	for (const Piece &piece : wanted) {
		int at = -1;
		for (int i = 0; i < kDebugRegisters && at < 0; i++) {
			const DebugRegister &reg = p.debug[i];
			if (!reg.owners.empty() && reg.type == type && reg.addr == piece.addr &&
			    reg.len == piece.len)
				at = i;
		}
		for (int i = 0; i < kDebugRegisters && at < 0; i++)
			if (p.debug[i].owners.empty())
				at = i;
		if (at < 0) {
			for (int i : taken)
				p.debug[i].owners.pop_back();
			return -ENOSPC;
		}
		p.debug[at].type = type;
		p.debug[at].addr = piece.addr;
		p.debug[at].len = piece.len;
		p.debug[at].owners.emplace_back(&engine, fresh);
		taken.push_back(at);
	}
	p.debug_generation++;
	guard_debug(p);
	// a stopped thread tells at once what the kernel thinks of it
	for (auto &entry : p.threads) {
		Thread &t = *entry.second;
		if (t.stop == Stop::none)
			continue;
		int error = write_debug(t);
		if (error && error != ESRCH) {
			for (int i : taken)
				p.debug[i].owners.pop_back();
			p.debug_generation++;
			write_debug(t);
			guard_debug(p);
			return -error;
		}
	}
	engine.last_break_id = id = fresh;
	owners = p.debug[taken[0]].owners.size();
	engine.breaks[id] = {&p, type, addr, len};
	refresh_debug(p);
	return 0;
}

void Server::remove_debug(Process &p, Engine &engine, uint32_t id)
{
	for (DebugRegister &reg : p.debug)
		reg.owners.erase(std::remove_if(reg.owners.begin(), reg.owners.end(),
						[&](const Owner &o) {
							return o.engine == &engine && o.id == id;
						}),
				 reg.owners.end());
	p.debug_generation++;
	refresh_debug(p);
	guard_debug(p);
}

// Which registers caused this trap, one instruction may be several's; the status is cleared.
unsigned int Server::hit_debug(Thread &t)
{
	errno = 0;
	long status = ptrace(PTRACE_PEEKUSER, t.tid, offset(kStatus), 0);
	if (errno || !(status & 0xf))
		return 0;
	ptrace(PTRACE_POKEUSER, t.tid, offset(kStatus), 0);
	unsigned int hit = 0;
	for (int i = 0; i < kDebugRegisters; i++)
		if (status >> i & 1 && !t.process->debug[i].owners.empty())
			hit |= 1u << i;
	return hit;
}

// Each engine is told once, of all that was touched of its watchpoints: it has one stop.
void Server::tell_watches(Thread &t, unsigned int hit)
{
	std::vector<std::pair<Engine *, struct ntrace_event>> events;
	for (int i = 0; i < kDebugRegisters; i++) {
		DebugRegister &reg = t.process->debug[i];
		if (!(hit >> i & 1) || reg.type == NTRACE_BREAK_HW)
			continue;
		for (Owner &owner : reg.owners) {
			owner.hits++;
			auto known =
			    std::find_if(events.begin(), events.end(), [&](const auto &event) {
				    return event.first == owner.engine;
			    });
			if (known != events.end()) {
				add_place(known->second, reg.addr);
				continue;
			}
			struct ntrace_event e;
			fill(e, t, NTRACE_EV_WATCH, true);
			e.addr = reg.addr;
			e.break_id = owner.id;
			events.emplace_back(owner.engine, e);
		}
	}
	for (auto &[engine, e] : events) {
		post_stop(*engine, t, e);
		if (t.stepper == engine)
			t.stepper = nullptr;
	}
}

// Those before the instruction that comes next. To who has a stop already they are a note.
void Server::tell_hardware_breaks(Thread &t, unsigned int hit)
{
	for (int i = 0; i < kDebugRegisters; i++) {
		DebugRegister &reg = t.process->debug[i];
		if (!(hit >> i & 1) || reg.type != NTRACE_BREAK_HW)
			continue;
		for (Owner &owner : reg.owners) {
			if (!wants_hit(t, owner))
				continue;
			struct ntrace_event e;
			fill(e, t, NTRACE_EV_HWBREAK, true);
			e.addr = reg.addr;
			e.break_id = owner.id;
			if (held_by(t, *owner.engine))
				post_note(*owner.engine, e);
			else
				post_stop(*owner.engine, t, e);
			if (t.stepper == owner.engine)
				t.stepper = nullptr;
		}
	}
}

} // namespace ntrace::embedded
