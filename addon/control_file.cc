// SPDX-License-Identifier: GPL-2.0
// The kernel provider: one open control file is one engine.
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "engine.h"

namespace ntrace
{

namespace
{

class ControlFile : public Engine
{
      public:
	explicit ControlFile(int fd) : fd_(fd) {}
	~ControlFile() override { close(); }

	int ioctl(unsigned long request, void *record, size_t size) override
	{
		if (size < _IOC_SIZE(request))
			return -EINVAL;
		return ::ioctl(fd_, request, record) < 0 ? -errno : 0;
	}

	ssize_t read(void *buf, size_t size) override
	{
		ssize_t got = ::read(fd_, buf, size);
		if (got >= 0)
			return got;
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	}

	bool wait(int timeout_ms) override
	{
		pollfd p = {fd_, POLLIN, 0};
		return fd_ >= 0 && poll(&p, 1, timeout_ms) > 0;
	}

	void close() override
	{
		if (fd_ >= 0)
			::close(fd_);
		fd_ = -1;
	}

	int fd() const override { return fd_; }

      private:
	int fd_;
};

} // namespace

std::shared_ptr<Engine> open_control(const std::string &path, Failure &failure)
{
	int fd = open(path.c_str(), O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (fd >= 0)
		return std::make_shared<ControlFile>(fd);
	const char *remedy = "";
	if (errno == ENOENT)
		remedy = "the ntrace module is not loaded";
	else if (errno == EACCES || errno == EPERM)
		remedy = "its permissions do not let this user in";
	failure = Failure::of(errno, "open " + path, remedy);
	return nullptr;
}

} // namespace ntrace
