// SPDX-License-Identifier: GPL-2.0
#include "listener.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "exit_list.h"
#include "net.h"

namespace ntrace
{

namespace
{

int open_spare()
{
	return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

void unlink_if_same(const std::string &path, dev_t dev, ino_t ino)
{
	struct stat st;
	if (!lstat(path.c_str(), &st) && st.st_dev == dev && st.st_ino == ino)
		unlink(path.c_str());
}

} // namespace

Listener::Listener(int fd, std::string path) : fd_(fd), spare_(open_spare()), path_(path)
{
	struct stat st;
	if (path.empty() || lstat(path.c_str(), &st))
		return;
	dev_ = st.st_dev;
	ino_ = st.st_ino;
	at_exit_ = ExitList::add([path, st] { unlink_if_same(path, st.st_dev, st.st_ino); });
}

Listener::~Listener()
{
	close(fd_);
	if (spare_ >= 0)
		close(spare_);
	if (!at_exit_)
		return;
	ExitList::remove(at_exit_);
	unlink_if_same(path_, dev_, ino_);
}

int Listener::attach(Poller poller)
{
	poller_ = poller;
	return poller_.add(fd_, EPOLLIN);
}

void Listener::pause(bool paused)
{
	poller_.change(fd_, paused ? 0u : uint32_t(EPOLLIN));
}

int Listener::accept()
{
	for (;;) {
		int fd = accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC);
		if (fd >= 0) {
			if (path_.empty())
				tune_tcp(fd);
			return fd;
		}
		if (errno == EINTR || errno == ECONNABORTED)
			continue;
		if ((errno == EMFILE || errno == ENFILE) && spare_ >= 0) {
			// Turn the client away: left in the queue it would be reported for ever.
			close(spare_);
			fd = accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC);
			if (fd >= 0)
				close(fd);
			spare_ = open_spare();
		}
		return -1;
	}
}

int Listener::port() const
{
	return local_port(fd_);
}

} // namespace ntrace
