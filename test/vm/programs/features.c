// SPDX-License-Identifier: GPL-2.0
// The module with each of its features switched off in turn: the bit says so, what it stands for
// is refused, everything else works, and the program is none the worse.
//   features MODULE    prints "ok without NAME" for each; 1 and a word if something is wrong
#define _GNU_SOURCE
#include "scene.h"

static const struct feature {
	const char *name;
	int bit;
} features[] = {
    {"", 63}, // nothing is off
    {"soft_stop", NTRACE_F_SOFT_STOP},
    {"step", NTRACE_F_STEP},
    {"range_step", NTRACE_F_RANGE_STEP},
    {"regsets", NTRACE_F_REGSETS},
    {"memory", NTRACE_F_MEMORY},
    {"break", NTRACE_F_BREAK},
    {"hwbreak", NTRACE_F_HWBREAK},
    {"watch", NTRACE_F_WATCH},
    {"signals", NTRACE_F_SIGNALS},
    {"signals_fatal", NTRACE_F_SIGNALS_FATAL},
    {"syscall_entry", NTRACE_F_SYSCALL_ENTRY},
    {"syscall_exit", NTRACE_F_SYSCALL_EXIT},
    {"syscall_change", NTRACE_F_SYSCALL_CHANGE},
    {"fork", NTRACE_F_FORK},
    {"follow", NTRACE_F_FOLLOW},
    {"newthread", NTRACE_F_NEWTHREAD},
    {"exec", NTRACE_F_EXEC},
    {"exiting", NTRACE_F_EXITING},
    {"dead", NTRACE_F_DEAD},
    {"conditions", NTRACE_F_CONDITIONS},
    {"actions", NTRACE_F_ACTIONS},
    {"tracepoints", NTRACE_F_TRACEPOINTS},
    {"out_of_line", NTRACE_F_OUT_OF_LINE},
    {"yield", NTRACE_F_YIELD},
    {"who", NTRACE_F_WHO},
    {"release", NTRACE_F_RELEASE},
    {"leave_stopped", NTRACE_F_LEAVE_STOPPED},
};

static int fd;
static pid_t pid;
static uint64_t on;

static bool has(int bit)
{
	return on >> bit & 1;
}

/* A call works if its feature is on, and is EOPNOTSUPP if not. True: it is on. */
static bool works(const char *what, int bit, unsigned long request, void *record)
{
	int result = ioctl(fd, request, record);

	if (has(bit) ? result < 0 : result == 0 || errno != EOPNOTSUPP)
		wrong("%s: %d", what, result);
	return has(bit);
}

static void hello(void)
{
	struct ntrace_hello record = {.abi_version = 1, .label = "features"};

	fd = open(NTRACE_CONTROL_PATH, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || ioctl(fd, NTRACE_IOC_HELLO, &record) < 0)
		wrong("no engine");
	on = record.features[0];
}

static void stop(uint32_t flags)
{
	struct ntrace_stop_entry entry = {.pid = pid, .tid = pid};
	struct ntrace_stop r = {
	    .entries = (uintptr_t)&entry, .count = 1, .flags = flags | NTRACE_STOP_WAIT};

	if (works("stop", flags & NTRACE_STOP_SOFT ? NTRACE_F_SOFT_STOP : NTRACE_F_HARD_STOP,
		  NTRACE_IOC_STOP, &r)) {
		await(fd, NTRACE_EV_STOPPED);
		resume(fd, pid, NTRACE_ACT_CONT);
	}
}

static void hold(void)
{
	struct ntrace_stop_entry entry = {.pid = pid, .tid = pid};
	struct ntrace_stop r = {
	    .entries = (uintptr_t)&entry, .count = 1, .flags = NTRACE_STOP_WAIT};

	if (ioctl(fd, NTRACE_IOC_STOP, &r) < 0)
		wrong("cannot hold it");
	await(fd, NTRACE_EV_STOPPED);
}

