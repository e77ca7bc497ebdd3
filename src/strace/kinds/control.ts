import { address, type Call } from '../call';
import { signalName } from '../signals';
import { structureAt } from '../struct';
import { openFlags } from './files';
import { LATER, type Kind, type Kinds } from './kind';

const hex = (n: bigint | number): string => (n === 0n || n === 0 ? '0' : `0x${n.toString(16)}`);

// ---- futex: the operation says which arguments there are

const FUTEX_PRIVATE = 128;
const FUTEX_CLOCK_REALTIME = 256;
const BITSET_ALL = 0xffffffff;

function futexOperation(c: Call): string {
  const value = c.uint(1);
  const command = value & 127;
  const name = c.env.constants.set('futex').name(BigInt(command));
  if (name === undefined) return `${hex(value)} /* FUTEX_??? */`;
  const suffix = (value & FUTEX_PRIVATE) !== 0 ? '_PRIVATE' : '';
  const clock = (value & FUTEX_CLOCK_REALTIME) !== 0 ? '|FUTEX_CLOCK_REALTIME' : '';
  return `${name}${suffix}${clock}`;
}

const OPERATIONS = ['FUTEX_OP_SET', 'FUTEX_OP_ADD', 'FUTEX_OP_OR', 'FUTEX_OP_ANDN', 'FUTEX_OP_XOR'];
const COMPARISONS = ['EQ', 'NE', 'LT', 'LE', 'GT', 'GE'];

/** The encoded operation of FUTEX_WAKE_OP; linux/futex.h. */
function wakeOperation(value: number): string {
  const op = (value >>> 28) & 7;
  const shift = value >>> 31 ? 'FUTEX_OP_OPARG_SHIFT<<28|' : '';
  const comparison = (value >>> 24) & 15;
  const number = (n: number): string => hex(n & 0xfff);
  return (
    `${shift}${OPERATIONS[op] ?? hex(op)}<<28|${number(value >>> 12)}<<12|` +
    `FUTEX_OP_CMP_${COMPARISONS[comparison] ?? hex(comparison)}<<24|${number(value)}`
  );
}

/** By FUTEX_ number: what stands behind the operation. v: val, t: timeout, 2: val2, a: uaddr2, 3, b: bitset, o */
const FUTEX_ARGUMENTS: Record<number, string> = {
  0: 'vt',
  1: 'v',
  2: 'v',
  3: 'v2a',
  4: 'v2a3',
  5: 'v2ao',
  6: 't',
  7: '',
  8: '',
  9: 'vtb',
  10: 'vb',
  11: 'vta',
  12: 'v2a3',
  13: 't',
};

function futexArguments(c: Call, timespec: string): string | undefined {
  const wanted = FUTEX_ARGUMENTS[c.uint(1) & 127];
  const shown: Record<string, () => string> = {
    v: () => String(c.uint(2)),
    t: () => structureAt(c, timespec, c.ulong(3)),
    '2': () => String(c.uint(3)),
    a: () => address(c.ulong(4)),
    '3': () => String(c.uint(5)),
    b: () => (c.uint(5) === BITSET_ALL ? 'FUTEX_BITSET_MATCH_ANY' : hex(c.uint(5))),
    o: () => wakeOperation(c.uint(5)),
  };
  if (wanted === undefined) {
    return [String(c.uint(2)), address(c.ulong(3)), address(c.ulong(4)), hex(c.uint(5))].join(', ');
  }
  const parts = [...wanted].map((letter) => shown[letter]!());
  return parts.length > 0 ? parts.join(', ') : undefined;
}

// ---- fcntl

const F_GETFL = 3;
const F_GETFD = 1;

