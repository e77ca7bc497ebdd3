import type { EngineEvent } from '../engine/channel/event';
import type { BreakType } from '../engine/engine';

interface Place {
  pid: number;
  type: BreakType;
  addr: bigint;
  length: number;
}

const key = ({ pid, type, addr, length }: Place): string => `${pid}:${type}:${addr}:${length}`;

/** Breakpoints and watchpoints the client has placed, to be taken away when it leaves. */
export class Placed {
  private readonly places = new Map<string, Place>();

  add(place: Place): void {
    this.places.set(key(place), place);
  }
  delete(place: Place): void {
    this.places.delete(key(place));
  }
  all(): Place[] {
    return [...this.places.values()];
  }
  /** The process has other memory now, or none. */
  forget(pid: number): void {
    for (const [name, place] of this.places) if (place.pid === pid) this.places.delete(name);
  }
  /** Is a breakpoint, of software or hardware, at a place? */
  hasBreakpoint(pid: number, addr: bigint): boolean {
    for (const b of this.places.values())
      if (b.pid === pid && b.addr === addr && b.type < 2) return true;
    return false;
  }
  /** "watch", "rwatch" or "awatch": by what the client set where the hit was. */
  watchKind(event: EngineEvent): string {
    for (const b of this.places.values())
      if (b.pid === event.pid && event.addr >= b.addr && event.addr < b.addr + BigInt(b.length)) {
        if (b.type === 2) return 'watch';
        if (b.type === 3) return 'rwatch';
        if (b.type === 4) return 'awatch';
      }
    return 'watch';
  }
}
