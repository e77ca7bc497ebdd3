import { EventType, type EngineEvent } from '../engine/channel/event';
import type { BreakpointCode, BreakType, Engine, ResumeAction, ThreadRef } from '../engine/engine';
import { Errno, type EngineError } from '../engine/errors';
import type { Inferior } from '../engine/inferior';
import { processStatus } from '../engine/linux/process';
import { DEFAULT_SEARCH } from '../engine/linux/thread-library';
import type { Thread } from '../engine/thread';
import { Clones, isStepOf } from './clones';
import { Interest } from './interest';
import { Placed } from './placed';
import { launchSpec, type ProgramOptions } from './program';
import { Stepping } from './stepping';
import { stopOf, stopProcess, stopThread, type Stop } from './stop';
import { TraceRun } from './trace-run';
import { interruptee, Turns } from './turns';
import { crossed, untoldChildren } from './untold';
import { isVoid, mayTell } from './void-stops';

const SIGINT = 2;
const SIGTRAP = 5;
const ALL: readonly ThreadRef[] = [{ pid: -1, tid: -1 }];
/** How long a child, held before its first instruction, may take to get there. */
const BIRTH_MS = 1000;
/** How long the threads a dying one takes along may be in coming. */
const DEATH_MS = 50;
/** How long those that were held may take to be killed by one that ends its process. */
const KILLED_MS = 20;
/** A step is mostly over before its resume is, and then told in the same turn. */
const STEP_WAIT_US = 60;
/** How long a signal that waits for a thread may take to stop it. */
const SIGNAL_MS = 50;
/** A step that takes longer is one that does not end by itself. */
const STEP_MS = 50;
/** How long a stop-all may wait for threads that cannot stop now (vfork parents, disk waits). */
const QUIESCE_US = 2_000_000;

export type { ProgramOptions } from './program';

/** What the connected client is told; a Session. */
export interface StopListener {
  readonly nonStop: boolean;
  /** Non-stop: on its way to the client, not acknowledged yet. */
  readonly telling: Stop | undefined;
  /** The stop reply an all-stop resume earned. */
  onStop(stop: Stop): void;
  /** Non-stop: something was added to the queue of stops. */
  onNotify(): void;
  /** An all-stop resume left threads that other engines hold. */
  onBlocked(): void;
}

/**
 * The inferiors of one engine and their stops, across connections: which stops the client has not
 * been told, whether it waits for one, and what it wants to see.
 *
 * All-stop: the first stop quiesces every thread; stops that others had at that moment stay queued
 * and are told by the next resume that would let their thread run, unless they became void (the
 * breakpoint is gone, the pc was changed, a step nobody waits for any more).
 */
export class Target {
  /** Stops not yet told, oldest first. */
  readonly queue: Stop[] = [];
  /** What an all-stop client was told last; '?' repeats it. */
  last: Stop | undefined;
  /** An all-stop client is owed a stop reply. */
  waiting = false;
  listener: StopListener | undefined;
  /** What other engines are shown of our client. */
  label = '';
  /** Where a libthread_db may be (monitor set libthread-db-search-path). */
  threadLibraries = DEFAULT_SEARCH;
  readonly interest: Interest;
  readonly trace: TraceRun;
  /** Ends the server (monitor exit). */
  shutdown: () => void = () => undefined;
  /** A process ended by itself. */
  onDeath: (stop: Stop & { kind: 'exited' | 'signaled' }) => void = () => undefined;

  readonly placed = new Placed();
  private readonly clones: Clones;
  private readonly turns = new Turns();
  private readonly stepping: Stepping;
  /** The process that was started or attached last. */
  private latest = 0;
  private interrupting = false;
  private interruptDue = false;
  /** Non-stop: a thread has ended. */
  private ended = false;
  /** The thread that runs, by a step, while the client keeps all others: over a breakpoint, say. */
  private steppedAlone: ThreadRef | undefined;
  private lent: ThreadRef[] = [];
  /** Stops of threads the last resume left alone: told when a resume lets their thread run. */
  private parked = new Set<Stop>();

  constructor(
    readonly engine: Engine,
    readonly options: ProgramOptions,
    /** gdbserver's own messages: a line each. */
    protected readonly say: (line: string) => void = () => undefined,
  ) {
    this.interest = new Interest(engine);
    this.clones = new Clones(engine, this.interest);
    this.stepping = new Stepping(engine);
    this.trace = new TraceRun(engine);
    this.interest.apply();
  }

