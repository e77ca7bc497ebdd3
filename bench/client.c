/*
 * Measures one server: client PORT GROUP NAME=ADDRESS... [pid=PID]
 * Groups: trips step breakpoint memory interrupt busy range attach. Prints "NAME VALUE" lines:
 * medians in microseconds, MB/s for memory, and "pid NUMBER" of what the server launched. What a
 * server does not know prints nothing.
 */
#define _GNU_SOURCE /* SCHED_RESET_ON_FORK */
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "rsp.h"

#define MOST_SAMPLES 2000
#define SECONDS 0.5 /* of sampling, unless MOST_SAMPLES come first */
#define BLOCK (1u << 20)

typedef unsigned long long u64;

static struct rsp server;
static char **arguments;

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}

static u64 named(const char *name)
{
	char **argument;
	size_t length = strlen(name);

	for (argument = arguments; *argument; argument++)
		if (!strncmp(*argument, name, length) && (*argument)[length] == '=')
			return strtoull(*argument + length + 1, NULL, 0);
	fprintf(stderr, "no %s=\n", name);
	exit(1);
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double begun; /* when what is measured began: an operation may prepare first */

/* Median time of an operation in microseconds. */
static double timed(void (*operation)(void))
{
	static double samples[MOST_SAMPLES];
	double begin = now();
	int count = 0;

	operation();
	do {
		begun = now();
		operation();
		samples[count++] = now() - begun;
	} while (count < MOST_SAMPLES && (now() - begin < SECONDS * 1e6 || count < 3));
	qsort(samples, count, sizeof(samples[0]), by_value);
	return samples[count / 2];
}

static void sample(const char *name, void (*operation)(void))
{
	printf("%s %.2f\n", name, timed(operation));
}

static void go_on(void)
{
	rsp_send(&server, "vCont;c", strlen("vCont;c"));
	rsp_stopped(&server);
}

static void step(void)
{
	char text[64];

	rsp_send(&server, text, sprintf(text, "vCont;s:%s", server.thread));
	rsp_stopped(&server);
}

static void run_to(const char *place)
{
	rsp_expect_ok(&server, "Z0,%llx,1", named(place));
	go_on();
	rsp_expect_ok(&server, "z0,%llx,1", named(place));
}

/* ---- operations ---- */
static void ask_thread(void)
{
	rsp_ask(&server, "qC");
}

static void ask_registers(void)
{
	rsp_ask(&server, "g");
}

static void ask_word(void)
{
	rsp_ask(&server, "m%llx,8", named("block"));
}

static void cycle(void) /* as gdb passes a breakpoint it stands at */
{
	rsp_expect_ok(&server, "z0,%llx,1", named("tick"));
	step();
	rsp_expect_ok(&server, "Z0,%llx,1", named("tick"));
	go_on();
}

static void press_ctrl_c(void)
{
	if (write(server.fd, "\003", 1) != 1)
		rsp_die("the server is gone", NULL);
	rsp_stopped(&server);
}

static void interrupt(void)
{
	rsp_send(&server, "vCont;c", strlen("vCont;c"));
	usleep(2000);
	press_ctrl_c();
}

static void stop_all(void) /* of threads that have all got to run */
{
	rsp_send(&server, "vCont;c", strlen("vCont;c"));
	usleep(100000);
	begun = now();
	press_ctrl_c();
}

static void resume_and_stop_all(void)
{
	rsp_send(&server, "vCont;c", strlen("vCont;c"));
	press_ctrl_c();
}

/* ---- groups ---- */
static void trips(void)
{
	run_to("ready");
	sample("qC", ask_thread);
	sample("g", ask_registers);
	sample("m8", ask_word);
}

static void steps(void)
{
	run_to("tick");
	sample("step", step);
}

static void breakpoints(void)
{
	run_to("ready");
	run_to("tick");
	rsp_expect_ok(&server, "Z0,%llx,1", named("tick"));
	sample("cycle", cycle);
}

static void interrupts(void)
{
	run_to("ready");
	sample("interrupt", interrupt);
}

static void busy(void)
{
	run_to("ready");
	sample("stop-busy", stop_all);
	sample("cycle-busy", resume_and_stop_all);
}

static void ranges(void) /* 10,000 instructions as one step of a source line */
{
	char text[128];
	double before;
	u64 spin = named("spin");

	if (!rsp_knows(&server, "vCont?", ";r"))
		return;
	run_to("spin");
	before = now();
	rsp_send(
	    &server, text,
	    sprintf(text, "vCont;r%llx,%llx:%s", spin, spin + named("spin-size"), server.thread));
	rsp_stopped(&server);
	printf("range %.2f\n", now() - before);
}

/* Reads a block by m or x, in packets as large as the server takes. */
static void read_block(char kind)
{
	size_t chunk = (server.packet_size - 16) / 2, at, size;

	if (chunk > BLOCK)
		chunk = BLOCK;
	for (at = 0; at < BLOCK; at += size) {
		size = BLOCK - at < chunk ? BLOCK - at : chunk;
		rsp_ask(&server, "%c%llx,%zx", kind, named("block") + at, size);
		if (server.length != (kind == 'm' ? 2 * size : size + 1))
			rsp_die("a short read", &server);
	}
}

/* Writes a block by M or X; its bytes need no escapes. False: the server does not know it. */
static bool write_block(char kind)
{
	static char packet[4 * BLOCK];
	size_t per_byte = kind == 'M' ? 2 : 1;
	size_t chunk = (server.packet_size - 64) / 2, at, size;

	if (chunk > BLOCK)
		chunk = BLOCK;
	for (at = 0; at < BLOCK; at += size) {
		int head;

		size = BLOCK - at < chunk ? BLOCK - at : chunk;
		head = sprintf(packet, "%c%llx,%zx:", kind, named("block") + at, size);
		memset(packet + head, '5', per_byte * size);
		rsp_send(&server, packet, head + per_byte * size);
		rsp_receive(&server);
		if (server.length == 0)
			return false;
		if (strcmp((char *)server.packet, "OK"))
			rsp_die("write refused", &server);
	}
	return true;
}

static void read_hex(void)
{
	read_block('m');
}

static void read_binary(void)
{
	read_block('x');
}

static void write_hex(void)
{
	write_block('M');
}

static void write_binary(void)
{
	write_block('X');
}

static void rate(const char *name, void (*operation)(void))
{
	printf("%s %.2f\n", name, BLOCK / timed(operation));
}

static void memory(void)
{
	run_to("ready");
	rate("read-hex", read_hex);
	rate("write-hex", write_hex);
	if (write_block('X'))
		rate("write-binary", write_binary);
	if (server.binary_upload)
		rate("read-binary", read_binary);
}

/* The whole document; an empty packet where the server does not know it. */
static void list_threads(void)
{
	char text[64];
	size_t at = 0;

	do {
		rsp_send(&server, text, sprintf(text, "qXfer:threads:read::%zx,1000", at));
		rsp_receive(&server);
		at += server.length - 1;
	} while (server.packet[0] == 'm');
}

static void attach(void)
{
	double before = now();

	rsp_ask(&server, "vAttach;%llx", named("pid"));
	if (server.packet[0] != 'T')
		rsp_die("not a stop", &server);
	printf("attach %.2f\n", now() - before);
	before = now();
	list_threads();
	if (server.length > 0)
		printf("threads %.2f\n", now() - before);
	before = now();
	rsp_expect_ok(&server, "D;%llx", named("pid"));
	printf("detach %.2f\n", now() - before);
}

static const struct {
	const char *name;
	void (*run)(void);
} groups[] = {
    {"trips", trips}, {"step", steps},	 {"breakpoint", breakpoints}, {"interrupt", interrupts},
    {"busy", busy},   {"range", ranges}, {"memory", memory},	      {"attach", attach},
};

int main(int argc, char **argv)
{
	size_t i;

	if (argc < 3)
		return 2;
	arguments = argv + 3;
	/* the server is measured, not how long we wait for a processor among the threads */
	sched_setscheduler(0, SCHED_RR | SCHED_RESET_ON_FORK, &(struct sched_param){1});
	rsp_connect(&server, atoi(argv[1]));
	if (!strcmp(argv[2], "attach")) { /* extended mode, where a server has it */
		rsp_send(&server, "!", 1);
		rsp_receive(&server);
	} else { /* the first thread of what was launched has the number of the process */
		printf("pid %ld\n", strtol(server.thread, NULL, 16));
		fflush(stdout);
	}
	for (i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
		if (!strcmp(groups[i].name, argv[2]))
			groups[i].run();
	return 0;
}
