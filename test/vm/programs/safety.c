// SPDX-License-Identifier: GPL-2.0
// What the module owes to the machine, one scene for each word on the command line; prints
// "ok WORD", or what went wrong and ends with 1. Wants root, in a guest.
//   engines          two engines hold one thread: /proc/ntrace/engines tells people
//   setuid FOLDER    a program that changes its user is lost to an engine without the right
//   namespaces       ids are those of the opener's pid namespace
//   threads          one thread is attached by itself, and its system calls are its own
//   killed           SIGKILL ends a thread that is asked to stop over and over
//   exiting          SIGKILL ends a thread that is held where it exits
//   persist MODULE   actions that set variables outlive their engine, and go with the module
//   collect          a thread that collects gigabytes can be killed
//   unload MODULE    the module goes while threads are held, step and stand at breakpoints
//   pollers MODULE   and while others wait for events
//   renewed          what was read before an exec is not written after it
//   returned         ... and what was read at a sigreturn() not after that
//   exec MODULE      and while an exec waits for a thread that is held, and an attach for the exec
#define _GNU_SOURCE
#include "scene-registers.h"

#include <pthread.h>
#include <sys/epoll.h>

#define NOBODY 65534

// ---- programs -----------------------------------------------------------------------------------
/* Sleeps in one system call after the other, until the byte that it waits for comes. */
static pid_t sleeper(int from)
{
	pid_t pid = fork();
	char byte;

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	_exit(read(from, &byte, 1) == 1 && byte == 'x' ? 42 : 1);
}

// ---- the scenes ---------------------------------------------------------------------------------
static void engines(const char *none)
{
	pid_t pid = counter(); // first: it would keep the engines' files open
	int first = open_engine("the first"), second = open_engine("the second");
	struct ntrace_break b = {.addr = (uintptr_t)site, .len = 1};
	char text[4096] = "", line[128];
	int fd;

	(void)none;
	attach(first, pid, 0);
	attach(second, pid, NTRACE_ATTACH_STOP);
	b.pid = pid;
	if (ioctl(first, NTRACE_IOC_BREAK, &b) < 0)
		wrong("no breakpoint");
	resume(second, pid, NTRACE_ACT_CONT);
	await(first, NTRACE_EV_BREAK);
	struct ntrace_stop_entry entry = {.pid = pid, .tid = pid};
	struct ntrace_stop stop = {
	    .entries = (uintptr_t)&entry, .count = 1, .flags = NTRACE_STOP_WAIT};
	if (ioctl(second, NTRACE_IOC_STOP, &stop) < 0)
		wrong("no stop");
	fd = open("/proc/ntrace/engines", O_RDONLY);
	if (read(fd, text, sizeof(text) - 1) <= 0)
		wrong("nothing to read");
	close(fd);
	fputs(text, stdout);
	snprintf(line, sizeof(line), "thread %d: held by breakpoint for ", pid);
	if (!strstr(text, "the first, opened by process") || !strstr(text, line))
		wrong("it does not tell of the first engine: %s", line);
	snprintf(line, sizeof(line), "thread %d: held by stop for ", pid);
	if (!strstr(text, "the second, opened by process") || !strstr(text, line))
		wrong("it does not tell of the second engine: %s", line);
	close(first);
	close(second);
	grows("when both have gone");
	finish(pid);
}

