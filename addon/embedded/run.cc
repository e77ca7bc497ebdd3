// SPDX-License-Identifier: GPL-2.0
// The only place that decides whether a thread may run, and that lets it.
#include "server.h"

#include <errno.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace ntrace::embedded
{

void Server::mark_stopped(Thread &t)
{
	t.stop = Stop::trap;
	t.interrupted = false;
	t.zombie = false;
	t.regs_valid = false;
	if (t.running_at < 0)
		return;
	Thread *last = running_.back();
	running_[t.running_at] = last;
	last->running_at = t.running_at;
	running_.pop_back();
	t.running_at = -1;
}

void Server::mark_running(Thread &t)
{
	t.stop = Stop::none;
	t.regs_valid = false;
	if (t.running_at >= 0)
		return;
	t.running_at = running_.size();
	running_.push_back(&t);
}

// Asks a running thread to stop; its next stop, whatever it is, answers.
void Server::interrupt(Thread &t)
{
	if (t.stop != Stop::none || t.interrupted || t.fresh || t.gone)
		return;
	if (ptrace(PTRACE_INTERRUPT, t.tid, 0, 0) == 0)
		t.interrupted = true;
}

// The ptrace call that makes it run. A thread that is dying answers ESRCH: its status will come.
void Server::request(Thread &t, int what, int signo)
{
	t.stepped = what == PTRACE_SINGLESTEP;
	flush_regs(t);
	mark_running(t);
	ptrace(static_cast<__ptrace_request>(what), t.tid, 0, static_cast<long>(signo));
}

bool Server::wants_syscalls(const Process &p) const
{
	for (const Attachment &a : p.attachments)
		for (int i = 0; i < NTRACE_SYSCALL_WORDS; i++)
			if (a.sets.entry_stop[i] | a.sets.exit_stop[i] | a.sets.entry_note[i] |
			    a.sets.exit_note[i])
				return true;
	return false;
}

// Engines that asked for a stop hold the thread now, unless an event made them do so already.
void Server::apply_asks(Thread &t)
{
	std::vector<Ask> asks;
	asks.swap(t.asks);
	for (const Ask &ask : asks) {
		bool held = false;
		for (const Hold &hold : t.holds)
			held |= hold.engine == ask.engine;
		if (held)
			continue;
		if (ask.quiet) {
			add_hold(*ask.engine, t, NTRACE_EV_STOPPED, ++ask.engine->last_stop_id,
				 true);
			continue;
		}
		struct ntrace_event e;
		fill(e, t, NTRACE_EV_STOPPED, true);
		post_stop(*ask.engine, t, e);
	}
}

// One instruction is done: the step is over, or goes on in its range, when whoever else wants the
// thread lets it go.
void Server::finish_step(Thread &t)
{
	if (!t.stepper)
		return;
	if (t.action == NTRACE_ACT_RANGE && load_regs(t) && t.regs.rip >= t.lo && t.regs.rip < t.hi)
		return;
	struct ntrace_event e;
	fill(e, t, NTRACE_EV_STEP, true);
	Engine *stepper = t.stepper;
	t.stepper = nullptr;
	post_stop(*stepper, t, e);
}

void Server::settle(Thread &t)
{
	if (t.stop == Stop::none || t.gone || t.frozen || t.parked || !t.holds.empty())
		return;
	if (!t.passing.active && !t.deferred.empty() && t.stop == Stop::signal &&
	    !must_step_over(t)) {
		siginfo_t info = t.deferred.front();
		t.deferred.erase(t.deferred.begin());
		ptrace(PTRACE_SETSIGINFO, t.tid, 0, &info);
		t.passing = Passing();
		t.passing.active = true;
		t.passing.signo = t.passing.original = info.si_signo;
		requeue_deferred(t); // this stop has room for one
	}
	if (t.passing.active && ask_next(t))
		return;
	if (!t.unasked.empty() && ask_next_call(t))
		return;
	if (t.process->leaving) {
		let_thread_go(t);
		return;
	}
	run(t);
}

void Server::run(Thread &t)
{
	Process &p = *t.process;
	lift_fence(t);
	if (t.debug_generation != p.debug_generation)
		write_debug(t);
	int signo = t.passing.active ? t.passing.signo : 0;
	t.passing = Passing();
	if (t.inject) {
		int wanted = t.inject;
		t.inject = 0;
		if (t.stop == Stop::signal && !signo)
			signo = wanted;
		else
			syscall(SYS_tgkill, p.pid, t.tid, wanted);
	}
	if (signo)
		t.restart_at = 0;
	if (!signo && must_step_over(t)) {
		step_over(t);
		return;
	}
	t.reported_generation = 0;
	requeue_deferred(t);
	if (t.stop == Stop::syscall && !t.at_entry)
		t.syscall_nr = -1;
	if (t.stepper)
		request(t, PTRACE_SINGLESTEP, signo);
	else if (t.stop == Stop::group || (t.job_stopped && t.stop == Stop::trap))
		request(t, PTRACE_LISTEN, 0);
	else if (!t.collecting.empty())
		request(t, PTRACE_SINGLESTEP, signo);
	else
		request(t, wants_syscalls(p) ? PTRACE_SYSCALL : PTRACE_CONT, signo);
}

} // namespace ntrace::embedded