static void memory_and_registers(void)
{
	static unsigned char buf[16384];
	struct ntrace_memvec vec = {.addr = (uintptr_t)site, .buf = (uintptr_t)buf, .len = 16};
	struct ntrace_mem mem = {.pid = pid, .count = 1, .vecs = (uintptr_t)&vec};
	struct ntrace_regset set = {
	    .tid = pid, .note = 1, .buf = (uintptr_t)buf, .len = sizeof(buf)};
	struct ntrace_regs regs = {.entries = (uintptr_t)&set, .count = 1};

	if (works("read", NTRACE_F_MEMORY, NTRACE_IOC_READMEM, &mem)) {
		works("write", NTRACE_F_MEMORY, NTRACE_IOC_WRITEMEM, &mem);
		if (vec.error || vec.done != vec.len)
			wrong("memory: %d", vec.error);
	}
	if (works("registers", NTRACE_F_REGSETS, NTRACE_IOC_GETREGS, &regs) && set.error)
		wrong("registers: %d", set.error);
}

static void step(uint32_t action, int bit)
{
	struct ntrace_resume_entry entry = {.pid = pid, .tid = pid, .action = action};
	struct ntrace_resume r = {.entries = (uintptr_t)&entry, .count = 1};

	if (ioctl(fd, NTRACE_IOC_RESUME, &r) < 0 || entry.error != (has(bit) ? 0 : EOPNOTSUPP))
		wrong("step: %d", entry.error);
	if (has(bit))
		await(fd, NTRACE_EV_STEP);
}

/* Hit once, whatever executes the instruction below it. */
static void breakpoint(uint32_t type, int bit, uint32_t event)
{
	struct ntrace_break b = {.pid = pid, .type = type, .addr = (uintptr_t)site, .len = 1};
	struct ntrace_unbreak u = {0};

	if (!has(NTRACE_F_BREAK))
		bit = NTRACE_F_BREAK;
	if (type == NTRACE_WATCH_WRITE) {
		b.addr = (uintptr_t)rounds;
		b.len = sizeof(*rounds);
	}
	if (!works("breakpoint", bit, NTRACE_IOC_BREAK, &b))
		return;
	u.id = b.id;
	for (int i = 0; i < 3; i++) {
		resume(fd, pid, NTRACE_ACT_CONT);
		await(fd, event);
	}
	works("its removal", bit, NTRACE_IOC_UNBREAK, &u);
}

/* Prints at every hit, and the program runs on. */
static void actions(void)
{
	static const uint8_t bytes[] = {0x22, 0, 0x22, 0, 0x34, 0, 0, 2, 'x', 0, 0x27};
	struct ntrace_code code = {.bytes = (uintptr_t)bytes, .len = sizeof(bytes)};
	struct ntrace_break b = {.pid = pid,
				 .addr = (uintptr_t)site,
				 .len = 1,
				 .actions = (uintptr_t)&code,
				 .nactions = 1};
	struct ntrace_unbreak u = {0};

	if (!works("actions", has(NTRACE_F_BREAK) ? NTRACE_F_ACTIONS : NTRACE_F_BREAK,
		   NTRACE_IOC_BREAK, &b))
		return;
	resume(fd, pid, NTRACE_ACT_CONT);
	for (int i = 0; i < 3; i++) {
		struct ntrace_event event = await(fd, NTRACE_EV_PRINT);

		if (event.code != 1 || event.addr || event.break_id != b.id ||
		    *(char *)event.args != 'x')
			wrong("it printed %d bytes of %u", event.code, event.break_id);
	}
	u.id = b.id;
	works("their removal", NTRACE_F_BREAK, NTRACE_IOC_UNBREAK, &u);
	hold();
}

