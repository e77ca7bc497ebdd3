// SPDX-License-Identifier: GPL-2.0
// The kernel provider: one open control file is one engine.
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "embedded/print.h"
#include "engine.h"
#include "ntrace.h"

namespace ntrace
{

namespace
{

// Text of actions is printed here, as the embedded provider prints its own where it comes about.
// Bytes of the events that are left.
size_t print_texts(char *records, size_t size)
{
	size_t kept = 0;
	std::string text;
	for (size_t at = 0, next; at < size; at = next) {
		const auto &e = *reinterpret_cast<const struct ntrace_event *>(records + at);
		next = at + e.size;
		if (e.type == NTRACE_EV_PRINT) {
			text.append(reinterpret_cast<const char *>(e.args), e.code);
			continue;
		}
		if (kept < at)
			memmove(records + kept, records + at, next - at);
		kept += next - at;
	}
	if (!text.empty())
		print(text);
	return kept;
}

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
		for (;;) {
			ssize_t got = ::read(fd_, buf, size);
			if (got < 0)
				return errno == EAGAIN || errno == EINTR ? 0 : -errno;
			size_t left = print_texts(static_cast<char *>(buf), got);
			if (left > 0 || got == 0)
				return left;
		}
	}

	bool wait(int timeout_ms) override
	{
		pollfd p = {fd_, POLLIN, 0};
		return fd_ >= 0 && poll(&p, 1, timeout_ms) > 0;
	}

	void close() override
	{
		if (fd_ < 0)
			return;
		// what was printed before is not lost with the rest
		static thread_local struct ntrace_event last[64];
		for (ssize_t got; (got = ::read(fd_, last, sizeof(last))) > 0;)
			print_texts(reinterpret_cast<char *>(last), got);
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
