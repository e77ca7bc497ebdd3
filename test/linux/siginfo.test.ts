import { execFileSync } from 'node:child_process';
import { fromCompatSiginfo, toCompatSiginfo } from '../../src/engine/linux/siginfo';
import { multilib, testIf } from '../gdb/support/needs';
import { Workshop } from './program';

// The same fields written by a 64-bit and by a 32-bit program, in their own siginfo_t.

const PROGRAM = `
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <string.h>
static siginfo_t info;
static void start(int signo, int code)
{
  memset(&info, 0, sizeof info);
  info.si_signo = signo;
  info.si_errno = 0x1234;
  info.si_code = code;
}
static void print(const char *name)
{
  printf("%s ", name);
  for (unsigned i = 0; i < sizeof info; i++) printf("%02x", ((unsigned char *) &info)[i]);
  puts("");
}
int main(void)
{
  start(SIGUSR1, SI_USER); info.si_pid = 77; info.si_uid = 4000000000u; print("kill");
  start(SIGRTMIN + 1, SI_QUEUE); info.si_pid = 78; info.si_uid = 5; info.si_value.sival_int = 0x7eadbeef; print("queue");
  start(SIGTERM, SI_TKILL); info.si_pid = 79; info.si_uid = 6; print("tkill");
  start(SIGALRM, SI_TIMER); info.si_timerid = 9; info.si_overrun = -3; info.si_value.sival_int = 11; print("timer");
  start(SIGCHLD, CLD_EXITED); info.si_pid = 80; info.si_uid = 7; info.si_status = -2; info.si_utime = 100; info.si_stime = 200; print("child");
  start(SIGSEGV, SEGV_MAPERR); info.si_addr = (void *) 0xf1234567; print("segv");
  start(SIGSEGV, SEGV_BNDERR); info.si_addr = (void *) 0x8; info.si_lower = (void *) 0x10; info.si_upper = (void *) 0xf0000020; print("bounds");
  start(SIGSEGV, SEGV_PKUERR); info.si_addr = (void *) 0x18; info.si_pkey = 12; print("pkey");
  start(SIGBUS, BUS_MCEERR_AO); info.si_addr = (void *) 0x28; info.si_addr_lsb = 12; print("memory");
  start(SIGFPE, FPE_INTDIV); info.si_addr = (void *) 0x38; print("fpe");
  start(SIGILL, ILL_ILLOPC); info.si_addr = (void *) 0x48; print("ill");
  start(SIGPOLL, POLL_IN); info.si_band = 0x41; info.si_fd = 30; print("poll");
  start(SIGSYS, 1); info.si_call_addr = (void *) 0x58; info.si_syscall = -1; info.si_arch = 0xc000003e; print("sys");
  start(SIGTRAP, SI_KERNEL); print("kernel");
  return 0;
}`;

let shop: Workshop;
let narrow: Map<string, Buffer>;
const missing = multilib();
let wide: Map<string, Buffer>;
beforeAll(() => {
  shop = new Workshop();
  const dump = (...flags: string[]): Map<string, Buffer> => {
    const file = shop.compile(`siginfo${flags.join('')}`, PROGRAM, ...flags);
    const lines = execFileSync(file, { encoding: 'utf8' }).trim().split('\n');
    return new Map(
      lines.map((line) => [line.split(' ')[0]!, Buffer.from(line.split(' ')[1]!, 'hex')]),
    );
  };
  wide = dump();
  if (missing === '') narrow = dump('-m32');
});
afterAll(() => shop.close());

testIf(missing)('every kind, both ways', () => {
  expect(wide.size).toBe(14);
  for (const [name, native] of wide) {
    const compat = narrow.get(name)!;
    expect([name, toCompatSiginfo(native).toString('hex')]).toEqual([name, compat.toString('hex')]);
    expect([name, fromCompatSiginfo(compat).toString('hex')]).toEqual([
      name,
      native.toString('hex'),
    ]);
  }
});

test('what a client leaves alone keeps its upper half', () => {
  const native = Buffer.from(wide.get('queue')!);
  native.writeUInt32LE(0xdeadbeef, 28); // of si_ptr
  const compat = toCompatSiginfo(native);
  expect(fromCompatSiginfo(compat, native)).toEqual(native);
  compat.writeUInt32LE(5, 12);
  const changed = Buffer.from(native);
  changed.writeUInt32LE(5, 16);
  expect(fromCompatSiginfo(compat, native)).toEqual(changed);
  compat.writeInt32LE(11, 0); // another signal: other members
  expect(fromCompatSiginfo(compat, native).readUInt32LE(28)).toBe(0);
});

test('short input', () => {
  expect(() => toCompatSiginfo(Buffer.alloc(127))).toThrow(RangeError);
  expect(() => fromCompatSiginfo(Buffer.alloc(0))).toThrow(RangeError);
});
