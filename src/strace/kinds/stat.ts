import { address, type Call } from '../call';
import { integer } from '../struct';

const S_IFMT = 0o170000;
const SPECIAL = 0o7000;

const hex = (n: bigint): string => (n === 0n ? '0' : `0x${n.toString(16)}`);

function makedev(major: bigint, minor: bigint): string {
  return `makedev(${hex(major)}, ${hex(minor)})`;
}

function splitDevice(value: bigint): string {
  const major = ((value >> 8n) & 0xfffn) | ((value >> 32n) & 0xfffff000n);
  const minor = (value & 0xffn) | ((value >> 12n) & 0xffffff00n);
  return makedev(major, minor);
}

/** "S_IFREG|0644". */
export function mode(c: Call, value: number): string {
  const type = value & S_IFMT;
  const name = type === 0 ? undefined : c.env.constants.set('file_type').name(BigInt(type));
  const { names } = c.env.constants.set('mode_bits').split(BigInt(value & SPECIAL));
  const head = name !== undefined ? [name] : type === 0 ? [] : [`0${type.toString(8)}`];
  const low = value & 0o777;
  const bits =
    low === 0 && head.length + names.length === 0 ? '000' : `0${low.toString(8).padStart(3, '0')}`;
  return [...head, ...names, bits].join('|');
}

/** " /* 2022-11-22T20:50:00.123456789+0000 * /" as strace remarks times, local ones. */
export function moment(seconds: bigint, fraction: bigint, digits = 9): string {
  if (seconds === 0n && fraction === 0n) return '';
  const date = new Date(Number(seconds) * 1000);
  if (Number.isNaN(date.getTime())) return '';
  const local = new Date(date.getTime() - date.getTimezoneOffset() * 60_000);
  const text = local.toISOString().slice(0, 19);
  const part = fraction === 0n ? '' : `.${String(fraction).padStart(digits, '0')}`;
  return ` /* ${text}${part}${zone(date)} */`;
}

/** "+0100": of local time. */
function zone(date: Date): string {
  const minutes = -date.getTimezoneOffset();
  const two = (n: number): string => String(n).padStart(2, '0');
  const size = Math.abs(minutes);
  return `${minutes < 0 ? '-' : '+'}${two(Math.floor(size / 60))}${two(size % 60)}`;
}

/** [offset, bytes] of the fields of a struct stat. */
interface StatLayout {
  dev: [number, number];
  ino: [number, number];
  nlink: [number, number];
  mode: [number, number];
  uid: [number, number];
  gid: [number, number];
  rdev: [number, number];
  size: [number, number];
  blksize: [number, number];
  blocks: [number, number];
  /** Seconds and nanoseconds of three times, each as wide as this says. */
  time: [number, number];
  total: number;
}

/** asm/stat.h: struct stat of x86-64, stat64 and stat of an i386. */
const NATIVE: StatLayout = {
  dev: [0, 8],
  ino: [8, 8],
  nlink: [16, 8],
  mode: [24, 4],
  uid: [28, 4],
  gid: [32, 4],
  rdev: [40, 8],
  size: [48, 8],
  blksize: [56, 8],
  blocks: [64, 8],
  time: [72, 8],
  total: 144,
};
const STAT64: StatLayout = {
  dev: [0, 8],
  ino: [88, 8],
  nlink: [20, 4],
  mode: [16, 4],
  uid: [24, 4],
  gid: [28, 4],
  rdev: [32, 8],
  size: [44, 8],
  blksize: [52, 4],
  blocks: [56, 8],
  time: [64, 4],
  total: 96,
};
const SHORT: StatLayout = {
  dev: [0, 4],
  ino: [4, 4],
  nlink: [10, 2],
  mode: [8, 2],
  uid: [12, 2],
  gid: [14, 2],
  rdev: [16, 4],
  size: [20, 4],
  blksize: [24, 4],
  blocks: [28, 4],
  time: [32, 4],
  total: 64,
};

/** short: an i386's stat, not its stat64. */
export function statOf(c: Call, addr: bigint, short = false): string {
  const at = c.abi.word === 8 ? NATIVE : short ? SHORT : STAT64;
  const bytes = c.bytes(addr, at.total);
  if (bytes === undefined) return address(addr);
  const field = ([offset, size]: [number, number], signed = false): bigint =>
    integer(bytes, offset, size, signed);
  const stMode = Number(field(at.mode));
  const type = stMode & S_IFMT;
  const special = type === 0o020000 || type === 0o060000;
  const parts: string[] = [];
  const { verbose } = c.env.style;
  if (verbose) parts.push(`st_dev=${splitDevice(field(at.dev))}`, `st_ino=${field(at.ino)}`);
  parts.push(`st_mode=${mode(c, stMode)}`);
  if (verbose) {
    for (const name of ['nlink', 'uid', 'gid', 'blksize', 'blocks'] as const) {
      parts.push(`st_${name}=${field(at[name])}`);
    }
  }
  if (special) parts.push(`st_rdev=${splitDevice(field(at.rdev))}`);
  else parts.push(`st_size=${field(at.size, true)}`);
  if (!verbose) return `{${parts.join(', ')}, ...}`;
  const [start, width] = at.time;
  ['st_atime', 'st_mtime', 'st_ctime'].forEach((name, n) => {
    const seconds = field([start + 2 * n * width, width], true);
    const nanos = field([start + (2 * n + 1) * width, width]);
    parts.push(`${name}=${seconds}${moment(seconds, nanos)}`, `${name}_nsec=${nanos}`);
  });
  return `{${parts.join(', ')}}`;
}