  // ---- processes ----------------------------------------------------------------------------

  /** Starts options.program and holds it at its first instruction. */
  launch(): Inferior {
    this.clientCame();
    this.trace.frame = undefined;
    const inferior = this.engine.launch(launchSpec(this.options));
    this.latest = inferior.pid;
    this.say(`Process ${this.options.program[0]} created; pid = ${inferior.pid}`);
    return inferior;
  }
  /** Attaches a process and holds all its threads. */
  attach(pid: number): Inferior {
    this.clientCame();
    this.trace.frame = undefined;
    const inferior = this.engine.attach(pid, { stop: true });
    this.latest = pid;
    this.takeSignal(inferior);
    this.say(`Attached; pid = ${pid}`);
    return inferior;
  }
  /** A signal that waited for the process comes first: nothing of the program runs before it. */
  private takeSignal(inferior: Inferior): void {
    const { pid, tid } = this.leading(inferior);
    const waiting = processStatus(pid, tid)?.deliverable ?? 0n;
    if (waiting === 0n || (waiting & this.interest.passSignals) !== 0n) return;
    this.engine.resume([{ pid, tid, kind: 'cont' }]);
    this.engine.wait(SIGNAL_MS);
    this.engine.stop([{ pid, tid }], { wait: true, timeoutUs: QUIESCE_US });
    this.collect();
  }
  kill(pid: number): void {
    const untold = untoldChildren(this.queue, pid);
    this.engine.kill(pid);
    this.collect();
    this.forget(pid);
    for (const child of untold) if (this.engine.inferiors.has(child)) this.kill(child);
  }
  /** 'k': everything ends, in gdbserver's words. */
  killAll(): void {
    this.say('Killing all inferiors');
    for (const pid of [...this.engine.inferiors.keys()]) this.kill(pid);
  }
  /** 'R': a new start of the last program. */
  restart(): Stop & { kind: 'thread' } {
    this.say('GDBserver restarting');
    for (const pid of [...this.engine.inferiors.keys()]) this.kill(pid);
    return this.firstStop(this.launch());
  }
  /** Lets a process run without us; a signal it was stopped for goes with it if the client allows. */
  detach(inferior: Inferior): void {
    const { pid } = inferior;
    this.trace.stop();
    this.say(`Detaching from process ${pid}`);
    let signal: { tid: number; signo: number } | undefined;
    for (const { tid, stop } of inferior.threads.values())
      if (stop?.type === EventType.Signal) {
        const passes = this.passes(stop.signo);
        signal = { tid, signo: passes ? stop.signo : 0 };
        if (passes) break;
      }
    const untold = untoldChildren(this.queue, pid);
    try {
      this.engine.detach(pid, { release: 'resume', ...signal });
    } catch (error) {
      if ((error as EngineError).errno !== Errno.ESRCH) throw error;
      this.collect(); // it died meanwhile
    }
    this.forget(pid);
    for (const one of untold) {
      const child = this.engine.inferiors.get(one);
      if (child) this.detach(child);
    }
  }
  /** Is a process dead, and nobody was told? Nothing is left of it then. */
  diedUntold(pid: number): boolean {
    if (pid <= 0 || this.engine.inferiors.has(pid)) return false;
    const known = this.unborn.delete(pid) || this.queue.some((stop) => stopProcess(stop) === pid);
    if (known) this.forget(pid);
    return known;
  }
  /** May the program get a signal that the client was told of, when the client lets go? */
  private passes(signo: number): boolean {
    return ((this.interest.programSignals >> BigInt(signo - 1)) & 1n) !== 0n;
  }
  /** A client detaches while disconnected tracing runs: everything runs on, and stays ours. */
  leaveTracing(): boolean {
    if (!this.trace.disconnected || !this.trace.running) return false;
    this.say('Disconnected tracing in effect, leaving gdbserver attached to the process');
    this.trace.frame = undefined;
    this.removeAllBreakpoints();
    this.queue.length = 0;
    const actions: ResumeAction[] = [];
    for (const { pid, threads } of this.engine.inferiors.values())
      for (const { tid, stop } of threads.values())
        if (stop?.type === EventType.Signal && this.passes(stop.signo))
          actions.push({ pid, tid, kind: 'cont', signo: stop.signo });
    // signals to come are nobody's business
    this.interest.attended = false;
    this.interest.apply();
    this.engine.resume([...actions, { pid: -1, tid: -1, kind: 'cont' }]);
    return true;
  }
  /** What vRun, vAttach and a first '?' tell of a process that was just started or attached. */
  firstStop(inferior: Inferior): Stop & { kind: 'thread' } {
    for (const [i, stop] of this.queue.entries())
      if (stop.kind === 'thread' && stop.pid === inferior.pid) {
        this.queue.splice(i, 1);
        return stop;
      }
    return { kind: 'thread', ...this.leading(inferior), signo: SIGTRAP, event: undefined };
  }
  private leading({ pid, threads }: Inferior): ThreadRef {
    return { pid, tid: threads.has(pid) ? pid : [...threads.keys()][0]! };
  }

