import type { Engine, ResumeAction, ThreadRef } from '../engine/engine';

/** The threads that a step resumed, until they are resumed otherwise. */
export class Stepping {
  private readonly tids = new Set<number>();

  constructor(private readonly engine: Engine) {}

  has(tid: number): boolean {
    return this.tids.has(tid);
  }
  forget(tid: number): void {
    this.tids.delete(tid);
  }
  /** What a resume, that is about to be carried out, means for them. */
  note({ pid, tid, kind }: ResumeAction): void {
    const steps = kind === 'step' || kind === 'range';
    if (!steps && this.tids.size === 0) return;
    for (const inferior of this.engine.inferiors.values()) {
      if (pid !== -1 && pid !== inferior.pid) continue;
      const thread = inferior.threads.get(tid);
      const named = tid === -1 ? inferior.threads.values() : thread ? [thread] : [];
      for (const one of named)
        if (steps) this.tids.add(one.tid);
        else if (one.state === 'held') this.tids.delete(one.tid);
    }
  }
  /** Those whose step goes on; none is remembered any more. */
  takeRunning(): ThreadRef[] {
    const refs: ThreadRef[] = [];
    for (const { pid, threads } of this.engine.inferiors.values())
      for (const { tid, state } of threads.values())
        if (state === 'running' && this.tids.has(tid)) refs.push({ pid, tid });
    this.tids.clear();
    return refs;
  }
}
