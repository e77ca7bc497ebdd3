import fs from 'node:fs';
import type { FakeMachine } from '../../src/engine/channel/fake/machine';
import type { FakeProcess } from '../../src/engine/channel/fake/process';
import { native, type SpawnedChild } from '../../src/native';
import { PATIENCE } from './patience';
import { fileBytes, program, symbols } from './programs';

/** A program to be debugged, seen from outside, without any tracer. */
export interface Subject {
  readonly pid: number;
  readonly name: string;
  /** Throws where there is no such symbol. */
  address(symbol: string): bigint;
  /** A 64-bit variable as it is now. index: of an array. */
  read(symbol: string, index?: number): bigint;
  write(symbol: string, value: bigint): void;
  /** What is really in memory there, breakpoints included; throws where there is none (any more). */
  memory(addr: bigint, length: number): Buffer;
  /** What the executable has there. */
  text(addr: bigint, length: number): Buffer;
  alive(): boolean;
  /** Lets it run for a moment. */
  pause(): void;
  /** Kills what is left of it. Returns the wait status if it is known. */
  end(): number | undefined;
}

const SIGKILL = 9;
const LIMIT_MS = 20_000 * PATIENCE;
const sleeper = new Int32Array(new SharedArrayBuffer(4));

export function sleepMs(ms: number): void {
  Atomics.wait(sleeper, 0, 0, ms);
}

/** What /proc tells of a thread behind its name; undefined: it is gone. */
function threadStat(pid: number, tid: number): string[] | undefined {
  try {
    const stat = fs.readFileSync(`/proc/${pid}/task/${tid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}

/** 'R', 'S', 't', 'Z', ...; undefined: gone. */
export function processState(pid: number): string | undefined {
  return threadStat(pid, pid)?.[0];
}

function executable(pid: number): string | undefined {
  try {
    return fs.readlinkSync(`/proc/${pid}/exe`);
  } catch {
    return undefined; // dead already
  }
}

const EMPTY_AUXV = 16;

/** An exec zeroes the program's variables, and then tells it of itself (fs/binfmt_elf.c). */
function loaded(pid: number): boolean {
  try {
    return fs.readFileSync(`/proc/${pid}/auxv`).length > EMPTY_AUXV;
  } catch {
    return true; // dead already
  }
}

/** A zombie is not. */
export function isAlive(pid: number): boolean {
  const state = processState(pid);
  return state !== undefined && state !== 'Z' && state !== 'X';
}

/** Has a thread ended, although it is listed? */
export function ended(pid: number, tid: number): boolean {
  const [state = 'X'] = threadStat(pid, tid) ?? [];
  return state === 'Z' || state === 'X';
}

const FLAGS = 6; // man 5 proc, less the pid and the name
const PF_EXITING = 4; // include/linux/sched.h

/** Has a thread come to its end? It does not run the program any more. */
export function ending(pid: number, tid: number): boolean {
  const stat = threadStat(pid, tid);
  return stat === undefined || (Number(stat[FLAGS]) & PF_EXITING) !== 0;
}

/** A real process. child: where we started it and have to reap it. */
export class RealSubject implements Subject {
  private readonly binary: string;
  private readonly table: ReadonlyMap<string, bigint>;

  constructor(
    readonly name: string,
    readonly pid: number,
    private readonly child?: SpawnedChild,
  ) {
    this.binary = program(name);
    this.table = symbols(this.binary);
  }

  static start(name: string, args: string[]): RealSubject {
    const file = program(name);
    const child = native.spawn({ file, args: [file, ...args] });
    child.go();
    // until its exec it shares our memory: what it has at an address is ours, or then the file's
    while (executable(child.pid) === process.execPath || !loaded(child.pid)) sleepMs(1);
    return new RealSubject(name, child.pid, child);
  }

  address(symbol: string): bigint {
    const addr = this.table.get(symbol);
    if (addr === undefined) throw new Error(`${this.name} has no symbol ${symbol}`);
    return addr;
  }

  read(symbol: string, index = 0): bigint {
    return this.memory(this.address(symbol) + BigInt(index * 8), 8).readBigUInt64LE();
  }

  write(symbol: string, value: bigint): void {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(value);
    const fd = fs.openSync(`/proc/${this.pid}/mem`, 'r+');
    fs.writeSync(fd, bytes, 0, 8, Number(this.address(symbol)));
    fs.closeSync(fd);
  }

  memory(addr: bigint, length: number): Buffer {
    const out = Buffer.alloc(length);
    const fd = fs.openSync(`/proc/${this.pid}/mem`, 'r');
    try {
      const got = fs.readSync(fd, out, 0, length, addr);
      if (got < length) throw new Error(`only ${got} bytes at 0x${addr.toString(16)}`);
    } finally {
      fs.closeSync(fd);
    }
    return out;
  }

  text(addr: bigint, length: number): Buffer {
    return fileBytes(this.binary, addr, length);
  }

  alive(): boolean {
    return isAlive(this.pid);
  }

  pause(): void {
    sleepMs(1);
  }

  end(): number | undefined {
    if (this.alive()) native.kill(this.pid, 0, SIGKILL);
    for (const limit = Date.now() + LIMIT_MS; Date.now() < limit;) {
      const status = this.child?.reap();
      if (status !== undefined || processState(this.pid) === undefined) return status;
      sleepMs(1);
    }
    throw new Error(`${this.name} (${this.pid}) survived SIGKILL`);
  }
}

export class FakeSubject implements Subject {
  constructor(
    readonly name: string,
    private readonly machine: FakeMachine,
    private readonly process: FakeProcess,
  ) {}

  get pid(): number {
    return this.process.pid;
  }

  address(symbol: string): bigint {
    const addr = this.machine.programs.get(this.name)?.symbols.get(symbol);
    if (addr === undefined) throw new Error(`${this.name} has no symbol ${symbol}`);
    return addr;
  }

  read(symbol: string, index = 0): bigint {
    return this.memory(this.address(symbol) + BigInt(index * 8), 8).readBigUInt64LE();
  }

  write(symbol: string, value: bigint): void {
    this.process.bytes(this.address(symbol), 8)?.writeBigUInt64LE(value);
  }

  memory(addr: bigint, length: number): Buffer {
    const bytes = Buffer.from(this.process.bytes(addr, length) ?? []);
    for (const site of this.process.sites) {
      const offset = Number(site.addr - addr);
      if (site.type === 0 && offset >= 0 && offset < bytes.length) bytes[offset] = 0xcc;
    }
    return bytes;
  }

  text(addr: bigint, length: number): Buffer {
    const segment = this.process.program.segments.find(
      (s) => addr >= s.addr && addr < s.addr + BigInt(s.bytes.length),
    );
    const offset = Number(addr - (segment?.addr ?? 0n));
    return Buffer.from(segment?.bytes.subarray(offset, offset + length) ?? []);
  }

  alive(): boolean {
    return this.process.status === undefined;
  }

  pause(): void {
    this.machine.run(1000, () => false);
  }

  end(): number | undefined {
    this.machine.die(this.process, SIGKILL);
    return this.process.status;
  }
}