static void tracepoints(void)
{
	struct ntrace_tracepoint t = {
	    .pid = pid, .addr = (uintptr_t)site, .flags = NTRACE_TP_ENABLED, .pass = 3};
	struct ntrace_trace_control control = {.command = NTRACE_TRACE_START};
	struct ntrace_variable variable = {.number = 2, .flags = NTRACE_VARIABLE_SET};

	works("a state variable", NTRACE_F_TRACEPOINTS, NTRACE_IOC_VARIABLE, &variable);
	works("a tracepoint", NTRACE_F_TRACEPOINTS, NTRACE_IOC_TRACEPOINT, &t);
	if (!works("tracing", NTRACE_F_TRACEPOINTS, NTRACE_IOC_TRACE_CONTROL, &control))
		return;
	resume(fd, pid, NTRACE_ACT_CONT);
	if (await(fd, NTRACE_EV_TRACE_STOPPED).code != NTRACE_TRACE_PASSED)
		wrong("it stops for another reason");
	control.command = NTRACE_TRACE_STATUS;
	works("status", NTRACE_F_TRACEPOINTS, NTRACE_IOC_TRACE_CONTROL, &control);
	if (control.frames != 3 || control.running)
		wrong("%llu frames", (unsigned long long)control.frames);
	hold();
}

static void signals(void)
{
	struct ntrace_signal r = {.pid = pid, .tid = pid, .signo = SIGUSR1};
	struct ntrace_sets s = {.pid = pid, .valid = NTRACE_SET_SIGNALS, .signal_stop = ~0ull};

	resume(fd, pid, NTRACE_ACT_CONT);
	if (ioctl(fd, NTRACE_IOC_SETS, &s) < 0 || ioctl(fd, NTRACE_IOC_SIGNAL, &r) < 0)
		wrong("no signal");
	if (has(NTRACE_F_SIGNALS)) {
		await(fd, NTRACE_EV_SIGNAL);
		resume(fd, pid, NTRACE_ACT_CONT); // without it
	}
	grows("after a signal");
}

static void others(void)
{
	struct ntrace_who who = {.pid = pid};
	struct ntrace_release_hold release = {.tid = pid};
	struct ntrace_sets follow = {
	    .pid = pid, .valid = NTRACE_SET_FOLLOW, .follow = NTRACE_FOLLOW_FORK};
	struct ntrace_detach detach = {.pid = pid, .release = NTRACE_RELEASE_STOP};

	works("who", NTRACE_F_WHO, NTRACE_IOC_WHO, &who);
	works("release", NTRACE_F_RELEASE, NTRACE_IOC_RELEASE, &release);
	works("follow", NTRACE_F_FOLLOW, NTRACE_IOC_SETS, &follow);
	if (works("leaving it stopped", NTRACE_F_LEAVE_STOPPED, NTRACE_IOC_DETACH, &detach))
		kill(pid, SIGCONT);
}

static void without(const struct feature *feature, const char *module)
{
	char command[512];

	snprintf(command, sizeof(command), "rmmod ntrace && insmod %s off=%s", module,
		 feature->name);
	run(command);
	pid = counter();
	hello();
	if (has(feature->bit))
		wrong("the bit is on");
	attach(fd, pid, 0);
	stop(0);
	stop(NTRACE_STOP_SOFT);
	hold();
	memory_and_registers();
	step(NTRACE_ACT_STEP, NTRACE_F_STEP);
	step(NTRACE_ACT_RANGE, NTRACE_F_RANGE_STEP);
	breakpoint(NTRACE_BREAK_SW, NTRACE_F_BREAK, NTRACE_EV_BREAK);
	breakpoint(NTRACE_BREAK_HW, NTRACE_F_HWBREAK, NTRACE_EV_HWBREAK);
	breakpoint(NTRACE_WATCH_WRITE, NTRACE_F_WATCH, NTRACE_EV_WATCH);
	actions();
	tracepoints();
	signals();
	others();
	close(fd);
	grows("when the engine is closed");
	finish(pid);
	printf("ok without %s\n", feature->name);
}

static void nothing(int signo)
{
	(void)signo;
}

int main(int argc, char **argv)
{
	if (argc != 2)
		wrong("usage: features MODULE");
	setbuf(stdout, NULL);
	signal(SIGUSR1, nothing); // where nobody holds it up
	rounds = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	for (unsigned i = 0; i < sizeof(features) / sizeof(*features); i++)
		without(&features[i], argv[1]);
	return 0;
}