/** In their order, with their bits of stx_mask; linux/stat.h. */
const STATX_TIMES: readonly [name: string, bit: number][] = [
  ['stx_atime', 0x20],
  ['stx_btime', 0x800],
  ['stx_ctime', 0x80],
  ['stx_mtime', 0x40],
];
const STATX_SIZE = 256;

/** struct statx of linux/stat.h. */
export function statxOf(c: Call, addr: bigint): string {
  const bytes = c.bytes(addr, STATX_SIZE);
  if (bytes === undefined) return address(addr);
  const u32 = (at: number): number => bytes.readUInt32LE(at);
  const u64 = (at: number): bigint => bytes.readBigUInt64LE(at);
  const { verbose } = c.env.style;
  const parts = [`stx_mask=${c.flags('statx_mask', u32(0))}`];
  if (verbose) parts.push(`stx_blksize=${u32(4)}`);
  parts.push(`stx_attributes=${c.flags('statx_attr', u64(8))}`);
  if (verbose) {
    parts.push(`stx_nlink=${u32(16)}`, `stx_uid=${u32(20)}`, `stx_gid=${u32(24)}`);
  }
  parts.push(`stx_mode=${mode(c, bytes.readUInt16LE(28))}`);
  if (verbose) parts.push(`stx_ino=${u64(32)}`);
  parts.push(`stx_size=${u64(40)}`);
  if (!verbose) return `{${parts.join(', ')}, ...}`;
  parts.push(`stx_blocks=${u64(48)}`, `stx_attributes_mask=${c.flags('statx_attr', u64(56))}`);
  STATX_TIMES.forEach(([name, bit], n) => {
    if ((u32(0) & bit) === 0) return;
    const seconds = bytes.readBigInt64LE(64 + 16 * n);
    const nanos = u32(72 + 16 * n);
    parts.push(`${name}={tv_sec=${seconds}, tv_nsec=${nanos}}${moment(seconds, BigInt(nanos))}`);
  });
  parts.push(
    `stx_rdev_major=${u32(128)}`,
    `stx_rdev_minor=${u32(132)}`,
    `stx_dev_major=${u32(136)}`,
    `stx_dev_minor=${u32(140)}`,
    `stx_mnt_id=${hex(u64(144))}`,
  );
  return `{${parts.join(', ')}}`;
}

const ST_VALID = 0x20n;

/** struct statfs of a 64-bit kernel, or the packed statfs64 of an i386. */
export function statfsOf(c: Call, addr: bigint): string {
  const wide = c.abi.word === 8;
  const bytes = c.bytes(addr, wide ? 120 : 84);
  if (bytes === undefined) return address(addr);
  const { word } = c.abi;
  const long = (at: number): bigint => integer(bytes, at, word, false);
  const u64 = (at: number): bigint => bytes.readBigUInt64LE(at);
  const counts = 2 * word; // five numbers of blocks and files
  const after = counts + 40;
  const type = long(0);
  const names = ['f_blocks', 'f_bfree', 'f_bavail', 'f_files', 'f_ffree'];
  const id = [0, 4].map((n) => hex(BigInt(bytes.readUInt32LE(after + n))));
  const parts = [
    `f_type=${c.env.constants.set('fs_magic').name(type) ?? hex(type)}`,
    `f_bsize=${long(word)}`,
    ...names.map((name, n) => `${name}=${u64(counts + 8 * n)}`),
    `f_fsid={val=[${id.join(', ')}]}`,
    `f_namelen=${long(after + 8)}`,
    `f_frsize=${long(after + 8 + word)}`,
  ];
  const flags = long(after + 8 + 2 * word);
  const set = c.env.constants.set('statfs').split(flags & ~ST_VALID);
  if ((flags & ST_VALID) !== 0n) set.names.unshift('ST_VALID');
  if (set.rest !== 0n) set.names.push(hex(set.rest));
  parts.push(`f_flags=${set.names.join('|') || '0'}`);
  return `{${parts.join(', ')}}`;
}
