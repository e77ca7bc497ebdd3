// SPDX-License-Identifier: GPL-2.0
// Memory of the processes in the table, opened ahead: when it is needed there is no time for it.
#pragma once

#include "table.h"

#include <mutex>
#include <vector>

namespace ntrace::guard
{

class Memory
{
      public:
	// A descriptor of /proc/PID/mem; -1 when the process is not there any more.
	int of(pid_t pid, uint64_t start_time);
	// Opens what the table names now and forgets the rest.
	void look_ahead(const Table &table);

      private:
	struct Open {
		pid_t pid;
		uint64_t start_time;
		int fd;
		bool named;
	};
	Open &find(pid_t pid, uint64_t start_time);

	std::mutex mutex_;
	std::vector<Open> open_;
};

} // namespace ntrace::guard