/* A child of the engine's user that executes a program of root's. */
static void changes_user(const char *program, bool lost, uid_t user)
{
	int fd, go[2];
	pid_t pid;
	char byte;

	if (pipe2(go, O_CLOEXEC))
		wrong("no pipe");
	if (setresuid(user, user, user))
		wrong("cannot become user %d", user);
	prctl(PR_SET_DUMPABLE, 1); // what changed its user is not
	pid = fork();
	if (!pid) {
		prctl(PR_SET_DUMPABLE, 1);
		if (read(go[0], &byte, 1) == 1)
			execl(program, program, "3", NULL);
		_exit(1);
	}
	fd = open_engine("setuid");
	struct ntrace_sets sets = {.valid = NTRACE_SET_LIFE,
				   .life_stop = NTRACE_LIFE(NTRACE_EV_EXEC)};
	attach(fd, pid, 0);
	sets.pid = pid;
	if (ioctl(fd, NTRACE_IOC_SETS, &sets) < 0)
		wrong("no sets");
	if (write(go[1], "x", 1) != 1)
		wrong("nobody reads");
	if (lost) {
		struct ntrace_event event = await(fd, NTRACE_EV_DETACHED);
		static char buf[64];
		struct ntrace_memvec vec = {
		    .addr = (uintptr_t)site, .buf = (uintptr_t)buf, .len = sizeof(buf)};
		struct ntrace_mem mem = {.pid = pid, .count = 1, .vecs = (uintptr_t)&vec};

		if (event.code != EACCES)
			wrong("it is lost for %d", event.code);
		if (ioctl(fd, NTRACE_IOC_READMEM, &mem) == 0 && !vec.error)
			wrong("its memory can be read");
	} else {
		await(fd, NTRACE_EV_EXEC);
		resume(fd, pid, NTRACE_ACT_CONT);
	}
	int status;
	if (waitpid(pid, &status, 0) != pid || status != 3 << 8)
		wrong("the program ended with %#x", status);
	exit(0);
}

static void in_child(const char *program, bool lost, uid_t user)
{
	pid_t pid = fork();
	int status;

	if (!pid)
		changes_user(program, lost, user);
	if (waitpid(pid, &status, 0) != pid || status)
		exit(1);
}

/* The folder's file system honours the bit. The program there ends with its argument. */
static void changes(const char *folder)
{
	char program[256], command[600];

	snprintf(program, sizeof(program), "%s/ends", folder);
	snprintf(command, sizeof(command), "cp /proc/%d/exe %s && chmod 4755 %s", getpid(), program,
		 program);
	if (system(command))
		wrong("no program");
	in_child(program, true, NOBODY);
	in_child(program, false, 0);
}

static int inside(void *none)
{
	pid_t pid = counter();
	int fd = open_engine("inside");

	(void)none;
	attach(fd, pid, NTRACE_ATTACH_STOP);
	resume(fd, pid, NTRACE_ACT_STEP);
	struct ntrace_event event = await(fd, NTRACE_EV_STEP);
	if (pid > 10 || event.tid != pid || event.tgid != pid)
		wrong("thread %d is called %d of %d", pid, event.tid, event.tgid);
	struct ntrace_attach outer = {.pid = 300};
	if (ioctl(fd, NTRACE_IOC_ATTACH, &outer) == 0 || errno != ESRCH)
		wrong("what is outside can be named");
	finish(pid);
	return 0;
}

static void namespaces(const char *none)
{
	static char stack[65536];
	pid_t pid = clone(inside, stack + sizeof(stack), CLONE_NEWPID | SIGCHLD, NULL);
	int status;

	(void)none;
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		wrong("no namespace");
	if (status)
		exit(1);
}

static pid_t *tids; // of the program below

static void *counts(void *which)
{
	unsigned long n = (uintptr_t)which;

	for (tids[n] = gettid();; getppid())
		rounds[n]++;
	return NULL;
}

static pid_t two_threads(void)
{
	pid_t pid = fork();
	pthread_t thread;

	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (pthread_create(&thread, NULL, counts, (void *)1))
			_exit(1);
		counts((void *)0);
	}
	for (int ms = 0; !rounds[0] || !rounds[1]; ms++, usleep(1000))
		if (ms > LIMIT_MS)
			wrong("the threads do not run");
	return pid;
}

static bool goes_on(int n)
{
	unsigned long before = rounds[n];

	for (int ms = 0; ms < 300 && rounds[n] == before; ms++)
		usleep(1000);
	return rounds[n] != before;
}

