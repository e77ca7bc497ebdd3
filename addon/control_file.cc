// SPDX-License-Identifier: GPL-2.0
// The kernel provider: one open control file is one engine.
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "engine.h"
#include "last_reader.h"
#include "ntrace.h"
#include "read_ahead.h"

namespace ntrace
{

namespace
{

bool is_persistent(unsigned long request, const void *record)
{
	return request == NTRACE_IOC_BREAK &&
	       static_cast<const struct ntrace_break *>(record)->flags & NTRACE_BREAK_PERSIST;
}

class ControlFile : public Engine
{
      public:
	ControlFile(int fd, const std::string &path) : fd_(fd), path_(path) {}
	~ControlFile() override { close(); }

	int ioctl(unsigned long request, void *record, size_t size) override
	{
		if (size < _IOC_SIZE(request))
			return -EINVAL;
		if (::ioctl(fd_, request, record) < 0)
			return -errno;
		if (is_persistent(request, record))
			keep_reading(path_);
		return 0;
	}

	// Texts of actions are printed here, as the embedded provider prints its own where it runs
	// them.
	ssize_t read(void *buf, size_t size) override
	{
		for (;;) {
			ssize_t got = ahead_ ? ahead_->take(buf, size) : 0;
			if (got == 0 && (!ahead_ || ahead_->ended()))
				got = ::read(fd_, buf, size);
			if (got < 0)
				return errno == EAGAIN || errno == EINTR ? 0 : -errno;
			size_t left = print_texts(static_cast<char *>(buf), got);
			if (left > 0 || got == 0)
				return left;
		}
	}

	bool wait(int timeout_ms) override
	{
		pollfd p = {fd(), POLLIN, 0};
		return fd_ >= 0 && poll(&p, 1, timeout_ms) > 0;
	}

	void close() override
	{
		if (fd_ < 0)
			return;
		// what was printed before is not lost with the rest
		static thread_local struct ntrace_event last[64];
		for (ssize_t got; ahead_ && (got = ahead_->take(last, sizeof(last))) > 0;)
			print_texts(reinterpret_cast<char *>(last), got);
		ahead_ = nullptr;
		for (ssize_t got; (got = ::read(fd_, last, sizeof(last))) > 0;)
			print_texts(reinterpret_cast<char *>(last), got);
		::close(fd_);
		fd_ = -1;
	}

	int read_ahead(size_t most) override
	{
		if (fd_ < 0)
			return -EBADF;
		if (!ahead_)
			ahead_ = ReadAhead::start(fd_, most);
		return ahead_ ? 0 : -ENOMEM;
	}

	int fd() const override { return ahead_ ? ahead_->fd() : fd_; }

      private:
	int fd_;
	std::string path_;
	std::unique_ptr<ReadAhead> ahead_;
};

} // namespace

std::shared_ptr<Engine> open_control(const std::string &path, Failure &failure)
{
	int fd = open(path.c_str(), O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (fd >= 0)
		return std::make_shared<ControlFile>(fd, path);
	const char *remedy = "";
	if (errno == ENOENT)
		remedy = "the ntrace module is not loaded";
	else if (errno == EACCES || errno == EPERM)
		remedy = "its permissions do not let this user in";
	failure = Failure::of(errno, "open " + path, remedy);
	return nullptr;
}

} // namespace ntrace
