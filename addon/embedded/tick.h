// SPDX-License-Identifier: GPL-2.0
// A signal to the calling thread at intervals, so that no blocking wait lasts longer than one.
#pragma once

#include <time.h>

namespace ntrace::embedded
{

class Tick
{
      public:
	Tick() = default;
	~Tick();
	Tick(const Tick &) = delete;
	Tick &operator=(const Tick &) = delete;

	// False: there is no timer to be had. Always on the same thread.
	bool start(long interval_ns);
	void stop();
	// One came since the last call.
	static bool taken();

      private:
	bool make();
	bool set(long interval_ns);

	timer_t timer_;
	bool made_ = false;
	bool refused_ = false;
};

} // namespace ntrace::embedded
