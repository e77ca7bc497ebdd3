// SPDX-License-Identifier: GPL-2.0
// Patched bytes: one table an address space, shared by all engines.
#include "procfs.h"
#include "server.h"

#include <errno.h>
#include <string.h>

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
	bool fresh = found == sites.end();
	uint8_t original;
	mark_patched(p, addr, 1);
	if (peek(p, addr, &original, 1) != 1)
		return nullptr;
	Site &site = sites[addr];
	if (!p.owned) // it would end with us
		site.guarded.text(guard_, p.pid, p.cookie, addr, &kInt3, &original, 1);
	if (poke(p, addr, &kInt3, 1) != 1) {
		if (fresh)
			sites.erase(addr);
		return nullptr;
	}
	site.pad.reset();
	site.guarded_jump.end();
	site.inside = false;
	site.addr = addr;
	site.original = original;
	site.generation = next_generation_++;
	if (next_generation_ == 0)
		next_generation_ = 1;
	return &site;
}

// A site nobody wants any more goes. False: its memory went before, and the process did not.
bool Server::drop_site(Process &p, Site &site)
{
	if (!site.owners.empty() || !site.tracepoints.empty() || !site.fenced.empty() ||
	    site.inside)
		return true;
	uint64_t addr = site.addr;
	if (site.pad)
		shut_window(p, site);
	// whoever overwrote the byte behind our back keeps what it wrote
	uint8_t byte = site.original;
	bool there =
	    is_armed(p, addr) ? poke(p, addr, &byte, 1) == 1 : peek(p, addr, &byte, 1) == 1;
	p.space->sites.erase(addr);
	TaskStat stat;
	return there || !read_stat(p.pid, p.pid, stat) || stat.state == 'Z' || stat.state == 'X';
}

// The engine's place at the site of an address, new if it had none; nullptr: there is no memory.
Owner *Server::insert_site(Process &p, Engine &engine, uint64_t addr)
{
	Site *site = arm_site(p, addr);
	if (!site)
		return nullptr;
	auto &owners = site->owners;
	// what others left behind there is replaced
	owners.erase(std::remove_if(owners.begin(), owners.end(),
				    [&](const Owner &o) { return o.engine == keeper_; }),
		     owners.end());
	for (Owner &owner : owners)
		if (owner.engine == &engine)
			return &owner;
	uint32_t id = ++engine.last_break_id;
	owners.emplace_back(&engine, id);
	engine.breaks[id] = {&p, NTRACE_BREAK_SW, addr, 1};
	return &owners.back();
}

// The engine leaves; breakpoints whose actions are to go on pass to an engine of our own, which
// wants nothing else of the process.
void Server::keep_persistent(Process &p, Engine &engine)
{
	for (auto &entry : p.space->sites)
		for (Owner &owner : entry.second.owners) {
			if (owner.engine != &engine || !owner.persist || &engine == keeper_)
				continue;
			if (!keeper_) {
				auto made = std::make_unique<Engine>();
				made->hello = true;
				made->id = next_engine_++;
				strcpy(made->label, "persistent commands");
				keeper_ = made.get();
				engines_[made->handle] = std::move(made);
			}
			if (!p.attachment(keeper_))
				add_attachment(p, *keeper_, NTRACE_RELEASE_RESUME);
			engine.breaks.erase(owner.id);
			owner.engine = keeper_;
			owner.id = ++keeper_->last_break_id;
			keeper_->breaks[owner.id] = {&p, NTRACE_BREAK_SW, entry.first, 1};
		}
}

bool Server::remove_site(Process &p, Engine &engine, uint64_t addr)
{
	auto &sites = p.space->sites;
	auto found = sites.find(addr);
	if (found == sites.end())
		return true;
	auto &owners = found->second.owners;
	owners.erase(std::remove_if(owners.begin(), owners.end(),
				    [&](const Owner &o) { return o.engine == &engine; }),
		     owners.end());
	return drop_site(p, found->second);
}

