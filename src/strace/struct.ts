import { address, type Call } from './call';

/** C types: fixed widths, and long, ulong, ptr as wide as the interface's words. */
type Type = 'i8' | 'u8' | 'i16' | 'u16' | 'i32' | 'u32' | 'i64' | 'u64' | 'long' | 'ulong' | 'ptr';

interface Field {
  name: string;
  offset: number;
  size: number;
  signed: boolean;
  type: Type;
  /** d, x, o, f:SET, e:SET, fd, pad (not shown) */
  format: string;
}

interface Layout {
  size: number;
  fields: readonly Field[];
}

const WIDTH: Record<string, number> = {
  i8: 1,
  u8: 1,
  i16: 2,
  u16: 2,
  i32: 4,
  u32: 4,
  i64: 8,
  u64: 8,
};

/**
 * Structures whose every field is shown: "name:type/format" in C's order, laid out as C does. Those
 * with rules of their own are printed by functions.
 */
const STRUCTS: Record<string, string> = {
  timespec: 'tv_sec:long tv_nsec:long',
  timespec64: 'tv_sec:i64 tv_nsec:i64',
  timeval: 'tv_sec:long tv_usec:long',
  timezone: 'tz_minuteswest:i32 tz_dsttime:i32',
  tms: 'tms_utime:ulong/x tms_stime:ulong/x tms_cutime:ulong/x tms_cstime:ulong/x',
  flock: 'l_type:i16/e:lock_type l_whence:i16/e:whence l_start:long l_len:long l_pid:i32/pad',
  flock_pid: 'l_type:i16/e:lock_type l_whence:i16/e:whence l_start:long l_len:long l_pid:i32',
  flock64: 'l_type:i16/e:lock_type l_whence:i16/e:whence l_start:i64 l_len:i64 l_pid:i32/pad',
  flock64_pid: 'l_type:i16/e:lock_type l_whence:i16/e:whence l_start:i64 l_len:i64 l_pid:i32',
  sched_param: 'sched_priority:i32',
  winsize: 'ws_row:u16 ws_col:u16 ws_xpixel:u16 ws_ypixel:u16',
  linger: 'l_onoff:i32 l_linger:i32',
  ucred: 'pid:i32 uid:u32 gid:u32',
  open_how: 'flags:u64/f:open mode:u64/o resolve:u64/f:resolve',
  utimbuf: 'actime:long modtime:long',
};

function layout(text: string, word: 4 | 8): Layout {
  let end = 0;
  let widest = 1;
  const fields = text.split(' ').map((spec): Field => {
    const [head = '', format = 'd'] = spec.split('/');
    const [name = '', type = 'i32'] = head.split(':');
    const size = WIDTH[type] ?? word;
    const alignment = Math.min(size, word); // i386 aligns 64 bits to 4 bytes
    widest = Math.max(widest, alignment);
    const offset = Math.ceil(end / alignment) * alignment;
    end = offset + size;
    const signed = type.startsWith('i') || type === 'long';
    return { name, offset, size, signed, type: type as Type, format };
  });
  return { size: Math.ceil(end / widest) * widest, fields };
}

/** An integer of 1, 2, 4 or 8 bytes. */
export function integer(bytes: Buffer, offset: number, size: number, signed: boolean): bigint {
  if (size === 8) return signed ? bytes.readBigInt64LE(offset) : bytes.readBigUInt64LE(offset);
  return BigInt(signed ? bytes.readIntLE(offset, size) : bytes.readUIntLE(offset, size));
}

function format(c: Call, field: Field, value: bigint): string {
  const [how, set = ''] = field.format.split(':');
  if (field.type === 'ptr') return address(value);
  switch (how) {
    case 'x':
      return value === 0n ? '0' : `0x${value.toString(16)}`;
    case 'o':
      return value === 0n ? '0' : `0${value.toString(8)}`;
    case 'f':
      return c.flags(set, value);
    case 'e':
      return c.choice(set, value);
    case 'fd':
      return c.descriptor(Number(value));
    default:
      return String(value);
  }
}

/** Layouts by name and word size, computed once each. */
class Structs {
  private readonly layouts = new Map<string, Layout>();

  of(name: string, word: 4 | 8): Layout {
    const key = `${name} ${word}`;
    let found = this.layouts.get(key);
    if (found === undefined) {
      found = layout(STRUCTS[name] ?? name, word);
      this.layouts.set(key, found);
    }
    return found;
  }
}

const structs = new Structs();

export function sizeOf(c: Call, name: string): number {
  return structs.of(name, c.abi.word).size;
}

/** "{a=1, b=2}" of bytes that hold the structure at offset. */
export function structure(c: Call, name: string, bytes: Buffer, offset = 0): string {
  const parts: string[] = [];
  for (const field of structs.of(name, c.abi.word).fields) {
    if (field.format === 'pad') continue;
    const value = integer(bytes, offset + field.offset, field.size, field.signed);
    parts.push(`${field.name}=${format(c, field, value)}`);
  }
  return `{${parts.join(', ')}}`;
}

/** The structure at an address, or the address. */
export function structureAt(c: Call, name: string, addr: bigint): string {
  const bytes = c.bytes(addr, sizeOf(c, name));
  return bytes === undefined ? address(addr) : structure(c, name, bytes);
}
