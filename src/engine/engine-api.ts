import type { Channel } from './channel/channel';
import type { EngineEvent } from './channel/event';
import type { Inferior } from './inferior';
import type { Thread } from './thread';
import type { Tracing } from './tracepoints-api';

/** enum ntrace_release. */
export type Release = 'resume' | 'kill' | 'stop';

/** One thread (tid > 0), all threads of a process not named before (tid -1), of all (pid -1). */
export interface ThreadRef {
  pid: number;
  tid: number;
}

export interface ResumeAction extends ThreadRef {
  kind: 'cont' | 'step' | 'range' | 'stay';
  /** Deliver this (Linux number); 0 discards the one it stopped for. */
  signo?: number;
  lo?: bigint;
  hi?: bigint;
}

export interface LaunchSpec {
  file: string;
  args: string[]; // argv with argv[0]
  env?: string[];
  cwd?: string;
  noRandomize?: boolean;
  newGroup?: boolean;
  stdio?: [string | undefined, string | undefined, string | undefined];
  /** How many execs to run through before the program is there: 1, or 2 with a shell or wrapper. */
  execs?: number;
}

export type BreakType = 0 | 1 | 2 | 3 | 4; // the Z packets' numbers

/** Agent expressions of a breakpoint, with the target description's register numbers. */
export interface BreakpointCode {
  /** Any true one makes the hit count, as does one that cannot be decided. */
  conditions?: readonly Buffer[];
  /** Run at a hit that counts, which stops nobody then. Callers ask has('actions') first. */
  actions?: readonly Buffer[];
  /** The actions go on when the engine lets go of the process. */
  persist?: boolean;
}

/** One place of a breakpoint, and what was counted there, removals in between included. */
export interface BreakpointStats {
  readonly pid: number;
  readonly type: BreakType;
  readonly addr: bigint;
  inserted: boolean;
  conditional: boolean;
  actions: number;
  hits: bigint;
  /** Expressions run. */
  evaluated: bigint;
  trueHits: bigint;
  falseHits: bigint;
  errors: bigint;
  /** Of all evaluations of the provider together. */
  costNs: bigint;
  /** Of the hits, those whose conditions the program itself found false. */
  native: bigint;
}

export interface Sets {
  signalStop?: bigint; // bit N: signal N + 1
  signalNote?: bigint;
  faultStop?: bigint;
  /** More that stop a thread while it steps for this engine. */
  signalStep?: bigint;
  lifeStop?: EventTypeList;
  lifeNote?: EventTypeList;
  followFork?: boolean;
  followVfork?: boolean;
  /** System call numbers, or 'all', or [] for none. */
  entryStop?: number[] | 'all';
  exitStop?: number[] | 'all';
  entryNote?: number[] | 'all';
  exitNote?: number[] | 'all';
}
export type EventTypeList = readonly number[]; // EventType members >= NewThread

/** A thread as the provider sees it now. */
export interface ListedThread {
  tid: number;
  pid: number;
  core: number;
  heldByOther: boolean;
  state: number;
  name: string;
}

export interface Holder {
  engineId: bigint;
  sinceNs: bigint;
  pid: number;
  uid: number;
  tid: number;
  why: number;
  label: string;
}

/**
 * One engine: its inferiors, their threads, and every operation on them, over a Channel. Methods
 * throw EngineError. All synchronous; events() must be called when the channel is readable.
 */
export interface Engine {
  readonly channel: Channel;
  readonly inferiors: ReadonlyMap<number, Inferior>;
  readonly provider: string;
  readonly engineId: bigint;
  /** It never holds and never changes: whatever would is refused with EROFS. */
  readonly observer: boolean;
  /** What people and other engines are shown of it. */
  readonly label: string;
  readonly pageSize: number;
  /** Feature by the name behind NTRACE_F_, lower-case: 'watch', 'step', 'range_step'. */
  has(feature: string): boolean;

  /** Attaches a process; with stop, all its threads are held on return. */
  attach(pid: number, options?: { stop?: boolean; release?: Release }): Inferior;
  /**
   * Starts a program and holds it at its first instruction, its Exec event in thread.stop. Throws
   * with the step that failed. Events of others that came meanwhile wait in events(), as with kill().
   */
  launch(spec: LaunchSpec): Inferior;
  detach(pid: number, options?: { release?: Release; tid?: number; signo?: number }): void;
  /**
   * SIGKILL; returns when it is reaped (its ProcDead event is consumed). Never hangs: 10 s at most.
   * It may have read events of other inferiors: call events() before going back to the reactor.
   */
  kill(pid: number): void;
  close(): void;

  /**
   * Drains the channel. Inferiors and threads are up to date with what it returns: new threads and
   * followed children exist, dead ones are 'gone' and out of the maps, exec renewed the descriptor.
   */
  events(): EngineEvent[];
  /** Blocks up to ms until events() would give something (tests and launches). */
  wait(ms: number): boolean;

  /**
   * Of many threads resumed the one that stopped last runs first, where the provider can do that
   * (NTRACE_RESUME_GRACE): a stop that follows at once then costs nobody else anything.
   */
  grace: boolean;
  /**
   * Returns how many threads others still hold. Entries that fail alone throw only if all fail. A
   * thread whose stop is not read yet stays held: its event comes with the next events().
   */
  resume(actions: readonly ResumeAction[], waitUs?: number): number;
  /**
   * Holds them (quietly: no Stopped events); true when all are held, false: some are pending. What
   * stopped by itself before has its event in the next events(). timeoutUs: 2 s unless told.
   */
  stop(
    refs: readonly ThreadRef[],
    options?: { wait?: boolean; timeoutUs?: number; soft?: boolean },
  ): boolean;
  /** Like stop without waiting: each thread gives a Stopped event when it is held. */
  interrupt(refs: readonly ThreadRef[]): void;

  /** Raw bytes, cached for the present stop; undefined when this machine or thread has no such set. */
  regset(thread: Thread, note: number): Buffer | undefined;
  /** Writes back (and keeps cached) what regset() gave and the caller changed. */
  putRegset(thread: Thread, note: number, data: Buffer): void;

  /** Bytes read from addr on; fewer than length where memory ends; throws if none could be read. */
  readMemory(pid: number, addr: bigint, out: Buffer, offset: number, length: number): number;
  writeMemory(pid: number, addr: bigint, src: Buffer, offset: number, length: number): number;

  /**
   * Idempotent for the same place, whose code is replaced; throws ENOSPC with the holders named.
   * Callers ask has('conditions') before they send any.
   */
  insertBreakpoint(
    pid: number,
    type: BreakType,
    addr: bigint,
    length: number,
    code?: BreakpointCode,
  ): void;
  removeBreakpoint(pid: number, type: BreakType, addr: bigint, length: number): void;

  /** Tracepoints and what they collected. */
  readonly tracing: Tracing;

  breakpointStats(): BreakpointStats[];

  /** pid 0: every one attached and the default for later ones. */
  set(pid: number, sets: Sets): void;
  signal(pid: number, tid: number, signo: number): void;
  /** Who else is attached to or holds it. */
  who(pid: number, tid?: number): Holder[];
  /** Lets another engine's holds go, of processes this one is attached to; tid 0: all. How many. */
  release(engineId: bigint, tid: number): number;
  /** Takes over the provider's view of every thread: somebody else may have let our holds go. */
  resync(): void;
  /** Threads with core (-1 unknown), state and name (empty unknown), fresh from the provider. */
  listThreads(pid: number): ListedThread[];
}
