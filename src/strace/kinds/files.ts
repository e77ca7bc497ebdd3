import { address, type Call } from '../call';
import { integer, sizeOf, structure } from '../struct';
import { quote } from '../quote';
import { directoryEntries } from './directory';
import { amount, LATER, type Kinds } from './kind';
import { mode, moment, statOf, statfsOf, statxOf } from './stat';

const AT_FDCWD = -100;
const O_ACCMODE = 3;
const O_CREAT = 0o100;
const TMPFILE = 0o20000000; // __O_TMPFILE
const VECTORS_SHOWN = 32; // unless -s says more
const IOV_MAX = 1024;

function directoryFd(c: Call, fd: number): string {
  if (fd !== AT_FDCWD) return c.descriptor(fd);
  const { style, descriptors } = c.env;
  const cwd = style.descriptors > 0 ? descriptors.directory(c.pid) : undefined;
  return cwd === undefined ? 'AT_FDCWD' : `AT_FDCWD<${cwd}>`;
}

/** "O_RDWR|O_CREAT|O_CLOEXEC": the mode of access, then the rest. */
export function openFlags(c: Call, value: number): string {
  const access = c.choice('access_mode', value & O_ACCMODE);
  const rest = (value & ~O_ACCMODE) >>> 0;
  if (rest === 0) return access;
  const { names, rest: unknown } = c.env.constants.set('open').split(BigInt(rest));
  if (unknown !== 0n) names.push(`0x${unknown.toString(16)}`);
  return [access, ...names].join('|');
}

/** "[{iov_base="...", iov_len=3}, ...]"; total: bytes that were really moved. */
export function vectors(c: Call, addr: bigint, count: number, total: number): string {
  if (count === 0 || addr === 0n) return count === 0 && addr !== 0n ? '[]' : address(addr);
  if (count > IOV_MAX) return address(addr);
  const { word } = c.abi;
  const shown = Math.min(count, Math.max(c.env.style.strings, 1), VECTORS_SHOWN);
  const bytes = c.bytes(addr, shown * 2 * word);
  if (bytes === undefined) return address(addr);
  let left = total;
  const parts: string[] = [];
  for (let n = 0; n < shown; n++) {
    const at = n * 2 * word;
    const base = word === 8 ? bytes.readBigUInt64LE(at) : BigInt(bytes.readUInt32LE(at));
    const length = word === 8 ? Number(bytes.readBigUInt64LE(at + 8)) : bytes.readUInt32LE(at + 4);
    const text = c.buffer(base, Math.min(length, left));
    left -= Math.min(length, left);
    parts.push(`{iov_base=${text}, iov_len=${length}}`);
  }
  if (shown < count) parts.push('...');
  return `[${parts.join(', ')}]`;
}

