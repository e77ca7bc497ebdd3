import type { TraceReason } from './channel/enums';

/** What a tracepoint collects; at the hit, or after each step of while-stepping. */
export type Collect = { step: boolean } & (
  | { kind: 'regs'; note: number }
  /** reg: base register by the target description's number; undefined: addr is the address. */
  | { kind: 'memory'; reg: number | undefined; addr: bigint; length: number }
  /** An agent expression with the target description's register numbers. */
  | { kind: 'code'; code: Buffer }
);

export interface TracepointSpec {
  pid: number;
  /** The client's. */
  number: number;
  addr: bigint;
  enabled: boolean;
  /** Single steps to collect after a hit. */
  step: number;
  /** Tracing stops after so many hits; 0n: never. */
  pass: bigint;
  condition?: Buffer | undefined;
  collect: readonly Collect[];
}

export interface TraceStatus {
  running: boolean;
  reason: TraceReason;
  /** The tracepoint that stopped it. */
  number: number;
  /** Positive errno, with TraceReason.Error. */
  error: number;
  circular: boolean;
  /** Bytes. */
  size: bigint;
  used: bigint;
  free: bigint;
  /** In the buffer, and ever made. */
  frames: number;
  created: number;
  /** CLOCK_MONOTONIC; 0n: not yet. */
  startNs: bigint;
  stopNs: bigint;
}

/** The head of a frame. */
export interface FrameHead {
  /** Bytes, with all blocks. */
  size: number;
  /** The tracepoint's. */
  number: number;
  addr: bigint;
  /** Where the thread stood. */
  pc: bigint;
  timeNs: bigint;
  pid: number;
  tid: number;
  /** 0: the hit, N: the N-th step after it. */
  step: number;
}

export type FrameBlock =
  | { kind: 'regs'; note: number; data: Buffer }
  | { kind: 'memory'; addr: bigint; data: Buffer }
  | { kind: 'variable'; number: number; value: bigint };

/**
 * The trace experiment of one engine: definitions, runs, the buffer of frames, state variables.
 * Methods throw EngineError. Callers ask has('tracepoints') first.
 */
export interface Tracing {
  /** Defines a tracepoint, or replaces the one of that process, number and address. */
  define(spec: TracepointSpec): void;
  /** undefined: not known (any more). usage: bytes of its frames. */
  counts(pid: number, number: number, addr: bigint): { hits: bigint; usage: bigint } | undefined;
  /** Stops; forgets definitions, frames and variables. */
  clear(): void;
  start(): void;
  /** Does nothing when it does not run. */
  stop(): void;
  /** size: bytes of buffer, undefined as it is; another size forgets the frames. */
  setup(circular: boolean, size?: number): void;
  status(): TraceStatus;
  /** index: from the oldest. undefined: no such frame. */
  head(index: number): FrameHead | undefined;
  blocks(index: number): FrameBlock[];
  /** undefined: never set. */
  variable(number: number): bigint | undefined;
  setVariable(number: number, value: bigint): void;
}
