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

/** Where the fields of struct stat are; asm/stat.h, and struct stat64 of an i386. */
const NATIVE = {
  dev: 0,
  ino: 8,
  nlink: 16,
  mode: 24,
  uid: 28,
  gid: 32,
  rdev: 40,
  size: 48,
  blksize: 56,
  blocks: 64,
  time: 72,
  total: 144,
};
const STAT64 = {
  dev: 0,
  ino: 88,
  nlink: 20,
  mode: 16,
  uid: 24,
  gid: 28,
  rdev: 32,
  size: 44,
  blksize: 52,
  blocks: 56,
  time: 64,
  total: 96,
};

export function statOf(c: Call, addr: bigint): string {
  const native = c.abi.word === 8;
  const at = native ? NATIVE : STAT64;
  const bytes = c.bytes(addr, at.total);
  if (bytes === undefined) return address(addr);
  const word = native ? 8 : 4;
  const field = (offset: number, size: number, signed = false): bigint =>
    integer(bytes, offset, size, signed);
  const stMode = Number(field(at.mode, 4));
  const type = stMode & S_IFMT;
  const special = type === 0o020000 || type === 0o060000;
  const parts: string[] = [];
  const { verbose } = c.env.style;
  if (verbose) {
    parts.push(`st_dev=${splitDevice(field(at.dev, 8))}`, `st_ino=${field(at.ino, 8)}`);
  }
  parts.push(`st_mode=${mode(c, stMode)}`);
  if (verbose) {
    parts.push(
      `st_nlink=${field(at.nlink, word)}`,
      `st_uid=${field(at.uid, 4)}`,
      `st_gid=${field(at.gid, 4)}`,
      `st_blksize=${field(at.blksize, word)}`,
      `st_blocks=${field(at.blocks, 8)}`,
    );
  }
  if (special) parts.push(`st_rdev=${splitDevice(field(at.rdev, 8))}`);
  else parts.push(`st_size=${field(at.size, 8, true)}`);
  if (!verbose) return `{${parts.join(', ')}, ...}`;
  ['st_atime', 'st_mtime', 'st_ctime'].forEach((name, n) => {
    const seconds = field(at.time + 2 * n * word, word, true);
    const nanos = field(at.time + (2 * n + 1) * word, word);
    parts.push(`${name}=${seconds}${moment(seconds, nanos)}`, `${name}_nsec=${nanos}`);
  });
  return `{${parts.join(', ')}}`;
}

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
  ['stx_atime', 'stx_btime', 'stx_ctime', 'stx_mtime'].forEach((name, n) => {
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

const STATFS_SIZE = 120;
const ST_VALID = 0x20n;

/** struct statfs of a 64-bit kernel. */
export function statfsOf(c: Call, addr: bigint): string {
  if (c.abi.word !== 8) return address(addr);
  const bytes = c.bytes(addr, STATFS_SIZE);
  if (bytes === undefined) return address(addr);
  const u64 = (at: number): bigint => bytes.readBigUInt64LE(at);
  const type = u64(0);
  const name = c.env.constants.set('fs_magic').name(type);
  const parts = [
    `f_type=${name ?? hex(type)}`,
    ...['f_bsize', 'f_blocks', 'f_bfree', 'f_bavail', 'f_files', 'f_ffree'].map(
      (field, n) => `${field}=${u64(8 + 8 * n)}`,
    ),
    `f_fsid={val=[${hex(BigInt(bytes.readUInt32LE(56)))}, ${hex(BigInt(bytes.readUInt32LE(60)))}]}`,
    `f_namelen=${u64(64)}`,
    `f_frsize=${u64(72)}`,
  ];
  const flags = u64(80);
  const { names, rest } = c.env.constants.set('statfs').split(flags & ~ST_VALID);
  if ((flags & ST_VALID) !== 0n) names.unshift('ST_VALID');
  if (rest !== 0n) names.push(hex(rest));
  parts.push(`f_flags=${names.length > 0 ? names.join('|') : '0'}`);
  return `{${parts.join(', ')}}`;
}