function fcntlArgument(c: Call): string | undefined | typeof LATER {
  const name = c.env.constants.set('fcntl').name(BigInt(c.uint(1)));
  const lock = c.abi.word === 8 ? 'flock' : name?.endsWith('64') ? 'flock64' : 'flock';
  switch (name) {
    case 'F_GETFL':
    case 'F_GETFD':
    case 'F_GETOWN':
    case 'F_GETSIG':
    case 'F_GETLEASE':
    case 'F_GETPIPE_SZ':
    case 'F_GET_SEALS':
      return undefined;
    case 'F_SETFD':
      return c.flags('fd_flags', c.uint(2));
    case 'F_SETFL':
      return openFlags(c, c.uint(2));
    case 'F_DUPFD':
    case 'F_DUPFD_CLOEXEC':
    case 'F_SETOWN':
    case 'F_SETPIPE_SZ':
      return String(c.long(2));
    case 'F_SETSIG':
      return signalName(c.env.constants, c.int(2));
    case 'F_SETLEASE':
      return c.choice('lock_type', c.uint(2));
    case 'F_ADD_SEALS':
      return c.flags('seals', c.uint(2));
    case 'F_GETOWN_EX':
      return c.exiting ? ownerAt(c) : LATER;
    case 'F_SETOWN_EX':
      return ownerAt(c);
    case 'F_SETLK':
    case 'F_SETLKW':
    case 'F_SETLK64':
    case 'F_SETLKW64':
    case 'F_OFD_SETLK':
    case 'F_OFD_SETLKW':
      return structureAt(c, lock, c.ulong(2));
    case 'F_GETLK':
    case 'F_GETLK64':
    case 'F_OFD_GETLK':
      return c.exiting ? structureAt(c, `${lock}_pid`, c.ulong(2)) : LATER;
    default:
      return hex(c.ulong(2));
  }
}

const OWNERS = ['F_OWNER_TID', 'F_OWNER_PID', 'F_OWNER_PGRP'];

/** struct f_owner_ex */
function ownerAt(c: Call): string {
  const addr = c.ulong(2);
  const bytes = c.bytes(addr, 8);
  if (bytes === undefined) return address(addr);
  const type = bytes.readUInt32LE(0);
  return `{type=${OWNERS[type] ?? hex(type)}, pid=${bytes.readInt32LE(4)}}`;
}

/** What F_GETFL and F_GETFD return, in words. */
function fcntlResult(c: Call): void {
  if (c.failed) return;
  const value = Number(c.result);
  const command = c.uint(1);
  const name = c.env.constants.set('fcntl').name(BigInt(command));
  if (command === F_GETFL) {
    c.resultText = hex(value);
    c.remark = `flags ${openFlags(c, value)}`;
  } else if (command === F_GETFD) {
    c.resultText = hex(value);
    if (value !== 0) c.remark = `flags ${c.flags('fd_flags', value)}`;
  } else if (name === 'F_GET_SEALS') {
    c.resultText = hex(value);
    if (value !== 0) c.remark = `seals ${c.flags('seals', value)}`;
  } else if (name === 'F_GETLEASE') {
    c.resultText = hex(value);
    c.remark = c.choice('lock_type', value);
  } else if (name === 'F_GETSIG') {
    if (value !== 0) c.remark = signalName(c.env.constants, value);
  } else if (name === 'F_DUPFD' || name === 'F_DUPFD_CLOEXEC') {
    c.resultText = c.descriptor(value);
  }
}

// ---- prctl and arch_prctl

type Show = (c: Call, i: number) => string;
const text: Show = (c, i) => c.string(c.ulong(i));
const signal: Show = (c, i) => signalName(c.env.constants, c.int(i));
const number: Show = (c, i) => String(c.ulong(i));
const plain: Show = (c, i) => hex(c.ulong(i));
const pointed: Show = (c, i) => {
  const addr = c.ulong(i);
  const bytes = c.bytes(addr, 4);
  return bytes === undefined ? address(addr) : `[${bytes.readInt32LE(0)}]`;
};
const pointedSignal: Show = (c, i) => {
  const addr = c.ulong(i);
  const bytes = c.bytes(addr, 4);
  return bytes === undefined
    ? address(addr)
    : `[${signalName(c.env.constants, bytes.readInt32LE(0))}]`;
};
const capability: Show = (c, i) => c.choice('cap', c.ulong(i));
const DUMPABLE = ['SUID_DUMP_DISABLE', 'SUID_DUMP_USER', 'SUID_DUMP_ROOT'];
const dumpable: Show = (c, i) => DUMPABLE[c.uint(i)] ?? hex(c.ulong(i));

/** Arguments behind the option; "out": they are filled in by the kernel. */
interface Option {
  show: readonly Show[];
  out?: boolean;
  remark?: (value: number) => string | undefined;
}

