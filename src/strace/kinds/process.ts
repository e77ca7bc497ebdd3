import { address, type Call } from '../call';
import { quote } from '../quote';
import { signalName } from '../signals';
import { integer } from '../struct';
import { LATER, type Kinds } from './kind';

const hex = (n: bigint | number): string => (n === 0n || n === 0 ? '0' : `0x${n.toString(16)}`);

function pointer(c: Call, addr: bigint): bigint | undefined {
  const bytes = c.env.memory.some(c.pid, addr, c.abi.word);
  if (bytes === undefined || bytes.length < c.abi.word) return undefined;
  return c.abi.word === 8 ? bytes.readBigUInt64LE(0) : BigInt(bytes.readUInt32LE(0));
}

/** argv: ["ls", "-l"]. */
function strings(c: Call, addr: bigint): string {
  if (addr === 0n) return 'NULL';
  const { style } = c.env;
  const parts: string[] = [];
  for (let n = 0; ; n++) {
    const at = addr + BigInt(n * c.abi.word);
    const string = pointer(c, at);
    if (string === undefined) {
      if (n === 0) return address(addr);
      parts.push(`... /* ${address(at)} */`);
      break;
    }
    if (string === 0n) break;
    if (n >= style.strings && !style.verbose) {
      parts.push('...');
      break;
    }
    parts.push(c.string(string));
  }
  return `[${parts.join(', ')}]`;
}

/** envp: its address and how many variables it has. */
function countOfVariables(c: Call, addr: bigint): string {
  if (addr === 0n) return 'NULL';
  let count = 0;
  let ended = false;
  for (; ; count++) {
    const string = pointer(c, addr + BigInt(count * c.abi.word));
    if (string === undefined && count === 0) return address(addr);
    ended = string === 0n;
    if (string === undefined || ended) break;
  }
  const plural = count === 1 ? '' : 's';
  return `${address(addr)} /* ${count} var${plural}${ended ? '' : ', unterminated'} */`;
}

/** "[{WIFEXITED(s) && WEXITSTATUS(s) == 0}]" */
export function waitStatus(c: Call, status: number): string {
  const signal = (n: number): string => signalName(c.env.constants, n);
  const low = status & 0x7f;
  if (status === 0xffff) return '[{WIFCONTINUED(s)}]';
  if ((status & 0xff) === 0x7f) {
    const extra = status >>> 16;
    const code = (status >>> 8) & 0xff;
    const name = (code & 0x80) !== 0 ? `${signal(code & 0x7f)} | 0x80` : signal(code);
    const tail = extra === 0 ? '' : ` | ${hex(extra)} << 16`;
    return `[{WIFSTOPPED(s) && WSTOPSIG(s) == ${name}}${tail}]`;
  }
  if (low === 0) return `[{WIFEXITED(s) && WEXITSTATUS(s) == ${(status >>> 8) & 0xff}}]`;
  const core = (status & 0x80) !== 0 ? ' && WCOREDUMP(s)' : '';
  return `[{WIFSIGNALED(s) && WTERMSIG(s) == ${signal(low)}${core}}]`;
}

const RLIM64 = 0xffffffffffffffffn;
const RLIM32 = 0xffffffffn;

function limit(value: bigint, wide: boolean): string {
  if (value === (wide ? RLIM64 : RLIM32)) return wide ? 'RLIM64_INFINITY' : 'RLIM_INFINITY';
  if (value > 1024n && value % 1024n === 0n) return `${value / 1024n}*1024`;
  return String(value);
}

function rlimit(c: Call, addr: bigint, wide: boolean): string {
  const size = wide ? 8 : c.abi.word;
  const bytes = c.bytes(addr, 2 * size);
  if (bytes === undefined) return address(addr);
  const value = (n: number): bigint => integer(bytes, n * size, size, false);
  const show = (n: number): string => {
    const text = limit(value(n), size === 8);
    return text;
  };
  return `{rlim_cur=${show(0)}, rlim_max=${show(1)}}`;
}

const RUSAGE = [
  'ru_maxrss',
  'ru_ixrss',
  'ru_idrss',
  'ru_isrss',
  'ru_minflt',
  'ru_majflt',
  'ru_nswap',
  'ru_inblock',
  'ru_oublock',
  'ru_msgsnd',
  'ru_msgrcv',
  'ru_nsignals',
  'ru_nvcsw',
  'ru_nivcsw',
];

function rusage(c: Call, addr: bigint): string {
  const { word } = c.abi;
  const bytes = c.bytes(addr, (4 + RUSAGE.length) * word);
  if (bytes === undefined) return address(addr);
  const long = (n: number): bigint => integer(bytes, n * word, word, true);
  const time = (n: number): string => `{tv_sec=${long(n)}, tv_usec=${long(n + 1)}}`;
  const parts = [`ru_utime=${time(0)}`, `ru_stime=${time(2)}`];
  if (!c.env.style.verbose) parts.push('...');
  else RUSAGE.forEach((name, n) => parts.push(`${name}=${long(4 + n)}`));
  return `{${parts.join(', ')}}`;
}

