import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { spawn } from 'node:child_process';
import readline from 'node:readline';
import type { ArchDescriptor, RegsetReader } from '../../src/engine/arch';
import { archOfElfHeader, i386, x86_64 } from '../../src/engine/arch';
import { compiler, describeEach } from '../gdb/support/needs';
import { Workshop } from '../linux/program';
import fs from 'node:fs';

// A program that loads known values and traps, and a tracer that moves raw regsets: the kernel's
// own layouts, and what it makes of the sets we change.

const TRACER = `
#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>
int main(int argc, char **argv)
{
  int status;
  unsigned note;
  static char line[1 << 18], hex[1 << 18];
  static unsigned char buf[1 << 16];
  pid_t pid = fork();
  if (pid == 0) { ptrace(PTRACE_TRACEME, 0, 0, 0); execv(argv[1], argv + 1); _exit(127); }
  waitpid(pid, &status, 0);
  ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_EXITKILL);
  ptrace(PTRACE_CONT, pid, 0, 0);
  waitpid(pid, &status, 0);
  while (fgets(line, sizeof line, stdin)) {
    struct iovec iov = { buf, sizeof buf };
    if (sscanf(line, "get %x", &note) == 1) {
      long r = ptrace(PTRACE_GETREGSET, pid, note, &iov);
      for (size_t i = 0; r == 0 && i < iov.iov_len; i++) printf("%02x", buf[i]);
      puts("");
    } else if (sscanf(line, "set %x %s", &note, hex) == 2) {
      iov.iov_len = strlen(hex) / 2;
      for (size_t i = 0; i < iov.iov_len; i++) { unsigned b; sscanf(hex + 2 * i, "%2x", &b); buf[i] = b; }
      printf("%ld\\n", ptrace(PTRACE_SETREGSET, pid, note, &iov));
    } else if (!strcmp(line, "stop\\n")) {
      printf("%x\\n", status);
    }
    fflush(stdout);
  }
  return 0;
}`;

const PROGRAM = `
static const unsigned char pattern[64] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16,
  17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40,
  41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63, 64 };
__thread int tls;
int main(int argc, char **argv)
{
  tls = argc;
#ifdef AVX512
  asm volatile("vmovdqu64 (%0), %%zmm5; kmovq %1, %%k3" : : "r"(pattern), "m"(*pattern));
#ifdef __x86_64__
  asm volatile("vmovdqu64 (%0), %%zmm21" : : "r"(pattern));
#endif
#elif defined(AVX)
  asm volatile("vmovdqu (%0), %%ymm5" : : "r"(pattern));
#endif
  asm volatile("movdqu (%0), %%xmm2; fninit; fld1; fldz; fldpi" : : "r"(pattern));
#ifdef __x86_64__
  asm volatile("mov $0x1122334455667788, %%rax; mov $0x2233, %%rbx; mov $0x7788, %%r15; int3"
               : : : "rax", "rbx", "r15", "memory");
#else
  asm volatile("mov $0x11223344, %%eax; mov $0x2233, %%ecx; mov $0x7788, %%edi; int3"
               : : : "eax", "ecx", "edi", "memory");
#endif
  return 0;
}`;

class Traced {
  private readonly child: ChildProcessWithoutNullStreams;
  private readonly lines: AsyncIterator<string>;
  private readonly sets = new Map<number, Buffer>();

  constructor(tracer: string, program: string) {
    this.child = spawn(tracer, [program]);
    this.lines = readline.createInterface({ input: this.child.stdout })[Symbol.asyncIterator]();
  }
  async ask(line: string): Promise<string> {
    this.child.stdin.write(`${line}\n`);
    return (await this.lines.next()).value as string;
  }
  async fetch(notes: readonly number[]): Promise<void> {
    for (const note of notes) {
      const hex = await this.ask(`get ${note.toString(16)}`);
      if (hex) this.sets.set(note, Buffer.from(hex, 'hex'));
      else this.sets.delete(note);
    }
  }
  readonly regset: RegsetReader = (note) => this.sets.get(note);
  /** 0, or -1 where the kernel refuses. */
  store(note: number): Promise<string> {
    return this.ask(`set ${note.toString(16)} ${this.sets.get(note)!.toString('hex')}`);
  }
  close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.child.once('close', () => resolve()));
    this.child.stdin.end();
    return closed;
  }
}

const NT_386_TLS = 0x200;
const PATTERN = Buffer.from(Array.from({ length: 64 }, (_, i) => i + 1));
const slice = (from: number, to: number): string => PATTERN.toString('hex', from, to);

let shop: Workshop;
let tracer: string;
beforeAll(() => {
  shop = new Workshop();
  tracer = shop.compile('tracer', TRACER);
});
afterAll(() => shop.close());

