// SPDX-License-Identifier: GPL-2.0
/*
 * Errors of agent expressions, for people and for records.
 */
#include "agent.h"

#ifdef __KERNEL__
#include <linux/errno.h>
#else
#include <errno.h>
#endif

const char *nt_agent_strerror(int error)
{
	switch (error) {
	case 0:
		return "no error";
	case NT_AGENT_E_LENGTH:
		return "the expression is too long";
	case NT_AGENT_E_HEIGHT:
		return "paths meet here with stacks of different height";
	case NT_AGENT_E_VARIABLE:
		return "no trace state variable has this number";
	case NT_AGENT_E_FORBIDDEN:
		return "not allowed here (a condition cannot print or trace, a command cannot "
		       "trace)";
	case NT_AGENT_E_EMPTY:
		return "the expression is empty";
	case NT_AGENT_E_OPCODE:
		return "no such opcode";
	case NT_AGENT_E_UNSUPPORTED:
		return "opcode not supported";
	case NT_AGENT_E_TRUNCATED:
		return "the instruction is cut short";
	case NT_AGENT_E_OPERAND:
		return "not a width of 1 to 64 bits";
	case NT_AGENT_E_JUMP:
		return "the jump leads to no instruction";
	case NT_AGENT_E_NO_END:
		return "the expression does not end";
	case NT_AGENT_E_UNDERFLOW:
		return "too few values on the stack";
	case NT_AGENT_E_OVERFLOW:
		return "too many values on the stack";
	case NT_AGENT_E_NO_RESULT:
		return "the expression leaves no value";
	case NT_AGENT_E_REGISTER:
		return "this register cannot be read here";
	case NT_AGENT_E_FORMAT:
		return "the format is not supported or does not fit its arguments";
	case NT_AGENT_E_BUDGET:
		return "ran for too long";
	case NT_AGENT_E_DIVIDE:
		return "division by zero";
	case NT_AGENT_E_MEMORY:
		return "memory cannot be read here";
	case NT_AGENT_E_STATE:
		return "the trace state variable cannot be read or set";
	case NT_AGENT_E_SINK:
		return "no room for what was to be recorded or printed";
	default:
		return "unknown error";
	}
}

int nt_agent_errno(int error)
{
	switch (error) {
	case 0:
		return 0;
	case NT_AGENT_E_LENGTH:
		return E2BIG;
	case NT_AGENT_E_FORBIDDEN:
		return EPERM;
	case NT_AGENT_E_VARIABLE:
	case NT_AGENT_E_REGISTER:
	case NT_AGENT_E_STATE:
		return ENXIO;
	case NT_AGENT_E_UNSUPPORTED:
		return EOPNOTSUPP;
	case NT_AGENT_E_BUDGET:
		return ETIME;
	case NT_AGENT_E_DIVIDE:
		return EDOM;
	case NT_AGENT_E_MEMORY:
		return EFAULT;
	case NT_AGENT_E_SINK:
		return ENOBUFS;
	default:
		return EINVAL;
	}
}
