// SPDX-License-Identifier: GPL-2.0
// Processors that are kept from sleep: waking one up can take longer than all the work of a packet.
#pragma once

namespace ntrace
{

// Holds the machine's wake-up latency at zero by the kernel's own interface
// (Documentation/power/pm_qos_interface.rst). It needs the right to write /dev/cpu_dma_latency;
// whoever has not got it runs as ever. The kernel takes the wish back when the file is closed, so
// it ends with this process whatever ends it.
class Awake
{
      public:
	Awake() = default;
	~Awake();
	Awake(const Awake &) = delete;
	Awake &operator=(const Awake &) = delete;

	// False: it is not to be had.
	bool keep();
	void let_go();
	bool kept() const { return kept_; }
	// Never from now on.
	void forbid();

      private:
	int fd_ = -1;
	bool forbidden_ = false;
	bool kept_ = false;
};

} // namespace ntrace