// A forked child has copies of the parent's patched bytes and no use for them.
void Server::clean_child(Process &child, const AddressSpace &parent)
{
	for (auto &entry : parent.sites) {
		const Site &site = entry.second;
		if (site.pad)
			poke(child, site.addr, site.pad->original.data(), kWindow);
		else if (!site.inside)
			poke(child, site.addr, &site.original, 1);
	}
}

int Server::set_break(Engine &engine, void *record)
{
	auto &b = *static_cast<struct ntrace_break *>(record);
	Process *p = process_of(engine, b.pid);
	if (!p)
		return -ESRCH;
	bool data = b.type != NTRACE_BREAK_SW && b.type != NTRACE_BREAK_HW;
	if (((b.nactions || b.nconditions) && data) || (b.flags && b.type != NTRACE_BREAK_SW))
		return -EOPNOTSUPP;
	if (b.flags & ~NTRACE_BREAK_PERSIST || b.type > NTRACE_WATCH_ACCESS)
		return -EINVAL;
	// a jump that has more to decide, or others inside, is a breakpoint again
	if (b.type == NTRACE_BREAK_SW)
		close_windows(*p, b.addr, 1);
	else
		close_windows(*p, 0, ~0ull);
	if (p->leaving || p->threads.empty())
		return -EALREADY;
	if (b.type == NTRACE_WATCH_READ)
		return -EOPNOTSUPP;
	std::vector<Code> conditions, actions;
	int error = take_codes(b.conditions, b.nconditions, true, conditions);
	if (!error)
		error = take_codes(b.actions, b.nactions, false, actions);
	if (error)
		return error;
	if (b.type == NTRACE_BREAK_SW) {
		if (b.len != 1)
			return -EINVAL;
		Owner *owner = insert_site(*p, engine, b.addr);
		if (!owner)
			return -EFAULT;
		owner->conditions.swap(conditions);
		owner->actions.swap(actions);
		owner->persist = b.flags & NTRACE_BREAK_PERSIST;
		Site &site = p->space->sites.find(b.addr)->second;
		site.unheard = 0;
		site.patience = kHot;
		b.id = owner->id;
		b.owners = site.owners.size();
		return 0;
	}
	error = insert_debug(*p, engine, b.type, b.addr, b.len, b.id, b.owners);
	if (error || data)
		return error;
	for (DebugRegister &reg : p->debug)
		for (Owner &owner : reg.owners)
			if (owner.engine == &engine && owner.id == b.id) {
				owner.conditions.swap(conditions);
				owner.actions.swap(actions);
			}
	return 0;
}

// False: with its memory, which is gone.
bool Server::remove_break(Engine &engine, uint32_t id)
{
	auto found = engine.breaks.find(id);
	if (found == engine.breaks.end())
		return true;
	Break b = found->second;
	engine.breaks.erase(found);
	if (b.type == NTRACE_BREAK_SW)
		return remove_site(*b.process, engine, b.addr);
	remove_debug(*b.process, engine, id);
	return true;
}

int Server::clear_break(Engine &engine, void *record)
{
	auto &u = *static_cast<struct ntrace_unbreak *>(record);
	if (u.reserved)
		return -EINVAL;
	auto found = engine.breaks.find(u.id);
	if (found == engine.breaks.end())
		return -ESRCH;
	if (found->second.type == NTRACE_BREAK_SW)
		close_windows(*found->second.process, found->second.addr, 1);
	return remove_break(engine, u.id) ? 0 : -EFAULT;
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
				s.native = o.native;
				s.owners = owners.size();
			}
	};
	s.evaluated = s.true_hits = s.false_hits = s.errors = s.cost_ns = s.native = 0;
	if (b.type == NTRACE_BREAK_SW) {
		auto site = b.process->space->sites.find(b.addr);
		if (site != b.process->space->sites.end()) {
			count_natives(*b.process, site->second);
			take(site->second.owners);
		}
	} else {
		for (const DebugRegister &reg : b.process->debug)
			take(reg.owners);
	}
	return 0;
}

} // namespace ntrace::embedded
