import type { Abi } from './abi';
import type { Constants } from './constants';
import type { Descriptors } from './descriptors';
import type { Memory } from './memory';
import { quote, type HexMode } from './quote';

/** How values are shown: the options of strace. */
export interface Style {
  /** -s: bytes of a string that are shown. */
  strings: number;
  /** -v: structures and environments in full. */
  verbose: boolean;
  /** -x, -xx */
  hex: HexMode;
  /** -y, -yy: what descriptors stand for. */
  descriptors: 0 | 1 | 2;
}

/** What printing needs of the rest. */
export interface Surroundings {
  readonly memory: Memory;
  readonly constants: Constants;
  readonly descriptors: Descriptors;
  readonly style: Style;
}

const PATH_LIMIT = 4095; // PATH_MAX without its NUL

/** One system call of one thread, from its entry to its return: arguments, result and their text. */
export class Call {
  nr = 0;
  /** What is printed now: the part of the entry, later that of the exit. */
  text = '';
  exiting = false;
  /** It returned an error: what it should have filled in is shown as an address. */
  failed = false;
  /** As a signed long. */
  result = 0n;
  /** A negative errno, ERESTARTSYS and its kin included; 0n if it did not fail. */
  errno = 0n;
  /** Shown in parentheses after the result. */
  remark = '';
  /** The result in a form of its own. */
  resultText: string | undefined;
  /** Put directly behind the argument before, without a comma. */
  glue = '';
  /** Stack pointer. */
  sp = 0n;
  /** What the entry leaves for the exit. */
  saved: unknown;
  /** Arguments shown so far; a comma stands behind the last one already. */
  shown = 0;
  comma = false;
  /** The name of the call that restart_syscall resumes. */
  interrupted = 'system call';
  readonly args = new BigUint64Array(6);
  private readonly ints = new Int32Array(this.args.buffer);
  private readonly uints = new Uint32Array(this.args.buffer);

  constructor(
    readonly env: Surroundings,
    public pid: number,
    public abi: Abi,
  ) {}

  /** Makes ready for the entry of another call; its arguments are in place. */
  begin(nr: number, abi: Abi): void {
    this.nr = nr;
    this.abi = abi;
    this.text = '';
    this.exiting = false;
    this.failed = false;
    this.result = 0n;
    this.errno = 0n;
    this.remark = '';
    this.resultText = undefined;
    this.glue = '';
    this.saved = undefined;
    this.shown = 0;
    this.comma = false;
  }

  /** Takes over the result, as the provider tells it. */
  finish(value: bigint): void {
    this.text = '';
    this.exiting = true;
    this.result = BigInt.asIntN(this.abi.bits, value);
    this.failed = this.result < 0n && this.result >= -4095n;
    this.errno = this.failed ? this.result : 0n;
  }

  int(i: number): number {
    return this.ints[2 * i]!;
  }

  uint(i: number): number {
    return this.uints[2 * i]!;
  }

  /** An unsigned long, or a pointer. */
  ulong(i: number): bigint {
    return this.abi.word === 8 ? this.args[i]! : BigInt(this.uints[2 * i]!);
  }

  long(i: number): bigint {
    return this.abi.word === 8 ? BigInt.asIntN(64, this.args[i]!) : BigInt(this.ints[2 * i]!);
  }

  /** A 64-bit value: two registers where words are of 32 bits. */
  wide(i: number): bigint {
    if (this.abi.word === 8) return this.args[i]!;
    return BigInt(this.uints[2 * i]!) | (BigInt(this.uints[2 * i + 2]!) << 32n);
  }

  flags(set: string, value: number | bigint, unknown?: string): string {
    return this.env.constants.set(set).join(BigInt(value), unknown);
  }

  choice(set: string, value: number | bigint, unknown?: string): string {
    return this.env.constants.set(set).choice(BigInt(value), unknown);
  }

  /** Memory that can be shown: undefined where the call failed, the pointer is null or points nowhere. */
  bytes(addr: bigint, length: number): Buffer | undefined {
    if (addr === 0n || (this.exiting && this.failed)) return undefined;
    return this.env.memory.exactly(this.pid, addr, length);
  }

  /** A path in quotes, or the address. */
  path(addr: bigint): string {
    const { memory, style } = this.env;
    const found = addr === 0n ? undefined : memory.string(this.pid, addr, PATH_LIMIT);
    if (found === undefined) return address(addr);
    const { bytes, ended } = found;
    return `${quote(bytes, 0, bytes.length, style.hex)}${ended ? '' : '...'}`;
  }

  /** A string in quotes, cut at the limit of -s, or the address. */
  string(addr: bigint): string {
    const { memory, style } = this.env;
    const found = addr === 0n ? undefined : memory.string(this.pid, addr, style.strings);
    if (found === undefined) return address(addr);
    const { bytes, ended } = found;
    return `${quote(bytes, 0, bytes.length, style.hex)}${ended ? '' : '...'}`;
  }

  /** length bytes in quotes, cut at the limit of -s, or the address. */
  buffer(addr: bigint, length: number): string {
    const { memory, style } = this.env;
    if (addr === 0n) return 'NULL';
    const shown = Math.min(length, style.strings);
    const bytes = memory.some(this.pid, addr, shown);
    if (bytes === undefined || bytes.length < shown) return address(addr);
    return `${quote(bytes, 0, shown, style.hex)}${length > shown ? '...' : ''}`;
  }

  descriptor(fd: number): string {
    const { descriptors, style } = this.env;
    if (style.descriptors === 0 || fd < 0) return String(fd);
    return `${fd}${descriptors.describe(this.pid, fd, style)}`;
  }
}

export function address(addr: bigint): string {
  return addr === 0n ? 'NULL' : `0x${addr.toString(16)}`;
}