const PRCTL: Record<string, Option> = {
  PR_SET_NAME: { show: [text] },
  PR_GET_NAME: { show: [text], out: true },
  PR_SET_PDEATHSIG: { show: [signal] },
  PR_GET_PDEATHSIG: { show: [pointedSignal], out: true },
  PR_GET_DUMPABLE: { show: [], remark: (value) => DUMPABLE[value] },
  PR_SET_DUMPABLE: { show: [dumpable] },
  PR_GET_KEEPCAPS: { show: [] },
  PR_SET_KEEPCAPS: { show: [number] },
  PR_CAPBSET_READ: { show: [capability] },
  PR_CAPBSET_DROP: { show: [capability] },
  PR_SET_CHILD_SUBREAPER: { show: [number] },
  PR_GET_CHILD_SUBREAPER: { show: [pointed], out: true },
  PR_SET_NO_NEW_PRIVS: { show: [number, plain, plain, plain] },
  PR_GET_NO_NEW_PRIVS: { show: [plain, plain, plain, plain] },
  PR_SET_TIMERSLACK: { show: [number] },
  PR_GET_TIMERSLACK: { show: [] },
  PR_GET_SECCOMP: { show: [] },
  PR_GET_SECUREBITS: { show: [] },
  PR_GET_TIMING: { show: [] },
};

const PRCTL_DEFAULT: Option = { show: [plain, plain, plain, plain] };

function prctlArguments(c: Call): string | undefined | typeof LATER {
  const name = c.env.constants.set('prctl').name(BigInt(c.uint(0))) ?? '';
  const { show, out, remark } = PRCTL[name] ?? PRCTL_DEFAULT;
  if ((out === true || remark !== undefined) && !c.exiting) return LATER;
  c.remark = (c.failed ? undefined : remark?.(Number(c.result))) ?? '';
  return show.length > 0 ? show.map((one, n) => one(c, n + 1)).join(', ') : undefined;
}

// arch_prctl: what the kernel writes through the pointer
const ARCH_READS = new Set(['ARCH_GET_FS', 'ARCH_GET_GS']);

const archArgument: Kind = (c, i) => {
  const name = c.env.constants.set('arch_prctl').name(BigInt(c.uint(0))) ?? '';
  const addr = c.ulong(i);
  if (!ARCH_READS.has(name)) return name === 'ARCH_GET_CPUID' ? undefined : address(addr);
  if (!c.exiting) return LATER;
  const bytes = c.bytes(addr, 8);
  return bytes === undefined ? address(addr) : `[${address(bytes.readBigUInt64LE(0))}]`;
};

export const CONTROL: Kinds = {
  futexop: () => (c) => futexOperation(c),
  futex: (timespec) => (c) => futexArguments(c, timespec || 'timespec'),
  fcntl: () => (c) => fcntlArgument(c),
  fcntlresult: () => (c) => {
    if (c.exiting) fcntlResult(c);
    return c.exiting ? undefined : LATER;
  },
  prctl: () => (c) => prctlArguments(c),
  arch: () => archArgument,
  /** Flags of mmap: how it is shared, then the rest. */
  mapflags: () => (c, i) => {
    const value = c.uint(i);
    const type = c.choice('map_type', value & 3);
    const rest = (value & ~3) >>> 0;
    return rest === 0 ? type : `${type}|${mapRest(c, rest)}`;
  },
  /** The offset of mmap: hexadecimal. */
  mapoffset: (unit) => (c, i) => hex(c.ulong(i) * BigInt(unit || '1')),
  /** mremap's new address, only where it is given. */
  newaddr: () => (c, i) => ((c.uint(3) & 2) !== 0 ? address(c.ulong(i)) : undefined),
  personality: () => (c, i) => {
    const value = c.uint(i);
    if (value === 0xffffffff) return '0xffffffff';
    return personality(c, value);
  },
  personalityresult: () => (c) => {
    if (!c.exiting) return LATER;
    if (!c.failed) {
      c.resultText = hex(c.result);
      c.remark = personality(c, Number(c.result));
    }
    return undefined;
  },
};

function mapRest(c: Call, value: number): string {
  const { names, rest } = c.env.constants.set('map').split(BigInt(value));
  if (rest === 0n) return names.join('|');
  if (names.length === 0) return hex(rest);
  return [...names, hex(rest)].join('|');
}

function personality(c: Call, value: number): string {
  const base = c.choice('personality', value & 0xff);
  const bits = (value & ~0xff) >>> 0;
  return bits === 0 ? base : `${base}|${c.flags('personality_bits', bits)}`;
}
