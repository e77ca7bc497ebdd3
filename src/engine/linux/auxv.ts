import fs from 'node:fs';
import { wordAt } from './memory';

/** Types of auxiliary vector entries, as <linux/auxvec.h> numbers them. */
export const AT = { NULL: 0, PHDR: 3, PHENT: 4, PHNUM: 5, BASE: 7, ENTRY: 9, EXECFN: 31 } as const;

/** The raw vector: pairs of words of the program's size. Throws with .code (ENOENT, EACCES). */
export function readAuxv(pid: number): Buffer {
  return fs.readFileSync(`/proc/${pid}/auxv`);
}

/** The value of the first entry of a type; undefined if there is none. */
export function auxvEntry(auxv: Buffer, type: number, wordSize: 4 | 8): bigint | undefined {
  for (let at = 0; at + 2 * wordSize <= auxv.length; at += 2 * wordSize) {
    const found = wordAt(auxv, at, wordSize);
    if (found === BigInt(type)) return wordAt(auxv, at + wordSize, wordSize);
    if (found === BigInt(AT.NULL)) break;
  }
  return undefined;
}