static void threads(const char *none)
{
	struct ntrace_sets sets = {.valid = NTRACE_SET_SYSCALLS};
	struct ntrace_thread list[4];
	struct ntrace_threads all = {.buf = (uintptr_t)list, .capacity = 4};
	struct ntrace_attach a = {.flags = NTRACE_ATTACH_THREAD | NTRACE_ATTACH_STOP};
	struct ntrace_detach d = {0};
	pid_t pid;
	int fd;

	(void)none;
	rounds[0] = rounds[1] = 0;
	tids = (pid_t *)(rounds + 2);
	pid = two_threads();
	fd = open_engine("threads");
	a.pid = tids[1];
	if (ioctl(fd, NTRACE_IOC_ATTACH, &a) < 0 || a.threads != 1)
		wrong("one thread is not attached");
	all.pid = pid;
	if (ioctl(fd, NTRACE_IOC_THREADS, &all) < 0 || all.count != 1 || list[0].tid != tids[1])
		wrong("%u threads", all.count);
	if (goes_on(1) || !goes_on(0))
		wrong("it is not the one thread that is held");
	// the other one too, and the calls of one alone
	a.pid = tids[0];
	a.flags = NTRACE_ATTACH_THREAD;
	if (ioctl(fd, NTRACE_IOC_ATTACH, &a) < 0)
		wrong("the other thread is not attached");
	sets.tid = tids[1];
	memset(sets.entry_stop, 0xff, sizeof(sets.entry_stop));
	if (ioctl(fd, NTRACE_IOC_SETS, &sets) < 0)
		wrong("no sets");
	struct ntrace_resume_entry entry = {.pid = pid, .tid = tids[1], .action = NTRACE_ACT_CONT};
	struct ntrace_resume r = {.entries = (uintptr_t)&entry, .count = 1};
	for (int i = 0; i < 3; i++) {
		if (ioctl(fd, NTRACE_IOC_RESUME, &r) < 0 || entry.error)
			wrong("cannot resume: %d", entry.error);
		struct ntrace_event event = await(fd, NTRACE_EV_SYSCALL_ENTRY);
		if (event.tid != tids[1])
			wrong("thread %d is stopped", event.tid);
	}
	if (goes_on(1) || !goes_on(0))
		wrong("the calls of the other thread stop it");
	d.pid = pid;
	d.tid = tids[1];
	if (ioctl(fd, NTRACE_IOC_DETACH, &d) < 0 || !goes_on(1))
		wrong("it does not go on alone");
	all.pid = pid;
	if (ioctl(fd, NTRACE_IOC_THREADS, &all) < 0 || all.count != 1 || list[0].tid != tids[0])
		wrong("%u threads are left", all.count);
	close(fd);
	if (!goes_on(0) || !goes_on(1))
		wrong("they do not go on");
	finish(pid);
}

static void put_back(const char *module)
{
	char command[512];

	snprintf(command, sizeof(command), "insmod %s", module);
	run(command);
}

/* Held; at a breakpoint; in the middle of a system call that is stepped. */
static void unload(const char *module)
{
	struct ntrace_break b = {.addr = (uintptr_t)site, .len = 1};
	pid_t pid = counter(), asleep;
	int fd, pipes[2], status;
	char command[512];

	if (pipe(pipes))
		wrong("no pipe");
	asleep = sleeper(pipes[0]);
	fd = open_engine("unload");
	attach(fd, pid, 0);
	b.pid = pid;
	if (ioctl(fd, NTRACE_IOC_BREAK, &b) < 0)
		wrong("no breakpoint");
	await(fd, NTRACE_EV_BREAK);
	attach(fd, asleep, NTRACE_ATTACH_STOP);
	resume(fd, asleep, NTRACE_ACT_STEP);
	run("rmmod ntrace");
	grows("without the module");
	if (write(pipes[1], "x", 1) != 1 || waitpid(asleep, &status, 0) != asleep ||
	    status != 42 << 8)
		wrong("the thread that was stepped ended with %#x", status);
	if (*(volatile unsigned char *)site == 0xcc)
		wrong("our own code is patched");
	snprintf(command, sizeof(command), "grep -q . /proc/%d/maps && insmod %s", pid, module);
	run(command);
	close(fd);
	grows("when it is back");
	finish(pid);
}

