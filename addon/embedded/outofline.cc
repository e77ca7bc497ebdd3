// SPDX-License-Identifier: GPL-2.0
// Passing a breakpoint that stays: the instruction is emulated, or run in a slot. A thread that
// stops in a slot is taken out of it before anybody sees it: leave_slot() is called for every stop.
#include "server.h"

#include <errno.h>
#include <stddef.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

namespace ntrace::embedded
{

namespace
{

constexpr uint64_t kTrapFlag = 0x100;

using Field = unsigned long long user_regs_struct::*;
constexpr Field kGeneral[16] = {
    &user_regs_struct::rax, &user_regs_struct::rcx, &user_regs_struct::rdx, &user_regs_struct::rbx,
    &user_regs_struct::rsp, &user_regs_struct::rbp, &user_regs_struct::rsi, &user_regs_struct::rdi,
    &user_regs_struct::r8,  &user_regs_struct::r9,  &user_regs_struct::r10, &user_regs_struct::r11,
    &user_regs_struct::r12, &user_regs_struct::r13, &user_regs_struct::r14, &user_regs_struct::r15,
};

struct nt_ool_regs to_ool(const struct user_regs_struct &from)
{
	struct nt_ool_regs regs;
	for (int i = 0; i < 16; i++)
		regs.gpr[i] = from.*kGeneral[i];
	regs.ip = from.rip;
	regs.flags = from.eflags;
	return regs;
}

// What changed; the kernel does not know it yet.
void from_ool(const struct nt_ool_regs &regs, Thread &t)
{
	bool others = t.regs.eflags != regs.flags;
	for (int i = 0; i < 16; i++) {
		others |= t.regs.*kGeneral[i] != regs.gpr[i];
		t.regs.*kGeneral[i] = regs.gpr[i];
	}
	t.regs.eflags = regs.flags;
	t.regs.rip = regs.ip;
	if (others)
		t.dirty = Dirty::all;
	else if (t.dirty == Dirty::none)
		t.dirty = Dirty::pc;
}

// Interrupted in a system call, which goes on if no handler runs first (include/linux/errno.h).
bool will_restart(const struct user_regs_struct &regs)
{
	auto result = static_cast<int32_t>(regs.rax);
	return static_cast<int64_t>(regs.orig_rax) >= 0 &&
	       (result == -512 || result == -513 || result == -514 || result == -516);
}

bool has_debug_registers(const Process &p)
{
	for (const DebugRegister &reg : p.debug)
		if (!reg.owners.empty())
			return true;
	return false;
}

} // namespace

// Memory of the thread for what is run in its place. Writes respect the program's protections,
// which those by /proc/PID/mem do not.
struct Execution {
	Server *server;
	Process *process;

	static int read(void *context, u64 addr, void *to, u32 size)
	{
		auto *e = static_cast<Execution *>(context);
		return e->server->read_shadowed(*e->process, addr, to, size) == size ? 0 : -EFAULT;
	}

