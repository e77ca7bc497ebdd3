// SPDX-License-Identifier: GPL-2.0
// ntrace-guard PID: waits for the end of a server, and puts right what it left in the programs it
// was attached to. A server that ends in order leaves nothing; one that is killed leaves
// breakpoints, and the kernel lets the programs run on into them.
#include "memory.h"
#include "restore.h"
#include "table.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <initializer_list>
#include <thread>

using ntrace::guard::kTableFd;
using ntrace::guard::Memory;
using ntrace::guard::Table;

namespace
{

// Nobody is to wait for our end, nor for that of a stream we would keep open.
bool leave_everything()
{
	for (int fd = 0; fd < kTableFd; fd++)
		close(fd);
	for (int fd = 0; fd < kTableFd; fd++)
		if (open("/dev/null", O_RDWR) != fd)
			return false;
	pid_t child = fork();
	if (child)
		_exit(child < 0);
	for (int signo : {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGPIPE})
		signal(signo, SIG_IGN);
	return setsid() > 0 && chdir("/") == 0;
}

// The race with the programs is short: before all others, where we may.
void hurry()
{
	sched_param first = {};
	first.sched_priority = sched_get_priority_min(SCHED_FIFO);
	if (sched_setscheduler(0, SCHED_FIFO, &first))
		setpriority(PRIO_PROCESS, 0, -20);
}

void look_ahead(const Table *table, Memory *memory)
{
	for (;;) {
		uint32_t seen = table->processes;
		memory->look_ahead(*table);
		syscall(SYS_futex, &table->processes, FUTEX_WAIT, seen, nullptr, nullptr, 0);
	}
}

} // namespace

int main()
{
	if (!leave_everything())
		return 1;
	prctl(PR_SET_NAME, "ntrace-guard");
	hurry();
	void *shared =
	    mmap(nullptr, sizeof(Table), PROT_READ | PROT_WRITE, MAP_SHARED, kTableFd, 0);
	if (shared == MAP_FAILED)
		return 1;
	mlockall(MCL_CURRENT); // a page that has to be read first would lose it
	auto *table = static_cast<Table *>(shared);
	Memory memory;
	std::thread(look_ahead, table, &memory).detach();
	pthread_mutex_lock(&table->alive);
	ntrace::guard::restore_text(*table, memory);
	ntrace::guard::restore_registers(*table);
	_exit(0); // not waiting for the other thread
}