  // ---- breakpoints of the client ------------------------------------------------------------

  insertBreakpoint(
    pid: number,
    type: BreakType,
    addr: bigint,
    length: number,
    code?: BreakpointCode,
  ): void {
    this.engine.insertBreakpoint(pid, type, addr, length, code);
    // what is to go on without the client is not taken away when it leaves
    if (code?.persist) return;
    this.placed.add(pid, type, addr, length);
  }
  removeBreakpoint(pid: number, type: BreakType, addr: bigint, length: number): void {
    this.placed.delete(pid, type, addr, length);
    this.engine.removeBreakpoint(pid, type, addr, length);
  }
  /** A client that left without removing its breakpoints leaves none behind. */
  removeAllBreakpoints(): void {
    for (const { pid, type, addr, length } of this.placed.all()) {
      try {
        this.removeBreakpoint(pid, type, addr, length);
      } catch {
        // its process is gone, and the breakpoint with it
      }
    }
  }
  /** The client is gone without a word: what it set goes, what ran goes on. */
  clientLeft(): void {
    this.waiting = this.interruptDue = false;
    if (this.trace.clientLeft()) this.say('Disconnected tracing disabled; stopping trace run.');
    this.removeAllBreakpoints();
    this.interest.reset();
    this.interest.attended = false;
    this.interest.apply();
    this.endSteps();
  }
  /** A client is there, to be told of stops. */
  clientCame(): void {
    if (this.interest.attended) return;
    this.interest.attended = true;
    this.interest.apply();
  }
  /** Threads that a vanished client let step run on, unless their step is over. */
  private endSteps(): void {
    const refs = this.stepping.takeRunning();
    if (refs.length === 0) return;
    this.engine.stop(refs, { wait: true, timeoutUs: QUIESCE_US });
    this.collect();
    const due = new Set(this.queue.map((stop) => stopThread(stop)));
    const rest = this.existing(refs).filter(({ tid }) => !due.has(tid));
    if (rest.length > 0) this.engine.resume(rest.map((ref) => ({ ...ref, kind: 'cont' })));
  }

  // ---- resuming -----------------------------------------------------------------------------

  /** Carries out a vCont; a stop that is due already is told instead of running on. */
  resume(asked: readonly ResumeAction[]): void {
    this.waiting = !this.listener?.nonStop;
    this.interrupting = false;
    if (this.waiting) this.dropVoidStops(asked);
    else if (this.queue.at(-1)?.kind === 'no-resumed') this.queue.pop();
    const actions = this.waiting ? asked : crossed(asked, this.onTheWay());
    this.parked = new Set(this.queue.filter((stop) => !mayTell(stop, actions)));
    if (this.waiting && this.queue.some(this.current)) {
      // nobody runs, but no signal that was given along may be lost
      const given = this.existing(actions).filter((a) => a.tid > 0 && (a.signo ?? 0) !== 0);
      if (given.length > 0) {
        this.engine.resume(given);
        this.quiesce();
        this.collect();
      }
      this.deliver(this.current);
      return;
    }
    // the leftmost action that fits a thread counts: it has the last word
    for (const action of [...actions].reverse()) this.stepping.note(action);
    this.takeBack(actions);
    const there = this.existing(actions);
    const [only] = there;
    const alone = there.length === 1 && only!.tid > 0 && only!.kind === 'step';
    this.steppedAlone = this.waiting && alone ? only : undefined;
    const steps = this.waiting && there.some(({ kind }) => kind === 'step');
    this.clones.resumed(there);
    const blocked = there.length > 0 && this.engine.resume(there, steps ? STEP_WAIT_US : 0) > 0;
    // what is over at once is told at once
    if (this.waiting) this.pump();
    if (this.waiting && this.interruptDue) this.interrupt();
    if (this.waiting && blocked) this.listener?.onBlocked();
  }