	static int write(void *context, u64 addr, const void *from, u32 size)
	{
		auto *e = static_cast<Execution *>(context);
		struct iovec local = {const_cast<void *>(from), size};
		struct iovec remote = {reinterpret_cast<void *>(addr), size};
		return process_vm_writev(e->process->pid, &local, 1, &remote, 1, 0) == size
			   ? 0
			   : -EFAULT;
	}
};

// Is the thread about to run the instruction of a site whose hit it has told?
bool Server::must_step_over(Thread &t)
{
	if (!t.reported_generation)
		return false;
	auto found = t.process->space->sites.find(t.reported_at);
	return found != t.process->space->sites.end() &&
	       found->second.generation == t.reported_generation && load_regs(t) &&
	       t.regs.rip == t.reported_at;
}

// The thread passes the site at its pc. It may be somebody else's when this returns.
void Server::step_over(Thread &t)
{
	std::shared_ptr<Plan> plan = plan_for(t, t.process->space->sites.find(t.regs.rip)->second);
	uint16_t shadowed = plan->ool.flags & (NT_OOL_SHSTK_EMULATE | NT_OOL_SHSTK_SLOT);
	if (shadowed && !has_shadow_stack(t))
		shadowed = 0;
	if (plan->ool.cls == NT_OOL_EMULATE && !(shadowed & NT_OOL_SHSTK_EMULATE) &&
	    emulate(t, *plan))
		return;
	pid_t tid = t.tid;
	if (!(shadowed & NT_OOL_SHSTK_SLOT) && give_slot(t, plan)) {
		run_slot(t, plan);
		return;
	}
	if (find_thread(tid) == &t && t.stop != Stop::none)
		step_in_place(t);
}

// True when the instruction is done.
bool Server::emulate(Thread &t, const Plan &plan)
{
	// a watchpoint would not see what we write
	if (has_debug_registers(*t.process))
		return false;
	Execution execution = {this, t.process};
	struct nt_ool_ops ops = {Execution::read, Execution::write, &execution};
	struct nt_ool_regs regs = to_ool(t.regs);
	if (!nt_ool_emulate(&plan.ool, &regs, &ops))
		return false;
	from_ool(regs, t);
	t.reported_generation = 0;
	if (!t.collecting.empty())
		trace_stepped(t);
	if (t.stepper) {
		finish_step(t);
		if (t.holds.empty() && t.stepper && t.action == NTRACE_ACT_RANGE) {
			ranging_.push_back(&t);
			return true;
		}
	}
	settle(t);
	return true;
}

void Server::run_slot(Thread &t, const std::shared_ptr<Plan> &plan)
{
	const struct nt_ool_plan &ool = plan->ool;
	bool own_trap_flag = t.regs.eflags & kTrapFlag;
	bool traps = ool.flags & NT_OOL_TRAPS;
	// what comes after it needs a stop: a step, signals that were put off
	bool alone = t.stepper || !t.collecting.empty() || !t.deferred.empty() || own_trap_flag;
	set_pc(t, ool.slot);
	t.reported_generation = 0;
	if (alone || ool.slot_cls == NT_OOL_STEP) {
		t.plan = plan;
		t.own_trap_flag = own_trap_flag;
	}
	if (!t.deferred.empty() && !traps)
		mask_signals(t);
	if (alone || (t.plan && !traps))
		request(t, PTRACE_SINGLESTEP, 0);
	else
		request(t, wants_syscalls(*t.process) ? PTRACE_SYSCALL : PTRACE_CONT, 0);
}

// A stopped thread that is in a pad is put where the breakpoint is. What happens to it on account
// of a condition alone, a fault or a step, makes it a hit, to be decided by us: info says so then.
Server::Left Server::leave_pad(Thread &t, siginfo_t *info)
{
	AddressSpace &space = *t.process->space;
	auto found = space.pads.upper_bound(t.regs.rip);
	if (found == space.pads.begin())
		return Left::outside;
	const struct nt_pad &pad = (--found)->second->code;
	struct nt_ool_regs regs = to_ool(t.regs);
	Execution execution = {this, t.process};
	struct nt_ool_ops ops = {Execution::read, Execution::write, &execution};
	uint8_t place = nt_pad_leave(&pad, &regs, &ops);
	if (place == NT_PAD_OUTSIDE || place == NT_PAD_FAULT)
		return Left::outside;
	bool forced = info && !is_async(*info);
	// the program has unmapped it
	if (forced && info->si_signo != SIGTRAP &&
	    reinterpret_cast<uint64_t>(info->si_addr) == t.regs.rip)
		lose_areas(space);
	if (place == NT_PAD_BEFORE && forced) {
		regs.ip = pad.addr + 1;
		info->si_signo = SIGTRAP;
		info->si_code = SI_KERNEL;
	}
	from_ool(regs, t);
	flush_regs(t);
	if (place != NT_PAD_PASSED)
		return Left::outside;
	auto site = space.sites.find(pad.addr);
	t.reported_at = pad.addr;
	t.reported_generation = site == space.sites.end() ? 0 : site->second.generation;
	return Left::before;
}

// A stopped thread that is in a slot, or was stepped through one, is put where the program is.
// info: of the signal it stopped for.
Server::Left Server::leave_slot(Thread &t, siginfo_t *info)
{
	AddressSpace &space = *t.process->space;
	if (t.masked)
		unmask_signals(t);
	std::shared_ptr<Plan> plan;
	plan.swap(t.plan);
	bool stepped = plan != nullptr;
	if ((!stepped && space.areas.empty()) || !load_regs(t))
		return Left::outside;
	if (Left left = leave_pad(t, info); left != Left::outside)
		return left;
	if (!plan)
		plan = plan_at(space, t.regs.rip);
	if (!plan)
		return Left::outside;
	bool trap = info && info->si_signo == SIGTRAP && info->si_code > 0;
	struct nt_ool_regs regs = to_ool(t.regs);
	Execution execution = {this, t.process};
	struct nt_ool_ops ops = {Execution::read, Execution::write, &execution};
	bool end =
	    plan->ool.flags & NT_OOL_TRAPS && t.regs.rip == plan->ool.slot + plan->ool.length + 1;
	uint32_t how = (t.own_trap_flag ? NT_OOL_OWN_TF : 0) |
		       (trap && !t.frozen && t.asks.empty() ? 0 : NT_OOL_FAULTED);
	uint8_t result =
	    stepped ? nt_ool_fixup(&plan->ool, &regs, &ops, how) : nt_ool_rewind(&plan->ool, &regs);
	if (result == NT_OOL_AGAIN) {
		t.plan = plan;
		return Left::again;
	}
	if (result == NT_OOL_ELSEWHERE)
		return stepped && trap ? Left::done : Left::outside;
	if (result == NT_OOL_FAULT)
		return Left::done; // its stack is gone: whatever it does next faults
	bool in_front = t.regs.rip == plan->ool.slot;
	from_ool(regs, t);
	flush_regs(t);
	if (result == NT_OOL_DONE) {
		t.slot_trap = end && !trap;
		t.restart_at = !info && will_restart(t.regs) ? plan->ool.addr : 0;
		t.restart_sp = t.regs.rsp;
		return Left::done;
	}
	// its hit was told: not once more when it goes on
	auto site = space.sites.find(plan->ool.addr);
	t.reported_at = plan->ool.addr;
	t.reported_generation = site == space.sites.end() ? 0 : site->second.generation;
	return stepped && trap && in_front ? Left::repeating : Left::before;
}

// The kernel restarts an interrupted system call at its own address: that is not another hit.
bool Server::restarts_call(Thread &t, uint64_t pc)
{
	bool same = t.restart_at == pc && t.restart_sp == t.regs.rsp;
	if (same)
		t.restart_at = 0;
	return same;
}

// A signal for a thread that stands in front of the instruction of a breakpoint whose hit is told
// waits until the instruction is done: a handler would come back to the breakpoint.
bool Server::defer_signal(Thread &t, const siginfo_t &info)
{
	if (!t.reported_generation || !is_async(info) || t.deferred.size() >= kMostDeferred)
		return false;
	t.deferred.push_back(info);
	return true;
}

// Signals that were put off and cannot be given as they came are sent anew. Where the kernel lets
// nobody but their sender say who sent them, they come from us. What the queue of its user has no
// room for (RLIMIT_SIGPENDING) waits on.
void Server::requeue_deferred(Thread &t)
{
	std::vector<siginfo_t> deferred;
	deferred.swap(t.deferred);
	for (siginfo_t &info : deferred)
		if (syscall(SYS_rt_tgsigqueueinfo, t.process->pid, t.tid, info.si_signo, &info) <
			0 &&
		    syscall(SYS_tgkill, t.process->pid, t.tid, info.si_signo) < 0 &&
		    errno == EAGAIN)
			t.deferred.push_back(info);
}

// No other signal gets in the way of the one instruction a thread runs before a signal that was
// put off. Not for system calls: the mask is theirs to use and to change.
void Server::mask_signals(Thread &t)
{
	uint64_t mask = ~0ull;
	for (int signo : {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGSYS})
		mask &= ~(1ull << (signo - 1));
	t.masked = ptrace(static_cast<__ptrace_request>(PTRACE_GETSIGMASK), t.tid, sizeof(mask),
			  &t.signal_mask) == 0 &&
		   ptrace(static_cast<__ptrace_request>(PTRACE_SETSIGMASK), t.tid, sizeof(mask),
			  &mask) == 0;
}

void Server::unmask_signals(Thread &t)
{
	ptrace(static_cast<__ptrace_request>(PTRACE_SETSIGMASK), t.tid, sizeof(t.signal_mask),
	       &t.signal_mask);
	t.masked = false;
}

// A fault in a slot is one of the program's own instruction; one to fetch it means that the
// program has unmapped our memory: true, and the signal is none of the program's.
bool Server::translate_fault(Thread &t, siginfo_t &info, uint64_t pc)
{
	auto addr = reinterpret_cast<uint64_t>(info.si_addr);
	AddressSpace &space = *t.process->space;
	std::shared_ptr<Plan> plan = plan_at(space, addr);
	if (!plan || addr != pc)
		return false;
	if (info.si_signo == SIGSEGV || info.si_signo == SIGBUS) {
		lose_areas(space);
		return true;
	}
	info.si_addr = reinterpret_cast<void *>(nt_ool_address(&plan->ool, addr));
	ptrace(PTRACE_SETSIGINFO, t.tid, 0, &info);
	return false;
}

} // namespace ntrace::embedded
