// SPDX-License-Identifier: GPL-2.0
/*
 * Executes real instructions in place and by their plans, from equal states, and compares all
 * that the program could see. Usage: execute COUNT SEED FILE...; the files are ELF, all of the
 * width of the first. Output: one line of JSON.
 */
#include "corpus.h"
#include "ool.h"
#include "states.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>

#define SHOWN 12
#define REPEATS 100
#define RF 0x10000u
#define TF 0x100u
#define NT 0x4000ull
#define ID 0x200000ull

enum way { WAY_BOOST, WAY_STEP, WAY_EMULATE, WAY_INTERRUPT, WAYS };

static const char *const way_names[] = {"boost", "step", "emulate", "interrupt"};

struct test {
	const u8 *bytes;
	struct nt_insn insn;
	struct nt_ool_plan plan;
	struct state start;
	struct outcome want, got;
};

static struct {
	unsigned long executed, faults, declined, refused, wrong, ways[WAYS];
	char examples[SHOWN][240];
} counts;

/* Not the same twice, or not ours to execute. */
static bool unfit(const struct nt_insn *insn)
{
	if (insn->branch == NT_BR_INT && (u8)insn->imm != 0x80)
		return true;
	if (insn->encoding != NT_ENC_LEGACY || insn->map != NT_MAP_0F)
		return false;
	switch (insn->opcode) {
	case 0x01: /* rdtscp, rdpru, monitorx, mwaitx */
		return insn->modrm >= 0xf9 && insn->modrm <= 0xfd;
	case 0x31: /* rdtsc */
	case 0xa2: /* cpuid */
		return true;
	case 0xae: /* xsave writes what has been used; umwait and tpause tell the time */
		return nt_insn_reg(insn) == 4 || nt_insn_reg(insn) == 6;
	case 0xc7: /* rdrand rdseed rdpid, xsavec */
		return nt_insn_reg(insn) == 4 || nt_insn_reg(insn) >= 6;
	}
	return false;
}

static void to_ool(const struct user_regs_struct *from, struct nt_ool_regs *to)
{
	struct user_regs_struct copy = *from;

	for (unsigned i = 0; i < 16; i++)
		to->gpr[i] = *gpr(&copy, i);
	to->ip = from->rip;
	to->flags = from->eflags;
}

static void from_ool(const struct nt_ool_regs *from, struct user_regs_struct *to)
{
	for (unsigned i = 0; i < 16; i++)
		*gpr(to, i) = from->gpr[i];
	to->rip = from->ip;
	to->eflags = from->flags;
}

/* The memory that both sides compare; anything else is out of reach. */
static bool reachable(u64 addr, u32 size)
{
	return (addr >= SCRATCH && addr + size <= SCRATCH + SCRATCH_SIZE) ||
	       (addr >= STACK && addr + size <= STACK + STACK_SIZE);
}

static int read_memory(void *context, u64 addr, void *to, u32 size)
{
	(void)context;
	if (!reachable(addr, size))
		return -1;
	memcpy(to, (void *)addr, size);
	return 0;
}

static int write_memory(void *context, u64 addr, const void *from, u32 size)
{
	(void)context;
	if (!reachable(addr, size))
		return -1;
	memcpy((void *)addr, from, size);
	return 0;
}

static const struct nt_ool_ops memory = {read_memory, write_memory, NULL};

/* The stepping of the reference leaves TF where the program would see none. */
static void clean_reference(struct test *t)
{
	struct state *state = &t->want.state;
	u64 at = state->regs.rsp - STACK;

	state->regs.eflags &= ~(u64)(RF | TF);
	if (t->insn.branch == NT_BR_SYSCALL)
		state->regs.r11 &= ~(u64)TF;
	if (t->insn.flags & NT_INSN_PUSHF && at < STACK_SIZE - 8 && t->want.sig == SIGTRAP)
		state->stack[at + 1] &= ~1;
}

