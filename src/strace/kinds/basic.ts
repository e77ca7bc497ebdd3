import { address } from '../call';
import { sizeOf, structure, structureAt } from '../struct';
import { amount, type Kinds } from './kind';

const hex = (value: number | bigint): string =>
  value === 0 || value === 0n ? '0' : `0x${value.toString(16)}`;

/** Numbers, strings, flags, plain structures: what needs nothing but its name. */
export const BASIC: Kinds = {
  d: () => (c, i) => String(c.int(i)),
  u: () => (c, i) => String(c.uint(i)),
  x: () => (c, i) => hex(c.uint(i)),
  ld: () => (c, i) => String(c.long(i)),
  lu: () => (c, i) => String(c.ulong(i)),
  lx: () => (c, i) => hex(c.ulong(i)),
  /** 64 bits, two registers of an i386. */
  wd: () => (c, i) => String(BigInt.asIntN(64, c.wide(i))),
  wu: () => (c, i) => String(c.wide(i)),
  a: () => (c, i) => address(c.ulong(i)),
  fd: () => (c, i) => c.descriptor(c.int(i)),
  /** A user or group: -1 is "leave it". */
  id: () => (c, i) => (c.uint(i) === 0xffffffff ? '-1' : String(c.uint(i))),
  path: () => (c, i) => c.path(c.ulong(i)),
  str: () => (c, i) => c.string(c.ulong(i)),
  /** buf:N: bytes as many as argument N says; buf:ret: as the result says. */
  buf: (param) => (c, i) => {
    const addr = c.ulong(i);
    if (c.exiting && c.failed) return address(addr);
    return c.buffer(addr, amount(c, param));
  },
  f: (set) => (c, i) => c.flags(set, c.uint(i)),
  lf: (set) => (c, i) => c.flags(set, c.ulong(i)),
  e: (set) => (c, i) => c.choice(set, c.uint(i)),
  s: (name) => (c, i) => structureAt(c, name, c.ulong(i)),
  /** A structure the caller filled in: shown also where the call failed. */
  in: (name) => (c, i) => {
    const addr = c.ulong(i);
    const bytes = addr === 0n ? undefined : c.env.memory.exactly(c.pid, addr, sizeOf(c, name));
    return bytes === undefined ? address(addr) : structure(c, name, bytes);
  },
  /** n:TYPE: a pointer to one integer, shown as [1]. */
  n: (type) => (c, i) => {
    const addr = c.ulong(i);
    const size = type.endsWith('long') ? c.abi.word : type.endsWith('64') ? 8 : 4;
    const bytes = c.bytes(addr, size);
    if (bytes === undefined) return address(addr);
    const signed = type.startsWith('i') || type === 'long';
    if (size === 8) return `[${signed ? bytes.readBigInt64LE() : bytes.readBigUInt64LE()}]`;
    return `[${signed ? bytes.readInt32LE() : bytes.readUInt32LE()}]`;
  },
  /** A pointer to two descriptors. */
  pair: () => (c, i) => {
    const addr = c.ulong(i);
    const bytes = c.bytes(addr, 8);
    if (bytes === undefined) return address(addr);
    return `[${c.descriptor(bytes.readInt32LE(0))}, ${c.descriptor(bytes.readInt32LE(4))}]`;
  },
};