  /** Non-stop: what the client was not told of for certain. */
  private onTheWay(): Stop[] {
    const { telling } = this.listener ?? {};
    return telling ? [telling, ...this.queue] : [...this.queue];
  }

  /**
   * An all-stop client takes every thread for held while it is stopped. One that runs nevertheless,
   * because somebody let go what we held, is held again before it is looked at or stepped.
   */
  takeBack(refs: readonly ThreadRef[]): void {
    if (!this.listener || this.listener.nonStop || this.engine.observer) return;
    const running = refs.filter(
      ({ pid, tid }) => this.engine.inferiors.get(pid)?.threads.get(tid)?.state === 'running',
    );
    if (running.length > 0) this.engine.stop(running, { wait: true, timeoutUs: QUIESCE_US });
  }

  /** Stops that nobody wants to hear any more when their thread is resumed. */
  private dropVoidStops(actions: readonly ResumeAction[]): void {
    for (let i = this.queue.length - 1; i >= 0; i--)
      if (isVoid(this.queue[i]!, actions, this.engine, this.placed)) this.queue.splice(i, 1);
  }

  // ---- lending ------------------------------------------------------------------------------

  /**
   * Two clients that step a thread each, and keep all others meanwhile, would wait for each other
   * for ever. So each lends the thread the other steps, for that step.
   */
  get wanted(): ThreadRef | undefined {
    return this.waiting ? this.steppedAlone : undefined;
  }
  /** Lets go of a thread that another client steps, if ours waits for a step of its own. */
  lend(ref: ThreadRef): void {
    const thread = this.engine.inferiors.get(ref.pid)?.threads.get(ref.tid);
    if (!this.wanted || thread?.state !== 'held' || thread.stop?.type === EventType.Signal) return;
    if (this.queue.some((stop) => stopThread(stop) === ref.tid)) return;
    this.engine.resume([{ ...ref, kind: 'cont' }]);
    this.lent.push(ref);
  }
  /** The step is done: what was lent is ours again. */
  reclaim(): void {
    const refs = this.existing(this.lent.splice(0));
    if (this.waiting && refs.length > 0)
      this.engine.stop(refs, { wait: true, timeoutUs: QUIESCE_US });
  }

  anyRunning(): boolean {
    for (const inferior of this.engine.inferiors.values())
      for (const thread of inferior.threads.values()) if (thread.state === 'running') return true;
    return false;
  }
  firstHeld(): Thread | undefined {
    for (const inferior of this.engine.inferiors.values())
      for (const thread of inferior.threads.values()) if (thread.state === 'held') return thread;
    return undefined;
  }

  // ---- stopping -----------------------------------------------------------------------------

  /** ^C of an all-stop client: SIGINT, at the next resume where another stop comes first. */
  interrupt(): void {
    if (this.waiting) this.pump();
    if (!this.waiting) {
      // it crossed a stop reply: the next resume answers it
      this.interruptDue = this.engine.inferiors.size > 0;
      return;
    }
    this.interruptDue = false;
    this.interrupting = true;
    const chosen = interruptee(this.engine, this.latest);
    // it is for a process that is kept while a thread of another one steps: that comes first
    if (this.steppedAlone && this.engine.inferiors.has(this.latest) && chosen?.pid !== this.latest)
      this.engine.wait(STEP_MS);
    this.quiesce();
    this.collect();
    if (this.queue.some(this.current)) {
      this.interruptDue = this.engine.inferiors.size > 0; // the client may pass over that stop
    } else {
      const thread = chosen?.state === 'held' ? chosen : this.preferred();
      if (!thread) {
        // nothing could be stopped yet: the first thread that does tells
        this.engine.interrupt(ALL);
        return;
      }
      const { pid, tid } = thread;
      this.queue.push({ kind: 'thread', pid, tid, signo: SIGINT, event: undefined });
    }
    this.deliver(this.current);
  }
  private readonly current = (stop: Stop): boolean => !this.parked.has(stop);
  /** Holds everything: false when some thread cannot stop now. */
  quiesce(): boolean {
    return this.engine.stop(ALL, { wait: true, timeoutUs: QUIESCE_US });
  }
  private preferred(): Thread | undefined {
    const last = this.last?.kind === 'thread' ? this.last : undefined;
    const thread = last && this.engine.inferiors.get(last.pid)?.threads.get(last.tid);
    return thread?.state === 'held' ? thread : this.firstHeld();
  }

