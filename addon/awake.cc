// SPDX-License-Identifier: GPL-2.0
#include "awake.h"

#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

namespace ntrace
{

namespace
{

constexpr int32_t kNoLatency = 0;
// PM_QOS_CPU_LATENCY_DEFAULT_VALUE of include/linux/pm_qos.h: no wish. Cheaper than a close.
constexpr int32_t kAnyLatency = 2000 * 1000 * 1000;

// Without a driver of cpuidle processors sleep as they always do, whatever anyone wishes.
bool anyone_listens()
{
	char driver[32] = "";
	int fd = open("/sys/devices/system/cpu/cpuidle/current_driver", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	ssize_t got = read(fd, driver, sizeof(driver) - 1);
	close(fd);
	return got > 0 && strncmp(driver, "none", 4) != 0;
}

bool wish(int fd, int32_t microseconds)
{
	return write(fd, &microseconds, sizeof(microseconds)) == sizeof(microseconds);
}

} // namespace

Awake::~Awake()
{
	if (fd_ >= 0)
		close(fd_);
}

bool Awake::keep()
{
	if (kept_ || forbidden_)
		return kept_;
	if (fd_ < 0 && anyone_listens())
		fd_ = open("/dev/cpu_dma_latency", O_WRONLY | O_CLOEXEC);
	kept_ = fd_ >= 0 && wish(fd_, kNoLatency);
	if (!kept_)
		forbid();
	return kept_;
}

void Awake::let_go()
{
	if (kept_ && !wish(fd_, kAnyLatency))
		forbid();
	kept_ = false;
}

void Awake::forbid()
{
	forbidden_ = true;
	kept_ = false;
	if (fd_ >= 0)
		close(fd_);
	fd_ = -1;
}

} // namespace ntrace