static bool in_place(struct subject *subject, struct test *t)
{
	/* a load of ss holds off the trap of the step: use the int3 behind it */
	int how = t->insn.flags & NT_INSN_SHADOW ? PTRACE_CONT : PTRACE_SINGLESTEP;

	memset((void *)CODE, 0xcc, CODE_SIZE);
	memcpy((void *)t->plan.addr, t->bytes, t->insn.length);
	subject_load(subject, &t->start);
	for (int i = 0; i < REPEATS; i++) {
		if (!subject_run(subject, how, &t->want))
			return false;
		if (t->want.sig != SIGTRAP || t->want.state.regs.rip != t->plan.addr ||
		    !(t->insn.flags & NT_INSN_REPEAT))
			break;
	}
	subject_save(subject, &t->want);
	clean_reference(t);
	return true;
}

static void load_slot(struct subject *subject, struct test *t)
{
	struct state *state = &t->got.state;

	memset((void *)CODE, 0xcc, CODE_SIZE);
	memset((void *)t->plan.slot, 0xcc, NT_OOL_SLOT);
	memcpy((void *)t->plan.slot, t->plan.code, t->plan.code_length);
	*state = t->start;
	state->regs.rip = t->plan.slot;
	subject_load(subject, state);
}

/* What a provider does with a stop in or after the slot. */
static u8 settle(struct test *t, bool stepped)
{
	struct nt_ool_regs regs;
	u8 result;

	to_ool(&t->got.state.regs, &regs);
	if (t->got.sig == SIGILL || t->got.sig == SIGFPE)
		t->got.addr = nt_ool_address(&t->plan, t->got.addr);
	if (stepped)
		result = nt_ool_fixup(&t->plan, &regs, &memory,
				      t->got.sig == SIGTRAP ? 0 : NT_OOL_FAULTED);
	else
		result = nt_ool_rewind(&t->plan, &regs);
	from_ool(&regs, &t->got.state.regs);
	t->got.state.regs.eflags &= ~(u64)(RF | TF);
	return result;
}

static bool run_boosted(struct subject *subject, struct test *t)
{
	load_slot(subject, t);
	if (!subject_run(subject, PTRACE_CONT, &t->got))
		return false;
	settle(t, false);
	subject_save(subject, &t->got);
	return true;
}

static bool run_stepped(struct subject *subject, struct test *t)
{
	/* a system call either way: TF shows in r11 */
	bool run = t->plan.flags & NT_OOL_TRAPS && t->plan.slot & NT_OOL_SLOT;
	int how = run ? PTRACE_CONT : PTRACE_SINGLESTEP;

	load_slot(subject, t);
	for (int i = 0; i < REPEATS; i++) {
		u8 result;

		if (!subject_run(subject, how, &t->got))
			return false;
		result = settle(t, true);
		if (result == NT_OOL_BEFORE && t->got.sig == SIGTRAP) {
			t->got.state.regs.rip = t->plan.slot; /* rep has not finished */
			subject_set_regs(subject, &t->got.state.regs);
		} else if (result != NT_OOL_AGAIN) {
			break;
		}
	}
	subject_save(subject, &t->got);
	return true;
}

/*
 * A signal comes after so many instructions of the slot: the thread goes back to the program and
 * executes in place what is not done.
 */
static bool run_interrupted(struct subject *subject, struct test *t, int after)
{
	u8 result;

	load_slot(subject, t);
	memcpy((void *)t->plan.addr, t->bytes, t->insn.length);
	while (after-- > 0) {
		if (!subject_run(subject, PTRACE_SINGLESTEP, &t->got))
			return false;
		if (t->got.sig != SIGTRAP)
			break;
	}
	result = settle(t, false);
	subject_set_regs(subject, &t->got.state.regs);
	if (result == NT_OOL_BEFORE) {
		if (!subject_run(subject, PTRACE_SINGLESTEP, &t->got))
			return false;
		t->got.state.regs.eflags &= ~(u64)(RF | TF);
	}
	subject_save(subject, &t->got);
	return true;
}

/* False when the emulator leaves it to the slot. */
static bool run_emulated(struct test *t)
{
	struct nt_ool_regs regs;

	t->got.state = t->start;
	t->got.sig = SIGTRAP;
	memcpy((void *)SCRATCH, t->start.scratch, SCRATCH_SIZE);
	memcpy((void *)STACK, t->start.stack, STACK_SIZE);
	to_ool(&t->start.regs, &regs);
	if (!nt_ool_emulate(&t->plan, &regs, &memory))
		return false;
	from_ool(&regs, &t->got.state.regs);
	memcpy(t->got.state.scratch, (void *)SCRATCH, SCRATCH_SIZE);
	memcpy(t->got.state.stack, (void *)STACK, STACK_SIZE);
	return true;
}

