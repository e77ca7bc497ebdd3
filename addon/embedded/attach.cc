// SPDX-License-Identifier: GPL-2.0
// Attaching: every thread of a process, without disturbing it, or a reason why not.
#include "procfs.h"
#include "server.h"

#include <errno.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

namespace ntrace::embedded
{

namespace
{

constexpr unsigned kOptions = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
			      PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC | PTRACE_O_TRACEVFORKDONE;
constexpr unsigned kKernelThread = 0x00200000; // PF_KTHREAD
constexpr uint64_t kStopTimeout = 5000 * kNanosPerMilli;
// A list of threads that is too short is read again, but not for ever: they may end all the time.
constexpr int kListings = 100;

bool same_user(const TaskStatus &status)
{
	for (uid_t uid : status.uid)
		if (uid != geteuid())
			return false;
	return true;
}

// Why the kernel said no; man 2 ptrace, "Ptrace access mode checking".
uint32_t refusal(pid_t pid, pid_t &holder)
{
	TaskStatus status;
	TaskStat stat;
	if (!read_status(pid, status) || !read_stat(pid, pid, stat))
		return NTRACE_WHY_GONE;
	if (stat.flags & kKernelThread)
		return NTRACE_WHY_KERNEL;
	if (stat.state == 'Z' || stat.state == 'X')
		return NTRACE_WHY_ZOMBIE;
	if (status.tracer) {
		holder = status.tracer;
		return NTRACE_WHY_TRACED;
	}
	if (geteuid() != 0 && !same_user(status))
		return NTRACE_WHY_CREDS;
	if (yama_scope() > 0)
		return NTRACE_WHY_YAMA;
	return geteuid() != 0 ? NTRACE_WHY_CREDS : NTRACE_WHY_LSM;
}

} // namespace

unsigned Server::options_of(const Process &p)
{
	unsigned options = kOptions | (p.owned ? PTRACE_O_EXITKILL : 0);
	for (const Attachment &a : p.attachments)
		if ((a.sets.life_stop | a.sets.life_note) & NTRACE_LIFE(NTRACE_EV_EXITING))
			options |=
			    PTRACE_O_TRACEEXIT; // a stop at every thread's end: only on demand
	return options;
}

void Server::set_options(Thread &t)
{
	if (t.stop != Stop::none)
		ptrace(PTRACE_SETOPTIONS, t.tid, 0,
		       static_cast<unsigned long>(options_of(*t.process)));
}

// Seizes threads until no new one appears. 0 or -errno of the first thread.
// With "stopping" each is told to stop at once, so that they do while the next ones are seized.
int Server::seize_all(Process &p, bool stopping, uint32_t &count)
{
	unsigned long options = options_of(p);
	bool again = true;
	std::vector<pid_t> refused;
	for (int listing = 0; again && listing < kListings; listing++) {
		TaskStatus status;
		size_t there = read_status(p.pid, status) ? status.threads : 0;
		if (there && there == p.threads.size())
			break; // cheaper than the list, which the kernel makes anew each time
		std::vector<pid_t> tids = list_tasks(p.pid);
		again = tids.size() < there;
		for (pid_t tid : tids) {
			if (p.threads.count(tid))
				continue;
			if (ptrace(PTRACE_SEIZE, tid, 0, options) < 0) {
				int error = errno;
				// a thread that just ended, or that its creator's event will bring
				if (error != ESRCH && (error != EPERM || p.threads.empty()))
					return -error;
				// it may have made another one after it was listed
				if (std::find(refused.begin(), refused.end(), tid) ==
				    refused.end()) {
					refused.push_back(tid);
					again = true;
				}
				continue;
			}
			Thread &t = add_thread(p, tid);
			if (stopping)
				interrupt(t);
			count++;
			again = true;
			listing = 0;
		}
	}
	return p.threads.empty() ? -ESRCH : 0;
}

void Server::add_attachment(Process &p, Engine &engine, uint32_t release)
{
	Attachment a = {&engine, release, false, engine.defaults, now_ns()};
	p.attachments.push_back(a);
}

int Server::attach(Engine &engine, void *record)
{
	auto &a = *static_cast<struct ntrace_attach *>(record);
	a.threads = 0;
	a.reason = NTRACE_WHY_NONE;
	a.holder_pid = 0;
	if (a.flags & ~(NTRACE_ATTACH_STOP | NTRACE_ATTACH_THREAD | NTRACE_ATTACH_OWNED) ||
	    a.pid <= 0 || a.release > NTRACE_RELEASE_STOP)
		return -EINVAL;
	if (a.flags & NTRACE_ATTACH_THREAD)
		return -EOPNOTSUPP;
	if (engine.observer && a.flags & NTRACE_ATTACH_STOP)
		return -EROFS;
	auto refuse = [&](uint32_t reason, int error) {
		a.reason = reason;
		return -error;
	};
	TaskStatus status;
	TaskStat stat;
	if (!read_status(a.pid, status) || !read_stat(status.tgid, a.pid, stat))
		return refuse(NTRACE_WHY_GONE, ESRCH);
	if (status.tgid == getpid())
		return refuse(NTRACE_WHY_SELF, EPERM);
	if (status.tgid != a.pid)
		return refuse(NTRACE_WHY_NOT_LEADER, ESRCH);
	if (stat.flags & kKernelThread)
		return refuse(NTRACE_WHY_KERNEL, EPERM);
	auto found = processes_.find(a.pid);
	Process *p = found == processes_.end() ? nullptr : found->second.get();
	if (p && p->attachment(&engine))
		return refuse(NTRACE_WHY_ATTACHED, EEXIST);
	if (!p) {
		if (stat.state == 'Z' || stat.state == 'X')
			return refuse(NTRACE_WHY_ZOMBIE, ESRCH);
		p = &add_process(a.pid);
		p->owned = a.flags & NTRACE_ATTACH_OWNED;
		p->cookie = stat.start_time;
		bool stopping = a.flags & NTRACE_ATTACH_STOP;
		if (stopping)
			go_deaf(); // until stop() has looked for them
		int result = seize_all(*p, stopping, a.threads);
		if (result < 0) {
			hear();
			a.reason = refusal(a.pid, a.holder_pid);
			remove_process(*p);
			return a.reason == NTRACE_WHY_GONE || a.reason == NTRACE_WHY_ZOMBIE
				   ? -ESRCH
				   : -EPERM;
		}
		if (Thread *leader = p->leader())
			leader->cookie = p->cookie;
	} else {
		// traced for another engine, or on its way out: taken over as it is
		p->leaving = p->transparent = false;
		a.threads = p->threads.size();
	}
	add_attachment(*p, engine, a.release);
	a.cookie = p->cookie;
	if (!(a.flags & NTRACE_ATTACH_STOP))
		return 0;
	struct ntrace_stop_entry entry = {a.pid, -1, 0, 0};
	struct ntrace_stop all = {};
	all.entries = reinterpret_cast<uint64_t>(&entry);
	all.count = 1;
	all.flags = NTRACE_STOP_WAIT | NTRACE_STOP_QUIET;
	all.timeout_us = kStopTimeout / 1000;
	// A thread that was about to make another one when it was seized has made one that nobody
	// traces. Now that it stands, that one is in the list.
	for (uint32_t known = 0; known != a.threads;) {
		known = a.threads;
		int result = stop(engine, &all);
		found = processes_.find(a.pid);
		if (result < 0 || found == processes_.end())
			return result;
		seize_all(*found->second, true, a.threads);
	}
	return 0;
}

} // namespace ntrace::embedded
