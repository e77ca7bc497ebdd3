import { native } from '../../native';

/** The system calls of x86-64 that a small threaded program makes: name and count of arguments. */
const CALLS: Record<number, [name: string, args: number]> = {
  0: ['read', 3],
  1: ['write', 3],
  3: ['close', 1],
  8: ['lseek', 3],
  9: ['mmap', 6],
  10: ['mprotect', 3],
  11: ['munmap', 2],
  12: ['brk', 1],
  13: ['rt_sigaction', 4],
  14: ['rt_sigprocmask', 4],
  16: ['ioctl', 3],
  17: ['pread64', 4],
  21: ['access', 2],
  28: ['madvise', 3],
  56: ['clone', 5],
  59: ['execve', 3],
  60: ['exit', 1],
  157: ['prctl', 2],
  158: ['arch_prctl', 2],
  202: ['futex', 4],
  218: ['set_tid_address', 1],
  231: ['exit_group', 1],
  257: ['openat', 3],
  262: ['newfstatat', 4],
  273: ['set_robust_list', 2],
  302: ['prlimit64', 4],
  318: ['getrandom', 3],
  334: ['rseq', 4],
  435: ['clone3', 2],
};

/** Which argument points at text, and which says how long it is (none: it ends with a NUL). */
const TEXT: Record<string, { at: number; length?: number }> = {
  write: { at: 1, length: 2 },
  openat: { at: 1 },
  access: { at: 0 },
  prctl: { at: 1 }, // PR_SET_NAME
};

const MAX_TEXT = 48;

export function syscallName(nr: bigint): string {
  return CALLS[Number(nr)]?.[0] ?? `syscall ${nr}`;
}

/** "write(3, "anna baked 2\n", 13)"; read gives the program's bytes at an address. */
export function syscallText(
  nr: bigint,
  args: readonly bigint[],
  read: (addr: bigint, length: number) => Buffer,
): string {
  const [name, count] = CALLS[Number(nr)] ?? [`syscall ${nr}`, 6];
  const text = TEXT[name];
  const shown = args.slice(0, count).map((arg, index) => {
    if (text?.at !== index) return number(arg);
    const size = text.length === undefined ? MAX_TEXT : Number(args[text.length]);
    const bytes = read(arg, Math.min(size, MAX_TEXT)).toString('latin1');
    return JSON.stringify(text.length === undefined ? bytes.split('\0')[0] : bytes);
  });
  return `${name}(${shown.join(', ')})`;
}

// an int may stand in the low half alone
function number(value: bigint): string {
  const signed = BigInt.asIntN(value >> 32n === 0n ? 32 : 64, value);
  return signed > -4096n && signed < 4096n ? String(signed) : `0x${value.toString(16)}`;
}

// ERESTARTSYS to ERESTART_RESTARTBLOCK: a stop came in between, the kernel calls it again
const RESTARTS: readonly number[] = [512, 513, 514, 516];

/** A result as a person reads it: a number, an error's name, or that the call goes on later. */
export function resultText(value: bigint): string {
  const signed = BigInt.asIntN(64, value);
  const errno = Number(-signed);
  if (RESTARTS.includes(errno)) return '... (interrupted, goes on)';
  if (errno > 0 && errno < 4096) return `-1 ${native.errnoName(errno)}`;
  return signed < 4096n ? String(signed) : `0x${value.toString(16)}`;
}
