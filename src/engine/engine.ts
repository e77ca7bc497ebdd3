import type { SpawnedChild } from '../native';
import { Addresses } from './addresses';
import { Breakpoints } from './breakpoints';
import { Call } from './channel/calls';
import type { Channel } from './channel/channel';
import { decodeHolders, eventDecoder } from './channel/codec';
import { translateRegisters } from './agent';
import { AttachFlag, ReleaseMode, StopFlag, ThreadFlag } from './channel/enums';
import { EventType, type EngineEvent } from './channel/event';
import { ATTACH, DETACH, HOLDER, RELEASE_HOLD, SETS, SIGNAL, WHO } from './channel/records';
import type {
  BreakpointCode,
  BreakpointStats,
  BreakType,
  Engine,
  Holder,
  LaunchSpec,
  ListedThread,
  Release,
  ResumeAction,
  Sets,
  ThreadRef,
} from './engine-api';
import { Errno, EngineError, failure } from './errors';
import { shakeHands, type Greeting, type Handshake } from './handshake';
import type { Inferior } from './inferior';
import { Inferiors, setRunning } from './inferiors';
import { collectKilled, launch, type Launcher } from './launch';
import { leftChildren } from './left-children';
import { MemoryAccess } from './memory';
import { attachRefused } from './refusal';
import { RegisterAccess } from './registers';
import { Resumption } from './resumption';
import { ALL_SETS, SetState } from './sets';
import type { Thread } from './thread';
import { ThreadLister } from './threads';
import { Tracepoints } from './tracepoints';
import { heldText } from './who';

export * from './engine-api';

const RELEASES: Record<Release, ReleaseMode> = {
  resume: ReleaseMode.Resume,
  kill: ReleaseMode.Kill,
  stop: ReleaseMode.Stop,
};
const EVENTS_PER_READ = 64;
const KILL_LIMIT_MS = 10_000;
const SIGKILL = 9;

/** Opens an engine on a channel nobody spoke to yet. */
export function openEngine(channel: Channel, greeting: Greeting): Engine {
  return new NtraceEngine(channel, greeting);
}

class NtraceEngine implements Engine, Launcher {
  private readonly hello: Handshake;
  private readonly table: Inferiors;
  private readonly addresses: Addresses;
  private readonly memory: MemoryAccess;
  private readonly registers: RegisterAccess;
  private readonly resumption: Resumption;
  private readonly breakpoints: Breakpoints;
  private readonly lister: ThreadLister;
  readonly tracing: Tracepoints;
  grace = false;
  private readonly defaults = new SetState();
  private readonly sets = new Map<number, SetState>();
  private readonly children = new Map<number, SpawnedChild>();
  private readonly eventBuf: Buffer;
  private readonly eventViews: Buffer[] = [];
  private readonly decodeEvents: (buf: Uint8Array) => EngineEvent[];
  /** Read from the channel, not handed out yet. */
  private pending: EngineEvent[] = [];
  private closed = false;

  readonly label: string;
  readonly observer: boolean;

  constructor(
    readonly channel: Channel,
    greeting: Greeting,
  ) {
    this.label = greeting.label;
    this.observer = greeting.observer ?? false;
    this.hello = shakeHands(channel, greeting);
    this.addresses = new Addresses(channel);
    this.memory = new MemoryAccess(channel, this.addresses);
    this.registers = new RegisterAccess(channel, this.addresses, (errno, what, thread) =>
      this.refused(errno, what, thread),
    );
    this.resumption = new Resumption(channel);
    this.breakpoints = new Breakpoints(channel, (pid) => this.others(pid));
    this.lister = new ThreadLister(channel, this.hello.threadSize);
    this.tracing = new Tracepoints(channel, (pid) => this.table.map.get(pid)?.arch);
    this.table = new Inferiors({
      appeared: (inferior, parent) => {
        const from = parent === undefined ? this.defaults : this.setsOf(parent.pid);
        this.sets.set(inferior.pid, from.clone());
      },
      replaced: (inferior, thread) => {
        this.breakpoints.forget(inferior.pid);
        this.registers.forget(thread);
      },
      vanished: (inferior) => this.vanished(inferior),
    });
    this.decodeEvents = eventDecoder(this.hello.eventSize);
    this.eventBuf = Buffer.alloc(EVENTS_PER_READ * this.hello.eventSize);
    for (let n = 0; n <= EVENTS_PER_READ; n++) {
      this.eventViews.push(this.eventBuf.subarray(0, n * this.hello.eventSize));
    }
    if (this.observer) this.defaults.dropStops();
    this.sendSets(0, this.defaults, ALL_SETS);
  }

