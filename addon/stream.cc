// SPDX-License-Identifier: GPL-2.0
#include "stream.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>

namespace ntrace
{

namespace
{

constexpr size_t kKeepCapacity = 1 << 20; // of an empty queue

bool ready(int fd, short events)
{
	pollfd p = {fd, events, 0};
	return poll(&p, 1, 0) > 0;
}

int64_t now_ms()
{
	timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return int64_t(t.tv_sec) * 1000 + t.tv_nsec / 1000000;
}

} // namespace

Stream::Stream(Endpoint in, Endpoint out, std::function<void()> restore)
    : in_(in), out_(out), restore_(std::move(restore))
{
}

Stream::Stream(int socket)
    : Stream({socket, Transfer::kSocket, true}, {socket, Transfer::kSocket, true})
{
}

Stream::~Stream()
{
	if (restore_)
		restore_();
	if (in_.how == Transfer::kSocket && same_fd() && in_.owned) {
		// a close with unread input would reset the connection under our last reply
		char discarded[4096];
		shutdown(in_.fd, SHUT_WR);
		for (int i = 0;
		     i < 256 && recv(in_.fd, discarded, sizeof(discarded), MSG_DONTWAIT) > 0;)
			i++;
	}
	if (in_.owned)
		close(in_.fd);
	if (out_.owned && !same_fd())
		close(out_.fd);
}

int Stream::attach(Poller poller)
{
	poller_ = poller;
	in_interest_ = input_interest();
	int err = poller_.add(in_.fd, in_interest_);
	if (err == -EPERM)
		unpolled_ = true;
	else if (err)
		return err;
	return 0;
}

uint32_t Stream::input_interest() const
{
	// Edge triggered where nobody will read, or a hangup would be told for ever.
	uint32_t events = silent() ? EPOLLRDHUP | EPOLLET : EPOLLIN | EPOLLRDHUP;
	if (same_fd() && queued() && !gone_)
		events |= EPOLLOUT;
	return events;
}

void Stream::update_interest()
{
	uint32_t wanted = input_interest();
	if (wanted != in_interest_ && !unpolled_) {
		in_interest_ = wanted;
		poller_.change(in_.fd, wanted);
	}
	if (same_fd())
		return;
	wanted = queued() && !gone_ ? uint32_t(EPOLLOUT) : 0;
	if (wanted == out_interest_)
		return;
	out_interest_ = wanted;
	if (!wanted && out_polled_)
		poller_.remove(out_.fd);
	out_polled_ = wanted && poller_.add(out_.fd, wanted, true) == 0;
}

int32_t Stream::on_events(uint32_t events, bool output)
{
	int32_t bits = 0;
	if ((events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) && queued() && !gone_) {
		flush();
		if (gone_)
			bits |= kReadyHangup;
		else if (!queued())
			bits |= kReadyDrained;
		update_interest();
	}
	if (output)
		return bits;
	if (events & EPOLLIN)
		bits |= kReadyRead;
	if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) {
		bits |= kReadyHangup;
		if (!silent())
			bits |= kReadyRead;
	}
	return bits;
}

int32_t Stream::pending()
{
	return unpolled_ && !silent() ? kReadyRead : 0;
}

ssize_t Stream::read(void *buf, size_t n)
{
	if (!n)
		return -1;
	if (ended_)
		return 0;
	ssize_t got;
	do {
		if (in_.how == Transfer::kSocket)
			got = recv(in_.fd, buf, n, MSG_DONTWAIT);
		else if (in_.how == Transfer::kPolled && !ready(in_.fd, POLLIN))
			return -1;
		else
			got = ::read(in_.fd, buf, n);
	} while (got < 0 && errno == EINTR);
	if (got > 0)
		return got;
	if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return -1;
	ended_ = true; // end of file, a reset, or EIO of a pty whose other side closed
	update_interest();
	return 0;
}

// Bytes written (0: would block) or -1 with gone_ set.
ssize_t Stream::send(const char *buf, size_t n)
{
	size_t total = 0;
	while (total < n) {
		ssize_t put;
		if (out_.how == Transfer::kSocket) {
			put = ::send(out_.fd, buf + total, n - total, MSG_DONTWAIT | MSG_NOSIGNAL);
		} else if (out_.how == Transfer::kNonblocking) {
			put = ::write(out_.fd, buf + total, n - total);
		} else {
			// so little never blocks after poll() said there is room (pipe(7))
			if (!ready(out_.fd, POLLOUT))
				break;
			put = ::write(out_.fd, buf + total, std::min(n - total, size_t(PIPE_BUF)));
		}
		if (put >= 0) {
			total += size_t(put);
		} else if (errno == EAGAIN || errno == EWOULDBLOCK) {
			break;
		} else if (errno != EINTR) {
			gone_ = true;
			return -1;
		}
	}
	return ssize_t(total);
}

void Stream::flush()
{
	if (gone_ || !queued())
		return;
	ssize_t put = send(queue_.data() + head_, queue_.size() - head_);
	if (put > 0)
		head_ += size_t(put);
	if (gone_ || !queued()) {
		head_ = 0;
		queue_.clear();
		if (queue_.capacity() > kKeepCapacity)
			queue_.shrink_to_fit();
	}
}

ssize_t Stream::write(const void *buf, size_t n)
{
	const char *from = static_cast<const char *>(buf);
	if (gone_)
		return -1;
	if (!queued()) {
		ssize_t put = send(from, n);
		if (put < 0) {
			update_interest();
			return -1;
		}
		if (size_t(put) == n)
			return 0;
		from += put;
		n -= size_t(put);
	} else if (head_ > kKeepCapacity && head_ > queue_.size() / 2) {
		queue_.erase(queue_.begin(), queue_.begin() + ssize_t(head_));
		head_ = 0;
	}
	queue_.insert(queue_.end(), from, from + n);
	update_interest();
	return ssize_t(queue_.size() - head_);
}

void Stream::pause(bool paused)
{
	paused_ = paused;
	update_interest();
}

void Stream::drain(int timeout_ms)
{
	int64_t deadline = now_ms() + timeout_ms;
	while (queued() && !gone_) {
		int64_t left = deadline - now_ms();
		pollfd p = {out_.fd, POLLOUT, 0};
		if (left <= 0 || (poll(&p, 1, int(left)) < 0 && errno != EINTR))
			return;
		flush();
	}
}

} // namespace ntrace
