// SPDX-License-Identifier: GPL-2.0
#include "tty.h"

#include <errno.h>
#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

#include "exit_list.h"

namespace ntrace
{

namespace
{

const struct {
	int baud;
	speed_t code;
} kSpeeds[] = {
    {1200, B1200},	 {2400, B2400},	      {4800, B4800},	   {9600, B9600},
    {19200, B19200},	 {38400, B38400},     {57600, B57600},	   {115200, B115200},
    {230400, B230400},	 {460800, B460800},   {500000, B500000},   {576000, B576000},
    {921600, B921600},	 {1000000, B1000000}, {1152000, B1152000}, {1500000, B1500000},
    {2000000, B2000000}, {2500000, B2500000}, {3000000, B3000000}, {3500000, B3500000},
    {4000000, B4000000},
};

bool set_speed(termios &modes, int baud)
{
	for (auto &speed : kSpeeds)
		if (speed.baud == baud)
			return !cfsetspeed(&modes, speed.code);
	return false;
}

} // namespace

std::unique_ptr<Stream> open_tty(const std::string &path, int baud, Failure &failure)
{
	int fd = open(path.c_str(), O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0) {
		failure = Failure::of(errno, "open " + path);
		return nullptr;
	}
	termios before;
	if (tcgetattr(fd, &before)) {
		failure = Failure::of(errno, "open " + path, "not a terminal or serial line");
		close(fd);
		return nullptr;
	}
	termios raw = before;
	cfmakeraw(&raw);
	raw.c_cflag &= ~unsigned(PARENB | CSTOPB);
	raw.c_cflag |= CLOCAL | CREAD;
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	if (baud && !set_speed(raw, baud)) {
		failure = Failure::of(EINVAL, path + " at " + std::to_string(baud) + " baud",
				      "take a standard rate from 1200 to 4000000");
		close(fd);
		return nullptr;
	}
	if (tcsetattr(fd, TCSANOW, &raw)) {
		failure = Failure::of(errno, "setting " + path + " to raw mode");
		close(fd);
		return nullptr;
	}
	int at_exit = ExitList::add([fd, before] { tcsetattr(fd, TCSANOW, &before); });
	auto restore = [fd, before, at_exit] {
		ExitList::remove(at_exit);
		tcsetattr(fd, TCSANOW, &before);
	};
	Endpoint end = {fd, Transfer::kNonblocking, true};
	return std::make_unique<Stream>(end, end, restore);
}

} // namespace ntrace
