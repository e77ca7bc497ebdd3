import type { FakeEngine } from './fake-engine';
import type { FakeProgram, Segment } from './program';
import { stackOf } from './program';

// struct user_regs_struct, sys/user.h of x86-64: offsets in bytes
export const PRSTATUS = { size: 216, fp: 32, rax: 80, origRax: 120, pc: 128, sp: 152 };
export const ARGUMENTS = [112, 104, 96, 56, 72, 64]; // rdi rsi rdx r10 r8 r9
export const SIGINFO_SIZE = 128;

/** One engine's grip on a process. */
export interface Attachment {
  engine: FakeEngine;
  process: FakeProcess;
  release: number;
  sets: FakeSets;
  /** More than the process's: system calls of single threads. */
  threadSets: Map<number, FakeSets>;
}

export interface FakeSets {
  follow: number;
  signalStop: bigint;
  signalNote: bigint;
  faultStop: bigint;
  signalStep: bigint;
  lifeStop: bigint;
  lifeNote: bigint;
  entryStop: Buffer;
  exitStop: Buffer;
  entryNote: Buffer;
  exitNote: Buffer;
}

export interface Hold {
  stopId: bigint;
  /** enum ntrace_event_type. */
  why: number;
  /** Its event waits to be read. */
  unread: boolean;
  since: bigint;
}

/** Something on its way through the engines, one after the other. */
export interface Passage {
  left: Attachment[];
  /** Stops or notes it for this engine; true when the engine holds the thread now. */
  offer(attachment: Attachment): boolean;
  /** After the last engine let go. */
  done(): void;
}

export interface Step {
  attachment: Attachment;
  /** Go on while lo <= pc < hi; lo == hi: one instruction. */
  lo: bigint;
  hi: bigint;
}

export interface PendingSignal {
  signo: number;
  code: number;
  addr: bigint;
  sender: number;
  fault: boolean;
  siginfo: Buffer;
}

export class FakeThread {
  readonly regs = Buffer.alloc(PRSTATUS.size);
  readonly holds = new Map<Attachment, Hold>();
  readonly signals: PendingSignal[] = [];
  readonly steps: Step[] = [];
  readonly passages: Passage[] = [];
  /** The signal being passed through the engines. */
  current: PendingSignal | undefined;
  blocked = false;
  dead = false;
  /** The breakpoint it was reported at and may pass now. */
  over: bigint | undefined;
  /** Return addresses of signal handlers. */
  readonly frames: bigint[] = [];
  vforkChild: number | undefined;
  readonly cookie: bigint;

  constructor(
    readonly process: FakeProcess,
    readonly tid: number,
    index: number,
  ) {
    this.cookie = BigInt(tid) * 1000n + 7n;
    this.sp = stackOf(index);
    this.pc = process.program.entry;
  }

  get pc(): bigint {
    return this.regs.readBigUInt64LE(PRSTATUS.pc);
  }
  set pc(value: bigint) {
    this.regs.writeBigUInt64LE(BigInt.asUintN(64, value), PRSTATUS.pc);
  }
  get sp(): bigint {
    return this.regs.readBigUInt64LE(PRSTATUS.sp);
  }
  set sp(value: bigint) {
    this.regs.writeBigUInt64LE(BigInt.asUintN(64, value), PRSTATUS.sp);
  }
  get fp(): bigint {
    return this.regs.readBigUInt64LE(PRSTATUS.fp);
  }
  set result(value: bigint) {
    this.regs.writeBigInt64LE(value, PRSTATUS.rax);
  }
}

/** A breakpoint or watchpoint in one address space. */
export interface Site {
  type: number;
  addr: bigint;
  len: number;
  /** By owner: the owner's id for it, and its hits. */
  owners: Map<Attachment, { id: number; hits: bigint }>;
}

export class FakeProcess {
  readonly threads = new Map<number, FakeThread>();
  readonly attachments: Attachment[] = [];
  sites: Site[] = [];
  handlers = new Map<number, bigint>();
  segments: Segment[];
  started = 0;
  status: number | undefined;
  /** Waits before its exec. */
  embryo: (() => void) | undefined;
  vforkParent: FakeThread | undefined;

  constructor(
    readonly pid: number,
    public program: FakeProgram,
    readonly parent: number,
  ) {
    this.segments = program.segments.map((s) => ({ ...s, bytes: Buffer.from(s.bytes) }));
  }

  newThread(tid: number): FakeThread {
    const thread = new FakeThread(this, tid, this.started++);
    this.threads.set(tid, thread);
    return thread;
  }

  /** The bytes at addr, or fewer where the segment ends; undefined: nothing is there. */
  bytes(addr: bigint, length: number): Buffer | undefined {
    const segment = this.segments.find(
      (s) => addr >= s.addr && addr < s.addr + BigInt(s.bytes.length),
    );
    if (segment === undefined) return undefined;
    const offset = Number(addr - segment.addr);
    return segment.bytes.subarray(offset, offset + length);
  }
}