  get inferiors(): ReadonlyMap<number, Inferior> {
    return this.table.map;
  }

  get provider(): string {
    return this.hello.provider;
  }

  get engineId(): bigint {
    return this.hello.engineId;
  }

  get pageSize(): number {
    return this.hello.pageSize;
  }

  has(feature: string): boolean {
    // trace experiments are changes, and a client asks about them all the time
    if (feature === 'tracepoints' && this.observer) return false;
    return this.hello.names.has(feature);
  }

  attach(pid: number, options: { stop?: boolean; release?: Release } = {}): Inferior {
    const flags = options.stop === true ? AttachFlag.Stop : 0;
    return this.attachWith(pid, flags, options.release ?? 'resume', false);
  }

  adopt(child: SpawnedChild): Inferior {
    try {
      const inferior = this.attachWith(child.pid, AttachFlag.Owned, 'kill', true);
      this.children.set(child.pid, child);
      return inferior;
    } catch (error) {
      child.abort();
      child.reap();
      throw error;
    }
  }

  launch(spec: LaunchSpec): Inferior {
    return launch(this, spec);
  }

  restoreSets(pid: number): void {
    const state = this.defaults.clone();
    this.sets.set(pid, state);
    this.sendSets(pid, state, ALL_SETS);
  }

  detach(pid: number, options: { release?: Release; tid?: number; signo?: number } = {}): void {
    const record = Buffer.alloc(DETACH.size);
    record.writeInt32LE(pid, DETACH.at.pid);
    record.writeUInt32LE(RELEASES[options.release ?? 'resume'], DETACH.at.release);
    record.writeInt32LE(options.signo ?? 0, DETACH.at.signo);
    record.writeInt32LE(options.tid ?? 0, DETACH.at.tid);
    const result = this.channel.call(Call.Detach, record);
    if (result < 0) throw failure(result, `detach from process ${pid}`);
    if (options.release === 'kill') collectKilled(this.children.get(pid));
    const inferior = this.table.map.get(pid);
    if (inferior !== undefined) this.table.remove(inferior);
    this.pending = this.pending.filter((event) => event.pid !== pid);
  }

  kill(pid: number): void {
    const inferior = this.table.map.get(pid);
    if (inferior === undefined) throw failure(Errno.ESRCH, `kill process ${pid}`);
    try {
      this.signal(pid, 0, SIGKILL);
    } catch (error) {
      // dead already: its last events are on their way
      if ((error as { errno?: number }).errno !== Errno.ESRCH) throw error;
    }
    const deadline = Date.now() + KILL_LIMIT_MS;
    while (this.table.map.get(pid) === inferior) {
      const left = deadline - Date.now();
      if (left <= 0) throw failure(Errno.ETIMEDOUT, `kill process ${pid}`);
      if (this.channel.wait(left)) this.pull();
    }
    this.pending = this.pending.filter((event) => event.pid !== pid);
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.channel.close();
    for (const child of this.children.values()) collectKilled(child);
    for (const inferior of [...this.table.map.values()]) this.table.remove(inferior);
    this.pending = [];
  }

  events(): EngineEvent[] {
    this.pull();
    if (this.pending.length === 0) return [];
    const events = this.pending;
    this.pending = [];
    return events;
  }

  wait(ms: number): boolean {
    return this.pending.length > 0 || this.channel.wait(ms);
  }

  take(pid: number, ms: number): EngineEvent | undefined {
    const next = (): EngineEvent | undefined => {
      const index = this.pending.findIndex((event) => event.pid === pid);
      return index < 0 ? undefined : this.pending.splice(index, 1)[0];
    };
    this.pull();
    const event = next();
    if (event !== undefined || !this.channel.wait(ms)) return event;
    this.pull();
    return next();
  }

