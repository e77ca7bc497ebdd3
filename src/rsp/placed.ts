import type { BreakType } from '../engine/engine';
import { PlaceMap, type Place } from '../engine/place-map';

/** Breakpoints and watchpoints the client has placed, to be taken away when it leaves. */
export class Placed {
  private readonly places = new PlaceMap<Place>();

  add(pid: number, type: BreakType, addr: bigint, length: number): void {
    this.places.set({ pid, type, addr, length });
  }
  delete(pid: number, type: BreakType, addr: bigint, length: number): void {
    this.places.delete({ pid, type, addr, length });
  }
  all(): Place[] {
    return [...this.places.all()];
  }
  /** The process has other memory now, or none. */
  forget(pid: number): void {
    this.places.forget(pid);
  }
  /** Is a breakpoint, of software or hardware, at a place? */
  hasBreakpoint(pid: number, addr: bigint): boolean {
    for (const { type } of this.places.at(pid, addr)) if (type < 2) return true;
    return false;
  }
  /** "watch", "rwatch" or "awatch": by what the client set where the hit was. */
  watchKind(pid: number, addr: bigint): string {
    for (const b of this.places.of(pid))
      if (addr >= b.addr && addr < b.addr + BigInt(b.length)) {
        if (b.type === 2) return 'watch';
        if (b.type === 3) return 'rwatch';
        if (b.type === 4) return 'awatch';
      }
    return 'watch';
  }
}
