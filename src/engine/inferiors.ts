import { archOfPid } from './arch';
import { ThreadFlag } from './channel/enums';
import { EventType, type EngineEvent } from './channel/event';
import { Inferior } from './inferior';
import { Thread } from './thread';

/** Forgets what belonged to the stop that ends. */
export function setRunning(thread: Thread): void {
  thread.state = 'running';
  thread.stopId = 0n;
  thread.stop = undefined;
  if (thread.regsets.size > 0) thread.regsets.clear();
}

/** What else must be forgotten when a process changes. */
export interface InferiorObserver {
  /** A followed child appeared; parent: where it came from, if that is ours. */
  appeared(inferior: Inferior, parent: Inferior | undefined): void;
  /** Its address space is another one now. */
  replaced(inferior: Inferior, thread: Thread): void;
  /** It is gone, or lost to us. */
  vanished(inferior: Inferior): void;
}

/** The inferiors of one engine, kept up to date by its events. */
export class Inferiors {
  readonly map = new Map<number, Inferior>();
  /** Processes whose threads were all stopped, none resumed since: new ones appear held. */
  private readonly quiesced = new Set<number>();

  constructor(private readonly observer: InferiorObserver) {}

  add(pid: number, launched: boolean): Inferior {
    const inferior = new Inferior(pid, launched, archOfPid(pid));
    this.map.set(pid, inferior);
    return inferior;
  }

  remove(inferior: Inferior): void {
    for (const thread of inferior.threads.values()) this.drop(inferior, thread);
    this.map.delete(inferior.pid);
    this.quiesced.delete(inferior.pid);
    this.observer.vanished(inferior);
  }

  /** Takes over the provider's list, flags by tid: after an attach, after lost records. */
  refresh(inferior: Inferior, present: ReadonlyMap<number, number>): void {
    for (const thread of [...inferior.threads.values()]) {
      if (!present.has(thread.tid)) this.drop(inferior, thread);
    }
    for (const [tid, flags] of present) {
      const thread = this.thread(inferior, tid);
      // its stop id is left out on purpose: the event that tells it may not be read yet
      if ((flags & ThreadFlag.Held) !== 0) thread.state = 'held';
      else if (thread.state === 'held') setRunning(thread);
    }
  }

  setQuiesced(pid: number, on: boolean): void {
    if (on) this.quiesced.add(pid);
    else this.quiesced.delete(pid);
  }

  /** False: it concerns nothing we have (any more). */
  apply(event: EngineEvent): boolean {
    if (event.type === EventType.Lost || event.type === EventType.TraceStopped) return true;
    let inferior = this.map.get(event.pid);
    if (event.type === EventType.Child && inferior === undefined) {
      const parent = this.map.get(event.child);
      inferior = this.add(event.pid, parent?.launched ?? true);
      this.observer.appeared(inferior, parent);
    }
    if (inferior === undefined) return false;
    switch (event.type) {
      case EventType.Dead: {
        const thread = inferior.threads.get(event.tid);
        if (thread !== undefined) this.drop(inferior, thread);
        return true;
      }
      case EventType.ProcDead:
        inferior.exitStatus = event.code;
        this.remove(inferior);
        return true;
      case EventType.Detached:
        this.remove(inferior);
        return true;
      case EventType.Exec:
        this.exec(inferior, event);
        break;
      default:
    }
    const thread = this.thread(inferior, event.tid);
    if (event.stopId !== 0n) {
      if (thread.regsets.size > 0) thread.regsets.clear();
      thread.state = 'held';
      thread.stopId = event.stopId;
      thread.stop = event;
    }
    return true;
  }

  private exec(inferior: Inferior, event: EngineEvent): void {
    for (const thread of [...inferior.threads.values()]) {
      if (thread.tid !== event.tid) this.drop(inferior, thread);
    }
    const thread = this.thread(inferior, event.tid);
    thread.regsets.clear();
    inferior.arch = archOfPid(inferior.pid);
    this.observer.replaced(inferior, thread);
  }

  private thread(inferior: Inferior, tid: number): Thread {
    let thread = inferior.threads.get(tid);
    if (thread === undefined) {
      thread = new Thread(inferior.pid, tid);
      if (this.quiesced.has(inferior.pid)) thread.state = 'held';
      inferior.threads.set(tid, thread);
    }
    return thread;
  }

  private drop(inferior: Inferior, thread: Thread): void {
    thread.state = 'gone';
    thread.stopId = 0n;
    thread.regsets.clear();
    inferior.threads.delete(thread.tid);
  }
}
