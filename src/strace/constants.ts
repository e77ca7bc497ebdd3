import type { Tables } from './tables';
import { members } from './vocabulary';

const hex = (value: bigint): string => `0x${value.toString(16)}`;

/** Prints flags and choices by the names of one set. */
class ConstantSet {
  private readonly byValue = new Map<bigint, string>();
  private readonly flags: [name: string, value: bigint][] = [];
  private readonly printed = new Map<bigint, string>();
  /** What a value without a name is remarked with: PROT_???. */
  private readonly unknown: string;

  constructor(pairs: readonly [string, number][]) {
    for (const [name, value] of pairs) {
      const wide = BigInt.asUintN(64, BigInt(value));
      const narrow = BigInt.asUintN(32, BigInt(value)); // how a negative int looks
      if (!this.byValue.has(wide)) this.byValue.set(wide, name);
      if (value < 0 && !this.byValue.has(narrow)) this.byValue.set(narrow, name);
      if (value !== 0) this.flags.push([name, wide]);
    }
    this.unknown = `${/^_*[A-Z0-9]+_|^_*[A-Z]+/.exec(pairs[0]?.[0] ?? '')?.[0] ?? ''}???`;
  }

  name(value: bigint): string | undefined {
    return this.byValue.get(value);
  }

  /** "A", or "0x7 /* X_??? * /". */
  choice(value: bigint, unknown = this.unknown): string {
    return this.byValue.get(value) ?? `${hex(value)} /* ${unknown} */`;
  }

  /** "A|B|0x40", "0", or "0x40 /* X_??? * /". */
  join(value: bigint, unknown = this.unknown): string {
    let text = this.printed.get(value);
    if (text === undefined) {
      text = this.spell(value, unknown);
      if (this.printed.size < 4096) this.printed.set(value, text);
    }
    return text;
  }

  /** The named bits of a value and what is left of it. */
  split(value: bigint): { names: string[]; rest: bigint } {
    const names: string[] = [];
    let rest = value;
    for (const [name, bits] of this.flags) {
      if ((rest & bits) !== bits) continue;
      names.push(name);
      rest &= ~bits;
      if (rest === 0n) break;
    }
    return { names, rest };
  }

  private spell(value: bigint, unknown: string): string {
    if (value === 0n) return this.byValue.get(0n) ?? '0';
    const { names, rest } = this.split(value);
    if (names.length === 0) return `${hex(value)} /* ${unknown} */`;
    if (rest !== 0n) names.push(hex(rest));
    return names.join('|');
  }
}

export type { ConstantSet };

/** Every set of the vocabulary, made when it is first asked for. */
export class Constants {
  private readonly sets = new Map<string, ConstantSet>();
  private ioctls: Map<number, string> | undefined;

  constructor(private readonly tables: Tables) {}

  set(name: string): ConstantSet {
    let set = this.sets.get(name);
    if (set === undefined) {
      set = new ConstantSet(members(name, this.tables.constants));
      this.sets.set(name, set);
    }
    return set;
  }

  /** The value of one constant; undefined where the headers do not have it. */
  value(name: string): number | undefined {
    return this.tables.constants[name];
  }

  /** Name of an ioctl request; several names of one number are joined by "or". */
  ioctl(request: number): string | undefined {
    if (this.ioctls === undefined) {
      const names = new Map<number, string>();
      for (const [name, value] of Object.entries(this.tables.ioctls)) {
        const present = names.get(value);
        names.set(value, present === undefined ? name : `${present} or ${name}`);
      }
      this.ioctls = names;
    }
    return this.ioctls.get(request);
  }
}
