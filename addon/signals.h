// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <signal.h>
#include <stdint.h>

#include <map>

namespace ntrace
{

// Signals of this process, taken by handlers (Node's threads leave them unblocked, so signalfd
// would miss some). One instance at a time has them; the last to watch wins.
class Signals
{
      public:
	Signals() = default;
	~Signals(); // old handlers come back
	Signals(const Signals &) = delete;
	Signals &operator=(const Signals &) = delete;

	// 0 or -errno.
	int watch(int signo);
	// Readable after an arrival; -1 before the first watch().
	int fd() const { return fd_; }
	// Makes fd() unreadable; true if something is there to take.
	bool collect();
	// 0 when none is left.
	int take();

      private:
	int fd_ = -1;
	uint64_t mine_ = 0; // taken from the handlers' word, not yet by the caller
	std::map<int, struct sigaction> before_;
};

} // namespace ntrace
