// SPDX-License-Identifier: GPL-2.0
/*
 * Verifies and evaluates agent expressions for the tests: one command a line on
 * standard input, one line of JSON on standard output for each that has an
 * answer. Registers, memory and state variables are what earlier lines said.
 *
 *   reg N VALUE | var N VALUE | mem ADDR HEX | file ADDR PATH | forget
 *   limit NAME VALUE    max_len, registers, register_set, variables, allow, need_result, work
 *   verify HEX | eval HEX BUDGET | run HEX BUDGET (wants no result) | disasm HEX SIZE
 *   error N
 */
#include "agent.h"

#include <err.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REGISTERS 64
#define VARIABLES 16

struct segment {
	u64 addr;
	u8 *bytes;
	u64 len;
	struct segment *next;
};

struct world {
	struct segment *memory;
	u64 reg[REGISTERS];
	bool has_reg[REGISTERS];
	u64 var[VARIABLES];
	bool has_var[VARIABLES];
	bool logged; /* something stands in the list of calls already */
};

static void note(struct world *w, const char *what, u64 a, u64 b)
{
	printf("%s[\"%s\",\"%" PRIu64 "\",\"%" PRIu64 "\"]", w->logged ? "," : "", what, a, b);
	w->logged = true;
}

static int read_reg(void *ctx, u32 number, u64 *value)
{
	struct world *w = ctx;

	if (number >= REGISTERS || !w->has_reg[number])
		return -1;
	*value = w->reg[number];
	return 0;
}

static int read_mem(void *ctx, u64 addr, void *buf, u32 len)
{
	const struct world *w = ctx;

	for (const struct segment *s = w->memory; s; s = s->next) {
		if (addr < s->addr || addr - s->addr > s->len || len > s->len - (addr - s->addr))
			continue;
		memcpy(buf, s->bytes + (addr - s->addr), len);
		return 0;
	}
	return -1;
}

static int trace_mem(void *ctx, u64 addr, u64 len)
{
	if (len > 1 << 20)
		return -1;
	note(ctx, "trace", addr, len);
	return 0;
}

static int trace_var(void *ctx, u32 number)
{
	note(ctx, "tracev", number, 0);
	return 0;
}

static int get_var(void *ctx, u32 number, u64 *value)
{
	struct world *w = ctx;

	*value = number < VARIABLES && w->has_var[number] ? w->var[number] : 0;
	return 0;
}

static int set_var(void *ctx, u32 number, u64 value)
{
	struct world *w = ctx;

	if (number >= VARIABLES)
		return -1;
	w->var[number] = value;
	w->has_var[number] = true;
	note(w, "setv", number, value);
	return 0;
}

static int print(void *ctx, const char *text, u32 len)
{
	struct world *w = ctx;

	printf("%s[\"print\",\"", w->logged ? "," : "");
	for (u32 i = 0; i < len; i++)
		printf("%02x", (u8)text[i]);
	printf("\",\"\"]");
	w->logged = true;
	return 0;
}

static const struct nt_agent_ops ops = {
    .read_reg = read_reg,
    .read_mem = read_mem,
    .trace_mem = trace_mem,
    .trace_var = trace_var,
    .get_var = get_var,
    .set_var = set_var,
    .print = print,
};

/* Bytes from hex digits, in a block of exactly that size so that a byte too far is seen. */
static u8 *unhex(const char *hex, u64 *len)
{
	u8 *bytes;

	*len = hex ? strlen(hex) / 2 : 0;
	bytes = malloc(*len);
	for (u64 i = 0; i < *len; i++)
		sscanf(hex + 2 * i, "%2hhx", &bytes[i]);
	return bytes;
}

static void add_memory(struct world *w, u64 addr, u8 *bytes, u64 len)
{
	struct segment *s = malloc(sizeof(*s));

	*s = (struct segment){addr, bytes, len, w->memory};
	w->memory = s;
}

static void add_file(struct world *w, u64 addr, const char *path)
{
	FILE *file = fopen(path, "rb");
	long len;
	u8 *bytes;

	if (!file || fseek(file, 0, SEEK_END) || (len = ftell(file)) < 0)
		err(1, "%s", path);
	rewind(file);
	bytes = malloc((size_t)len);
	if (fread(bytes, 1, (size_t)len, file) != (size_t)len)
		err(1, "%s", path);
	fclose(file);
	add_memory(w, addr, bytes, (u64)len);
}

static void forget(struct world *w)
{
	while (w->memory) {
		struct segment *next = w->memory->next;

		free(w->memory->bytes);
		free(w->memory);
		w->memory = next;
	}
	*w = (struct world){0};
}

