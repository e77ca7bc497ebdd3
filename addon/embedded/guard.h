// SPDX-License-Identifier: GPL-2.0
// The server's side of ntrace-guard: what it is told is put right by it, should we be killed.
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include <vector>

namespace ntrace::guard
{
struct Entry;
struct Table;
} // namespace ntrace::guard

namespace ntrace::embedded
{

class Guard
{
      public:
	Guard() = default;
	~Guard();
	Guard(const Guard &) = delete;
	Guard &operator=(const Guard &) = delete;

      private:
	friend class Guarded;
	guard::Entry *take();
	void told(pid_t pid);
	bool start();

	guard::Table *table_ = nullptr;
	std::vector<guard::Entry *> free_;
	uint32_t used_ = 0; // entries that were ever taken
	pid_t last_ = 0;    // process the guard was told of
	bool tried_ = false;
};

// One change to a program. It ends with the object: change first, end after it is undone.
class Guarded
{
      public:
	Guarded() = default;
	~Guarded() { end(); }
	Guarded(const Guarded &) = delete;
	Guarded &operator=(const Guarded &) = delete;

	// Called before the bytes are written. Where there is no guard nothing happens.
	void text(Guard &guard, pid_t pid, uint64_t start_time, uint64_t addr,
		  const uint8_t *written, const uint8_t *original, uint32_t length);
	void debug_registers(Guard &guard, pid_t pid, uint64_t start_time);
	void end();

      private:
	bool begin(Guard &guard, pid_t pid, uint64_t start_time);
	void publish(uint32_t kind);

	Guard *guard_ = nullptr;
	guard::Entry *entry_ = nullptr;
};

} // namespace ntrace::embedded
