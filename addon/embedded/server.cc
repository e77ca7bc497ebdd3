// SPDX-License-Identifier: GPL-2.0
#include "server.h"
#include "procfs.h"
#include "sigchld.h"

#include <errno.h>
#include <string.h>

namespace ntrace::embedded
{

namespace
{

constexpr size_t kMostRecord = 4096;

void default_sets(struct ntrace_sets &s, bool observer)
{
	memset(&s, 0, sizeof(s));
	if (!observer)
		s.signal_stop = s.fault_stop = ~0ull;
	s.life_note = NTRACE_LIFE(NTRACE_EV_EXEC);
}

} // namespace

const Server::CallEntry Server::kCalls[] = {
    {NTRACE_IOC_HELLO, false, &Server::hello},
    {NTRACE_IOC_ATTACH, false, &Server::attach},
    {NTRACE_IOC_DETACH, false, &Server::detach},
    {NTRACE_IOC_THREADS, false, &Server::threads},
    {NTRACE_IOC_RESUME, true, &Server::resume},
    {NTRACE_IOC_STOP, true, &Server::stop},
    {NTRACE_IOC_GETREGS, false, &Server::get_regs},
    {NTRACE_IOC_SETREGS, true, &Server::set_regs},
    {NTRACE_IOC_READMEM, false, &Server::read_mem},
    {NTRACE_IOC_WRITEMEM, true, &Server::write_mem},
    {NTRACE_IOC_BREAK, true, &Server::set_break},
    {NTRACE_IOC_UNBREAK, true, &Server::clear_break},
    {NTRACE_IOC_BREAK_STATS, false, &Server::break_stats},
    {NTRACE_IOC_SETS, false, &Server::sets},
    {NTRACE_IOC_SIGNAL, true, &Server::signal},
    {NTRACE_IOC_WHO, false, &Server::who},
    {NTRACE_IOC_RELEASE, true, &Server::release_holds},
    {NTRACE_IOC_TRACEPOINT, true, &Server::set_tracepoint},
    {NTRACE_IOC_TRACE_CONTROL, true, &Server::trace_control},
    {NTRACE_IOC_TRACE_QUERY, false, &Server::trace_query},
    {NTRACE_IOC_TRACE_READ, false, &Server::trace_read},
    {NTRACE_IOC_VARIABLE, true, &Server::variable},
};

Server::Server() : event_fd_(sigchld_fd()) {}

Server::~Server()
{
	while (!engines_.empty())
		end(*engines_.begin()->second);
}

// By the handle of a client. The engine of persistent commands has none, and closed ones have -1.
Engine *Server::engine(int handle)
{
	if (handle < 0)
		return nullptr;
	auto found = engines_.find(handle);
	return found == engines_.end() ? nullptr : found->second.get();
}

Thread *Server::find_thread(pid_t tid)
{
	auto found = by_tid_.find(tid);
	return found == by_tid_.end() ? nullptr : found->second;
}

Process *Server::process_of(Engine &engine, pid_t pid)
{
	auto found = processes_.find(pid);
	return found != processes_.end() && found->second->attachment(&engine) ? found->second.get()
									       : nullptr;
}

Thread *Server::thread_of(Engine &engine, pid_t tid)
{
	Thread *t = find_thread(tid);
	return t && t->process->attachment(&engine) ? t : nullptr;
}

int Server::open()
{
	if (event_fd_ < 0)
		return event_fd_;
	auto e = std::make_unique<Engine>();
	e->handle = next_handle_++;
	e->id = next_engine_++;
	default_sets(e->defaults, false);
	int handle = e->handle;
	engines_[handle] = std::move(e);
	return handle;
}

// Records of other sizes than ours: shorter ones are zero-extended, longer ones must end in zeros.
int Server::ioctl(int handle, unsigned long request, void *record, size_t size)
{
	Engine *e = engine(handle);
	if (!e)
		return -EBADF;
	const CallEntry *entry = nullptr;
	constexpr unsigned long size_bits = static_cast<unsigned long>(_IOC_SIZEMASK)
					    << _IOC_SIZESHIFT;
	for (const CallEntry &candidate : kCalls)
		if ((candidate.request & ~size_bits) == (request & ~size_bits))
			entry = &candidate;
	if (!entry)
		return -ENOTTY;
	size_t theirs = _IOC_SIZE(request), ours = _IOC_SIZE(entry->request);
	if (!record || size < theirs)
		return -EFAULT;
	if (theirs == 0 || theirs > kMostRecord)
		return -EINVAL;
	if (!e->hello && entry->call != &Server::hello)
		return -ENOTCONN;
	if (!entry->call)
		return -EOPNOTSUPP;
	if (e->observer && entry->changes)
		return -EROFS;
	const char *tail = static_cast<char *>(record) + ours;
	for (size_t i = ours; i < theirs; i++, tail++)
		if (*tail)
			return -E2BIG;
	int result;
	{
		Depth depth(depth_);
		if (theirs >= ours) {
			result = (this->*entry->call)(*e, record);
		} else {
			alignas(8) char whole[kMostRecord] = {};
			memcpy(whole, record, theirs);
			result = (this->*entry->call)(*e, whole);
			memcpy(record, whole, theirs);
		}
		if (entry->call == &Server::hello && result == 0 && e->observer)
			default_sets(e->defaults, true);
	}
	if (depth_ == 0)
		bury();
	return result;
}

} // namespace ntrace::embedded
