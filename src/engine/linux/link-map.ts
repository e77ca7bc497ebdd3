import type { Memory } from './memory';
import { wordAt } from './memory';
import { dynamicEntries, dynamicSection, readProgram } from './program';

// struct r_debug and struct link_map of <link.h>: the part debuggers may rely on

const DT_DEBUG = 21n;
const MAX_MAPS = 16384;
const MAX_NAMESPACES = 1024;

/** One loaded object. Addresses; name is the path's bytes, empty for the main program. */
export interface LinkMap {
  lm: bigint;
  addr: bigint; // l_addr: where it is less where it was linked
  name: Buffer;
  ld: bigint;
  next: bigint;
  prev: bigint;
}

/** One link-map namespace: its struct r_debug names it. */
export interface Namespace {
  rDebug: bigint;
  version: number;
  first: bigint;
}

/**
 * Address of the dynamic linker's struct r_debug: 0n before it is there, undefined for programs
 * that have none (static ones).
 */
export function findRDebug(memory: Memory, auxv: Buffer): bigint | undefined {
  const program = readProgram(memory, auxv);
  const dynamic = program && dynamicSection(program, memory.wordSize);
  if (!dynamic) return undefined;
  for (const { tag, value } of dynamicEntries(memory, dynamic.addr)) {
    if (tag === DT_DEBUG) return value;
  }
  return undefined;
}

/** All namespaces; glibc 2.35 and later (r_version 2) chain them. */
export function* namespaces(memory: Memory, rDebug: bigint): Generator<Namespace> {
  const { wordSize } = memory;
  const seen = new Set<bigint>();
  for (let at = rDebug; at !== 0n && !seen.has(at) && seen.size < MAX_NAMESPACES;) {
    seen.add(at);
    const version = memory.u32(at);
    const first = memory.word(at + BigInt(wordSize));
    if (version === undefined || first === undefined || version < 1 || version > 1 << 16) return;
    yield { rDebug: at, version, first };
    at = version >= 2 ? (memory.word(at + BigInt(5 * wordSize)) ?? 0n) : 0n;
  }
}

/** The struct link_map at lm; undefined if it is unreadable. */
export function linkMapAt(memory: Memory, lm: bigint): LinkMap | undefined {
  const { wordSize } = memory;
  const raw = memory.bytes(lm, 5 * wordSize);
  if (raw === undefined) return undefined;
  const word = (i: number): bigint => wordAt(raw, i * wordSize, wordSize);
  return {
    lm,
    addr: word(0),
    name: memory.string(word(1)),
    ld: word(2),
    next: word(3),
    prev: word(4),
  };
}

/** From lm to the end of the chain, or to where l_prev does not lead back. */
export function* linkMaps(memory: Memory, lm: bigint, prev: bigint): Generator<LinkMap> {
  for (let i = 0; lm !== 0n && i < MAX_MAPS; i++) {
    const map = linkMapAt(memory, lm);
    if (map === undefined || map.prev !== prev) return;
    yield map;
    prev = lm;
    lm = map.next;
  }
}
