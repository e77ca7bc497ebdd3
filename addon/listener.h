// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <sys/types.h>

#include <string>

#include "source.h"

namespace ntrace
{

// A listening socket.
class Listener : public Source
{
      public:
	// path: the file of a Unix socket, unlinked at the end; empty for TCP.
	Listener(int fd, std::string path);
	~Listener() override;

	int attach(Poller poller) override;
	int32_t on_events(uint32_t, bool) override { return kReadyRead; }
	void pause(bool paused) override;
	Listener *listener() override { return this; }

	// A connected descriptor, or -1 if nobody is waiting.
	int accept();
	int port() const;

      private:
	int fd_;
	Poller poller_{-1, 0};
	int spare_; // given up for a moment when descriptors run out
	std::string path_;
	dev_t dev_ = 0;
	ino_t ino_ = 0;
	int at_exit_ = 0;
};

} // namespace ntrace
