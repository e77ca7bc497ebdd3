import { readdirSync } from 'node:fs';
import { EventType, type EngineEvent } from '../engine/channel/event';
import type { Engine, ResumeAction, ThreadRef } from '../engine/engine';
import type { Inferior } from '../engine/inferior';
import type { Interest } from './interest';
import type { Stop } from './stop';
import { ThreadOption } from './thread-options';

const SIGTRAP = 5;
/** How long a new thread, held before its first instruction, may take to get there. */
const BIRTH_MS = 1000;
/** How long a thread that made another one may take to stop. */
const STOP_US = 2_000_000;

/**
 * New threads that are held: whom the client is told of, and how. Of one whose maker has
 * ThreadOption.clone as a stop of the maker, which is held as well; the end of the step that made
 * it is not another one.
 */
export class Clones {
  /** Threads with a clone that is told or will be, until they go on. */
  private readonly makers = new Set<number>();
  /** Those nobody wants to be told of. */
  private plain: ThreadRef[] = [];

  constructor(
    private readonly engine: Engine,
    private readonly interest: Interest,
  ) {}

  /** The stop that tells of a thread that is held before its first instruction, if one does. */
  born(event: EngineEvent, hold: boolean): Stop | undefined {
    const { pid, tid, child: maker } = event;
    const there = this.engine.inferiors.get(pid)?.threads.get(maker);
    if (there && this.interest.threadOptions.has(maker, ThreadOption.clone)) {
      if (hold && there.state === 'running')
        this.engine.stop([{ pid, tid: maker }], { wait: true, timeoutUs: STOP_US });
      this.makers.add(maker);
      // its registers are the maker's, who may stand anywhere behind the call
      const told = { ...event, tid: maker, child: tid, pc: 0n, core: -1 };
      return { kind: 'thread', pid, tid: maker, signo: SIGTRAP, event: told, clone: tid };
    }
    if (this.interest.threadEvents) return { kind: 'thread', pid, tid, signo: SIGTRAP, event };
    this.plain.push({ pid, tid });
    return undefined;
  }

  /**
   * Is this step's end told with the thread that the step made? That thread's own news may come
   * later than the step's end. collect: takes more events.
   */
  absorbs({ pid, tid, pc }: EngineEvent, collect: () => void): boolean {
    if (this.makers.has(tid)) return true;
    if (!this.interest.threadOptions.has(tid, ThreadOption.clone)) return false;
    const inferior = this.engine.inferiors.get(pid);
    if (!inferior || !this.isBehindSyscall(inferior, pc)) return false;
    const until = Date.now() + BIRTH_MS;
    while (anyUnknown(inferior) && Date.now() < until) {
      this.engine.wait(1);
      collect();
    }
    return this.makers.has(tid);
  }
  private isBehindSyscall({ pid, arch }: Inferior, pc: bigint): boolean {
    return arch.syscall.instructions.some((bytes) => {
      const before = Buffer.alloc(bytes.length);
      try {
        this.engine.readMemory(pid, pc - BigInt(bytes.length), before, 0, bytes.length);
      } catch {
        return false; // nothing is there
      }
      return before.equals(bytes);
    });
  }

  /** A resume is about to be carried out: whoever goes on has a new stop before it. */
  resumed(actions: readonly ResumeAction[]): void {
    if (this.makers.size === 0) return;
    for (const { tid, kind } of actions)
      if (kind === 'stay') continue;
      else if (tid > 0) this.makers.delete(tid);
      else this.makers.clear();
  }
  /** Those nobody is told of run, unless everything is held. */
  release(everythingHeld: boolean): void {
    const refs = this.plain;
    this.plain = [];
    if (everythingHeld) return;
    const there = refs.filter(({ pid, tid }) => this.engine.inferiors.get(pid)?.threads.has(tid));
    if (there.length > 0) this.engine.resume(there.map((ref) => ({ ...ref, kind: 'cont' })));
  }
}

/** Has the process threads whose news have not come? */
function anyUnknown({ pid, threads }: Inferior): boolean {
  try {
    return readdirSync(`/proc/${pid}/task`).some((tid) => !threads.has(Number(tid)));
  } catch {
    return false; // it has ended
  }
}

/** Was this stop a step's end? */
export function isStepOf(stop: Stop, tid: number): boolean {
  return stop.kind === 'thread' && stop.tid === tid && stop.event?.type === EventType.Step;
}