static void set_limit(struct nt_agent_limits *limits, u64 *set, const char *name, u64 value)
{
	if (!strcmp(name, "max_len"))
		limits->max_len = (u32)value;
	else if (!strcmp(name, "registers"))
		limits->registers = (u32)value;
	else if (!strcmp(name, "variables"))
		limits->variables = (u32)value;
	else if (!strcmp(name, "allow"))
		limits->allow = (u32)value;
	else if (!strcmp(name, "need_result"))
		limits->need_result = value;
	else if (!strcmp(name, "work"))
		limits->work_len = (u32)value;
	else if (!strcmp(name, "register_set")) {
		*set = value;
		limits->register_set = value ? set : NULL;
	} else
		errx(1, "no limit %s", name);
}

static void verify(const struct nt_agent_limits *limits, const u8 *code, u64 len)
{
	struct nt_agent_limits own = *limits;
	struct nt_agent_info info;
	u32 at = ~0u;
	int error;

	if (own.work_len > len)
		own.work_len = (u32)len;
	own.work = malloc(own.work_len);
	memset(own.work, 0xa5, own.work_len);
	error = nt_agent_verify(code, (u32)len, &own, &info, &at);
	printf("{\"error\":%d,\"at\":%u,\"instructions\":%u,\"reachable\":%u,\"maxDepth\":%u,"
	       "\"endDepth\":%u,\"uses\":%u}\n",
	       error, at, info.instructions, info.reachable, info.max_depth, info.end_depth,
	       info.uses);
	free(own.work);
}

static void evaluate(struct world *w, const u8 *code, u64 len, u32 budget, bool want)
{
	u64 value = 0;
	u32 at = ~0u;
	int error;

	w->logged = false;
	printf("{\"calls\":[");
	error = nt_agent_eval(code, (u32)len, &ops, w, budget, want ? &value : NULL, &at);
	printf("],\"error\":%d,\"at\":%u,\"value\":\"%" PRIu64 "\"}\n", error, at, value);
}

static void disassemble(const u8 *code, u64 len, u32 size)
{
	char *text = malloc(size);
	u32 at = 0;
	u32 step;

	printf("{\"lines\":[");
	while ((step = nt_agent_disasm(code, (u32)len, at, text, size))) {
		printf("%s\"", at ? "," : "");
		for (const char *c = text; *c; c++)
			printf(*c == '"' || *c == '\\' ? "\\%c" : "%c", *c);
		printf("\"");
		at += step;
	}
	printf("]}\n");
	free(text);
}

static u64 number(const char *text)
{
	return text ? strtoull(text, NULL, 0) : 0;
}

int main(void)
{
	struct world w = {0};
	u64 set = 0;
	struct nt_agent_limits limits = {
	    .max_len = NT_AGENT_MAX_LEN, .registers = 32, .variables = VARIABLES, .allow = ~0u};
	char *line = NULL;
	size_t room = 0;
	ssize_t got;

	limits.work_len = NT_AGENT_MAX_LEN;
	while ((got = getline(&line, &room, stdin)) > 0) {
		const char *verb, *first, *second;
		u64 len;
		u8 *code;

		line[strcspn(line, "\n")] = '\0';
		verb = strtok(line, " ");
		first = strtok(NULL, " ");
		second = strtok(NULL, " ");
		if (!verb)
			continue;
		if (!strcmp(verb, "forget")) {
			forget(&w);
		} else if (!strcmp(verb, "reg")) {
			w.reg[number(first) % REGISTERS] = number(second);
			w.has_reg[number(first) % REGISTERS] = true;
		} else if (!strcmp(verb, "var")) {
			w.var[number(first) % VARIABLES] = number(second);
			w.has_var[number(first) % VARIABLES] = true;
		} else if (!strcmp(verb, "mem")) {
			code = unhex(second, &len);
			add_memory(&w, number(first), code, len);
		} else if (!strcmp(verb, "file")) {
			add_file(&w, number(first), second);
		} else if (!strcmp(verb, "limit")) {
			set_limit(&limits, &set, first, number(second));
		} else if (!strcmp(verb, "error")) {
			printf("{\"text\":\"%s\",\"errno\":%d}\n",
			       nt_agent_strerror(-(int)number(first)),
			       nt_agent_errno(-(int)number(first)));
		} else {
			/* A dash stands for no code at all. */
			code = unhex(first && strcmp(first, "-") ? first : NULL, &len);
			if (!strcmp(verb, "verify"))
				verify(&limits, code, len);
			else if (!strcmp(verb, "eval"))
				evaluate(&w, code, len, (u32)number(second), true);
			else if (!strcmp(verb, "run"))
				evaluate(&w, code, len, (u32)number(second), false);
			else if (!strcmp(verb, "disasm"))
				disassemble(code, len, (u32)number(second));
			else
				errx(1, "no command %s", verb);
			free(code);
		}
	}
	free(line);
	forget(&w);
	return 0;
}
