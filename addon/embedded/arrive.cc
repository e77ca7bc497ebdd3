// SPDX-License-Identifier: GPL-2.0
// Taking stops in: what a wait status means and who is to hear of it (man 2 ptrace).
#include "procfs.h"
#include "server.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

namespace ntrace::embedded
{

namespace
{

constexpr int kTrapEventStop = 128; // PTRACE_EVENT_STOP
constexpr int kSyscallStop = SIGTRAP | 0x80;

bool is_fault(const siginfo_t &info)
{
	return info.si_code > 0 && (info.si_signo == SIGSEGV || info.si_signo == SIGBUS ||
				    info.si_signo == SIGILL || info.si_signo == SIGFPE);
}

// Is there a trap among the signals of its own that a thread has pending? In a storm of signals it
// may stand behind any number of them, though it will be delivered before (kernel/signal.c,
// dequeue_synchronous_signal()).
bool has_pending_trap(pid_t tid)
{
	struct {
		uint64_t off;
		uint32_t flags;
		int32_t nr;
	} args = {0, 0, 32};
	siginfo_t infos[32];
	for (;;) {
		long n =
		    ptrace(static_cast<__ptrace_request>(PTRACE_PEEKSIGINFO), tid, &args, infos);
		for (long i = 0; i < n; i++)
			if (infos[i].si_signo == SIGTRAP && infos[i].si_code > 0)
				return true;
		if (n < args.nr)
			return false;
		args.off += n;
	}
}

// Its frame is built already (kernel/signal.c, signal_setup_done()): a stop by ptrace_notify(),
// which forgets a signal that it is let go with.
bool stepped_into_handler(const Thread &t, const siginfo_t &info)
{
	return t.stepped && info.si_signo == SIGTRAP && info.si_code == SIGTRAP;
}

} // namespace

bool is_async(const siginfo_t &info)
{
	return !is_fault(info) && !(info.si_signo == SIGTRAP && info.si_code > 0);
}

void Server::arrive(Thread &t, int status)
{
	Depth depth(depth_);
	if (WIFEXITED(status) || WIFSIGNALED(status)) {
		died(t, status);
		return;
	}
	if (!WIFSTOPPED(status))
		return;
	mark_stopped(t);
	int signo = WSTOPSIG(status);
	int event = status >> 16;
	if (t.before_call) {
		end_call(t);
		t.stepped = t.drop_step = status >> 8 == SIGTRAP;
	}
	if (event && event != kTrapEventStop)
		t.stop = Stop::event;
	if (event || signo == kSyscallStop)
		leave_slot(t, nullptr);
	switch (event) {
	case 0:
		if (signo == kSyscallStop)
			arrive_syscall(t);
		else
			arrive_signal(t, signo);
		return;
	case kTrapEventStop:
		arrive_event_stop(t, signo);
		return;
	case PTRACE_EVENT_FORK:
	case PTRACE_EVENT_VFORK:
	case PTRACE_EVENT_CLONE:
		arrive_clone(t, event);
		break;
	case PTRACE_EVENT_VFORK_DONE: {
		unsigned long child = 0;
		ptrace(PTRACE_GETEVENTMSG, t.tid, 0, &child);
		struct ntrace_event e;
		fill(e, t, NTRACE_EV_VFORK_DONE, true);
		e.child = child;
		post_life(t, e, NTRACE_EV_VFORK_DONE);
		break;
	}
	case PTRACE_EVENT_EXEC:
		arrive_exec(t);
		break;
	case PTRACE_EVENT_EXIT: {
		if (t.process->killed) {
			request(t, PTRACE_CONT, 0);
			return;
		}
		unsigned long code = 0;
		ptrace(PTRACE_GETEVENTMSG, t.tid, 0, &code);
		struct ntrace_event e;
		fill(e, t, NTRACE_EV_EXITING, true);
		e.code = code;
		post_life(t, e, NTRACE_EV_EXITING);
		break;
	}
	default:
		break;
	}
	if (t.gone)
		return;
	apply_asks(t);
	settle(t);
}

void Server::arrive_event_stop(Thread &t, int signo)
{
	bool group = signo != SIGTRAP;
	t.stop = group ? Stop::group : Stop::trap;
	if (group && !t.job_stopped) {
		struct ntrace_event e;
		fill(e, t, NTRACE_EV_JOBSTOP, false);
		e.signo = signo;
		for (Attachment &a : t.process->attachments)
			post_note(*a.engine, e);
	}
	t.job_stopped = group;
	if (t.fresh)
		arrive_fresh(t);
	if (t.gone)
		return;
	// an interrupt can overtake the trap of a breakpoint that was hit already
	if (!group && (!t.process->space->sites.empty() || t.stepped) && resolve_pending_trap(t))
		return;
	apply_asks(t);
	settle(t);
}

// True when the thread had a trap of ours pending: it was let on to it and arrived anew.
bool Server::resolve_pending_trap(Thread &t)
{
	if (!has_pending_trap(t.tid))
		return false;
	bool stepped = t.stepped;
	request(t, PTRACE_CONT, 0);
	t.stepped = stepped;
	int status;
	if (t.stop == Stop::none && wait_status(t, status, 20 * kNanosPerMilli))
		arrive(t, status);
	return true;
}

void Server::arrive_signal(Thread &t, int signo)
{
	t.stop = Stop::signal;
	siginfo_t info;
	memset(&info, 0, sizeof(info));
	if (ptrace(PTRACE_GETSIGINFO, t.tid, 0, &info) < 0) {
		if (errno == ESRCH) {
			mark_running(t); // killed meanwhile: its death follows
			return;
		}
		info.si_signo = signo; // a group stop of an old kernel
	}
	if (stepped_into_handler(t, info))
		t.stop = Stop::trap;
	uint64_t pc = t.process->space->areas.empty() || !load_regs(t) ? 0 : t.regs.rip;
	Left left = leave_slot(t, &info);
	signo = info.si_signo; // what a condition does is none of the program's
	if (left == Left::again) {
		request(t, PTRACE_SINGLESTEP, 0);
		return;
	}
	bool ours = left == Left::before &&
		    (defer_signal(t, info) || (is_fault(info) && translate_fault(t, info, pc)));
	if (ours) {
		apply_asks(t);
		settle(t);
		return;
	}
	if (signo == SIGTRAP && info.si_code > 0 && arrive_trap(t, info, left))
		return;
	t.passing = Passing();
	t.passing.active = true;
	t.passing.signo = t.passing.original = signo;
	t.passing.fault = is_fault(info);
	apply_asks(t);
	settle(t);
}

// SIGTRAP from the kernel: breakpoint, step, debug register? False: the program's own.
bool Server::arrive_trap(Thread &t, const siginfo_t &info, Left left)
{
	if (!load_regs(t))
		return true;
	Process &p = *t.process;
	bool through = left == Left::done || left == Left::repeating || t.slot_trap;
	t.slot_trap = false;
	if (through && t.own_trap_flag && !t.stepper)
		return false;
	if (info.si_code == SI_KERNEL && !through) {
		uint64_t pc = t.regs.rip - 1;
		auto found = p.space->sites.find(pc);
		if (found == p.space->sites.end()) {
			uint8_t byte = kInt3;
			if (peek(p, pc, &byte, 1) == 1 && byte == kInt3)
				return false;
			// it was removed after the hit: run the instruction that is there now
			set_pc(t, pc);
			t.stop = Stop::signal;
			apply_asks(t);
			settle(t);
			return true;
		}
		set_pc(t, pc);
		Site &site = found->second;
		t.reported_at = pc;
		t.reported_generation = site.generation;
		if (restarts_call(t, pc)) {
			apply_asks(t);
			settle(t);
			return true;
		}
		for (Owner &owner : site.owners) {
			if (!p.attachment(owner.engine) || !wants_hit(t, owner))
				continue;
			struct ntrace_event e;
			fill(e, t, NTRACE_EV_BREAK, true);
			e.addr = pc;
			e.break_id = owner.id;
			post_stop(*owner.engine, t, e);
			if (t.stepper == owner.engine)
				t.stepper = nullptr;
		}
		if (!site.tracepoints.empty())
			trace_hit(t, site);
		if (t.fence) {
			lift_fence(t);
			// at a breakpoint of others inside it goes on when they let go
			if (t.holds.empty() || pc < t.lo || pc >= t.hi)
				finish_step(t);
			apply_asks(t);
			if (t.holds.empty() && t.stepper && !t.frozen) {
				// at an instruction that has to be stepped: the next fence may not
				// pay
				t.fence_after = t.range_steps + 2 * (t.fence_after + 1);
				ranging_.push_back(&t);
				return true;
			}
			settle(t);
			return true;
		}
		if (t.holds.empty()) {
			unseen_hits_++;
			last_hit_ = t.tid;
			heat(t, site);
		} else {
			site.unheard = 0;
		}
		apply_asks(t);
		settle(t);
		return true;
	}
	bool stepped = t.stepped;
	if (stepped && left != Left::before && !t.collecting.empty() && info.si_code != TRAP_HWBKPT)
		trace_stepped(t);
	unsigned int hit = t.has_debug_registers ? hit_debug(t) : 0;
	if (hit) {
		arrive_debug(t, info, hit, stepped);
		return true;
	}
	if (info.si_code == TRAP_HWBKPT && t.has_debug_registers) {
		// its register was removed after the hit
		apply_asks(t);
		settle(t);
		return true;
	}
	if (!stepped && !through)
		return false;
	if (left == Left::before) {
		// not finished: it starts over
		apply_asks(t);
		settle(t);
		return true;
	}
	if (t.drop_step) {
		t.drop_step = false;
		t.stepped = false;
		apply_asks(t);
		settle(t);
		return true;
	}
	finish_step(t);
	apply_asks(t);
	if (t.holds.empty() && t.stepper && t.action == NTRACE_ACT_RANGE && !t.frozen) {
		ranging_.push_back(&t);
		return true;
	}
	settle(t);
	return true;
}

// Debug registers have fired.
void Server::arrive_debug(Thread &t, const siginfo_t &info, unsigned int hit, bool stepped)
{
	bool execute = true;
	for (int i = 0; i < kDebugRegisters; i++)
		execute &= !(hit >> i & 1) || t.process->debug[i].type == NTRACE_BREAK_HW;
	tell_watches(t, hit);
	tell_hardware_breaks(t, hit);
	// it stands before the instruction: a step is still to be done
	if (stepped && (!execute || info.si_code != TRAP_HWBKPT))
		finish_step(t);
	if (execute && t.holds.empty()) {
		unseen_hits_++;
		last_hit_ = t.tid;
	}
	apply_asks(t);
	settle(t);
}

void Server::arrive_syscall(Thread &t)
{
	t.stop = Stop::syscall;
	struct __ptrace_syscall_info info;
	memset(&info, 0, sizeof(info));
	long n = ptrace(static_cast<__ptrace_request>(PTRACE_GET_SYSCALL_INFO), t.tid, sizeof(info),
			&info);
	if (n > 0 &&
	    (info.op == PTRACE_SYSCALL_INFO_ENTRY || info.op == PTRACE_SYSCALL_INFO_EXIT)) {
		t.at_entry = info.op == PTRACE_SYSCALL_INFO_ENTRY;
		if (t.at_entry)
			t.syscall_nr = info.entry.nr;
		else if (t.syscall_nr < 0 && load_regs(t))
			t.syscall_nr = t.regs.orig_rax; // attached in the middle of it
		// entry in reverse attach order, exit in attach order
		t.unasked.clear();
		for (Attachment &a : t.process->attachments)
			t.unasked.push_back(a.engine);
		if (!t.at_entry)
			std::reverse(t.unasked.begin(), t.unasked.end());
	}
	apply_asks(t);
	settle(t);
}

void Server::died(Thread &t, int status)
{
	if (t.gone)
		return;
	Process &p = *t.process;
	bool leader = t.tid == p.pid;
	if (!leader) {
		if (!t.fresh) {
			struct ntrace_event e;
			fill(e, t, NTRACE_EV_DEAD, false);
			e.code = status;
			for (Attachment &a : p.attachments)
				if ((a.sets.life_stop | a.sets.life_note) &
				    NTRACE_LIFE(NTRACE_EV_DEAD))
					post_note(*a.engine, e);
		}
		remove_thread(t);
		return;
	}
	// the leader's status comes last: the process is gone
	struct ntrace_event e;
	fill(e, t, NTRACE_EV_PROC_DEAD, false);
	e.code = status;
	for (Attachment &a : p.attachments) {
		if (a.engine == keeper_)
			continue;
		struct ntrace_event copy = e;
		copy.seq = ++a.engine->seq;
		a.engine->events.push_back(copy); // never dropped
	}
	remove_process(p);
}

} // namespace ntrace::embedded