describeEach(
  [
    ['x86-64', x86_64, [], { rax: 0x1122334455667788n, rbx: 0x2233n, r15: 0x7788n }],
    ['i386', i386, ['-m32'], { eax: 0x11223344n, ecx: 0x2233n, edi: 0x7788n }],
  ] as const,
  ([, , flags]) => compiler(flags),
  ([name, describeArch, flags, integers]) => {
    let arch: ArchDescriptor;
    let traced: Traced;
    let avx: boolean;
    let avx512: boolean;
    beforeAll(async () => {
      arch = describeArch();
      avx = arch.byName.has('ymm0h');
      avx512 = arch.byName.has('k0');
      const options = [...(avx512 ? ['-DAVX512'] : avx ? ['-DAVX'] : []), ...flags];
      const program = shop.compile(`program-${name}`, PROGRAM, '-mno-sse', '-O0', ...options);
      expect(archOfElfHeader(fs.readFileSync(program))).toBe(arch);
      traced = new Traced(tracer, program);
      expect(await traced.ask('stop')).toBe('57f'); // stopped by SIGTRAP
      await traced.fetch([...arch.notes, NT_386_TLS]);
    });
    afterAll(() => traced.close());

    const hex = (register: string): string =>
      arch.getRegister(arch.byName.get(register)!, traced.regset)!.toString('hex');
    const number = (register: string): bigint =>
      BigInt(`0x${Buffer.from(hex(register), 'hex').reverse().toString('hex')}`);

    test('every register of the description is there', () => {
      const available = arch.toG(traced.regset, Buffer.alloc(arch.gSize), 0);
      expect(arch.registers.filter((_, i) => !available[i]).map((reg) => reg.name)).toEqual([]);
    });

    test('integer registers', () => {
      for (const [register, value] of Object.entries(integers))
        expect(number(register)).toBe(value);
      expect(number(arch.syscall.nr)).toBe(BigInt.asUintN(8 * arch.wordSize, -1n));
      expect(number('eflags') & 2n).toBe(2n);
      expect(number('cs') & 3n).toBe(3n);
      expect(number(arch.sp.name)).toBeGreaterThan(0x1000n);
    });

    test('x87 state', () => {
      expect(hex('st0')).toBe('35c26821a2da0fc90040'); // pi
      expect(hex('st1')).toBe('00000000000000000000');
      expect(hex('st2')).toBe('0000000000000080ff3f');
      expect(number('fctrl')).toBe(0x37fn);
      expect(number('fstat') >> 11n).toBe(5n);
      // physical 7: one, valid; 6: zero; 5: pi, valid; the rest is empty
      expect(number('ftag')).toBe(0x13ffn);
    });

    test('vector state', () => {
      expect(hex('xmm2')).toBe(slice(0, 16));
      expect(number('mxcsr')).toBe(0x1f80n);
      if (avx) expect(hex('ymm5h')).toBe(slice(16, 32));
      if (!avx512) return;
      expect(hex('zmm5h')).toBe(slice(32, 64));
      expect(hex('k3')).toBe(slice(0, 8));
      if (!arch.byName.has('zmm21h')) return;
      expect([hex('xmm21'), hex('ymm21h'), hex('zmm21h')]).toEqual([
        slice(0, 16),
        slice(16, 32),
        slice(32, 64),
      ]);
    });

    test('the thread pointer', () => {
      const pointer = arch.threadPointer(traced.regset)!;
      expect(pointer).toBeGreaterThan(0x10000n);
      expect(pointer & 15n).toBe(0n);
      if (arch.wordSize === 8) expect(pointer).toBe(number('fs_base'));
    });

    test('the kernel takes what we change, and only that changes', async () => {
      const before = Buffer.alloc(arch.gSize);
      arch.toG(traced.regset, before, 0);
      const want = Buffer.from(before);
      const put = (register: string, value: string): void => {
        const reg = arch.byName.get(register);
        if (reg) want.write(value, reg.gOffset, 'hex');
      };
      put(Object.keys(integers)[1]!, '78563412');
      put('xmm7', slice(8, 24));
      put('ymm1h', slice(3, 19));
      put('zmm1h', slice(30, 62));
      put('xmm30', slice(1, 17));
      put('k7', slice(5, 13));
      put('mxcsr', 'a01f0000');
      put('st3', '0000000000000080ff3f');
      put('fop', '23010000');
      const notes = arch.fromG(want, traced.regset);
      expect([...notes].sort()).toEqual([...arch.notes].sort());
      for (const note of notes) expect(await traced.store(note)).toBe('0');
      await traced.fetch(arch.notes);
      const after = Buffer.alloc(arch.gSize);
      arch.toG(traced.regset, after, 0);
      const differing = arch.registers.filter(
        (reg) =>
          after.toString('hex', reg.gOffset, reg.gOffset + reg.size) !==
          want.toString('hex', reg.gOffset, reg.gOffset + reg.size),
      );
      expect(differing.map((reg) => reg.name)).toEqual([]);
    });
  },
);