static void *polls(void *argument)
{
	struct pollfd *p = argument;

	poll(p, 1, -1);
	return NULL;
}

/* In poll() that asks for something, in poll() that asks for nothing, and by epoll. */
static void pollers(const char *module)
{
	struct epoll_event event = {.events = EPOLLIN};
	int fd = open_engine("pollers"), epoll = epoll_create1(EPOLL_CLOEXEC);
	struct pollfd polled[] = {{fd, POLLIN, 0}, {fd, 0, 0}};
	pthread_t threads[2];

	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0)
		wrong("no epoll");
	for (int i = 0; i < 2; i++)
		if (pthread_create(&threads[i], NULL, polls, &polled[i]))
			wrong("no thread");
	// both are in their system call, poll() is number 7
	run("until [ $(grep -l '^7 ' /proc/$PPID/task/*/syscall | wc -l) = 2 ]; do :; done");
	run("rmmod ntrace");
	for (int i = 0; i < 2; i++)
		if (pthread_join(threads[i], NULL) || !(polled[i].revents & (POLLHUP | POLLIN)))
			wrong("poll() says %#x", polled[i].revents);
	close(fd);
	close(epoll);
	put_back(module);
}

static void *sleeps(void *none)
{
	for (;;)
		pause();
	return none;
}

/* Two threads; at a byte the one executes this program anew, which ends with 7. */
static pid_t executes(int from)
{
	pid_t pid = fork();
	pthread_t thread;
	char byte;

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (!pthread_create(&thread, NULL, sleeps, NULL) && read(from, &byte, 1) == 1)
		execl("/proc/self/exe", "safety", "7", NULL);
	_exit(1);
}

/* ... which waits for the other thread, that the engine holds in its exit. */
static int held_exec(const char *label, pid_t *pid, pid_t *dying)
{
	struct ntrace_sets sets = {.valid = NTRACE_SET_LIFE,
				   .life_stop = NTRACE_LIFE(NTRACE_EV_EXITING),
				   .life_note = NTRACE_LIFE(NTRACE_EV_EXEC)};
	int fd, go[2];

	if (pipe(go))
		wrong("no pipe");
	*pid = sets.pid = executes(go[0]);
	fd = open_engine(label);
	attach(fd, *pid, 0);
	if (ioctl(fd, NTRACE_IOC_SETS, &sets) < 0 || write(go[1], "x", 1) != 1)
		wrong("no sets");
	*dying = await(fd, NTRACE_EV_EXITING).tid;
	return fd;
}

static void *attaches(void *argument)
{
	struct ntrace_attach a = {.pid = *(pid_t *)argument};
	int fd = open_engine("attaches");

	if (ioctl(fd, NTRACE_IOC_ATTACH, &a) == 0)
		wrong("it is attached in the middle of an exec");
	close(fd);
	return NULL;
}