  resume(actions: readonly ResumeAction[], waitUs = 0): number {
    const { resumption } = this;
    resumption.begin();
    // a stop the caller was not told of yet stays: it will find the event when it asks
    const unseen = this.pending.length > 0 ? this.unseenStops() : undefined;
    if (unseen !== undefined) {
      for (const t of unseen) resumption.add(t.pid, t.tid, 'stay', 0, 0n, 0n, 0n);
    }
    const shift = unseen?.length ?? 0;
    for (const { pid, tid, kind, signo, lo, hi } of actions) {
      const stopId = tid > 0 ? (this.thread(pid, tid)?.stopId ?? 0n) : 0n;
      resumption.add(pid, tid, kind, signo ?? 0, stopId, lo ?? 0n, hi ?? 0n);
    }
    const done = resumption.send(waitUs, this.grace && this.has('grace'));
    let held = 0;
    for (let i = 0; i < actions.length; i++) {
      if (resumption.error(i + shift) !== 0) continue;
      held += resumption.held(i + shift);
      this.markRunning(actions, i, unseen);
    }
    if (done === 0 && actions.length > 0) {
      const [first] = actions as [ResumeAction];
      const thread = this.thread(first.pid, first.tid);
      const errno = resumption.error(shift);
      if (thread !== undefined) throw this.refused(errno, 'resume', thread);
      throw failure(errno, first.tid > 0 ? `resume thread ${first.tid}` : 'resume the process');
    }
    return held;
  }

  stop(
    refs: readonly ThreadRef[],
    options: { wait?: boolean; timeoutUs?: number; soft?: boolean } = {},
  ): boolean {
    let flags: number = StopFlag.Quiet;
    if (options.wait === true) flags |= StopFlag.Wait;
    if (options.soft === true && this.has('soft_stop')) flags |= StopFlag.Soft;
    const pending = this.resumption.stop(refs, flags, options.timeoutUs);
    for (const ref of refs) {
      if (ref.tid <= 0) for (const i of this.named(ref)) this.table.setQuiesced(i.pid, true);
      if (pending > 0) for (const i of this.named(ref)) this.refresh(i);
      else for (const thread of this.matching(ref)) thread.state = 'held';
    }
    return pending === 0;
  }

  interrupt(refs: readonly ThreadRef[]): void {
    this.resumption.stop(refs, 0);
  }

  regset(thread: Thread, note: number): Buffer | undefined {
    return this.registers.read(thread, note);
  }

  putRegset(thread: Thread, note: number, data: Buffer): void {
    this.registers.write(thread, note, data);
  }

  readMemory(pid: number, addr: bigint, out: Buffer, offset: number, length: number): number {
    return this.memory.read(pid, addr, out, offset, length);
  }

  writeMemory(pid: number, addr: bigint, src: Buffer, offset: number, length: number): number {
    return this.memory.write(pid, addr, src, offset, length);
  }

  insertBreakpoint(
    pid: number,
    type: BreakType,
    addr: bigint,
    length: number,
    { conditions = [], actions = [], persist = false }: BreakpointCode = {},
  ): void {
    if (conditions.length === 0 && actions.length === 0) {
      this.breakpoints.insert(pid, type, addr, length);
      return;
    }
    const arch = this.inferiors.get(pid)?.arch;
    const own = (codes: readonly Buffer[]): Buffer[] | undefined => {
      const out = arch ? codes.map((code) => translateRegisters(code, arch)) : [];
      return out.includes(undefined) ? undefined : (out as Buffer[]);
    };
    const tests = own(this.has('conditions') ? conditions : []);
    const commands = own(actions);
    if (actions.length > 0 && (!commands || !tests || !this.has('actions')))
      throw failure(Errno.EOPNOTSUPP, 'run these commands where the breakpoint is hit');
    // one that cannot be decided there: every hit stops, and the caller decides
    const code = tests ? { conditions: tests, actions: commands ?? [], persist } : {};
    this.breakpoints.insert(pid, type, addr, length, code);
  }

