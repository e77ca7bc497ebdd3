// SPDX-License-Identifier: GPL-2.0
#include "memory.h"

#include "../embedded/procfs.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

namespace ntrace::guard
{

Memory::Open &Memory::find(pid_t pid, uint64_t start_time)
{
	for (Open &open : open_)
		if (open.pid == pid && open.start_time == start_time)
			return open;
	char path[32];
	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	int fd = ::open(path, O_RDWR | O_CLOEXEC);
	// what was opened stays that process, whoever gets its number: looked at afterwards
	embedded::TaskStat stat;
	if (fd >= 0 && !(embedded::read_stat(pid, pid, stat) && stat.start_time == start_time)) {
		close(fd);
		fd = -1;
	}
	open_.push_back({pid, start_time, fd, true});
	return open_.back();
}

int Memory::of(pid_t pid, uint64_t start_time)
{
	std::lock_guard<std::mutex> lock(mutex_);
	return find(pid, start_time).fd;
}

void Memory::look_ahead(const Table &table)
{
	std::lock_guard<std::mutex> lock(mutex_);
	for (Open &open : open_)
		open.named = false;
	for (const Entry &entry : table.entries)
		if (entry.kind.load(std::memory_order_acquire) == kText)
			find(entry.pid, entry.start_time).named = true;
	for (size_t i = 0; i < open_.size();) {
		if (open_[i].named) {
			i++;
			continue;
		}
		if (open_[i].fd >= 0)
			close(open_[i].fd);
		open_.erase(open_.begin() + i);
	}
}

} // namespace ntrace::guard
