import type { Engine } from '../engine/engine';
import type { Thread } from '../engine/thread';
import type { Stop } from './stop';

/** Threads that are remembered. */
const MOST = 4096;

/**
 * Of threads that stopped at the same time the one told least recently comes first: the kernel
 * lists them in an order that is always the same.
 */
export class Turns {
  /** Threads that were told, the last one last. */
  private readonly told = new Set<number>();

  took(stop: Stop): void {
    if (stop.kind !== 'thread') return;
    this.told.delete(stop.tid);
    this.told.add(stop.tid);
    if (this.told.size <= MOST) return;
    for (const oldest of this.told) {
      this.told.delete(oldest);
      return;
    }
  }
  /** The index of the one to tell; -1: none may be told. */
  next(queue: readonly Stop[], may: (stop: Stop) => boolean): number {
    const first = queue.findIndex(may);
    if (first < 0 || queue[first]!.kind !== 'thread' || this.told.size === 0) return first;
    const ranks = new Map([...this.told].map((tid, i) => [tid, i]));
    let best = first;
    let lowest = Infinity;
    queue.forEach((stop, i) => {
      if (stop.kind !== 'thread' || !may(stop)) return;
      const rank = ranks.get(stop.tid) ?? -1;
      if (rank < lowest) [best, lowest] = [i, rank];
    });
    return best;
  }
}

/**
 * Who gets a SIGINT: of those that run the first of its process, as the kernel chooses. Of several
 * processes the one that was started or attached last, as if its terminal had been typed at.
 */
export function interruptee({ inferiors }: Engine, latest: number): Thread | undefined {
  const preferred = inferiors.get(latest);
  let first: Thread | undefined;
  for (const inferior of preferred ? [preferred, ...inferiors.values()] : inferiors.values()) {
    for (const thread of inferior.threads.values()) {
      if (thread.state !== 'running') continue;
      if (thread.tid === inferior.pid) return thread;
      first ??= thread;
    }
    if (first && inferior === preferred) break;
  }
  return first;
}
