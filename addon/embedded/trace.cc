// SPDX-License-Identifier: GPL-2.0
// Calls about tracepoints: what is defined, when it is in force, what was collected.
#include "trace.h"
#include "server.h"

#include <agent.h>
#include <errno.h>

#include <algorithm>
#include <new>

namespace ntrace::embedded
{

namespace
{

constexpr uint64_t kDefaultSize = 5 << 20;
constexpr uint64_t kMostSize = 1ull << 32;
constexpr uint32_t kMostCode = 4096;
constexpr uint32_t kMostActions = 1024;
constexpr uint32_t kRegisters = sizeof(struct user_regs_struct) / sizeof(uint64_t);

// 0, or -errno with the offset of what was refused.
int verify(const uint8_t *bytes, uint32_t len, uint32_t allow, uint32_t &error_at)
{
	error_at = 0;
	if (!bytes)
		return -EFAULT;
	if (len > kMostCode)
		return -E2BIG;
	std::vector<uint8_t> work(len);
	struct nt_agent_limits limits = {};
	limits.max_len = kMostCode;
	limits.registers = kRegisters;
	limits.variables = NTRACE_VARIABLES;
	limits.allow = allow;
	limits.need_result = !(allow & NT_AGENT_USE_TRACE);
	limits.work = work.data();
	limits.work_len = work.size();
	struct nt_agent_info info;
	return -nt_agent_errno(nt_agent_verify(bytes, len, &limits, &info, &error_at));
}

int take_condition(const struct ntrace_tracepoint &r, TracePoint &point)
{
	auto *code = reinterpret_cast<struct ntrace_code *>(r.condition);
	if (!code)
		return 0;
	const auto *bytes = reinterpret_cast<const uint8_t *>(code->bytes);
	int error = verify(bytes, code->len, NT_AGENT_ALLOW_CONDITION, code->error_at);
	if (error)
		return error;
	point.codes.emplace_back(bytes, bytes + code->len);
	point.core.condition = point.codes.back().data();
	point.core.condition_len = code->len;
	return 0;
}

int take_action(struct ntrace_collect &c, TracePoint &point)
{
	struct nt_trace_action action = {c.type, c.note, c.reg, 0, c.addr, c.len, nullptr};
	c.error_at = 0;
	if (c.flags & ~NTRACE_COLLECT_STEP)
		return -EINVAL;
	switch (c.type) {
	case NTRACE_COLLECT_REGS:
		break;
	case NTRACE_COLLECT_MEMORY:
		if (c.reg != NTRACE_COLLECT_ABSOLUTE && c.reg >= kRegisters)
			return -ENXIO;
		if (c.len > NT_TRACE_MAX_MEMORY)
			return -E2BIG;
		break;
	case NTRACE_COLLECT_CODE: {
		const auto *bytes = reinterpret_cast<const uint8_t *>(c.bytes);
		int error = verify(bytes, c.code_len, NT_AGENT_ALLOW_ACTION, c.error_at);
		if (error)
			return error;
		point.codes.emplace_back(bytes, bytes + c.code_len);
		action.code = point.codes.back().data();
		action.code_len = c.code_len;
		break;
	}
	default:
		return -EINVAL;
	}
	(c.flags & NTRACE_COLLECT_STEP ? point.step_actions : point.actions).push_back(action);
	return 0;
}

int take_definition(const struct ntrace_tracepoint &r, TracePoint &point)
{
	auto *actions = reinterpret_cast<struct ntrace_collect *>(r.actions);
	if (r.flags & ~NTRACE_TP_ENABLED || r.reserved || r.nactions > kMostActions)
		return -EINVAL;
	if (r.nactions && !actions)
		return -EFAULT;
	int error = take_condition(r, point);
	for (uint32_t i = 0; !error && i < r.nactions; i++)
		error = take_action(actions[i], point);
	struct nt_trace_point &core = point.core;
	core.number = r.number;
	core.addr = r.addr;
	core.enabled = r.flags & NTRACE_TP_ENABLED;
	core.step = r.step;
	core.pass = r.pass;
	core.actions = point.actions.data();
	core.nactions = point.actions.size();
	core.step_actions = point.step_actions.data();
	core.nstep_actions = point.step_actions.size();
	return error;
}

TracePoint *find(Trace &trace, const Process *p, uint32_t number, uint64_t addr)
{
	for (auto &point : trace.points)
		if (point->process == p && point->core.number == number && point->core.addr == addr)
			return point.get();
	return nullptr;
}

bool set_size(Trace &trace, uint64_t size)
{
	std::unique_ptr<uint8_t[]> memory(new (std::nothrow) uint8_t[size]);
	if (!memory)
		return false;
	nt_trace_buffer_init(&trace.core.buffer, memory.get(), size);
	trace.memory = std::move(memory);
	return true;
}

void tell(const Trace *trace, struct ntrace_trace_control &c)
{
	static const struct nt_trace none = {};
	const struct nt_trace &core = trace ? trace->core : none;
	const struct nt_trace_buffer &b = core.buffer;
	c.flags = b.circular ? NTRACE_TRACE_CIRCULAR : 0;
	c.size = b.size ? b.size : kDefaultSize;
	c.used = b.tail - b.head;
	c.free = c.size - c.used;
	c.frames = b.frames;
	c.created = b.created;
	c.start_ns = core.start_ns;
	c.stop_ns = core.stop_ns;
	c.running = core.running;
	c.reason = core.reason;
	c.number = core.number;
	c.error = core.error;
}

} // namespace

Trace &Server::trace_of(Engine &engine)
{
	if (!engine.trace)
		engine.trace = std::make_shared<Trace>();
	return *engine.trace;
}

int Server::set_tracepoint(Engine &engine, void *record)
{
	auto &r = *static_cast<struct ntrace_tracepoint *>(record);
	Process *p = process_of(engine, r.pid);
	if (!p)
		return -ESRCH;
	Trace &trace = trace_of(engine);
	auto made = std::make_unique<TracePoint>();
	made->process = p;
	int error = take_definition(r, *made);
	if (error)
		return error;
	if (TracePoint *known = find(trace, p, r.number, r.addr)) {
		// sites and threads go on knowing it; moved vectors keep their data where it is
		made->core.hits = known->core.hits;
		made->core.usage = known->core.usage;
		*known = std::move(*made);
		return 0;
	}
	if (trace.core.running && (error = insert_tracepoint(engine, *made)))
		return error;
	trace.points.push_back(std::move(made));
	return 0;
}

int Server::insert_tracepoint(Engine &engine, TracePoint &point)
{
	if (!point.process)
		return 0;
	close_windows(*point.process, point.core.addr, 1);
	Site *site = arm_site(*point.process, point.core.addr);
	if (!site)
		return -EFAULT;
	site->tracepoints.push_back({&engine, &point});
	return 0;
}

// None of them is hit any more; no thread steps for one.
void Server::remove_tracepoints(Engine &engine, const Process *only)
{
	if (!engine.trace)
		return;
	auto of_it = [&](const auto &x) {
		return x.engine == &engine && (!only || x.point->process == only);
	};
	for (auto &entry : by_tid_) {
		auto &collecting = entry.second->collecting;
		collecting.erase(std::remove_if(collecting.begin(), collecting.end(), of_it),
				 collecting.end());
	}
	for (auto &point : engine.trace->points) {
		Process *p = point->process;
		if (!p || (only && p != only))
			continue;
		auto found = p->space->sites.find(point->core.addr);
		if (found == p->space->sites.end())
			continue;
		auto &here = found->second.tracepoints;
		here.erase(std::remove_if(here.begin(), here.end(), of_it), here.end());
		drop_site(*p, found->second);
	}
}

// The process is gone, has another program, or is let go by one engine (else by all).
void Server::forget_tracepoints(Process &p, Engine *only)
{
	for (auto &entry : engines_) {
		Engine &engine = *entry.second;
		if (!engine.trace || (only && only != &engine))
			continue;
		remove_tracepoints(engine, &p);
		for (auto &point : engine.trace->points)
			if (point->process == &p)
				point->process = nullptr;
	}
}

int Server::start_trace(Engine &engine)
{
	Trace &trace = trace_of(engine);
	if (trace.core.running)
		return -EALREADY;
	if (!trace.memory && !set_size(trace, kDefaultSize))
		return -ENOMEM;
	nt_trace_start(&trace.core, now_ns());
	for (auto &point : trace.points) {
		point->core.hits = point->core.usage = 0;
		int error = insert_tracepoint(engine, *point);
		if (!error)
			continue;
		remove_tracepoints(engine, nullptr);
		nt_trace_stop(&trace.core, NTRACE_TRACE_ERROR, point->core.number, -error,
			      now_ns());
		return error;
	}
	return 0;
}

void Server::stop_trace(Engine &engine)
{
	Trace &trace = trace_of(engine);
	if (!trace.core.running)
		return;
	nt_trace_stop(&trace.core, NTRACE_TRACE_STOPPED, 0, 0, now_ns());
	remove_tracepoints(engine, nullptr);
}

int Server::setup_trace(Engine &engine, uint32_t flags, uint64_t size)
{
	Trace &trace = trace_of(engine);
	struct nt_trace_buffer &b = trace.core.buffer;
	if (flags & ~NTRACE_TRACE_CIRCULAR || size > kMostSize)
		return -EINVAL;
	if (size && size != b.size) {
		if (trace.core.running)
			return -EBUSY;
		if (!set_size(trace, size))
			return -ENOMEM;
	}
	b.circular = flags & NTRACE_TRACE_CIRCULAR;
	return 0;
}

int Server::trace_control(Engine &engine, void *record)
{
	auto &c = *static_cast<struct ntrace_trace_control *>(record);
	int error = 0;
	switch (c.command) {
	case NTRACE_TRACE_CLEAR: {
		stop_trace(engine);
		Trace &trace = trace_of(engine);
		trace.points.clear();
		nt_trace_forget_variables(&trace.core);
		nt_trace_buffer_init(&trace.core.buffer, trace.memory.get(),
				     trace.core.buffer.size);
		break;
	}
	case NTRACE_TRACE_START:
		error = start_trace(engine);
		break;
	case NTRACE_TRACE_STOP:
		stop_trace(engine);
		break;
	case NTRACE_TRACE_STATUS:
		break;
	case NTRACE_TRACE_SETUP:
		error = setup_trace(engine, c.flags, c.size);
		break;
	default:
		return -EINVAL;
	}
	tell(engine.trace.get(), c);
	return error;
}

int Server::trace_query(Engine &engine, void *record)
{
	auto &r = *static_cast<struct ntrace_tracepoint *>(record);
	Process *p = process_of(engine, r.pid);
	if (!p)
		return -ESRCH;
	TracePoint *point = engine.trace ? find(*engine.trace, p, r.number, r.addr) : nullptr;
	if (!point)
		return -ENOENT;
	r.hits = point->core.hits;
	r.usage = point->core.usage;
	return 0;
}

int Server::trace_read(Engine &engine, void *record)
{
	auto &r = *static_cast<struct ntrace_trace_read *>(record);
	void *buf = reinterpret_cast<void *>(r.buf);
	r.got = 0;
	if (!buf && r.len)
		return -EFAULT;
	if (!engine.trace)
		return -ENOENT;
	int64_t got =
	    nt_trace_frame_read(&engine.trace->core.buffer, r.frame, r.offset, buf, r.len);
	if (got < 0)
		return -ENOENT;
	r.got = got;
	return 0;
}

int Server::variable(Engine &engine, void *record)
{
	auto &v = *static_cast<struct ntrace_variable *>(record);
	if (v.flags & ~NTRACE_VARIABLE_SET || !v.number || v.number >= NTRACE_VARIABLES)
		return -EINVAL;
	Trace &trace = trace_of(engine);
	if (v.flags & NTRACE_VARIABLE_SET) {
		nt_trace_set(&trace.core, v.number, v.value);
		return 0;
	}
	u64 value;
	if (!nt_trace_get(&trace.core, v.number, now_ns(), &value))
		return -ENOENT;
	v.value = value;
	return 0;
}

} // namespace ntrace::embedded
