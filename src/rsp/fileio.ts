import type { BigIntStats } from 'node:fs';
import { constants } from 'node:fs';

// The File-I/O protocol's own numbers, which vFile packets use (GDB manual, "Protocol-specific
// Representation of Datatypes" and "Constants"): the same on every host.

const ERRNO: Readonly<Record<string, number>> = {
  EPERM: 1,
  ENOENT: 2,
  ESRCH: 2, // setfs named a process that is gone
  EINTR: 4,
  EIO: 5,
  EBADF: 9,
  EACCES: 13,
  EFAULT: 14,
  EBUSY: 16,
  EEXIST: 17,
  ENODEV: 19,
  ENOTDIR: 20,
  EISDIR: 21,
  EINVAL: 22,
  ENFILE: 23,
  EMFILE: 24,
  EFBIG: 27,
  ENOSPC: 28,
  ESPIPE: 29,
  EROFS: 30,
  ENOSYS: 88,
  ENAMETOOLONG: 91,
};
const EUNKNOWN = 9999;

/** The protocol's number for a host's errno name. */
export function fileErrno(name: string): number {
  return ERRNO[name] ?? EUNKNOWN;
}

const ACCESS = [constants.O_RDONLY, constants.O_WRONLY, constants.O_RDWR];
const OPEN_FLAGS: readonly (readonly [number, number])[] = [
  [0x8, constants.O_APPEND],
  [0x200, constants.O_CREAT],
  [0x400, constants.O_TRUNC],
  [0x800, constants.O_EXCL],
];

/** Host flags for the protocol's open flags; undefined where a bit has no meaning. */
export function hostOpenFlags(flags: number): number | undefined {
  const access = ACCESS[flags & 3];
  if (access === undefined) return undefined;
  let host = access;
  let rest = flags & ~3;
  for (const [bit, hostBit] of OPEN_FLAGS)
    if (rest & bit) {
      host |= hostBit;
      rest &= ~bit;
    }
  return rest === 0 ? host : undefined;
}

const PERMISSIONS = 0o777;
const TYPES: readonly number[] = [
  constants.S_IFREG,
  constants.S_IFDIR,
  constants.S_IFCHR,
  constants.S_IFLNK,
];

/** Host permissions for the protocol's mode; a type is only allowed where it is that of a file. */
export function hostMode(mode: number): number | undefined {
  const type = mode & ~PERMISSIONS;
  return type === 0 || type === constants.S_IFREG ? mode & PERMISSIONS : undefined;
}

/** Bytes of struct stat. */
export const STAT_SIZE = 64;

const low32 = (value: bigint): number => Number(BigInt.asUintN(32, value));

/**
 * struct stat, big endian: dev ino mode nlink uid gid rdev of 4 bytes, size blksize blocks of 8,
 * atime mtime ctime of 4 (seconds). Numbers are the host's, cut to fit.
 */
export function encodeStat(stat: BigIntStats): Buffer {
  const out = Buffer.alloc(STAT_SIZE);
  const mode = Number(stat.mode);
  const type = mode & constants.S_IFMT;
  const words = [
    low32(stat.dev),
    low32(stat.ino),
    (TYPES.includes(type) ? type : 0) | (mode & PERMISSIONS),
    low32(stat.nlink),
    low32(stat.uid),
    low32(stat.gid),
    low32(stat.rdev),
  ];
  let at = 0;
  for (const word of words) at = out.writeUInt32BE(word >>> 0, at);
  for (const long of [stat.size, stat.blksize, stat.blocks])
    at = out.writeBigUInt64BE(BigInt.asUintN(64, long), at);
  for (const time of [stat.atimeMs, stat.mtimeMs, stat.ctimeMs])
    at = out.writeUInt32BE(low32(time / 1000n), at);
  return out;
}
