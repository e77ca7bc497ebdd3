import type { Holder } from '../engine/engine';
import { holderText } from '../engine/who';
import type { Session } from './session';

/** How long a client waits before it is told for whom. */
const NOTICE_MS = 1000;
/** Most threads named in one line. */
const NAMED = 8;

function threadsText(tids: readonly number[]): string {
  const shown = tids.slice(0, NAMED).join(', ');
  const more = tids.length > NAMED ? ` and ${tids.length - NAMED} more` : '';
  return tids.length === 1 ? `Thread ${shown} waits` : `Threads ${shown}${more} wait`;
}

/** "Thread 12 waits for engine 2 (gdb 127.0.0.1:5123): breakpoint, 1.0 s" for each that holds. */
export function waitingFor(holders: readonly Holder[], own: bigint): string[] {
  const engines = new Map<bigint, Holder[]>();
  for (const holder of holders) {
    if (holder.tid === 0 || holder.engineId === own) continue;
    const same = engines.get(holder.engineId);
    if (same) same.push(holder);
    else engines.set(holder.engineId, [holder]);
  }
  return [...engines.values()].map((held) => {
    // what it really stopped for says more than that it stopped the others too
    const telling = held.find(({ why }) => why !== 1) ?? held[0]!;
    return `${threadsText(held.map(({ tid }) => tid))} for ${holderText(telling)}`;
  });
}

/**
 * Tells a client, on its console, whom the threads it let go wait for: a continue that others hold
 * up looks like a program that hangs. Once for each wait: who steps on stops often.
 */
export class BlockedNotice {
  private timer: NodeJS.Timeout | undefined;
  private told = false;

  constructor(private readonly session: Session) {}

  /** Other engines may hold threads that it let go. */
  arm(): void {
    if (this.told) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.tell(), NOTICE_MS);
  }
  /** It waits no more. */
  cancel(): void {
    clearTimeout(this.timer);
    this.told = false;
  }
  private tell(): void {
    const { engine, target } = this.session;
    if (!target.waiting || !engine.has('who')) return;
    for (const pid of engine.inferiors.keys())
      for (const line of waitingFor(engine.who(pid), engine.engineId)) {
        this.session.consoleWhileWaiting(`[ntrace] ${line}\n`);
        this.told = true;
      }
  }
}
