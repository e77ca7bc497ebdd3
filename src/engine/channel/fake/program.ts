import type { FakeThread } from './process';

/** What an instruction may do to the machine besides changing its own thread's registers. */
export interface Kernel {
  exitThread(thread: FakeThread, status: number): void;
  exitProcess(thread: FakeThread, status: number): void;
  clone(thread: FakeThread, entry: bigint): FakeThread;
  fork(thread: FakeThread, vfork: boolean): number;
  exec(thread: FakeThread, program: FakeProgram): void;
  raise(thread: FakeThread, signo: number, code: number, addr: bigint): void;
  /** One store of all the words. */
  store(thread: FakeThread, addr: bigint, ...words: bigint[]): void;
  load(thread: FakeThread, addr: bigint): bigint;
  /** Runs no further until a signal comes. */
  block(thread: FakeThread): void;
}

export interface Instruction {
  size: number;
  /** System call number, for those that are one: entry and exit are reported around run(). */
  nr?: number;
  /** The pc is already past it; run() may set another. Returns a system call's result. */
  run(thread: FakeThread, kernel: Kernel): bigint | void;
}

export interface Segment {
  addr: bigint;
  bytes: Buffer;
  writable: boolean;
}

/** A program as the fake runs it: instructions that are closures, at addresses. */
export interface FakeProgram {
  name: string;
  entry: bigint;
  code: ReadonlyMap<bigint, Instruction>;
  segments: readonly Segment[];
  symbols: ReadonlyMap<string, bigint>;
}

const TEXT = 0x401000n;
const DATA = 0x404000n;
export const STACK = 0x7ffd_0000_0000n;
const STACK_SIZE = 0x10000;
const SEGMENT_SIZE = 0x1000;

/** Writes a program down, instruction by instruction; labels may be used before they are set. */
export class Assembler {
  private readonly code = new Map<bigint, Instruction>();
  private readonly symbols = new Map<string, bigint>();
  private readonly text = Buffer.alloc(SEGMENT_SIZE, 0x90);
  private at = TEXT;
  private data = DATA;

  constructor(private readonly name: string) {}

  label(name: string): this {
    this.symbols.set(name, this.at);
    return this;
  }

  /** A 64-bit variable. */
  variable(name: string): this {
    this.symbols.set(name, this.data);
    this.data += 8n;
    return this;
  }

  op(size: number, run: Instruction['run'], nr?: number): this {
    this.code.set(this.at, nr === undefined ? { size, run } : { size, run, nr });
    this.at += BigInt(size);
    return this;
  }

  nop(count = 1): this {
    for (let i = 0; i < count; i++) this.op(1, () => undefined);
    return this;
  }

  jump(label: string): this {
    return this.op(2, (thread) => {
      thread.pc = this.address(label);
    });
  }

  /** Pushes the return address onto the thread's stack. */
  call(label: string): this {
    return this.op(5, (thread, kernel) => {
      thread.sp -= 8n;
      kernel.store(thread, thread.sp, thread.pc);
      thread.pc = this.address(label);
    });
  }

  ret(): this {
    return this.op(1, (thread, kernel) => {
      thread.pc = kernel.load(thread, thread.sp);
      thread.sp += 8n;
    });
  }

  add(variable: string, amount: bigint): this {
    return this.op(7, (thread, kernel) => {
      const addr = this.address(variable);
      kernel.store(thread, addr, kernel.load(thread, addr) + amount);
    });
  }

  /** Goes back to label until the variable has reached limit. */
  until(variable: string, limit: bigint, label: string): this {
    return this.op(6, (thread, kernel) => {
      if (kernel.load(thread, this.address(variable)) < limit) thread.pc = this.address(label);
    });
  }

  syscall(nr: number, run: Instruction['run']): this {
    return this.op(2, run, nr);
  }

  exit(status: number): this {
    return this.syscall(231, (thread, kernel) => kernel.exitProcess(thread, status << 8));
  }

  address(name: string): bigint {
    const addr = this.symbols.get(name);
    if (addr === undefined) throw new Error(`${this.name}: no symbol ${name}`);
    return addr;
  }

  build(entry = 'main'): FakeProgram {
    return {
      name: this.name,
      entry: this.address(entry),
      code: this.code,
      segments: [
        { addr: TEXT, bytes: this.text, writable: false },
        { addr: DATA, bytes: Buffer.alloc(SEGMENT_SIZE), writable: true },
        { addr: STACK, bytes: Buffer.alloc(STACK_SIZE), writable: true },
      ],
      symbols: this.symbols,
    };
  }
}

/** The first stack pointer of the nth thread of a process. */
export function stackOf(index: number): bigint {
  return STACK + BigInt(STACK_SIZE - 0x100 - (index % 60) * 0x400);
}
