// SPDX-License-Identifier: GPL-2.0
#include "read_ahead.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <new>

#include "ntrace.h"

namespace ntrace
{

namespace
{

constexpr size_t kBatch = 1024 * sizeof(struct ntrace_event);
// Between two looks: whoever makes events would otherwise wake this thread for each of them.
constexpr int kPauseMs = 2;

} // namespace

struct ReadAhead::Chunk {
	Chunk *next;
	size_t size;
	char bytes[];
};

std::unique_ptr<ReadAhead> ReadAhead::start(int fd, size_t most)
{
	int ready_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	int stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	std::unique_ptr<ReadAhead> ahead(new (std::nothrow) ReadAhead(fd, most, ready_fd, stop_fd));
	if (!ahead || !ahead->batch_ || ready_fd < 0 || stop_fd < 0)
		return nullptr;
	// signals are for the thread that knows what to do with them
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	ahead->running_ = !pthread_create(&ahead->thread_, nullptr, run, ahead.get());
	pthread_sigmask(SIG_SETMASK, &before, nullptr);
	if (!ahead->running_)
		return nullptr;
	return ahead;
}

ReadAhead::ReadAhead(int fd, size_t most, int ready_fd, int stop_fd)
    : fd_(fd), most_(most), ready_fd_(ready_fd), stop_fd_(stop_fd),
      batch_(new (std::nothrow) char[kBatch])
{
}

ReadAhead::~ReadAhead()
{
	if (running_) {
		eventfd_write(stop_fd_, 1);
		pthread_join(thread_, nullptr);
	}
	for (Chunk *list : {taking_, first_})
		while (list) {
			Chunk *next = list->next;
			free(list);
			list = next;
		}
	if (ready_fd_ >= 0)
		close(ready_fd_);
	if (stop_fd_ >= 0)
		close(stop_fd_);
}

// All that is there.
void ReadAhead::take_over()
{
	std::lock_guard<std::mutex> guard(mutex_);
	taking_ = first_;
	first_ = nullptr;
	end_ = &first_;
	eventfd_t count;
	if (!taking_ && !ended_)
		eventfd_read(ready_fd_, &count);
}

ssize_t ReadAhead::take(void *buf, size_t size)
{
	char *to = static_cast<char *>(buf);
	size_t room = size / sizeof(struct ntrace_event) * sizeof(struct ntrace_event);
	size_t done = 0;
	if (!taking_)
		take_over();
	while (done < room && taking_) {
		Chunk *chunk = taking_;
		size_t some = std::min(room - done, chunk->size - taken_);
		memcpy(to + done, chunk->bytes + taken_, some);
		done += some;
		taken_ += some;
		if (taken_ < chunk->size)
			break;
		taking_ = chunk->next;
		taken_ = 0;
		free(chunk);
		if (!taking_)
			take_over();
	}
	std::lock_guard<std::mutex> guard(mutex_);
	kept_ -= done;
	return done;
}

bool ReadAhead::ended()
{
	std::lock_guard<std::mutex> guard(mutex_);
	return ended_;
}

bool ReadAhead::full()
{
	std::lock_guard<std::mutex> guard(mutex_);
	return kept_ >= most_;
}

bool ReadAhead::keep(const char *bytes, size_t size)
{
	Chunk *chunk = static_cast<Chunk *>(malloc(sizeof(*chunk) + size));
	if (!chunk)
		return false;
	chunk->next = nullptr;
	chunk->size = size;
	memcpy(chunk->bytes, bytes, size);
	std::lock_guard<std::mutex> guard(mutex_);
	eventfd_write(ready_fd_, 1);
	*end_ = chunk;
	end_ = &chunk->next;
	kept_ += size;
	return true;
}

bool ReadAhead::pause(int ms)
{
	pollfd stop = {stop_fd_, POLLIN, 0};
	return poll(&stop, 1, ms) <= 0;
}

void *ReadAhead::run(void *self)
{
	pthread_setname_np(pthread_self(), "ntrace-ahead");
	static_cast<ReadAhead *>(self)->run();
	return nullptr;
}

void ReadAhead::run()
{
	pollfd both[2] = {{fd_, POLLIN, 0}, {stop_fd_, POLLIN, 0}};
	for (;;) {
		if (full()) {
			if (!pause(kPauseMs))
				return;
			continue;
		}
		poll(both, 2, -1);
		if (both[1].revents)
			return;
		ssize_t got = read(fd_, batch_.get(), kBatch);
		if (got <= 0 && (both[0].revents & (POLLERR | POLLHUP) ||
				 (got < 0 && errno != EAGAIN && errno != EINTR)))
			break; // the reader gets the reason where this thread got it
		while (got > 0 && !keep(batch_.get(), got))
			if (!pause(kPauseMs))
				return;
		if (got < ssize_t(kBatch) && !pause(kPauseMs))
			return;
	}
	std::lock_guard<std::mutex> guard(mutex_);
	ended_ = true;
	eventfd_write(ready_fd_, 1);
}

} // namespace ntrace