export const FILES: Kinds = {
  dirfd: () => (c, i) => directoryFd(c, c.int(i)),
  open: () => (c, i) => openFlags(c, c.uint(i)),
  /** openmode:N: permission bits, where the flags of argument N create a file. */
  openmode: (param) => (c, i) => {
    const flags = c.uint(Number(param));
    return (flags & (O_CREAT | TMPFILE)) === 0 ? undefined : permissions(c.uint(i));
  },
  mode: () => (c, i) => permissions(c.uint(i) & 0xffff),
  filemode: () => (c, i) => mode(c, c.uint(i) & 0xffff),
  device: () => (c, i) => device(c.uint(i)),
  /** access() and its kin: F_OK, or bits. */
  access: () => (c, i) => {
    const value = c.uint(i);
    return value === 0 ? 'F_OK' : c.flags('access_bits', value, '?_OK');
  },
  stat: (form) => (c, i) => statOf(c, c.ulong(i), form === 'short'),
  statx: () => (c, i) => statxOf(c, c.ulong(i)),
  statfs: () => (c, i) => statfsOf(c, c.ulong(i)),
  /** Flags of statx: how fresh, then the rest. */
  statxflags: () => (c, i) => {
    const value = c.uint(i);
    const sync = value & 0x6000;
    const rest = value & ~0x6000;
    const head = c.choice('at_sync', sync);
    return rest === 0 ? head : `${head}|${c.flags('at', rest >>> 0)}`;
  },
  /** dents:64 and dents: what getdents read. */
  dents: (param) => (c, i) => {
    const addr = c.ulong(i);
    if (c.failed || addr === 0n) return address(addr);
    return directoryEntries(c, addr, Number(c.result), param === '64');
  },
  /** Text that a link points to: as long as the result says. */
  link: () => (c, i) => {
    const addr = c.ulong(i);
    return c.failed ? address(addr) : c.buffer(addr, Number(c.result));
  },
  cwd: () => (c, i) => {
    const addr = c.ulong(i);
    if (c.failed) return address(addr);
    return c.path(addr);
  },
  /** iov:N: N is the number of the count's argument, all bytes are shown. */
  iov: (param) => (c, i) => vectors(c, c.ulong(i), amount(c, param), Infinity),
  /** iovret:N: only as many bytes as the result says. */
  iovret: (param) => (c, i) => {
    const addr = c.ulong(i);
    if (c.failed) return address(addr);
    return vectors(c, addr, amount(c, param), Number(c.result));
  },
  off: () => (c, i) => {
    const addr = c.ulong(i);
    const bytes = c.bytes(addr, 8);
    return bytes === undefined ? address(addr) : `[${bytes.readBigInt64LE()}]`;
  },
  /** An offset before the call; what the kernel made of it is shown by movedoff. */
  offbefore: () => (c, i) => {
    const addr = c.ulong(i);
    const bytes = c.bytes(addr, c.abi.word);
    if (bytes === undefined) return address(addr);
    const value = integer(bytes, 0, c.abi.word, true);
    c.saved = value;
    return `[${value}]`;
  },
  /** movedoff:N: shows nothing but " => [5]" where the offset of argument N moved. */
  movedoff: (param) => (c) => {
    if (!c.exiting) return LATER;
    const bytes = c.bytes(c.ulong(Number(param)), c.abi.word);
    if (bytes === undefined || c.saved === undefined) return undefined;
    const value = integer(bytes, 0, c.abi.word, true);
    if (value !== c.saved) c.glue = ` => [${value}]`;
    return undefined;
  },
  flock: () => (c, i) => {
    const value = c.uint(i);
    const { names, rest } = c.env.constants.set('flock').split(BigInt(value));
    if (rest === 0n) return names.join('|') || '0';
    return [...names, c.flags('flock_bits', rest)].join('|');
  },
  dev: () => (c, i) => device(Number(c.ulong(i))),
  /** open_how of openat2; how:N: its size is in argument N. */
  how: (param) => (c, i) => {
    const addr = c.ulong(i);
    const size = sizeOf(c, 'open_how');
    if (amount(c, param) < size) return address(addr);
    const bytes = c.bytes(addr, size);
    if (bytes === undefined) return address(addr);
    const flags = Number(bytes.readBigUInt64LE(0));
    const created = (flags & (O_CREAT | TMPFILE)) !== 0;
    const rights = bytes.readBigUInt64LE(8);
    const parts = [`flags=${openFlags(c, flags)}`];
    if (created || rights !== 0n) parts.push(`mode=${permissions(Number(rights))}`);
    parts.push(`resolve=${c.flags('resolve', bytes.readBigUInt64LE(16))}`);
    return `{${parts.join(', ')}}`;
  },
  /** times:N: two timespecs, UTIME_NOW and UTIME_OMIT by name. */
  utimes: () => (c, i) => {
    const addr = c.ulong(i);
    const size = sizeOf(c, 'timespec');
    const bytes = c.bytes(addr, 2 * size);
    if (bytes === undefined) return address(addr);
    return `[${[0, size].map((at) => fileTime(c, bytes, at)).join(', ')}]`;
  },
  utimevals: () => (c, i) => {
    const addr = c.ulong(i);
    const size = sizeOf(c, 'timeval');
    const bytes = c.bytes(addr, 2 * size);
    if (bytes === undefined) return address(addr);
    const times = [0, size].map((at) => {
      const [seconds, micros] = pair(c, bytes, at);
      return `${structure(c, 'timeval', bytes, at)}${moment(seconds, micros, 6)}`;
    });
    return `[${times.join(', ')}]`;
  },
  /** The value of an extended attribute; xattr:N. */
  xattr: (param) => (c, i) => {
    const addr = c.ulong(i);
    if (c.exiting && c.failed) return address(addr);
    const length = amount(c, param);
    const bytes = c.bytes(addr, length);
    return bytes === undefined ? address(addr) : quote(bytes, 0, length, c.env.style.hex);
  },
};

const UTIME_NOW = 0x3fffffffn;
const UTIME_OMIT = 0x3ffffffen;

function fileTime(c: Call, bytes: Buffer, at: number): string {
  const [seconds, nanos] = pair(c, bytes, at);
  if (nanos === UTIME_NOW) return 'UTIME_NOW';
  if (nanos === UTIME_OMIT) return 'UTIME_OMIT';
  return `${structure(c, 'timespec', bytes, at)}${moment(seconds, nanos)}`;
}

/** Two longs: a time. */
function pair(c: Call, bytes: Buffer, at: number): [bigint, bigint] {
  const { word } = c.abi;
  return [integer(bytes, at, word, true), integer(bytes, at + word, word, true)];
}

/** "0644". */
export function permissions(value: number): string {
  return value === 0 ? '000' : `0${value.toString(8).padStart(3, '0')}`;
}

/** "makedev(0x8, 0x1)" of a dev_t as stat and mknod have it. */
export function device(value: number): string {
  const big = BigInt(value);
  const major = ((big >> 8n) & 0xfffn) | ((big >> 32n) & ~0xfffn);
  const minor = (big & 0xffn) | ((big >> 12n) & 0xffffff00n);
  const hex = (n: bigint): string => (n === 0n ? '0' : `0x${n.toString(16)}`);
  return `makedev(${hex(major)}, ${hex(minor)})`;
}
