// SPDX-License-Identifier: GPL-2.0
#include "last_reader.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "embedded/print.h"
#include "ntrace.h"

namespace ntrace
{

namespace
{

std::atomic<bool> reading{false};

void read_all(int fd)
{
	struct ntrace_event events[64];
	for (ssize_t got; (got = ::read(fd, events, sizeof(events))) > 0;)
		print_texts(reinterpret_cast<char *>(events), got);
	close(fd); // the module is gone
	reading = false;
}

} // namespace

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

void keep_reading(const std::string &control_path)
{
	struct ntrace_hello hello = {};
	hello.abi_version = NTRACE_ABI_VERSION;
	hello.flags = NTRACE_HELLO_OBSERVER;
	strcpy(hello.label, "printer");
	if (reading.exchange(true))
		return;
	int fd = open(control_path.c_str(), O_RDWR | O_CLOEXEC);
	if (fd < 0 || ioctl(fd, NTRACE_IOC_HELLO, &hello) < 0) {
		if (fd >= 0)
			close(fd);
		reading = false;
		return;
	}
	// signals are for the others
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	std::thread(read_all, fd).detach();
	pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

} // namespace ntrace
