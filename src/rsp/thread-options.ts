import type { Engine } from '../engine/engine';
import type { ThreadSpec } from './args';

/** GDB manual, "General Query Packets", QThreadOptions: bits of an option. */
export const ThreadOption = { clone: 0x1, exit: 0x2 } as const;
export const THREAD_OPTIONS = ThreadOption.clone | ThreadOption.exit;

/** Options for the threads that a packet's thread id names. */
export interface OptionsFor {
  options: number;
  threads: ThreadSpec;
}

/** What the client wants to be told of single threads: those they make, and their end. */
export class ThreadOptions {
  /** By thread, those that have any; with the process. */
  private readonly chosen = new Map<number, { pid: number; options: number }>();

  constructor(private readonly engine: Engine) {}

  /** Of several that name a thread the last one counts; others keep what they have. */
  set(asked: readonly OptionsFor[]): void {
    for (const { options, threads } of asked)
      if (options === 0) this.clear(threads);
      else this.choose(options, threads);
  }
  private choose(options: number, { pid, tid }: ThreadSpec): void {
    for (const inferior of this.engine.inferiors.values()) {
      if (pid > 0 && pid !== inferior.pid) continue;
      const ids = tid <= 0 ? inferior.threads.keys() : inferior.threads.has(tid) ? [tid] : [];
      for (const id of ids) this.chosen.set(id, { pid: inferior.pid, options });
    }
  }
  private clear({ pid, tid }: ThreadSpec): void {
    if (tid > 0) this.chosen.delete(tid);
    else if (pid <= 0) this.chosen.clear();
    else this.forgetProcess(pid);
  }
  /** A new client has chosen nothing. */
  reset(): void {
    this.chosen.clear();
  }
  forget(tid: number): void {
    this.chosen.delete(tid);
  }
  forgetProcess(pid: number): void {
    for (const [tid, one] of this.chosen) if (one.pid === pid) this.chosen.delete(tid);
  }

  has(tid: number, option: number): boolean {
    return ((this.chosen.get(tid)?.options ?? 0) & option) !== 0;
  }
  /** Must new threads be held, to tell whose they are? */
  get anyClone(): boolean {
    for (const { options } of this.chosen.values())
      if ((options & ThreadOption.clone) !== 0) return true;
    return false;
  }
}