  breakpointStats(): BreakpointStats[] {
    return this.breakpoints.stats();
  }

  removeBreakpoint(pid: number, type: BreakType, addr: bigint, length: number): void {
    this.breakpoints.remove(pid, type, addr, length);
  }

  set(pid: number, sets: Sets): void {
    const state = pid === 0 ? this.defaults : this.setsOf(pid);
    const valid = state.merge(sets);
    if (pid === 0) for (const own of this.sets.values()) own.merge(sets);
    if (valid !== 0) this.sendSets(pid, state, valid);
  }

  signal(pid: number, tid: number, signo: number): void {
    const record = Buffer.alloc(SIGNAL.size);
    record.writeInt32LE(pid, SIGNAL.at.pid);
    record.writeInt32LE(tid, SIGNAL.at.tid);
    record.writeInt32LE(signo, SIGNAL.at.signo);
    const result = this.channel.call(Call.Signal, record);
    if (result < 0) throw failure(result, `send signal ${signo} to process ${pid}`);
  }

  who(pid: number, tid = 0): Holder[] {
    const record = Buffer.alloc(WHO.size);
    for (let capacity = 32; ;) {
      const buf = Buffer.alloc(capacity * HOLDER.size);
      record.writeInt32LE(pid, WHO.at.pid);
      record.writeInt32LE(tid, WHO.at.tid);
      record.writeBigUInt64LE(this.addresses.of(buf), WHO.at.buf);
      record.writeUInt32LE(capacity, WHO.at.capacity);
      const result = this.channel.call(Call.Who, record);
      if (result < 0) throw failure(result, `ask who holds process ${pid}`);
      const count = record.readUInt32LE(WHO.at.count);
      if (count === 0) return [];
      if (count <= capacity) return decodeHolders(buf.subarray(0, count * HOLDER.size));
      capacity = count * 2;
    }
  }

  release(engineId: bigint, tid: number): number {
    const record = Buffer.alloc(RELEASE_HOLD.size);
    record.writeBigUInt64LE(engineId, RELEASE_HOLD.at.engine_id);
    record.writeInt32LE(tid, RELEASE_HOLD.at.tid);
    const result = this.channel.call(Call.Release, record);
    if (result < 0) throw failure(result, `let go what engine ${engineId} holds`);
    return record.readUInt32LE(RELEASE_HOLD.at.released);
  }

  resync(): void {
    for (const inferior of this.table.map.values()) {
      this.table.setQuiesced(inferior.pid, false);
      this.refresh(inferior);
    }
  }

  listThreads(pid: number): ListedThread[] {
    return this.lister.list(pid).map(({ tid, pid: tgid, core, flags, state, comm }) => ({
      tid,
      pid: tgid,
      core,
      heldByOther: (flags & ThreadFlag.HeldByOther) !== 0,
      state,
      name: comm,
    }));
  }

  private attachWith(pid: number, flags: number, release: Release, launched: boolean): Inferior {
    const record = Buffer.alloc(ATTACH.size);
    record.writeInt32LE(pid, ATTACH.at.pid);
    record.writeUInt32LE(flags, ATTACH.at.flags);
    record.writeUInt32LE(RELEASES[release], ATTACH.at.release);
    const result = this.channel.call(Call.Attach, record);
    if (result < 0) {
      const reason = record.readUInt32LE(ATTACH.at.reason);
      throw attachRefused(pid, -result, reason, record.readInt32LE(ATTACH.at.holder_pid));
    }
    const inferior = this.table.add(pid, launched);
    this.sets.set(pid, this.defaults.clone());
    if ((flags & AttachFlag.Stop) !== 0) this.table.setQuiesced(pid, true);
    this.refresh(inferior);
    return inferior;
  }