/* Held in the middle of its exec; what it had before is not for what it executes then. */
static void renewed(const char *none)
{
	struct ntrace_stop_entry entry = {0};
	struct ntrace_stop stop = {
	    .entries = (uintptr_t)&entry, .count = 1, .flags = NTRACE_STOP_WAIT};
	unsigned long before[27]; // struct user_regs_struct
	pid_t pid, dying;
	int fd, error;

	(void)none;
	fd = held_exec("renewed", &pid, &dying);
	entry.pid = entry.tid = pid;
	if (ioctl(fd, NTRACE_IOC_STOP, &stop) < 0 ||
	    registers(fd, pid, NTRACE_IOC_GETREGS, before, sizeof(before)))
		wrong("it is not held in its exec");
	struct ntrace_resume_entry on = {.pid = pid, .tid = dying, .action = NTRACE_ACT_CONT};
	struct ntrace_resume r = {.entries = (uintptr_t)&on, .count = 1};
	if (ioctl(fd, NTRACE_IOC_RESUME, &r) < 0 || on.error)
		wrong("cannot resume: %d", on.error);
	await(fd, NTRACE_EV_EXEC);
	error = registers(fd, pid, NTRACE_IOC_SETREGS, before, sizeof(before));
	if (error != ESTALE)
		wrong("registers of the former program are set: %d", error);
	its_own_are_set(fd, pid);
	close(fd);
	ends_with_7(pid);
}

/* An exec waits for a thread that is held: whoever attaches meanwhile gives up, the module goes. */
static void exec(const char *module)
{
	struct ntrace_attach a = {0};
	pthread_t thread;
	pid_t dying;
	int fd, second;

	fd = held_exec("exec", &a.pid, &dying);
	second = open_engine("second");
	if (ioctl(second, NTRACE_IOC_ATTACH, &a) == 0 || errno != EBUSY ||
	    a.reason != NTRACE_WHY_EXEC)
		wrong("it is attached in the middle of an exec, reason %u", a.reason);
	if (pthread_create(&thread, NULL, attaches, &a.pid))
		wrong("no thread");
	run("until grep -q ^16 /proc/$PPID/task/*/syscall; do :; done"); // ioctl() is number 16
	run("rmmod ntrace");
	pthread_join(thread, NULL);
	ends_with_7(a.pid);
	close(fd);
	close(second);
	put_back(module);
}

/* Asks for a stop of all, over and over. */
static volatile bool hammering;

static void *hammer(void *fd)
{
	struct ntrace_stop_entry entry = {.pid = -1, .tid = -1};
	struct ntrace_stop stop = {.entries = (uintptr_t)&entry, .count = 1};

	while (hammering)
		ioctl((int)(intptr_t)fd, NTRACE_IOC_STOP, &stop);
	return NULL;
}

static void killed(const char *none)
{
	(void)none;
	for (int i = 0; i < 20; i++) {
		pid_t pid = counter();
		int fd = open_engine("killed"), ms = 0;
		pthread_t thread;

		attach(fd, pid, 0);
		hammering = true;
		if (pthread_create(&thread, NULL, hammer, (void *)(intptr_t)fd))
			wrong("no thread");
		usleep(20000);
		kill(pid, SIGKILL);
		for (; waitpid(pid, NULL, WNOHANG) == 0; ms++, usleep(1000))
			if (ms > 5000)
				wrong("it cannot be killed");
		hammering = false;
		pthread_join(thread, NULL);
		close(fd);
	}
}

/* It ends by itself, is held there, and killed. */
static void exiting(const char *none)
{
	struct ntrace_sets sets = {.valid = NTRACE_SET_LIFE,
				   .life_stop = NTRACE_LIFE(NTRACE_EV_EXITING)};
	int fd, ms = 0, go[2];

	(void)none;
	if (pipe(go))
		wrong("no pipe");
	sets.pid = sleeper(go[0]);
	fd = open_engine("exiting");
	attach(fd, sets.pid, 0);
	if (ioctl(fd, NTRACE_IOC_SETS, &sets) < 0 || write(go[1], "x", 1) != 1)
		wrong("no sets");
	await(fd, NTRACE_EV_EXITING);
	usleep(100000);
	if (waitpid(sets.pid, NULL, WNOHANG))
		wrong("it is not held");
	kill(sets.pid, SIGKILL);
	for (; waitpid(sets.pid, NULL, WNOHANG) == 0; ms++, usleep(1000))
		if (ms > 5000)
			wrong("it cannot be killed");
	close(fd);
}

