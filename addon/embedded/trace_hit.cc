// SPDX-License-Identifier: GPL-2.0
// Threads at tracepoints: they collect and run on, or step and collect again.
#include "server.h"
#include "trace.h"

#include <elf.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

#include <algorithm>

namespace ntrace::embedded
{

namespace
{

constexpr uint64_t kNativeCodeSegment = 0x33; // __USER_CS
constexpr size_t kMostBytes = 64 << 10;

} // namespace

// The callbacks of one hit; a friend, because they read the thread's registers and memory.
struct Collection {
	Server *server;
	Thread *thread;
	Trace *trace;

	static int read_reg(void *ctx, u32 number, u64 *value)
	{
		auto *c = static_cast<Collection *>(ctx);
		if (number >= sizeof(c->thread->regs) / sizeof(u64) ||
		    !c->server->load_regs(*c->thread))
			return -1;
		*value = reinterpret_cast<const uint64_t *>(&c->thread->regs)[number];
		return 0;
	}

	static u32 read_mem(void *ctx, u64 addr, void *buf, u32 len)
	{
		auto *c = static_cast<Collection *>(ctx);
		return c->server->read_shadowed(*c->thread->process, addr, buf, len);
	}

	static int read_regset(void *ctx, u32 note, const void **data, u32 *len)
	{
		auto *c = static_cast<Collection *>(ctx);
		Thread &t = *c->thread;
		if (note == NT_PRSTATUS && c->server->load_regs(t) &&
		    t.regs.cs == kNativeCodeSegment) {
			*data = &t.regs;
			*len = sizeof(t.regs);
			return 0;
		}
		c->server->flush_regs(t);
		c->trace->regset.resize(kMostBytes);
		struct iovec iov = {c->trace->regset.data(), kMostBytes};
		if (ptrace(PTRACE_GETREGSET, t.tid, note, &iov) < 0)
			return -1;
		*data = iov.iov_base;
		*len = iov.iov_len;
		return 0;
	}
};

namespace
{

const struct nt_trace_ops kOps = {Collection::read_reg, Collection::read_mem,
				  Collection::read_regset};

} // namespace

// Every tracepoint at the site of the thread. The site may be gone afterwards.
void Server::trace_hit(Thread &t, Site &site)
{
	struct nt_trace_place place = {site.addr, now_ns(), t.process->pid, t.tid};
	std::vector<Engine *> ended;
	for (const Traced &traced : site.tracepoints) {
		if (traced.point->process != t.process)
			continue; // shares the memory, not the tracepoint
		Trace &trace = *traced.engine->trace;
		Collection c = {this, &t, &trace};
		switch (nt_trace_hit(&trace.core, &traced.point->core, &place, &kOps, &c)) {
		case NT_TRACE_GO:
			break;
		case NT_TRACE_STEP:
			t.collecting.push_back({traced.engine, traced.point, 0});
			break;
		case NT_TRACE_ENDED:
			ended.push_back(traced.engine);
			break;
		}
	}
	for (Engine *engine : ended)
		trace_ended(*engine, t);
}

// The thread has executed one instruction since it was let go for it.
void Server::trace_stepped(Thread &t)
{
	if (!load_regs(t))
		return;
	struct nt_trace_place place = {t.regs.rip, now_ns(), t.process->pid, t.tid};
	std::vector<Engine *> ended;
	auto done = [&](Collecting &now) {
		Trace &trace = *now.engine->trace;
		Collection c = {this, &t, &trace};
		enum nt_trace_next next =
		    nt_trace_stepped(&trace.core, &now.point->core, ++now.step, &place, &kOps, &c);
		if (next == NT_TRACE_ENDED)
			ended.push_back(now.engine);
		return next != NT_TRACE_STEP;
	};
	auto &all = t.collecting;
	all.erase(std::remove_if(all.begin(), all.end(), done), all.end());
	for (Engine *engine : ended)
		trace_ended(*engine, t);
}

// Tracing stopped by itself, at this thread.
void Server::trace_ended(Engine &engine, Thread &t)
{
	remove_tracepoints(engine, nullptr);
	struct ntrace_event e;
	fill(e, t, NTRACE_EV_TRACE_STOPPED, false);
	e.code = engine.trace->core.reason;
	post_note(engine, e);
}

} // namespace ntrace::embedded
