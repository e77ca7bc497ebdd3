import type { ArchDescriptor, RegsetReader } from '../../src/engine/arch/descriptor';
import { describeI386 } from '../../src/engine/arch/i386';
import {
  NT_386_TLS,
  NT_PRFPREG,
  NT_PRSTATUS,
  NT_PRXFPREG,
  NT_X86_XSTATE,
} from '../../src/engine/arch/notes';
import { describeX86_64 } from '../../src/engine/arch/x86-64';
import type { XsaveLayout } from '../../src/native';
import { LAYOUTS } from './layouts';

export interface Case {
  label: string;
  arch: ArchDescriptor;
  layout: XsaveLayout | undefined;
}

/** Every architecture on every machine of layouts.ts. */
export const CASES: readonly Case[] = LAYOUTS.flatMap(([name, layout]) => [
  { label: `x86-64 ${name}`, arch: describeX86_64(layout), layout },
  { label: `i386 ${name}`, arch: describeI386(layout), layout },
]);

/** A small generator, so that a failure can be repeated. */
export function random(seed: number): () => number {
  let state = seed >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>>= 0);
  };
}

/** Regsets of a stopped thread by note, filled with bytes of the generator. */
export function randomRegsets(c: Case, next: () => number): Map<number, Buffer> {
  const bytes = (length: number): Buffer => {
    const buf = Buffer.alloc(length);
    for (let at = 0; at + 4 <= length; at += 4) buf.writeUInt32LE(next(), at);
    return buf;
  };
  const sets = new Map<number, Buffer>();
  sets.set(NT_PRSTATUS, bytes(c.arch.wordSize === 8 ? 27 * 8 : 17 * 4));
  if (c.layout) {
    const xsave = bytes(c.layout.size);
    xsave.fill(0, 512, 576); // the XSAVE header
    xsave.writeBigUInt64LE(c.layout.xcr0 & BigInt(next()), 512);
    sets.set(NT_X86_XSTATE, xsave);
  } else {
    sets.set(c.arch.wordSize === 8 ? NT_PRFPREG : NT_PRXFPREG, bytes(512));
  }
  if (c.arch.wordSize === 4) sets.set(NT_386_TLS, bytes(48));
  return sets;
}

export function reader(sets: ReadonlyMap<number, Buffer>): RegsetReader {
  return (note) => sets.get(note);
}

export function clone(sets: ReadonlyMap<number, Buffer>): Map<number, Buffer> {
  return new Map([...sets].map(([note, buf]) => [note, Buffer.from(buf)]));
}
