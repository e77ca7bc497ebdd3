// SPDX-License-Identifier: GPL-2.0
// Holding and letting go in batches.
#include "server.h"

#include <errno.h>
#include <time.h>

#include <algorithm>

namespace ntrace::embedded
{

namespace
{

// So many threads at once are waited for without a signal each.
constexpr size_t kMany = 32;
constexpr long kNap = 50000; // ns between looks
constexpr uint64_t kPatience = 3 * kNanosPerMilli;
// After so long without news, stragglers are looked up: a zombie leader never stops.
constexpr uint64_t kStraggler = 5 * kNanosPerMilli;

bool matches(const Thread &t, pid_t pid, pid_t tid)
{
	return tid > 0 ? t.tid == tid : pid == -1 || t.process->pid == pid;
}

// Notes that the engine asked for a stop, once.
void want(Thread &t, Engine &engine, bool quiet)
{
	for (const Ask &present : t.asks)
		if (present.engine == &engine)
			return;
	t.asks.push_back({&engine, quiet});
}

bool holds_for_signal(const Thread &t, const Engine &engine)
{
	for (const Hold &hold : t.holds)
		if (hold.engine == &engine)
			return hold.why == NTRACE_EV_SIGNAL;
	return false;
}

} // namespace

int Server::resume(Engine &engine, void *record)
{
	auto &r = *static_cast<struct ntrace_resume *>(record);
	auto *entries = reinterpret_cast<struct ntrace_resume_entry *>(r.entries);
	if (r.flags & ~NTRACE_RESUME_GRACE || r.count > NTRACE_MAX_BATCH)
		return -EINVAL;
	if (!entries && r.count)
		return -EFAULT;
	r.done = r.events = r.resumed = 0;
	for (uint32_t i = 0; i < r.count; i++) {
		struct ntrace_resume_entry &e = entries[i];
		bool named = e.tid > 0;
		bool wildcard = e.tid == -1 && (e.pid > 0 || e.pid == -1);
		e.error = 0;
		e.held = 0;
		if (e.action < NTRACE_ACT_CONT || e.action > NTRACE_ACT_STAY || e.signo < 0 ||
		    e.signo > 64 || (!named && !wildcard))
			e.error = EINVAL;
		else if (named && !thread_of(engine, e.tid))
			e.error = ESRCH;
		else if (!named && e.pid > 0 && !process_of(engine, e.pid))
			e.error = ESRCH;
	}
	// choose first, then let go: a thread that runs may change everything
	std::vector<std::pair<pid_t, uint32_t>> chosen;
	auto choose = [&](Thread &t) {
		for (uint32_t i = 0; i < r.count; i++) {
			struct ntrace_resume_entry &e = entries[i];
			if (e.error && e.error != EBUSY && e.error != ESTALE)
				continue;
			if (!matches(t, e.pid, e.tid))
				continue;
			if (e.action == NTRACE_ACT_STAY)
				return;
			bool named = e.tid > 0;
			t.asks.erase(
			    std::remove_if(t.asks.begin(), t.asks.end(),
					   [&](const Ask &ask) { return ask.engine == &engine; }),
			    t.asks.end());
			for (const Hold &hold : t.holds) {
				if (hold.engine != &engine)
					continue;
				if (e.stop_id && hold.stop_id != e.stop_id) {
					e.error = ESTALE;
					return;
				}
				if (!e.stop_id && !hold.told) {
					if (named)
						e.error = ESTALE;
					return;
				}
				chosen.emplace_back(t.tid, i);
				return;
			}
			if (named)
				e.error = e.stop_id ? ESTALE : EBUSY;
			return;
		}
	};
	bool only_named = true;
	for (uint32_t i = 0; i < r.count; i++)
		only_named &= entries[i].tid > 0;
	if (only_named) {
		for (uint32_t i = 0; i < r.count; i++)
			if (Thread *t =
				entries[i].error ? nullptr : thread_of(engine, entries[i].tid))
				choose(*t);
	} else {
		for (auto &entry : processes_) {
			if (!entry.second->attachment(&engine))
				continue;
			for (auto &t : entry.second->threads)
				choose(*t.second);
		}
	}
	std::vector<pid_t> going, steppers;
	pid_t first = 0; // it stopped by itself, and last
	uint64_t first_stop = 0;
	for (auto &[tid, index] : chosen) {
		Thread *t = find_thread(tid);
		struct ntrace_resume_entry &e = entries[index];
		if (!t)
			continue;
		for (const Hold &hold : t->holds)
			if (hold.engine == &engine && hold.why != NTRACE_EV_STOPPED &&
			    hold.stop_id > first_stop) {
				first = tid;
				first_stop = hold.stop_id;
			}
		// a signal it was not asked about yet is not the engine's to change
		bool asked = t->passing.active && holds_for_signal(*t, engine);
		if (!release_hold(engine, *t))
			continue;
		if (Attachment *a = t->process->attachment(&engine))
			a->quiesced = false;
		if (asked) {
			if (e.signo != t->passing.signo) {
				t->passing.signo = e.signo;
				t->passing.changed = true;
			}
		} else if (e.signo) {
			t->inject = e.signo;
			if (t->stop != Stop::signal) {
				t->self_sent = &engine;
				t->self_sent_signo = e.signo;
			}
		}
		if (e.action == NTRACE_ACT_STEP || e.action == NTRACE_ACT_RANGE) {
			t->stepper = &engine;
			t->action = e.action;
			t->lo = e.lo;
			t->hi = e.hi;
			t->range_steps = 0;
			t->fence_after = NT_FENCE_WALK;
		} else if (t->stepper == &engine) {
			t->stepper = nullptr;
		}
		r.resumed++;
		if (!t->holds.empty())
			e.held++;
		if (t->stop == Stop::none || t->frozen || !t->holds.empty())
			continue;
		// a range step goes on in pump(), where it can be interrupted
		if (t->stepper && t->action == NTRACE_ACT_RANGE && !t->passing.active &&
		    !t->inject && !must_step_over(*t) && !t->process->leaving) {
			if (t->debug_generation != t->process->debug_generation)
				write_debug(*t);
			ranging_.push_back(t);
			continue;
		}
		going.push_back(tid);
		if (t->stepper && r.wait_us)
			steppers.push_back(tid);
	}
	// steps that are awaited here need no signal: it would interrupt this very processor
	if (!steppers.empty() && steppers.size() == going.size())
		go_deaf();
	if (r.flags & NTRACE_RESUME_GRACE && first) {
		run_first(std::move(going), first);
	} else {
		for (pid_t tid : going)
			if (Thread *t = find_thread(tid))
				settle(*t);
	}
	for (uint32_t i = 0; i < r.count; i++)
		r.done += entries[i].error == 0;
	if (r.wait_us && !steppers.empty())
		look_for(engine, steppers, r.wait_us * 1000ull);
	hear();
	if (r.wait_us * 1000ull > kLook && engine.events.empty())
		wait(engine.handle, (r.wait_us + 999) / 1000);
	r.events = engine.events.size();
	return 0;
}

// Is there nothing to wait for any more?
bool Server::settled(pid_t tid, const Engine &engine)
{
	Thread *t = find_thread(tid);
	return !t || held_by(*t, engine);
}

// The threads a stop is about that the engine does not hold; returns how many it holds.
uint32_t Server::unheld(const Engine &engine, const struct ntrace_stop &s,
			std::vector<pid_t> &moving)
{
	auto *entries = reinterpret_cast<const struct ntrace_stop_entry *>(s.entries);
	uint32_t held = 0;
	for (auto &entry : processes_) {
		if (!entry.second->attachment(&engine))
			continue;
		for (auto &owned : entry.second->threads) {
			Thread &t = *owned.second;
			bool asked = false;
			for (uint32_t i = 0; i < s.count && !asked; i++)
				asked =
				    !entries[i].error && matches(t, entries[i].pid, entries[i].tid);
			if (!asked || t.zombie)
				continue;
			if (held_by(t, engine))
				held++;
			else
				moving.push_back(t.tid);
		}
	}
	return held;
}

int Server::stop(Engine &engine, void *record)
{
	auto &s = *static_cast<struct ntrace_stop *>(record);
	auto *entries = reinterpret_cast<struct ntrace_stop_entry *>(s.entries);
	if (s.flags & ~(NTRACE_STOP_SOFT | NTRACE_STOP_WAIT | NTRACE_STOP_QUIET) ||
	    s.count > NTRACE_MAX_BATCH)
		return -EINVAL;
	if (s.flags & NTRACE_STOP_SOFT)
		return -EOPNOTSUPP;
	if (!entries && s.count)
		return -EFAULT;
	s.done = s.stopped = s.pending = 0;
	bool quiet = s.flags & NTRACE_STOP_QUIET;
	// a signal for each of hundreds of stops would cost more than the stops
	bool silent = running_.size() > kMany && s.flags & NTRACE_STOP_WAIT;
	if (silent)
		go_deaf();
	auto ask = [&](Thread &t) {
		if (t.gone || held_by(t, engine))
			return;
		want(t, engine, quiet);
		if (t.stop == Stop::none)
			interrupt(t);
		else
			apply_asks(t);
	};
	for (uint32_t i = 0; i < s.count; i++) {
		struct ntrace_stop_entry &e = entries[i];
		e.error = 0;
		if (e.tid > 0) {
			Thread *t = thread_of(engine, e.tid);
			if (t)
				ask(*t);
			else
				e.error = ESRCH;
		} else if (e.tid == -1 && (e.pid == -1 || e.pid > 0)) {
			bool any = e.pid == -1;
			for (auto &entry : processes_) {
				Attachment *a = entry.second->attachment(&engine);
				if (!a || (e.pid > 0 && entry.first != e.pid))
					continue;
				any = true;
				a->quiesced = true;
				for (auto &t : entry.second->threads)
					ask(*t.second);
			}
			if (!any)
				e.error = ESRCH;
		} else {
			e.error = EINVAL;
		}
		s.done += e.error == 0;
	}
	// a range step in progress stops where it is
	for (Thread *t : std::vector<Thread *>(ranging_))
		if (!t->asks.empty() && t->stop != Stop::none) {
			ranging_.erase(std::remove(ranging_.begin(), ranging_.end(), t),
				       ranging_.end());
			apply_asks(*t);
		}
	uint64_t began = now_ns();
	uint64_t until = s.timeout_us ? began + s.timeout_us * 1000ull : UINT64_MAX;
	bool looked = false;
	uint64_t progress = began;
	std::vector<pid_t> moving;
	for (;;) {
		// threads come and go meanwhile: who is asked for is looked up anew when nobody is
		// left
		if (moving.empty()) {
			s.stopped = unheld(engine, s, moving);
			s.pending = moving.size();
			if (moving.empty() || !(s.flags & NTRACE_STOP_WAIT))
				break;
		}
		size_t kept = 0;
		for (pid_t tid : moving) {
			Thread *t = find_thread(tid);
			if (!t || t->zombie || held_by(*t, engine) ||
			    (t->stop == Stop::none && collect(*t) && settled(tid, engine)))
				continue;
			moving[kept++] = tid;
			// it may have run on since it was asked
			if (find_thread(tid) == t && t->stop == Stop::none && !t->fresh) {
				want(*t, engine, quiet);
				interrupt(*t);
			}
		}
		bool any = kept < moving.size();
		moving.resize(kept);
		if (moving.empty())
			continue;
		if (now_ns() >= until) {
			moving.clear();
			s.stopped = unheld(engine, s, moving);
			s.pending = moving.size();
			break;
		}
		if (any && !silent)
			continue;
		if (silent) {
			if (any)
				progress = now_ns();
			if (now_ns() - progress < kPatience) {
				struct timespec nap = {0, kNap};
				nanosleep(&nap, nullptr);
				continue;
			}
			silent = false;
			hear();
			continue;
		}
		if (!looked && now_ns() - began > kStraggler) {
			looked = true;
			for (pid_t tid : moving)
				if (Thread *t = find_thread(tid))
					check_leader(*t);
			continue;
		}
		sleep_for_child(std::min(until, now_ns() + kStraggler));
	}
	hear();
	return 0;
}

} // namespace ntrace::embedded