static const char *compare_registers(const struct test *t)
{
	static const char *const names[] = {"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
					    "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15"};
	u64 mask = t->insn.mode64 ? ~0ull : 0xffffffff;
	struct user_regs_struct want = t->want.state.regs, got = t->got.state.regs;

	for (unsigned i = 0; i < (t->insn.mode64 ? 16 : 8); i++)
		if ((*gpr(&want, i) ^ *gpr(&got, i)) & mask)
			return names[i];
	if (want.rip != got.rip)
		return "rip";
	/* only popf changes NT and ID; PTRACE_SETREGS leaves them as the last popf did */
	if ((want.eflags ^ got.eflags) & ~(t->insn.flags & NT_INSN_POPF ? 0ull : NT | ID))
		return "eflags";
	if (want.cs != got.cs || want.ss != got.ss || want.ds != got.ds || want.es != got.es ||
	    want.fs != got.fs || want.gs != got.gs)
		return "segment";
	if (want.fs_base != got.fs_base || want.gs_base != got.gs_base)
		return "base";
	return NULL;
}

static const char *compare_memory(struct subject *subject, struct test *t, enum way way)
{
	u8 *want = t->want.state.xstate, *got = t->got.state.xstate;

	if (memcmp(t->want.state.scratch, t->got.state.scratch, SCRATCH_SIZE) != 0)
		return "scratch memory";
	if (memcmp(t->want.state.stack, t->got.state.stack, STACK_SIZE) != 0)
		return "stack";
	if (way == WAY_EMULATE)
		return NULL;
	if (t->plan.flags & NT_OOL_FIP)
		memcpy(got + 8, want + 8, 8);
	if (memcmp(want, got, 512) != 0)
		return "x87 or sse";
	/* the header says what the processor thinks is in use, not what the values are */
	if (memcmp(want + 576, got + 576, subject->xstate_size - 576) != 0)
		return "extended state";
	return NULL;
}

/* A branch to nowhere: the step in place ends at the target, the slot's jump faults there. */
static void forgive_landing(struct test *t)
{
	u64 pc = t->want.state.regs.rip;

	if (t->want.sig == SIGTRAP && t->got.sig == SIGSEGV && t->got.state.regs.rip == pc)
		t->got.sig = SIGTRAP;
}

/*
 * A call to an address that cannot be one faults where it stands. Whether a processor has pushed by
 * then is its own affair: what is below the stack pointer is nobody's.
 */
static void forgive_push(struct test *t)
{
	u64 at = t->want.state.regs.rsp - STACK, size = t->insn.mode64 ? 8 : 4;

	if (t->insn.branch == NT_BR_CALL_IND && t->want.sig == SIGSEGV && at >= size &&
	    at <= STACK_SIZE && t->want.state.regs.rip == t->plan.addr)
		memcpy((u8 *)t->got.state.stack + at - size, (u8 *)t->want.state.stack + at - size,
		       size);
}

static void judge(struct subject *subject, struct test *t, enum way way)
{
	const char *what = NULL;
	char hex[2 * NT_INSN_MAX + 1];
	unsigned i;

	counts.ways[way]++;
	forgive_landing(t);
	forgive_push(t);
	if (t->want.sig != t->got.sig)
		what = "signal";
	else if (t->want.sig != SIGTRAP &&
		 (t->want.code != t->got.code || t->want.addr != t->got.addr))
		what = "siginfo";
	if (!what)
		what = compare_registers(t);
	if (!what)
		what = compare_memory(subject, t, way);
	if (!what)
		return;
	if (counts.wrong < SHOWN) {
		for (i = 0; i < t->insn.length; i++)
			snprintf(hex + 2 * i, 3, "%02x", t->bytes[i]);
		snprintf(counts.examples[counts.wrong], sizeof(*counts.examples),
			 "%s by %s: %s differs; signal %d at %llx in place, %d at %llx; class %u",
			 hex, way_names[way], what, t->want.sig, t->want.state.regs.rip, t->got.sig,
			 t->got.state.regs.rip, t->plan.slot_cls);
	}
	counts.wrong++;
}

