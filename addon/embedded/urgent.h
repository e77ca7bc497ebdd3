// SPDX-License-Identifier: GPL-2.0
// A moment in which the calling thread does not wait its turn for a processor.
#pragma once

namespace ntrace
{

// Where hundreds of threads that never sleep are stopped or resumed, each that runs on takes the
// processor of who is about to stop or resume the next one, for milliseconds. While one of these
// lives, the thread goes before them (sched(7), SCHED_RR), where it is allowed to.
class Urgent
{
      public:
	explicit Urgent(bool wanted);
	~Urgent();
	Urgent(const Urgent &) = delete;
	Urgent &operator=(const Urgent &) = delete;

      private:
	bool active_ = false;
};

} // namespace ntrace
