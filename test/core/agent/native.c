// SPDX-License-Identifier: GPL-2.0
/*
 * Builds pads of conditions and runs through them, one command a line on standard input, one line
 * of JSON on standard output for each pad. Memory and registers are what earlier lines said; they
 * are real: this program lies low, so that what they are of can lie where it was.
 *
 *	reg N VALUE | mem ADDR HEX | file ADDR PATH | marked ADDR
 *	pad HEX,HEX,...		numbers of registers as gdb counts them
 *
 * A pad is run twice: once straight on, once step by step, and then at each of its instructions
 * the thread is taken out of it, which has to give the registers it came with.
 */
#include "agent_pad.h"

#include <err.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <fcntl.h>
#include <ucontext.h>
#include <unistd.h>

#define TF 0x100
#define FLAGS 0xcd5 /* carry parity adjust zero sign direction overflow */
#define PAGE 4096

/* As struct nt_ool_regs: 16 registers, ip, flags. */
struct nt_ool_regs wanted, seen;
unsigned long own_sp;
extern char came_back[], passed[];
long run_pad(void *entry);

/* Loads all registers, jumps to the pad; "passed" is where a false condition leads. */
__asm__(".text\n"
	".globl run_pad, passed, came_back\n"
	"run_pad: push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15\n"
	"	mov %rdi, entry(%rip)\n"
	"	mov %rsp, own_sp(%rip)\n"
	"	push wanted+136(%rip)\n"
	"	popfq\n"
	"	mov wanted(%rip), %rax\n"
	"	mov wanted+8(%rip), %rcx\n"
	"	mov wanted+16(%rip), %rdx\n"
	"	mov wanted+24(%rip), %rbx\n"
	"	mov wanted+32(%rip), %rsp\n"
	"	mov wanted+40(%rip), %rbp\n"
	"	mov wanted+48(%rip), %rsi\n"
	"	mov wanted+56(%rip), %rdi\n"
	"	mov wanted+64(%rip), %r8\n"
	"	mov wanted+72(%rip), %r9\n"
	"	mov wanted+80(%rip), %r10\n"
	"	mov wanted+88(%rip), %r11\n"
	"	mov wanted+96(%rip), %r12\n"
	"	mov wanted+104(%rip), %r13\n"
	"	mov wanted+112(%rip), %r14\n"
	"	mov wanted+120(%rip), %r15\n"
	"	jmp *entry(%rip)\n"
	"passed: int3\n" /* the handler has the registers, and goes on below */
	"came_back: mov own_sp(%rip), %rsp\n"
	"	cld\n"
	"	pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx\n"
	"	ret\n"
	".local entry\n"
	".comm entry,8,8\n");

static const int order[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP,
			      REG_RSI, REG_RDI, REG_R8,	 REG_R9,  REG_R10, REG_R11,
			      REG_R12, REG_R13, REG_R14, REG_R15};
/* gdb's numbers */
static const u8 numbers[] = {0, 3, 1, 2, 6, 7, 5, 4, 8, 9, 10, 11, 12, 13, 14, 15, NT_PAD_RIP};

static struct nt_pad pad;
static u8 *page; /* code, and behind it filter and counter */
static u64 addr; /* of the breakpoint */
static u32 steps, wrong;
static bool counted;
static const char *result;

static int read_stack(void *context, u64 from, void *to, u32 size)
{
	(void)context;
	memcpy(to, (void *)from, size);
	return 0;
}

/* Are those the registers it came with? */
static bool same(const struct nt_ool_regs *regs, u64 ip)
{
	for (int i = 0; i < 16; i++)
		if (regs->gpr[i] != wanted.gpr[i])
			return false;
	return regs->ip == ip && !((regs->flags ^ wanted.flags) & FLAGS);
}

static void look(struct nt_ool_regs *regs)
{
	struct nt_ool_ops ops = {read_stack, NULL, NULL};
	bool done = *(u64 *)pad.counter != 0;
	u8 place = nt_pad_leave(&pad, regs, &ops);
	u64 ip = place == NT_PAD_TRAPPED ? addr + 1 : addr;

	steps++;
	if (place == NT_PAD_OUTSIDE || place == NT_PAD_FAULT || !same(regs, ip) ||
	    (place == NT_PAD_PASSED) != done)
		wrong++;
}

static void handler(int signo, siginfo_t *info, void *context)
{
	greg_t *gregs = ((ucontext_t *)context)->uc_mcontext.gregs;
	struct nt_ool_regs regs;
	u64 ip = (u64)gregs[REG_RIP];
	bool inside = ip - pad.at <= pad.length;

	for (int i = 0; i < 16; i++)
		regs.gpr[i] = (u64)gregs[order[i]];
	regs.ip = ip;
	regs.flags = (u64)gregs[REG_EFL];
	if (signo == SIGTRAP && info->si_code == TRAP_TRACE) {
		if (inside)
			look(&regs);
		return;
	}
	if (signo == SIGTRAP && ip == (u64)passed + 1) {
		result = "pass";
		if (!same(&regs, ip))
			wrong++;
	} else if (inside) {
		result = signo == SIGTRAP ? "trap" : "fault";
		look(&regs);
	} else {
		static const char text[] = "a signal outside of the pad\n";

		(void)!write(2, text, sizeof(text) - 1);
		_exit(3);
	}
	counted = *(u64 *)pad.counter != 0;
	gregs[REG_RIP] = (greg_t)came_back;
	gregs[REG_EFL] &= ~TF;
}