static bool run(struct subject *subject, struct test *t)
{
	if (!in_place(subject, t))
		return false;
	counts.executed++;
	if (t->want.sig != SIGTRAP)
		counts.faults++;
	if (t->plan.slot_cls == NT_OOL_BOOST) {
		if (!run_boosted(subject, t))
			return false;
		judge(subject, t, WAY_BOOST);
	}
	if (t->plan.slot_cls != NT_OOL_REFUSE) {
		if (!run_stepped(subject, t))
			return false;
		judge(subject, t, WAY_STEP);
	}
	for (int after = 1;
	     t->insn.branch && t->plan.slot_cls == NT_OOL_BOOST && after < t->plan.mark_count;
	     after++) {
		if (!run_interrupted(subject, t, after))
			return false;
		judge(subject, t, WAY_INTERRUPT);
	}
	if (t->plan.cls == NT_OOL_EMULATE) {
		if (run_emulated(t))
			judge(subject, t, WAY_EMULATE);
		else
			counts.declined++;
	}
	return true;
}

static bool try_sample(struct subject *subject, struct random *random, const struct sample *sample,
		       bool mode64)
{
	static struct test t;
	u64 addr = CODE + CODE_SIZE / 2 + random_below(random, 64);
	u64 slot = NEAR_SLOT + NT_OOL_SLOT * random_below(random, 64);
	u8 bytes[NT_INSN_MAX];

	memcpy(bytes, sample->bytes, NT_INSN_MAX);
	nt_insn_decode(bytes, sample->length, mode64, &t.insn);
	if (unfit(&t.insn))
		return true;
	sample_aim(random, &t.insn, addr, bytes);
	nt_insn_decode(bytes, sample->length, mode64, &t.insn);
	if (mode64 && !(t.insn.flags & NT_INSN_RIP) && random_below(random, 2))
		slot += FAR_SLOT - NEAR_SLOT;
	t.bytes = bytes;
	nt_ool_plan(bytes, sample->length, addr, slot, mode64, &t.plan);
	if (t.plan.slot_cls == NT_OOL_REFUSE) {
		counts.refused++;
		return true;
	}
	state_make(random, subject, &t.insn, addr, &t.start);
	return run(subject, &t);
}

static void report(const struct corpus *corpus)
{
	printf("{\"kinds\":%zu,\"samples\":%zu,\"executed\":%lu,\"faults\":%lu,\"boosted\":%lu,"
	       "\"stepped\":%lu,\"emulated\":%lu,\"interrupted\":%lu,\"declined\":%lu,\"refused\":%"
	       "lu,\"wrong\":%lu,"
	       "\"examples\":[",
	       corpus->kinds, corpus->count, counts.executed, counts.faults, counts.ways[WAY_BOOST],
	       counts.ways[WAY_STEP], counts.ways[WAY_EMULATE], counts.ways[WAY_INTERRUPT],
	       counts.declined, counts.refused, counts.wrong);
	for (unsigned long i = 0; i < counts.wrong && i < SHOWN; i++)
		printf("%s\"%s\"", i ? "," : "", counts.examples[i]);
	puts("]}");
}

int main(int argc, char **argv)
{
	static struct subject subject;
	struct corpus corpus;
	struct random random;
	bool mode64 = true;

	if (argc < 4) {
		fprintf(stderr, "usage: execute COUNT SEED FILE...\n");
		return 2;
	}
	corpus_init(&corpus, 4);
	for (int i = 3; i < argc; i++) {
		struct text text;

		if (!text_open(argv[i], &text) || (i > 3 && text.mode64 != mode64)) {
			fprintf(stderr, "execute: %s: no text of the width of the first file\n",
				argv[i]);
			return 2;
		}
		mode64 = text.mode64;
		corpus_add(&corpus, &text);
	}
	random.state = strtoull(argv[2], NULL, 0);
	subject_start(&subject);
	for (unsigned long n = strtoul(argv[1], NULL, 0), i = 0; i < n; i++) {
		/* every sample once, then at random */
		u64 at =
		    i < corpus.count && n >= corpus.count ? i : random_below(&random, corpus.count);

		if (!try_sample(&subject, &random, &corpus.samples[at], mode64)) {
			fprintf(stderr, "execute: the child died\n");
			return 1;
		}
	}
	subject_end(&subject);
	report(&corpus);
	return counts.wrong != 0;
}
