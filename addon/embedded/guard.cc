// SPDX-License-Identifier: GPL-2.0
#include "guard.h"

#include "../guard/table.h"

#include <dlfcn.h>
#include <errno.h>
#include <linux/futex.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <new>
#include <string>

namespace ntrace::embedded
{

namespace
{

constexpr char kProgram[] = "ntrace-guard";

// It lies beside the file that this code is in.
std::string program()
{
	Dl_info here;
	if (!dladdr(reinterpret_cast<void *>(&program), &here) || !here.dli_fname)
		return {};
	std::string path = here.dli_fname;
	return path.substr(0, path.rfind('/') + 1) + kProgram;
}

// The program puts itself beyond our reach by a fork; we see the end of its first process.
bool spawn(const std::string &path, int table_fd)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none, all;
	sigemptyset(&none);
	sigfillset(&all);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, table_fd, guard::kTableFd);
	posix_spawn_file_actions_addclosefrom_np(&actions, guard::kTableFd + 1);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &all);
	std::string whose = std::to_string(getpid());
	char *argv[] = {const_cast<char *>(kProgram), whose.data(), nullptr};
	char *environment[] = {nullptr};
	pid_t pid;
	int status = -1;
	bool done = posix_spawn(&pid, path.c_str(), &actions, &attributes, argv, environment) == 0;
	while (done && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	return done && status == 0;
}

// Held from now on by this thread, the one that traces.
bool hold(pthread_mutex_t &mutex)
{
	pthread_mutexattr_t attributes;
	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
	bool held = pthread_mutex_init(&mutex, &attributes) == 0 && pthread_mutex_lock(&mutex) == 0;
	pthread_mutexattr_destroy(&attributes);
	return held;
}

} // namespace

Guard::~Guard()
{
	if (!table_)
		return;
	pthread_mutex_unlock(&table_->alive);
	munmap(table_, sizeof(*table_));
}

bool Guard::start()
{
	if (tried_)
		return table_ != nullptr;
	tried_ = true;
	std::string path = program();
	int fd =
	    path.empty() || access(path.c_str(), X_OK) ? -1 : memfd_create(kProgram, MFD_CLOEXEC);
	if (fd < 0)
		return false;
	void *memory = MAP_FAILED;
	if (ftruncate(fd, sizeof(guard::Table)) == 0)
		memory =
		    mmap(nullptr, sizeof(guard::Table), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (memory != MAP_FAILED) {
		auto *table = static_cast<guard::Table *>(memory);
		if (hold(table->alive) && spawn(path, fd))
			table_ = table;
		else
			munmap(memory, sizeof(guard::Table));
	}
	close(fd);
	return table_ != nullptr;
}

guard::Entry *Guard::take()
{
	if (!start())
		return nullptr;
	if (!free_.empty()) {
		guard::Entry *entry = free_.back();
		free_.pop_back();
		return entry;
	}
	return used_ < guard::kEntries ? &table_->entries[used_++] : nullptr;
}

// The guard looks at the table when there is another process in it.
void Guard::told(pid_t pid)
{
	if (pid == last_)
		return;
	last_ = pid;
	table_->processes++;
	syscall(SYS_futex, &table_->processes, FUTEX_WAKE, 1, nullptr, nullptr, 0);
}

bool Guarded::begin(Guard &guard, pid_t pid, uint64_t start_time)
{
	end();
	entry_ = guard.take();
	if (!entry_)
		return false;
	guard_ = &guard;
	entry_->pid = pid;
	entry_->start_time = start_time;
	return true;
}

void Guarded::publish(uint32_t kind)
{
	entry_->kind.store(kind, std::memory_order_release);
}

void Guarded::text(Guard &guard, pid_t pid, uint64_t start_time, uint64_t addr,
		   const uint8_t *written, const uint8_t *original, uint32_t length)
{
	if (length > guard::kMostBytes || !begin(guard, pid, start_time))
		return;
	entry_->addr = addr;
	entry_->length = length;
	memcpy(entry_->written, written, length);
	memcpy(entry_->original, original, length);
	publish(guard::kText);
	guard_->told(pid);
}

void Guarded::debug_registers(Guard &guard, pid_t pid, uint64_t start_time)
{
	if (begin(guard, pid, start_time))
		publish(guard::kDebug);
}

void Guarded::end()
{
	if (!entry_)
		return;
	publish(guard::kFree);
	guard_->free_.push_back(entry_);
	entry_ = nullptr;
}

} // namespace ntrace::embedded