const CLONE = {
  PIDFD: 0x1000n,
  PARENT_SETTID: 0x100000n,
  SETTLS: 0x80000n,
  CHILD_SETTID: 0x01000000n,
  CHILD_CLEARTID: 0x00200000n,
  INTO_CGROUP: 0x200000000n,
};

/** "CLONE_VM|CLONE_FS|SIGCHLD" */
function cloneFlags(c: Call, flags: bigint): string {
  const signo = Number(flags & 0xffn);
  const bits = flags & ~0xffn;
  const signal = signo === 0 ? '' : signalName(c.env.constants, signo);
  if (bits === 0n) return signal === '' ? '0' : signal;
  return [c.flags('clone', bits), signal].filter(Boolean).join('|');
}

/** struct clone_args of linux/sched.h, as far as size says. */
function cloneArgs(c: Call, addr: bigint, size: number): string {
  const bytes = c.bytes(addr, Math.max(64, Math.min(size, 88)));
  if (bytes === undefined || size < 64) return address(addr);
  const u64 = (n: number): bigint =>
    8 * n + 8 <= bytes.length ? bytes.readBigUInt64LE(8 * n) : 0n;
  const flags = u64(0);
  const has = (bit: bigint): boolean => (flags & bit) !== 0n;
  const parts = [`flags=${c.flags('clone', flags)}`];
  if (has(CLONE.PIDFD)) parts.push(`pidfd=${address(u64(1))}`);
  if (has(CLONE.CHILD_SETTID | CLONE.CHILD_CLEARTID)) parts.push(`child_tid=${address(u64(2))}`);
  if (has(CLONE.PARENT_SETTID)) parts.push(`parent_tid=${address(u64(3))}`);
  parts.push(
    `exit_signal=${u64(4) === 0n ? '0' : signalName(c.env.constants, Number(u64(4)))}`,
    `stack=${address(u64(5))}`,
    `stack_size=${hex(u64(6))}`,
  );
  if (has(CLONE.SETTLS)) parts.push(`tls=${address(u64(7))}`);
  if (u64(8) !== 0n || u64(9) !== 0n)
    parts.push(`set_tid=${address(u64(8))}`, `set_tid_size=${u64(9)}`);
  if (has(CLONE.INTO_CGROUP)) parts.push(`cgroup=${u64(10)}`);
  c.saved = { flags, pidfd: u64(1), parentTid: u64(3) };
  return `{${parts.join(', ')}}`;
}

/** " => {parent_tid=[123]}" */
function cloneResults(c: Call): string {
  const saved = c.saved as { flags: bigint; pidfd: bigint; parentTid: bigint } | undefined;
  if (saved === undefined || c.failed) return '';
  const parts: string[] = [];
  const number = (name: string, addr: bigint): void => {
    const bytes = c.bytes(addr, 4);
    parts.push(`${name}=${bytes === undefined ? address(addr) : `[${bytes.readInt32LE(0)}]`}`);
  };
  if ((saved.flags & CLONE.PIDFD) !== 0n) number('pidfd', saved.pidfd);
  if ((saved.flags & CLONE.PARENT_SETTID) !== 0n) number('parent_tid', saved.parentTid);
  return parts.length > 0 ? ` => {${parts.join(', ')}}` : '';
}

/** "[0 1 5]": the processors of a mask. */
function processors(c: Call, addr: bigint, length: number): string {
  const bytes = c.bytes(addr, Math.min(length, 8192));
  if (bytes === undefined) return address(addr);
  const list: number[] = [];
  bytes.forEach((byte, n) => {
    for (let bit = 0; bit < 8; bit++) if ((byte >> bit) & 1) list.push(8 * n + bit);
  });
  return `[${list.join(' ')}]`;
}

const UTS = ['sysname', 'nodename', 'release', 'version', 'machine', 'domainname'];
const UTS_LENGTH = 65;