  private pull(): void {
    const { eventSize, eventCapacity } = this.hello;
    // a recorder's program runs on meanwhile: no more than a full queue at once
    for (let left = eventCapacity; left > 0; left -= this.eventBuf.length / eventSize) {
      const bytes = this.channel.readEvents(this.eventBuf);
      if (bytes < 0) throw failure(bytes, 'read events');
      if (bytes === 0) return;
      const view = this.eventViews[bytes / eventSize] ?? this.eventBuf.subarray(0, bytes);
      for (const event of this.decodeEvents(view)) {
        if (event.type === EventType.Lost) this.recover();
        if (this.table.apply(event)) this.pending.push(event);
      }
      if (bytes + eventSize <= this.eventBuf.length) return;
    }
  }

  // Dropped notes may have been of new or dead threads.
  private recover(): void {
    for (const inferior of this.table.map.values()) this.refresh(inferior);
  }

  private refresh(inferior: Inferior): void {
    this.table.refresh(inferior, this.lister.flags(inferior.pid));
  }

  private unseenStops(): EngineEvent[] | undefined {
    const stops = this.pending.filter((event) => event.stopId !== 0n);
    return stops.length > 0 ? stops : undefined;
  }

  private markRunning(
    actions: readonly ResumeAction[],
    index: number,
    unseen: readonly EngineEvent[] | undefined,
  ): void {
    const action = actions[index];
    if (action === undefined || action.kind === 'stay') return;
    if (action.tid > 0) {
      const thread = this.thread(action.pid, action.tid);
      this.table.setQuiesced(action.pid, false);
      if (thread !== undefined && !unseen?.some((event) => event.tid === thread.tid)) {
        setRunning(thread);
      }
      return;
    }
    const shields = actions.slice(0, index);
    for (const inferior of this.named(action)) {
      if (shields.some((a) => a.tid <= 0 && (a.pid === inferior.pid || a.pid < 0))) continue;
      const named = new Set(shields.map((a) => a.tid));
      for (const event of unseen ?? []) named.add(event.tid);
      this.table.setQuiesced(inferior.pid, false);
      for (const thread of inferior.threads.values()) {
        if (!named.has(thread.tid)) setRunning(thread);
      }
    }
  }

  private named(ref: ThreadRef): Inferior[] {
    if (ref.pid < 0) return [...this.table.map.values()];
    const inferior = this.table.map.get(ref.pid);
    return inferior === undefined ? [] : [inferior];
  }

  private *matching(ref: ThreadRef): Iterable<Thread> {
    for (const inferior of this.named(ref)) {
      if (ref.tid <= 0) yield* inferior.threads.values();
      else {
        const thread = inferior.threads.get(ref.tid);
        if (thread !== undefined) yield thread;
      }
    }
  }

  private thread(pid: number, tid: number): Thread | undefined {
    return this.table.map.get(pid)?.threads.get(tid);
  }

  private others(pid: number, tid = 0): Holder[] {
    return this.who(pid, tid).filter((holder) => holder.engineId !== this.engineId);
  }

  /** A refusal about one thread; where it is busy, by whom. */
  private refused(errno: number, what: string, { pid, tid }: Thread): EngineError {
    const text = `${what} of thread ${tid}`.replace(/^resume of/, 'resume');
    if (errno !== Errno.EBUSY || !this.has('who')) return failure(errno, text);
    const others = heldText(this.others(pid, tid));
    const state = others === '' ? 'it runs' : `it is not stopped for us, only ${others}`;
    return new EngineError(errno, 'EBUSY', `cannot ${text}: ${state}; stop it first`);
  }

  private setsOf(pid: number): SetState {
    const state = this.sets.get(pid);
    if (state === undefined) throw failure(Errno.ESRCH, `change what stops process ${pid}`);
    return state;
  }

  private sendSets(pid: number, state: SetState, valid: number): void {
    const record = Buffer.alloc(SETS.size);
    state.encode(record, pid, valid);
    const result = this.channel.call(Call.Sets, record);
    if (result < 0) throw failure(result, 'say which events are wanted');
  }

  private vanished(inferior: Inferior): void {
    const { pid } = inferior;
    this.sets.delete(pid);
    this.breakpoints.forget(pid);
    // where the provider does not reap, a dead child of ours waits for us
    const child = this.children.get(pid);
    if (child !== undefined) leftChildren.add(child);
    this.children.delete(pid);
  }
}
