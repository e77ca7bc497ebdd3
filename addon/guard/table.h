// SPDX-License-Identifier: GPL-2.0
// What a server has changed in programs that outlive it, in memory it shares with ntrace-guard.
#pragma once

#include <pthread.h>
#include <stdint.h>
#include <sys/types.h>

#include <atomic>

namespace ntrace::guard
{

constexpr uint32_t kMostBytes = 8;   // of one change
constexpr uint32_t kEntries = 16384; // memory nobody touched costs nothing

enum Kind : uint32_t {
	kFree,
	kText,	// "written" stands at "addr" where "original" was
	kDebug, // debug registers of its threads are in use
};

struct Entry {
	std::atomic<uint32_t> kind; // the rest is valid while it is not kFree
	pid_t pid;
	uint64_t start_time; // of the process: clock ticks after boot (man 5 proc)
	uint64_t addr;
	uint32_t length;
	uint8_t written[kMostBytes];
	uint8_t original[kMostBytes];
};

struct Table {
	// Held by the server's tracing thread as long as it lives. It is robust: the kernel hands
	// it to who waits for it early in the thread's end, before it lets go of what the thread
	// traced.
	pthread_mutex_t alive;
	std::atomic<uint32_t> processes; // counts entries of a process other than the last one's
	Entry entries[kEntries];
};

constexpr int kTableFd = 3; // of ntrace-guard

} // namespace ntrace::guard