export const PROCESS: Kinds = {
  argv: () => (c, i) => strings(c, c.ulong(i)),
  envp: () => (c, i) =>
    c.env.style.verbose ? strings(c, c.ulong(i)) : countOfVariables(c, c.ulong(i)),
  waitstatus: () => (c, i) => {
    const addr = c.ulong(i);
    if (c.result === 0n) return address(addr);
    const bytes = c.bytes(addr, 4);
    return bytes === undefined ? address(addr) : waitStatus(c, bytes.readUInt32LE(0));
  },
  rusage: () => (c, i) => {
    const addr = c.ulong(i);
    return c.result > 0n || c.nr !== c.abi.numbers.wait4 ? rusage(c, addr) : address(addr);
  },
  rlimit: () => (c, i) => rlimit(c, c.ulong(i), false),
  rlimit64: () => (c, i) => rlimit(c, c.ulong(i), true),
  /** clone's flags and stack stand in another order than its arguments. */
  clonestack: () => (c) => `child_stack=${address(c.ulong(1))}`,
  cloneflags: () => (c) => {
    const text = `flags=${cloneFlags(c, c.ulong(0))}`;
    return text;
  },
  clonetids: () => (c) => {
    if (!c.exiting) return LATER;
    const flags = c.ulong(0);
    const [tls, child] = c.abi.word === 8 ? [4, 3] : [3, 4];
    const parts: string[] = [];
    if ((flags & (CLONE.PARENT_SETTID | CLONE.PIDFD)) !== 0n) {
      const addr = c.ulong(2);
      const bytes = c.bytes(addr, 4);
      parts.push(`parent_tid=${bytes === undefined ? address(addr) : `[${bytes.readInt32LE(0)}]`}`);
    }
    if ((flags & CLONE.SETTLS) !== 0n) parts.push(`tls=${address(c.ulong(tls))}`);
    if ((flags & (CLONE.CHILD_SETTID | CLONE.CHILD_CLEARTID)) !== 0n) {
      parts.push(`child_tidptr=${address(c.ulong(child))}`);
    }
    return parts.length > 0 ? parts.join(', ') : undefined;
  },
  cloneargs: () => (c) => cloneArgs(c, c.ulong(0), Number(c.ulong(1))),
  clonesize: () => (c) => {
    if (!c.exiting) return LATER;
    c.glue = cloneResults(c);
    return String(c.ulong(1));
  },
  cpus: (param) => (c, i) => {
    if (param === 'ret')
      return c.failed ? address(c.ulong(i)) : processors(c, c.ulong(i), Number(c.result));
    return processors(c, c.ulong(i), Number(c.ulong(Number(param))));
  },
  sched: () => (c, i) => {
    const value = c.uint(i);
    const reset = (value & 0x40000000) !== 0;
    const name = c.choice('sched', value & ~0x40000000);
    return reset ? `${name}|SCHED_RESET_ON_FORK` : name;
  },
  schedparam: () => (c, i) => {
    const addr = c.ulong(i);
    const bytes = c.bytes(addr, 4);
    return bytes === undefined ? address(addr) : `[${bytes.readInt32LE(0)}]`;
  },
  groups: (param) => (c, i) => {
    const addr = c.ulong(i);
    const count = param === 'ret' ? Number(c.result) : c.uint(Number(param));
    if (count === 0 && addr !== 0n && !c.failed) return '[]';
    const shown = Math.min(count, c.env.style.verbose ? 65536 : c.env.style.strings);
    const bytes = c.bytes(addr, 4 * shown);
    if (bytes === undefined) return address(addr);
    const list = Array.from({ length: shown }, (_, n) => String(bytes.readUInt32LE(4 * n)));
    if (shown < count) list.push('...');
    return `[${list.join(', ')}]`;
  },
  ids: () => (c, i) => {
    const addr = c.ulong(i);
    const bytes = c.bytes(addr, 4);
    return bytes === undefined ? address(addr) : `[${bytes.readUInt32LE(0)}]`;
  },
  uname: () => (c, i) => {
    const addr = c.ulong(i);
    const bytes = c.bytes(addr, UTS.length * UTS_LENGTH);
    if (bytes === undefined) return address(addr);
    const shown = c.env.style.verbose ? UTS.length : 2;
    const parts = UTS.slice(0, shown).map((name, n) => {
      const start = n * UTS_LENGTH;
      const end = bytes.indexOf(0, start);
      return `${name}=${quote(bytes, start, end < 0 ? start + UTS_LENGTH : end, c.env.style.hex)}`;
    });
    if (!c.env.style.verbose) parts.push('...');
    return `{${parts.join(', ')}}`;
  },
  sysinfo: () => (c, i) => {
    const addr = c.ulong(i);
    const { word } = c.abi;
    const bytes = c.bytes(addr, word === 8 ? 112 : 64);
    if (bytes === undefined) return address(addr);
    const long = (n: number): bigint => integer(bytes, n * word, word, false);
    const names = ['totalram', 'freeram', 'sharedram', 'bufferram', 'totalswap', 'freeswap'];
    const after = 10 * word;
    const high = word === 8 ? 11 : 11;
    return (
      `{uptime=${long(0)}, loads=[${long(1)}, ${long(2)}, ${long(3)}], ` +
      `${names.map((name, n) => `${name}=${long(4 + n)}`).join(', ')}, ` +
      `procs=${bytes.readUInt16LE(after)}, totalhigh=${long(high)}, freehigh=${long(high + 1)}, ` +
      `mem_unit=${bytes.readUInt32LE((high + 2) * word)}}`
    );
  },
  capheader: () => (c, i) => {
    const addr = c.ulong(i);
    const bytes = c.bytes(addr, 8);
    if (bytes === undefined) return address(addr);
    const versions: Record<number, string> = {
      0x19980330: '_LINUX_CAPABILITY_VERSION_1',
      0x20071026: '_LINUX_CAPABILITY_VERSION_2',
      0x20080522: '_LINUX_CAPABILITY_VERSION_3',
    };
    const version = bytes.readUInt32LE(0);
    return `{version=${versions[version] ?? `${hex(version)} /* _LINUX_CAPABILITY_VERSION_??? */`}, pid=${bytes.readInt32LE(4)}}`;
  },
};
