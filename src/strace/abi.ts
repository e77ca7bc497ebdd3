import type { AbiName, Tables } from './tables';

/** One system call interface: how wide a word is and which call has which number. */
export interface Abi {
  readonly name: AbiName;
  /** Bytes of a long and of a pointer. */
  readonly word: 4 | 8;
  /** Bits of a long. */
  readonly bits: 32 | 64;
  readonly names: ReadonlyMap<number, string>;
  readonly numbers: Readonly<Record<string, number>>;
}

function abi(name: AbiName, word: 4 | 8, tables: Tables): Abi {
  const numbers = tables.syscalls[name];
  const names = new Map(Object.entries(numbers).map(([call, nr]) => [nr, call]));
  return { name, word, bits: word === 4 ? 32 : 64, names, numbers };
}

export type Abis = Readonly<Record<AbiName, Abi>>;

export function abis(tables: Tables): Abis {
  return { x86_64: abi('x86_64', 8, tables), i386: abi('i386', 4, tables) };
}
