// SPDX-License-Identifier: GPL-2.0
// Running the instruction under a breakpoint where it is, for want of a better way: the byte is
// lifted, but only while every other thread of the address space is kept from user code.
#include "procfs.h"
#include "server.h"

#include <signal.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include <algorithm>

namespace ntrace::embedded
{

namespace
{

// A thread in user code stops within microseconds; one that is longer in coming sleeps in the
// kernel, where the interrupt catches it before its next instruction, or waits for a processor.
constexpr uint64_t kFreezeTimeout = 20 * kNanosPerMilli;
// The latter is waited for: it would run through the place where a breakpoint should be.
constexpr uint64_t kFreezeLimit = 2000 * kNanosPerMilli;
// An instruction that takes longer has entered the kernel, where it sleeps: its bytes were fetched.
constexpr uint64_t kStepTimeout = 50 * kNanosPerMilli;
// A busy machine may not have let it run at all by then.
constexpr uint64_t kStepLimit = 5000 * kNanosPerMilli;

} // namespace

// Keeps every other thread of the address space from running user code, until unfreeze().
void Server::freeze(AddressSpace &space, Thread *except, uint64_t timeout_ns)
{
	std::vector<pid_t> moving;
	for (Process *p : space.processes)
		for (auto &entry : p->threads) {
			Thread &t = *entry.second;
			if (&t == except || t.gone)
				continue;
			t.frozen++;
			if (t.stop == Stop::none && !t.job_stopped && !t.zombie) {
				interrupt(t);
				moving.push_back(t.tid);
			}
		}
	uint64_t until = now_ns() + timeout_ns, limit = until + kFreezeLimit;
	auto runnable = [&](pid_t tid) {
		Thread *t = find_thread(tid);
		TaskStat stat;
		return t && read_stat(t->process->pid, tid, stat) && stat.state == 'R';
	};
	while (!moving.empty()) {
		size_t kept = 0;
		for (pid_t tid : moving) {
			Thread *t = find_thread(tid);
			if (t && t->stop == Stop::none && !collect(*t))
				moving[kept++] = tid;
		}
		moving.resize(kept);
		if (moving.empty())
			break;
		if (now_ns() >= until) {
			if (now_ns() >= limit ||
			    std::none_of(moving.begin(), moving.end(), runnable))
				break;
			until = now_ns() + kNanosPerMilli;
		}
		sleep_for_child(until);
	}
}

void Server::unfreeze(AddressSpace &space, Thread *except)
{
	std::vector<pid_t> tids;
	for (Process *p : space.processes)
		for (auto &entry : p->threads) {
			Thread &t = *entry.second;
			if (&t == except || t.gone || t.frozen == 0)
				continue;
			if (--t.frozen == 0 && t.stop != Stop::none)
				tids.push_back(t.tid);
		}
	for (pid_t tid : tids)
		if (Thread *t = find_thread(tid))
			settle(*t);
}

void Server::step_in_place(Thread &t)
{
	std::shared_ptr<AddressSpace> space = t.process->space;
	Process &p = *t.process;
	uint64_t addr = t.reported_at;
	uint32_t generation = t.reported_generation;
	auto site = space->sites.find(addr);
	bool repeats =
	    site != space->sites.end() && site->second.plan && site->second.plan->repeats;
	pid_t tid = t.tid;
	t.reported_generation = 0;
	t.frozen++; // not to be let go by what happens meanwhile
	freeze(*space, &t, kFreezeTimeout);
	t.frozen--;
	// the whole instruction has to be there
	if (find_thread(tid) == &t && !t.gone)
		shut_windows(p, addr, NT_INSN_MAX);
	auto found = space->sites.find(addr);
	if (find_thread(tid) != &t || t.gone) {
		unfreeze(*space, nullptr);
		return;
	}
	if (found == space->sites.end() || !t.holds.empty()) {
		t.reported_generation = generation; // not passed yet
		unfreeze(*space, &t);
		settle(t);
		return;
	}
	bool lifted = is_armed(p, addr);
	if (lifted)
		poke(p, addr, &found->second.original, 1);
	int status = 0;
	bool arrived = false;
	for (size_t tries = 0; tries < kMostDeferred; tries++) {
		request(t, PTRACE_SINGLESTEP, 0);
		uint64_t limit = now_ns() + kStepLimit;
		TaskStat stat;
		do
			arrived = wait_status(t, status, kStepTimeout);
		while (!arrived && now_ns() < limit && read_stat(p.pid, tid, stat) &&
		       stat.state == 'R');
		// an interrupt of earlier comes first: the instruction has not run
		if (arrived && status >> 8 == (SIGTRAP | PTRACE_EVENT_STOP << 8)) {
			mark_stopped(t);
			if (load_regs(t) && t.regs.rip == addr)
				continue;
		}
		if (!arrived || !WIFSTOPPED(status) || status >> 16 || WSTOPSIG(status) == SIGTRAP)
			break;
		// a signal came before the instruction ran: it waits until after it
		siginfo_t info;
		memset(&info, 0, sizeof(info));
		if (ptrace(PTRACE_GETSIGINFO, t.tid, 0, &info) < 0 || !is_async(info))
			break;
		mark_stopped(t);
		t.stop = Stop::signal;
		t.deferred.push_back(info);
	}
	// the site may have gone in the meantime, never moved
	found = space->sites.find(addr);
	if (found != space->sites.end() && lifted)
		poke(p, addr, &kInt3, 1);
	if (find_thread(tid) != &t) {
		unfreeze(*space, nullptr);
		return;
	}
	// in the kernel: its step ends when it comes back
	t.drop_step = !t.stepper;
	bool trapped = arrived && WIFSTOPPED(status) && status >> 8 == SIGTRAP;
	if (arrived) {
		// taken in before others go on: their step-overs would wait for it
		t.frozen++;
		arrive(t, status);
		if (find_thread(tid) == &t && t.frozen > 0) // an exec thaws
			t.frozen--;
		if (find_thread(tid) == &t && repeats && trapped && load_regs(t) &&
		    t.regs.rip == addr)
			t.reported_generation = generation; // more turns to come
	}
	unfreeze(*space, &t);
	if (arrived && find_thread(tid) == &t) {
		t.drop_step = false;
		settle(t);
	}
}

} // namespace ntrace::embedded
