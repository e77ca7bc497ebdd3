import type { BreakType } from './engine-api';

/** Where a breakpoint or watchpoint is. */
export interface Place {
  readonly pid: number;
  readonly type: BreakType;
  readonly addr: bigint;
  readonly length: number;
}

/**
 * Something kept for each place, in the order of insertion within an address. gdb takes away and
 * puts back what it has at every stop: a place is found without making a name of it.
 */
export class PlaceMap<T extends Place> {
  private readonly processes = new Map<number, Map<bigint, T[]>>();

  get(pid: number, type: BreakType, addr: bigint, length: number): T | undefined {
    const here = this.processes.get(pid)?.get(addr);
    if (here === undefined) return undefined;
    for (const one of here) if (one.type === type && one.length === length) return one;
    return undefined;
  }

  /** Replaces what was there. */
  set(one: T): void {
    let places = this.processes.get(one.pid);
    if (places === undefined) this.processes.set(one.pid, (places = new Map<bigint, T[]>()));
    const here = places.get(one.addr);
    if (here === undefined) {
      places.set(one.addr, [one]);
      return;
    }
    const index = here.findIndex(({ type, length }) => type === one.type && length === one.length);
    if (index < 0) here.push(one);
    else here[index] = one;
  }

  delete({ pid, type, addr, length }: Place): void {
    const places = this.processes.get(pid);
    const here = places?.get(addr);
    if (places === undefined || here === undefined) return;
    const index = here.findIndex((one) => one.type === type && one.length === length);
    if (index < 0) return;
    if (here.length === 1) places.delete(addr);
    else here.splice(index, 1);
  }

  /** Nothing is known of a process any more. */
  forget(pid: number): void {
    this.processes.delete(pid);
  }

  /** How many addresses of a process something is kept for. */
  addresses(pid: number): number {
    return this.processes.get(pid)?.size ?? 0;
  }

  at(pid: number, addr: bigint): readonly T[] {
    return this.processes.get(pid)?.get(addr) ?? [];
  }

  *of(pid: number): Generator<T> {
    for (const here of this.processes.get(pid)?.values() ?? []) yield* here;
  }

  *all(): Generator<T> {
    for (const pid of this.processes.keys()) yield* this.of(pid);
  }
}
