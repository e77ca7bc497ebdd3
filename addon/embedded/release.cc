// SPDX-License-Identifier: GPL-2.0
// Letting go what another engine holds: its client is stuck, or gone without a word.
#include "server.h"

#include <errno.h>

#include <algorithm>

namespace ntrace::embedded
{

// Only where the asking engine is attached as well: that is its permission. Breakpoints stay, and
// may stop the thread again. A stop that was not read yet is forgotten: the thread runs on from
// there.
int Server::release_holds(Engine &engine, void *record)
{
	auto &r = *static_cast<struct ntrace_release_hold *>(record);
	r.released = 0;
	if (r.tid < 0)
		return -EINVAL;
	Engine *other = nullptr;
	for (auto &entry : engines_)
		if (entry.second->id == r.engine_id)
			other = entry.second.get();
	if (!other || (r.tid && !thread_of(*other, r.tid)))
		return -ESRCH;
	std::vector<pid_t> tids;
	for (auto &entry : processes_) {
		Attachment *a = entry.second->attachment(other);
		if (!a || !entry.second->attachment(&engine))
			continue;
		a->quiesced = false;
		for (auto &owned : entry.second->threads)
			if (!r.tid || r.tid == owned.first)
				tids.push_back(owned.first);
	}
	for (pid_t tid : tids) {
		Thread *t = find_thread(tid);
		if (!t || !release_hold(*other, *t))
			continue;
		r.released++;
		if (t->stepper == other)
			t->stepper = nullptr;
		auto &events = other->events;
		events.erase(std::remove_if(events.begin(), events.end(),
					    [&](const struct ntrace_event &e) {
						    return e.stop_id && e.tid == tid;
					    }),
			     events.end());
		settle(*t);
	}
	return 0;
}

} // namespace ntrace::embedded