  /** '?' of an all-stop client: stops what runs; W00 when there is nothing. */
  status(): Stop {
    if (this.engine.inferiors.size === 0) return { kind: 'exited', pid: 0, code: 0 };
    this.waiting = false;
    if (this.anyRunning()) this.quiesce();
    this.collect();
    const next = this.queue.shift();
    const { last } = this;
    if (next) return (this.last = next);
    if (last?.kind === 'thread' && this.engine.inferiors.get(last.pid)?.threads.has(last.tid))
      return last;
    const thread = this.firstHeld();
    const inferior = [...this.engine.inferiors.values()][0];
    if (!inferior) return { kind: 'exited', pid: 0, code: 0 };
    const stop: Stop = thread
      ? { kind: 'thread', pid: thread.pid, tid: thread.tid, signo: SIGTRAP, event: undefined }
      : this.firstStop(inferior);
    this.last = stop;
    return stop;
  }
  /** '?' of a non-stop client: every thread that is stopped now. */
  allStops(): Stop[] {
    this.collect();
    const stops = this.queue.filter(({ kind }) => kind !== 'no-resumed');
    for (const inferior of this.engine.inferiors.values())
      for (const { pid, tid, state, stop } of inferior.threads.values())
        if (state === 'held' && !stops.some((s) => stopThread(s) === tid))
          stops.push({
            kind: 'thread',
            pid,
            tid,
            signo: stop?.type === EventType.Signal ? stop.signo : 0,
            event: undefined,
          });
    return stops;
  }
  /** vCtrlC: as ^C; in non-stop mode every thread that runs is stopped. */
  interruptNonStop(): void {
    if (this.listener?.nonStop) this.engine.interrupt(ALL);
    else this.interrupt();
  }

  /** Non-stop: asks threads to stop; their Stopped events tell. Those that are gone need not. */
  stopThreads(refs: readonly ThreadRef[]): void {
    const there = this.existing(refs);
    if (there.length === 0) return;
    try {
      this.engine.interrupt(there);
    } catch (error) {
      // all have ended, which is about to be told
      if ((error as EngineError).errno !== Errno.ESRCH) throw error;
    }
  }
  private existing<T extends ThreadRef>(refs: readonly T[]): T[] {
    const { inferiors } = this.engine;
    return refs.filter(({ pid, tid }) => {
      if (pid === -1) return inferiors.size > 0;
      const inferior = inferiors.get(pid);
      return inferior !== undefined && (tid === -1 || inferior.threads.has(tid));
    });
  }
  /** In non-stop mode a thread is stopped only if the client was told: the others run. */
  releaseUntold(): void {
    const told = new Set([this.last, ...this.queue].map((stop) => stop && stopThread(stop)));
    const actions: ResumeAction[] = [];
    for (const inferior of this.engine.inferiors.values())
      for (const { pid, tid, state, stop } of inferior.threads.values())
        if (state === 'held' && !told.has(tid) && stop === undefined)
          actions.push({ pid, tid, kind: 'cont' });
    if (actions.length > 0) this.engine.resume(actions);
  }

  // ---- events -------------------------------------------------------------------------------

