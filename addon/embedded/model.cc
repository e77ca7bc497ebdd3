// SPDX-License-Identifier: GPL-2.0
#include "model.h"

#include <unistd.h>

namespace ntrace::embedded
{

Process::~Process()
{
	if (mem_fd >= 0)
		close(mem_fd);
}

Attachment *Process::attachment(const Engine *engine)
{
	for (Attachment &a : attachments)
		if (a.engine == engine)
			return &a;
	return nullptr;
}

Thread *Process::leader()
{
	auto found = threads.find(pid);
	return found == threads.end() ? nullptr : found->second.get();
}

} // namespace ntrace::embedded
