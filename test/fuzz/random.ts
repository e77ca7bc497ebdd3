/** A small generator of numbers that a seed repeats (mulberry32). */
export class Random {
  private readonly state: Int32Array;

  constructor(seed: number) {
    this.state = Int32Array.of(seed);
  }

  /** 0 ... 2^30 - 1, which engines keep as small integers. */
  next(): number {
    const { state } = this;
    const s = (state[0]! + 0x6d2b79f5) | 0;
    state[0] = s;
    let t = Math.imul(s ^ (s >>> 15), 1 | s);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return (t ^ (t >>> 14)) >>> 2;
  }
  below(limit: number): number {
    return this.next() % limit;
  }
  /** One time in so many. */
  oneIn(count: number): boolean {
    return this.next() % count === 0;
  }
  pick<T>(from: readonly T[]): T {
    return from[this.next() % from.length]!;
  }
  /** Text of so many characters from 0 to 255. */
  bytes(count: number): string {
    let text = '';
    for (let i = 0; i < count; i++) text += String.fromCharCode(this.next() & 0xff);
    return text;
  }
}
