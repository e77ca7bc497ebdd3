import { EventType, type EngineEvent } from '../engine/channel/event';
import type { Engine } from '../engine/engine';
import { observing } from '../engine/errors';
import type { Stop } from './stop';
import { ThreadOption, ThreadOptions } from './thread-options';

const ALL_SIGNALS = (1n << 64n) - 1n;

/** What the client wants to see, and the engine's sets that follow from it. */
export class Interest {
  forks = false;
  vforks = false;
  execs = false;
  threadEvents = false;
  /** New threads are held, as the engine was told. */
  private holdsNew = false;
  /** Without a client nobody is told of signals: only faults, which would end the program, stop it. */
  attended = true;
  noResumed = false;
  /** Linux signals passed on without a word, bit N is signal N + 1. */
  passSignals = 0n;
  /** Linux signals the program may get at a detach. */
  programSignals = ALL_SIGNALS;
  /** System calls caught, by process. */
  readonly syscalls = new Map<number, readonly number[] | 'all'>();

  readonly threadOptions: ThreadOptions;

  constructor(private readonly engine: Engine) {
    this.threadOptions = new ThreadOptions(engine);
  }

  /** As for a client that has announced nothing yet. */
  reset(): void {
    this.forks = this.vforks = this.execs = this.threadEvents = this.noResumed = false;
    this.threadOptions.reset();
    this.passSignals = 0n;
    this.programSignals = ALL_SIGNALS;
    for (const pid of this.syscalls.keys()) this.engine.set(pid, { entryStop: [], exitStop: [] });
    this.syscalls.clear();
  }

  /** What a client announced in qSupported: features with their sign. */
  take(features: ReadonlySet<string>): void {
    this.forks = features.has('fork-events+');
    this.vforks = features.has('vfork-events+');
    this.execs = features.has('exec-events+');
    this.noResumed = features.has('no-resumed+');
    this.apply();
  }

  /** Tells the engine; for every process attached and those to come. */
  apply(): void {
    const stop: EventType[] = [];
    const note: EventType[] = [EventType.Exec, EventType.Dead];
    if (this.forks) stop.push(EventType.Fork);
    if (this.vforks) stop.push(EventType.Vfork, EventType.VforkDone);
    if (this.execs) stop.push(EventType.Exec);
    this.holdsNew = this.wantsNew;
    if (this.holdsNew) stop.push(EventType.NewThread);
    else note.push(EventType.NewThread);
    if (this.engine.observer) {
      this.engine.set(0, { lifeNote: [...stop, ...note] });
      return;
    }
    this.engine.set(0, {
      signalStop: this.attended ? ALL_SIGNALS & ~this.passSignals : 0n,
      faultStop: ALL_SIGNALS & ~this.passSignals,
      // gdb steps past a handler on its own, if it hears of the signal; gdbserver tells it as well
      signalStep: this.attended ? ALL_SIGNALS : 0n,
      lifeStop: stop,
      lifeNote: note,
      followFork: this.forks,
      followVfork: this.vforks,
    });
  }

  /** After a change of thread options: the engine is told where it matters. */
  applyThreadOptions(): void {
    if (this.holdsNew !== this.wantsNew) this.apply();
  }
  private get wantsNew(): boolean {
    return this.threadEvents || this.threadOptions.anyClone;
  }

  /**
   * Is the client told of a thread's end? Of a first thread's only if it has asked for that one, and
   * others are left.
   */
  tellsEnd({ pid, tid }: EngineEvent): boolean {
    const chosen = this.threadOptions.has(tid, ThreadOption.exit);
    this.threadOptions.forget(tid);
    const inferior = this.engine.inferiors.get(pid);
    if (!inferior) return false; // the end of the process is about to be told, or was
    return tid === pid ? chosen && inferior.threads.size > 0 : this.threadEvents || chosen;
  }

  /** The process that a stop tells the birth of, and that is followed. */
  childOf(stop: Stop): number | undefined {
    const event = stop.kind === 'thread' ? stop.event : undefined;
    const followed = event?.type === EventType.Fork || event?.type === EventType.Vfork;
    return followed && this.forks ? event.child : undefined;
  }

  catchSyscalls(pid: number, numbers: readonly number[] | 'all' | undefined): void {
    if (numbers && this.engine.observer) throw observing('stop at system calls');
    if (numbers) this.syscalls.set(pid, numbers);
    else this.syscalls.delete(pid);
    const list = numbers === 'all' ? 'all' : [...(numbers ?? [])];
    this.engine.set(pid, { entryStop: list, exitStop: list });
  }
}
