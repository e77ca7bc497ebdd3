// SPDX-License-Identifier: GPL-2.0
// Events on their way to the engines: stops hold the thread and are never lost, notes may be.
#include "server.h"

#include <errno.h>
#include <string.h>
#include <sys/ptrace.h>

#include <algorithm>

namespace ntrace::embedded
{

namespace
{

constexpr uint64_t kCompatCodeSegment = 0x23; // __USER32_CS

} // namespace

void Server::fill(struct ntrace_event &e, Thread &t, uint32_t type, bool with_regs)
{
	memset(&e, 0, sizeof(e));
	e.size = sizeof(e);
	e.type = type;
	e.time_ns = now_ns();
	e.cookie = t.cookie;
	e.tid = t.tid;
	e.tgid = t.process->pid;
	e.core = -1;
	if (with_regs && t.stop != Stop::none && load_regs(t)) {
		e.pc = t.regs.rip;
		e.sp = t.regs.rsp;
		e.fp = t.regs.rbp;
		if (t.regs.cs == kCompatCodeSegment)
			e.flags |= NTRACE_EVF_COMPAT;
	}
}

void Server::add_hold(Engine &engine, Thread &t, uint32_t why, uint64_t stop_id, bool told)
{
	unpark(t);
	for (Hold &hold : t.holds)
		if (hold.engine == &engine) {
			hold.stop_id = stop_id;
			hold.why = why;
			hold.told = told;
			return;
		}
	t.holds.push_back({&engine, stop_id, now_ns(), why, told});
}

// The engine holds the thread from here on, and has an event to read about it.
void Server::post_stop(Engine &engine, Thread &t, struct ntrace_event &e)
{
	e.seq = ++engine.seq;
	if (engine.observer) {
		post_note(engine, e);
		return;
	}
	e.stop_id = ++engine.last_stop_id;
	add_hold(engine, t, e.type, e.stop_id, false);
	engine.events.push_back(e);
	t.asks.erase(std::remove_if(t.asks.begin(), t.asks.end(),
				    [&](const Ask &ask) { return ask.engine == &engine; }),
		     t.asks.end());
}

// Tells how many notes were dropped, once there is room again.
void Server::post_lost(Engine &engine)
{
	struct ntrace_event lost = {};
	lost.size = sizeof(lost);
	lost.type = NTRACE_EV_LOST;
	lost.time_ns = now_ns();
	lost.core = -1;
	lost.addr = engine.lost;
	lost.seq = ++engine.seq;
	engine.lost = 0;
	engine.notes++;
	engine.events.push_back(lost);
}

void Server::post_note(Engine &engine, struct ntrace_event &e)
{
	if (&engine == keeper_)
		return; // nobody reads it
	if (engine.notes >= engine.note_capacity) {
		engine.lost++;
		return;
	}
	if (engine.lost)
		post_lost(engine);
	struct ntrace_event note = e;
	note.seq = ++engine.seq;
	note.stop_id = 0;
	engine.notes++;
	engine.events.push_back(note);
}

// A life-cycle event, to every engine whose sets want it.
void Server::post_life(Thread &t, struct ntrace_event &e, uint32_t type)
{
	uint64_t mask = NTRACE_LIFE(type);
	for (Attachment &a : t.process->attachments) {
		struct ntrace_event copy = e;
		if (a.sets.life_stop & mask)
			post_stop(*a.engine, t, copy);
		else if (a.sets.life_note & mask)
			post_note(*a.engine, copy);
	}
}

// Offers the signal in hand to the next engine that wants it; true when that engine holds now.
bool Server::ask_next(Thread &t)
{
	Passing &s = t.passing;
	auto &attachments = t.process->attachments;
	while (s.active && s.signo && s.next < attachments.size()) {
		Attachment &a = attachments[s.next++];
		if (t.self_sent && t.self_sent == a.engine && t.self_sent_signo == s.signo) {
			t.self_sent = nullptr; // it asked for exactly this
			continue;
		}
		uint64_t mask = 1ull << (s.signo - 1);
		uint64_t stopping = s.fault ? a.sets.fault_stop : a.sets.signal_stop;
		if (t.stepper == a.engine)
			stopping |= a.sets.signal_step;
		bool stops = stopping & mask;
		if (!stops && !(a.sets.signal_note & mask))
			continue;
		struct ntrace_event e;
		fill(e, t, NTRACE_EV_SIGNAL, true);
		siginfo_t info;
		memset(&info, 0, sizeof(info));
		ptrace(PTRACE_GETSIGINFO, t.tid, 0, &info);
		e.signo = s.signo;
		e.original = s.original;
		e.code = info.si_code;
		if (s.fault) {
			e.flags |= NTRACE_EVF_FAULT;
			e.addr = reinterpret_cast<uint64_t>(info.si_addr);
		}
		if (s.changed)
			e.flags |= NTRACE_EVF_CHANGED;
		if (info.si_code <= 0)
			e.flags |= NTRACE_EVF_FROM_USER;
		if (!stops || a.engine->observer) {
			post_note(*a.engine, e);
			continue;
		}
		if (t.stepper == a.engine)
			t.stepper = nullptr; // its step ends with this
		post_stop(*a.engine, t, e);
		return true;
	}
	return false;
}

// Offers the system call at hand to the next engine that wants it, as the ones before left it; true
// when that engine holds now.
bool Server::ask_next_call(Thread &t)
{
	constexpr uint64_t limit = NTRACE_SYSCALL_WORDS * 64;
	while (!t.unasked.empty()) {
		Attachment *a = t.process->attachment(t.unasked.back());
		t.unasked.pop_back();
		if (!a)
			continue;
		const __u64 *stop = t.at_entry ? a->sets.entry_stop : a->sets.exit_stop;
		const __u64 *note = t.at_entry ? a->sets.entry_note : a->sets.exit_note;
		bool wanted = bit(stop, t.syscall_nr, limit);
		if (!wanted && !bit(note, t.syscall_nr, limit))
			continue;
		struct __ptrace_syscall_info info;
		memset(&info, 0, sizeof(info));
		ptrace(static_cast<__ptrace_request>(PTRACE_GET_SYSCALL_INFO), t.tid, sizeof(info),
		       &info);
		bool stops = wanted && !a->engine->observer;
		struct ntrace_event e;
		fill(e, t, t.at_entry ? NTRACE_EV_SYSCALL_ENTRY : NTRACE_EV_SYSCALL_EXIT, stops);
		e.pc = info.instruction_pointer;
		e.sp = info.stack_pointer;
		e.nr = t.syscall_nr;
		if (t.at_entry) {
			e.nr = info.entry.nr;
			memcpy(e.args, info.entry.args, sizeof(e.args));
		} else {
			e.args[0] = info.exit.rval;
		}
		if (!stops) {
			post_note(*a->engine, e);
			continue;
		}
		post_stop(*a->engine, t, e);
		return true;
	}
	return false;
}

// What was queued about a process means nothing to an engine that let it go.
void Server::forget_events(Engine &engine, pid_t pid)
{
	auto of_it = [&](const struct ntrace_event &e) {
		if (e.tgid != pid || e.type == NTRACE_EV_PROC_DEAD || e.type == NTRACE_EV_DETACHED)
			return false;
		if (!e.stop_id)
			engine.notes--;
		return true;
	};
	engine.events.erase(std::remove_if(engine.events.begin(), engine.events.end(), of_it),
			    engine.events.end());
}

bool Server::release_hold(Engine &engine, Thread &t)
{
	for (size_t i = 0; i < t.holds.size(); i++)
		if (t.holds[i].engine == &engine) {
			t.holds.erase(t.holds.begin() + i);
			return true;
		}
	return false;
}

bool Server::readable(int handle)
{
	Engine *e = engine(handle);
	return e && (!e->events.empty() || e->lost);
}

ssize_t Server::read(int handle, void *buf, size_t size)
{
	Engine *e = engine(handle);
	if (!e)
		return -EBADF;
	if (!e->hello)
		return -ENOTCONN;
	if (!buf)
		return -EFAULT;
	if (size < sizeof(struct ntrace_event))
		return -EMSGSIZE;
	if (e->events.empty() && e->lost)
		post_lost(*e);
	if (!born_.empty() && e->events.size() > e->notes)
		await_born();
	char *out = static_cast<char *>(buf);
	size_t done = 0;
	while (!e->events.empty() && size - done >= sizeof(struct ntrace_event)) {
		struct ntrace_event &event = e->events.front();
		memcpy(out + done, &event, sizeof(event));
		done += sizeof(event);
		if (!event.stop_id) {
			if (event.type != NTRACE_EV_PROC_DEAD && event.type != NTRACE_EV_DETACHED)
				e->notes--;
		} else if (Thread *t = find_thread(event.tid)) {
			for (Hold &hold : t->holds)
				if (hold.engine == e && hold.stop_id == event.stop_id)
					hold.told = true;
		}
		e->events.pop_front();
	}
	return done;
}

} // namespace ntrace::embedded
