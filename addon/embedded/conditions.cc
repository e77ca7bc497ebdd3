// SPDX-License-Identifier: GPL-2.0
// Conditions and actions of breakpoints: verified when they are set, run where the thread stopped.
// What cannot be decided stops it, and its client decides.
#include "print.h"
#include "server.h"
#include "trace.h"

#include <agent.h>
#include <errno.h>

#include <string>

namespace ntrace::embedded
{

namespace
{

constexpr uint32_t kRegisters = sizeof(struct user_regs_struct) / sizeof(uint64_t);
constexpr uint32_t kMostCode = 4096;
constexpr uint32_t kMostCodes = 64;

struct Context {
	Server *server;
	Thread *thread;
	Engine *engine; // whose state variables they are
	std::string printed;
};

} // namespace

// The callbacks of one evaluation; a friend, because they read the thread's memory.
struct Evaluation {
	static int read_reg(void *ctx, u32 number, u64 *value)
	{
		auto *c = static_cast<Context *>(ctx);
		if (number >= kRegisters || !c->server->load_regs(*c->thread))
			return -1;
		*value = reinterpret_cast<const uint64_t *>(&c->thread->regs)[number];
		return 0;
	}

	static int read_mem(void *ctx, u64 addr, void *buf, u32 len)
	{
		auto *c = static_cast<Context *>(ctx);
		return c->server->read_shadowed(*c->thread->process, addr, buf, len) == len ? 0
											    : -1;
	}

	static int get_var(void *ctx, u32 number, u64 *value)
	{
		auto *c = static_cast<Context *>(ctx);
		if (!nt_trace_get(&c->server->trace_of(*c->engine).core, number, now_ns(), value))
			*value = 0;
		return 0;
	}

	static int set_var(void *ctx, u32 number, u64 value)
	{
		auto *c = static_cast<Context *>(ctx);
		return nt_trace_set(&c->server->trace_of(*c->engine).core, number, value) ? 0 : -1;
	}

	static int print(void *ctx, const char *text, u32 len)
	{
		static_cast<Context *>(ctx)->printed.append(text, len);
		return 0;
	}
};

namespace
{

constexpr struct nt_agent_ops kOps = {
    Evaluation::read_reg, Evaluation::read_mem, nullptr,	   nullptr,
    Evaluation::get_var,  Evaluation::set_var,	Evaluation::print,
};

} // namespace

// 0, or -errno with the offset of what was refused in the entry itself.
int Server::take_codes(uint64_t entries, uint32_t count, bool condition, std::vector<Code> &out)
{
	auto *codes = reinterpret_cast<struct ntrace_code *>(entries);
	if (count > kMostCodes)
		return -EINVAL;
	if (count && !codes)
		return -EFAULT;
	for (uint32_t i = 0; i < count; i++) {
		const auto *bytes = reinterpret_cast<const uint8_t *>(codes[i].bytes);
		codes[i].error_at = 0;
		if (!bytes)
			return -EFAULT;
		if (codes[i].len > kMostCode)
			return -E2BIG;
		std::vector<uint8_t> work(codes[i].len);
		struct nt_agent_limits limits = {};
		limits.max_len = kMostCode;
		limits.registers = kRegisters;
		limits.variables = NTRACE_VARIABLES;
		limits.allow = condition ? NT_AGENT_ALLOW_CONDITION : NT_AGENT_ALLOW_COMMAND;
		limits.need_result = condition;
		limits.work = work.data();
		limits.work_len = work.size();
		struct nt_agent_info info;
		int error =
		    nt_agent_verify(bytes, codes[i].len, &limits, &info, &codes[i].error_at);
		if (error)
			return -nt_agent_errno(error);
		out.emplace_back(bytes, bytes + codes[i].len);
	}
	return 0;
}

// Any condition that is true, or cannot be decided, says so.
bool Server::condition_holds(Thread &t, Owner &owner)
{
	Context context = {this, &t, owner.engine, {}};
	for (const Code &code : owner.conditions) {
		u64 result = 0;
		u32 error_at;
		owner.evaluated++;
		int error = nt_agent_eval(code.data(), code.size(), &kOps, &context,
					  NT_AGENT_BUDGET, &result, &error_at);
		owner.errors += error != 0;
		if (error || result)
			return true;
	}
	return owner.conditions.empty();
}

// An action that fails ends there; those behind it still run.
void Server::run_actions(Thread &t, Owner &owner)
{
	Context context = {this, &t, owner.engine, {}};
	for (const Code &code : owner.actions) {
		u32 error_at;
		owner.evaluated++;
		if (nt_agent_eval(code.data(), code.size(), &kOps, &context, NT_AGENT_BUDGET,
				  nullptr, &error_at))
			owner.errors++;
	}
	ntrace::print(context.printed);
}

// Is this owner to hear of the hit?
bool Server::wants_hit(Thread &t, Owner &owner)
{
	owner.hits++;
	if (owner.conditions.empty() && owner.actions.empty())
		return true;
	uint64_t began = now_ns();
	bool wanted = condition_holds(t, owner);
	if (!owner.conditions.empty())
		(wanted ? owner.true_hits : owner.false_hits)++;
	if (wanted && !owner.actions.empty()) {
		run_actions(t, owner);
		wanted = false;
	}
	owner.cost_ns += now_ns() - began;
	return wanted;
}

} // namespace ntrace::embedded