  /** The engine is readable: takes its events and tells what is to be told. */
  pump(): void {
    const before = this.queue.length;
    this.collect();
    this.settleLeader();
    if (this.listener?.nonStop) {
      this.clones.release(false);
      if (this.queue.length > before) this.listener.onNotify();
      if (this.ended) this.tellIfNoneRuns();
      return;
    }
    if (!this.waiting) {
      this.clones.release(true);
      return;
    }
    const due = this.queue.some(this.current);
    this.clones.release(due);
    if (!due) {
      if (this.anyRunning()) return;
      if (!this.interest.noResumed && this.engine.inferiors.size > 0) return;
      // a thread that ends all others is dead before they are: how it ended is about to be told
      if (this.engine.inferiors.size > 0 && this.engine.wait(DEATH_MS)) {
        this.pump();
        return;
      }
      this.queue.push({ kind: 'no-resumed' });
    }
    if (this.anyRunning()) {
      this.quiesce();
      this.collect();
    }
    this.deliver(this.current);
  }
  /** Non-stop, after a thread's end: nobody may be left whose stop the client could wait for. */
  private tellIfNoneRuns(): void {
    this.ended = false;
    if (!this.interest.noResumed || !this.firstHeld() || this.anyRunning()) return;
    if (this.engine.wait(KILLED_MS)) {
      this.ended = true;
      this.pump();
      return;
    }
    this.queue.push({ kind: 'no-resumed' });
    this.listener?.onNotify();
  }
  private deliver(may: (stop: Stop) => boolean): void {
    // what a step asked for comes first, then whose turn it is
    let index = this.queue.findIndex(
      (s) => s.kind === 'thread' && this.stepping.has(s.tid) && may(s),
    );
    if (index < 0) index = this.turns.next(this.queue, may);
    if (index < 0 || !this.listener) return;
    this.clones.release(true);
    const stop = this.queue.splice(index, 1)[0]!;
    this.awaitChild(stop);
    this.waiting = false;
    this.interrupting = false;
    this.last = stop;
    this.turns.took(stop);
    this.listener.onStop(stop);
  }
  /** The client may ask for the child of a fork as soon as it is told of it. */
  awaitChild(stop: Stop): void {
    const child = this.interest.childOf(stop);
    if (child === undefined) return;
    const until = Date.now() + BIRTH_MS;
    while (!this.engine.inferiors.has(child) && Date.now() < until) {
      this.engine.wait(1);
      this.collect();
    }
    // killed before it ran: its death is nobody's to be told
    if (!this.engine.inferiors.has(child)) this.unborn.add(child);
  }
  private readonly unborn = new Set<number>();
  private collect(): void {
    for (const event of this.engine.events()) {
      const stop = this.stopOf(event);
      if (!stop) continue;
      const pid = stopProcess(stop);
      if (stop.kind === 'exited' || stop.kind === 'signaled') {
        this.forget(pid!);
        this.onDeath(stop);
      }
      this.queue.push(stop);
    }
  }
  private stopOf(event: EngineEvent): Stop | undefined {
    const { pid, tid, type } = event;
    if (type === EventType.Exec) {
      this.placed.forget(pid);
      this.interest.threadOptions.forgetProcess(pid);
    }
    if (type === EventType.Dead) {
      const i = this.queue.findIndex((s) => s.kind === 'thread' && s.tid === tid);
      if (i >= 0) this.queue.splice(i, 1);
      this.stepping.forget(tid);
      this.ended = this.listener?.nonStop === true;
      if (!this.interest.tellsEnd(event)) return undefined;
    }
    if (type === EventType.NewThread && event.stopId !== 0n) return this.born(event);
    if (type === EventType.Step && this.clones.absorbs(event, () => this.collect()))
      return undefined;
    return stopOf(event, this.interrupting);
  }

  private born(event: EngineEvent): Stop | undefined {
    const stop = this.clones.born(event, this.listener?.nonStop === true);
    const step = this.queue.findIndex((s) => stop?.kind === 'thread' && isStepOf(s, stop.tid));
    if (step >= 0) this.queue.splice(step, 1);
    return stop;
  }
  /** A leader that ends is dead before the threads it takes along: did the process end? */
  private settleLeader(): void {
    const until = Date.now() + DEATH_MS;
    const ended = (s: Stop): boolean => s.kind === 'thread-exited' && s.tid === s.pid;
    while (this.queue.some(ended) && Date.now() < until && this.engine.wait(DEATH_MS))
      this.collect();
  }

  /** Nothing is known of a process any more. */
  forget(pid: number): void {
    this.interest.syscalls.delete(pid);
    this.interest.threadOptions.forgetProcess(pid);
    this.placed.forget(pid);
    for (let i = this.queue.length - 1; i >= 0; i--)
      if (stopProcess(this.queue[i]!) === pid) this.queue.splice(i, 1);
    if (this.last && stopProcess(this.last) === pid) this.last = undefined;
    if (this.engine.inferiors.size === 0) this.interruptDue = false;
  }
}
