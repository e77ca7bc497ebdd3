/** A small generator of numbers that a seed repeats (mulberry32). */
export class Random {
  constructor(private state: number) {}

  /** 0 ... 2^32 - 1 */
  next(): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return (t ^ (t >>> 14)) >>> 0;
  }
  below(limit: number): number {
    return Math.floor((this.next() / 4294967296) * limit);
  }
  /** One time in so many. */
  oneIn(count: number): boolean {
    return this.below(count) === 0;
  }
  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)]!;
  }
  /** Text of so many characters from 0 to 255. */
  bytes(count: number): string {
    let text = '';
    for (let i = 0; i < count; i++) text += String.fromCharCode(this.next() & 0xff);
    return text;
  }
}