static void map(u64 start, const void *bytes, size_t len)
{
	u64 first = start & -(u64)PAGE;
	size_t whole = (start + len - first + PAGE - 1) & -(size_t)PAGE;
	void *at = mmap((void *)first, whole, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	if (at != (void *)first)
		err(1, "no memory at %#llx", (unsigned long long)first);
	memcpy((void *)start, bytes, len);
}

static void map_file(u64 start, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	void *bytes;

	if (fd < 0 || fstat(fd, &st) < 0)
		err(1, "%s", path);
	bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (bytes == MAP_FAILED)
		err(1, "%s", path);
	map(start, bytes, (size_t)st.st_size);
	munmap(bytes, (size_t)st.st_size);
	close(fd);
}

static u32 unhex(const char *hex, u8 *out)
{
	u32 len = (u32)strlen(hex) / 2;

	for (u32 i = 0; i < len; i++)
		sscanf(hex + 2 * i, "%2hhx", &out[i]);
	return len;
}

static void run(char *hex)
{
	static u8 bytes[1 << 16], twice[NT_PAD_MAX];
	static u32 work[1 << 16];
	struct nt_pad_code codes[64];
	struct nt_pad elsewhere = {.at = 0x5000};
	u32 count = 0, used = 0;
	const char *first;

	for (char *one = strtok(hex, ","); one && count < 64; one = strtok(NULL, ",")) {
		codes[count].code = bytes + used;
		codes[count].len = unhex(one, bytes + used);
		used += codes[count++].len;
	}
	pad = (struct nt_pad){.at = (u64)page, .addr = addr, .pass = (u64)passed};
	pad.filter = (u64)page + PAGE;
	pad.counter = pad.filter + NT_PAD_FILTER_BYTES;
	if (!nt_pad_build(&pad, codes, count, numbers, sizeof(numbers), work, page, PAGE)) {
		printf("{\"built\":false}\n");
		return;
	}
	/* planned for no place yet, as long */
	if (!nt_pad_build(&elsewhere, codes, count, numbers, sizeof(numbers), work, twice,
			  sizeof(twice)) ||
	    elsewhere.length != pad.length)
		errx(1, "its length depends on its place");
	steps = wrong = 0;
	*(u64 *)pad.counter = 0;
	wanted.flags = 0x202 | (pad.length & 1 ? 0x8d5 : 0x400); /* all of them, or DF alone */
	run_pad(page);
	first = result;
	if (counted != !strcmp(result, "pass"))
		wrong++;
	*(u64 *)pad.counter = 0;
	wanted.flags |= TF;
	run_pad(page);
	if (strcmp(first, result))
		wrong++;
	printf("{\"built\":true,\"result\":\"%s\",\"steps\":%u,\"wrong\":%u,\"length\":%u}\n",
	       result, steps, wrong, pad.length);
}

int main(void)
{
	static char alternate[1 << 16], line[1 << 18];
	stack_t stack = {.ss_sp = alternate, .ss_size = sizeof(alternate)};
	struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_ONSTACK};
	static const int signals[] = {SIGTRAP, SIGSEGV, SIGBUS, SIGFPE, SIGILL};

	page = mmap((void *)0x10000000, 2 * PAGE, PROT_READ | PROT_WRITE | PROT_EXEC,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	if (page == MAP_FAILED)
		err(1, "no memory for the pad");
	sigaltstack(&stack, NULL);
	for (unsigned i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaction(signals[i], &action, NULL);
	while (fgets(line, sizeof(line), stdin)) {
		const char *verb, *first;
		char *second;
		u64 value;

		line[strcspn(line, "\n")] = '\0';
		verb = strtok(line, " ");
		first = strtok(NULL, " ");
		second = strtok(NULL, " ");
		if (!verb || !first)
			continue;
		value = strtoull(first, NULL, 0);
		if (!strcmp(verb, "reg")) {
			u64 is = second ? strtoull(second, NULL, 0) : 0;

			if (value < 16)
				wanted.gpr[numbers[value]] = is;
			else if (value == 16)
				addr = is;
		} else if (!strcmp(verb, "mem") && second) {
			static u8 bytes[1 << 16];

			map(value, bytes, unhex(second, bytes));
		} else if (!strcmp(verb, "file") && second) {
			map_file(value, second);
		} else if (!strcmp(verb, "marked")) {
			u32 bit = nt_pad_filter_bit(value);

			page[PAGE + bit / 8] ^= (u8)(1 << bit % 8);
		} else if (!strcmp(verb, "pad")) {
			run((char *)first);
		} else {
			errx(1, "no command %s", verb);
		}
	}
	return 0;
}
