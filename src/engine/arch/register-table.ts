import type { RegisterSpec } from './descriptor';

/** What is given of a register; its number and g offset follow from its place in the table. */
export type RegisterRow = Omit<RegisterSpec, 'num' | 'gOffset'>;

/** Registers in target description order, which is also g packet order. */
export class RegisterTable {
  readonly registers: RegisterSpec[] = [];
  size = 0;

  /** Appends and returns what was appended, numbered. */
  add(rows: readonly RegisterRow[]): RegisterSpec[] {
    return rows.map((row) => {
      const spec: RegisterSpec = { ...row, num: this.registers.length, gOffset: this.size };
      this.registers.push(spec);
      this.size += row.size;
      return spec;
    });
  }
}
