// SPDX-License-Identifier: GPL-2.0
// Work that may not wait its turn: among hundreds of threads that compute, a server that does a
// millisecond's work, a bit at a time, waits for all of them between the bits.
#pragma once

namespace ntrace
{

// Puts the thread that made it before everybody who shares processors (sched(7), SCHED_RR), but for
// a few milliseconds of work at a time: what takes longer goes on as ever (RLIMIT_RTTIME of
// getrlimit(2), whose SIGXCPU gives it up). It needs CAP_SYS_NICE or RLIMIT_RTPRIO, and a thread
// for which nobody chose a policy; whoever has not got that runs as ever. Threads and processes
// that come of it do not inherit it. One at a time.
class Precedence
{
      public:
	Precedence() = default;
	~Precedence() { want(false); }
	Precedence(const Precedence &) = delete;
	Precedence &operator=(const Precedence &) = delete;

	void want(bool on);
	bool wanted() const { return wanted_; }
	// The work is done; the next may be urgent again.
	void before_sleep();

      private:
	void take();

	bool wanted_ = false;
	bool forbidden_ = false;
};

} // namespace ntrace
