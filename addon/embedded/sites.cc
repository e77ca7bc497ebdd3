// SPDX-License-Identifier: GPL-2.0
// Patched bytes: one table an address space, shared by all engines.
#include "server.h"

#include <errno.h>

#include <algorithm>

namespace ntrace::embedded
{

// The site at an address, patched; nullptr: there is no memory.
Site *Server::arm_site(Process &p, uint64_t addr)
{
	auto &sites = p.space->sites;
	auto found = sites.find(addr);
	if (found != sites.end() && is_armed(p, addr))
		return &found->second;
	// where there is one the memory was mapped anew: what is there now is the program's
	uint8_t original;
	if (peek(p, addr, &original, 1) != 1 || poke(p, addr, &kInt3, 1) != 1)
		return nullptr;
	Site &site = sites[addr];
	site.addr = addr;
	site.original = original;
	site.generation = next_generation_++;
	if (next_generation_ == 0)
		next_generation_ = 1;
	return &site;
}

// A site nobody wants any more goes.
void Server::drop_site(Process &p, Site &site)
{
	if (!site.owners.empty() || !site.tracepoints.empty())
		return;
	uint64_t addr = site.addr;
	// whoever overwrote the byte behind our back keeps what it wrote
	if (is_armed(p, addr))
		poke(p, addr, &site.original, 1);
	p.space->sites.erase(addr);
}

int Server::insert_site(Process &p, Engine &engine, uint64_t addr, std::vector<Code> &conditions,
			uint32_t &id, uint32_t &owners)
{
	Site *site = arm_site(p, addr);
	if (!site)
		return -EFAULT;
	for (Owner &owner : site->owners)
		if (owner.engine == &engine) {
			owner.conditions.swap(conditions);
			id = owner.id;
			owners = site->owners.size();
			return 0;
		}
	id = ++engine.last_break_id;
	site->owners.emplace_back(&engine, id);
	site->owners.back().conditions.swap(conditions);
	owners = site->owners.size();
	engine.breaks[id] = {&p, NTRACE_BREAK_SW, addr, 1};
	return 0;
}

void Server::remove_site(Process &p, Engine &engine, uint64_t addr)
{
	auto &sites = p.space->sites;
	auto found = sites.find(addr);
	if (found == sites.end())
		return;
	auto &owners = found->second.owners;
	owners.erase(std::remove_if(owners.begin(), owners.end(),
				    [&](const Owner &o) { return o.engine == &engine; }),
		     owners.end());
	drop_site(p, found->second);
}

// A forked child has copies of the parent's patched bytes and no use for them.
void Server::clean_child(Process &child, const AddressSpace &parent)
{
	for (auto &entry : parent.sites)
		poke(child, entry.first, &entry.second.original, 1);
}

int Server::set_break(Engine &engine, void *record)
{
	auto &b = *static_cast<struct ntrace_break *>(record);
	Process *p = process_of(engine, b.pid);
	if (!p)
		return -ESRCH;
	if (b.nactions || b.flags & NTRACE_BREAK_PERSIST ||
	    (b.nconditions && b.type != NTRACE_BREAK_SW))
		return -EOPNOTSUPP;
	if (b.flags || b.type > NTRACE_WATCH_ACCESS)
		return -EINVAL;
	if (p->leaving || p->threads.empty())
		return -EALREADY;
	if (b.type == NTRACE_WATCH_READ)
		return -EOPNOTSUPP;
	if (b.type == NTRACE_BREAK_SW) {
		std::vector<Code> conditions;
		int error = b.len == 1 ? take_conditions(b, conditions) : -EINVAL;
		return error ? error : insert_site(*p, engine, b.addr, conditions, b.id, b.owners);
	}
	return insert_debug(*p, engine, b.type, b.addr, b.len, b.id, b.owners);
}

void Server::remove_break(Engine &engine, uint32_t id)
{
	auto found = engine.breaks.find(id);
	if (found == engine.breaks.end())
		return;
	Break b = found->second;
	engine.breaks.erase(found);
	if (b.type == NTRACE_BREAK_SW)
		remove_site(*b.process, engine, b.addr);
	else
		remove_debug(*b.process, engine, id);
}

int Server::clear_break(Engine &engine, void *record)
{
	auto &u = *static_cast<struct ntrace_unbreak *>(record);
	if (u.reserved)
		return -EINVAL;
	if (!engine.breaks.count(u.id))
		return -ESRCH;
	remove_break(engine, u.id);
	return 0;
}

int Server::break_stats(Engine &engine, void *record)
{
	auto &s = *static_cast<struct ntrace_break_stats *>(record);
	auto found = engine.breaks.find(s.id);
	if (found == engine.breaks.end())
		return -ESRCH;
	const Break &b = found->second;
	auto take = [&](const std::vector<Owner> &owners) {
		for (const Owner &o : owners)
			if (o.engine == &engine && o.id == s.id) {
				s.hits = o.hits;
				s.evaluated = o.evaluated;
				s.true_hits = o.true_hits;
				s.false_hits = o.false_hits;
				s.errors = o.errors;
				s.cost_ns = o.cost_ns;
				s.owners = owners.size();
			}
	};
	s.evaluated = s.true_hits = s.false_hits = s.errors = s.cost_ns = 0;
	if (b.type == NTRACE_BREAK_SW) {
		auto site = b.process->space->sites.find(b.addr);
		if (site != b.process->space->sites.end())
			take(site->second.owners);
	} else {
		for (const DebugRegister &reg : b.process->debug)
			take(reg.owners);
	}
	return 0;
}

} // namespace ntrace::embedded
