import type { Engine, Holder, ListedThread } from '../engine/engine';
import { heldText } from '../engine/who';

/**
 * What to tell of threads that other engines hold, by thread: "held by engine 2 (gdb
 * 127.0.0.1:5123): breakpoint, 12 s". listed: of that process, so that nobody is asked in vain.
 */
export function heldElsewhere(
  engine: Engine,
  pid: number,
  listed: readonly ListedThread[],
): Map<number, string> {
  const texts = new Map<number, string>();
  if (!engine.has('who') || !listed.some((thread) => thread.heldByOther)) return texts;
  const holders = new Map<number, Holder[]>();
  for (const holder of engine.who(pid)) {
    if (holder.tid === 0 || holder.engineId === engine.engineId) continue;
    const same = holders.get(holder.tid);
    if (same) same.push(holder);
    else holders.set(holder.tid, [holder]);
  }
  for (const [tid, theirs] of holders) texts.set(tid, heldText(theirs));
  return texts;
}