/* A breakpoint at site() whose persistent action sets a state variable; its engine. */
static int persistent(pid_t pid)
{
	static const unsigned char code[] = {0x22, 1, 0x2d, 0, 2, 0x27}; // const8 1; setv 2; end
	struct ntrace_code action = {.bytes = (uintptr_t)code, .len = sizeof(code)};
	struct ntrace_break b = {.pid = pid,
				 .addr = (uintptr_t)site,
				 .len = 1,
				 .flags = NTRACE_BREAK_PERSIST,
				 .actions = (uintptr_t)&action,
				 .nactions = 1};
	int fd = open_engine("persistent");

	attach(fd, pid, 0);
	if (ioctl(fd, NTRACE_IOC_BREAK, &b) < 0)
		wrong("no breakpoint");
	grows("with actions");
	return fd;
}

static void persist(const char *module)
{
	pid_t pid = counter();
	int fd;

	close(persistent(pid));
	grows("when the engine of its actions has gone");
	run("grep -q 'persistent commands' /proc/ntrace/engines");
	fd = persistent(pid);
	run("rmmod ntrace");
	close(fd);
	grows("without the module");
	put_back(module);
	finish(pid);
}

static void collect(const char *none)
{
	static struct ntrace_collect all[1024];
	struct ntrace_tracepoint point = {
	    .addr = (uintptr_t)site, .flags = NTRACE_TP_ENABLED, .actions = (uintptr_t)all};
	struct ntrace_trace_control control = {.command = NTRACE_TRACE_START};
	int fd, ms = 0;

	(void)none;
	for (int i = 0; i < 1024; i++) // where nothing is
		all[i] = (struct ntrace_collect){.type = NTRACE_COLLECT_MEMORY,
						 .reg = NTRACE_COLLECT_ABSOLUTE,
						 .addr = 1ull << 32,
						 .len = 16 << 20};
	point.nactions = 1024;
	point.pid = counter();
	fd = open_engine("collect");
	attach(fd, point.pid, 0);
	grows("when it is attached");
	if (ioctl(fd, NTRACE_IOC_TRACEPOINT, &point) < 0 ||
	    ioctl(fd, NTRACE_IOC_TRACE_CONTROL, &control) < 0)
		wrong("no tracepoint");
	sleep(1);
	kill(point.pid, SIGKILL);
	for (; waitpid(point.pid, NULL, WNOHANG) == 0; ms++, usleep(1000))
		if (ms > 5000)
			wrong("it cannot be killed");
	close(fd);
}

static const struct scene {
	const char *name;
	void (*play)(const char *argument);
	bool argument;
} scenes[] = {
    {"engines", engines, false},   {"setuid", changes, true},	{"namespaces", namespaces, false},
    {"threads", threads, false},   {"collect", collect, false}, {"killed", killed, false},
    {"exiting", exiting, false},   {"persist", persist, true},	{"unload", unload, true},
    {"pollers", pollers, true},	   {"exec", exec, true},	{"renewed", renewed, false},
    {"returned", returned, false},
};

#define SCENES (sizeof(scenes) / sizeof(*scenes))

int main(int argc, char **argv)
{
	if (argc == 2 && argv[1][0] >= '0' && argv[1][0] <= '9')
		return atoi(argv[1]);
	setbuf(stdout, NULL);
	rounds = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	for (int i = 1; i < argc; i++) {
		const struct scene *scene = scenes;

		while (scene < scenes + SCENES && strcmp(scene->name, argv[i]))
			scene++;
		if (scene == scenes + SCENES || (scene->argument && i + 1 == argc))
			wrong("no scene %s", argv[i]);
		scene->play(scene->argument ? argv[i + 1] : "");
		i += scene->argument;
		printf("ok %s\n", scene->name);
	}
	return 0;
}
