import type { ElfSymbol } from './elf';
import { elfSymbol } from './elf';
import type { LinkMap } from './link-map';
import type { Memory } from './memory';
import { dynamicEntries } from './program';

// Dynamic symbols of a loaded object, looked up in memory through its hash table, as the dynamic
// linker does: no file is opened, whatever the mount namespace.

const DT_HASH = 4n;
const DT_STRTAB = 5n;
const DT_SYMTAB = 6n;
const DT_GNU_HASH = 0x6ffffef5n;
const MAX_CHAIN = 65536;

function gnuHash(name: string): number {
  let hash = 5381;
  for (const byte of Buffer.from(name)) hash = (Math.imul(hash, 33) + byte) >>> 0;
  return hash;
}

function sysvHash(name: string): number {
  let hash = 0;
  for (const byte of Buffer.from(name)) {
    hash = ((hash << 4) + byte) >>> 0;
    const high = hash & 0xf0000000;
    hash = (hash ^ (high >>> 24)) & ~high;
  }
  return hash >>> 0;
}

/** Where a loaded object's dynamic symbols are. */
export class DynamicSymbols {
  private readonly tags: ReadonlyMap<bigint, bigint>;

  constructor(
    private readonly memory: Memory,
    private readonly map: LinkMap,
  ) {
    this.tags = new Map(
      [...dynamicEntries(memory, map.ld)].map(({ tag, value }) => [tag, value] as const),
    );
  }

  /** Absolute address; undefined if it does not define the name. */
  address(name: string): bigint | undefined {
    const symbol = this.byGnuHash(name) ?? this.bySysvHash(name);
    return symbol && BigInt.asUintN(8 * this.memory.wordSize, symbol.value + this.map.addr);
  }

  /** The dynamic linker relocates these entries in place, except in the vDSO and on some ports. */
  private table(tag: bigint): bigint | undefined {
    const value = this.tags.get(tag);
    if (value === undefined) return undefined;
    return value < this.map.addr ? value + this.map.addr : value;
  }

  private byGnuHash(name: string): ElfSymbol | undefined {
    const { memory } = this;
    const table = this.table(DT_GNU_HASH);
    const head = table === undefined ? undefined : memory.bytes(table, 16);
    if (table === undefined || head === undefined) return undefined;
    const [count, first, bloom] = [0, 4, 8].map((at) => head.readUInt32LE(at)) as [
      number,
      number,
      number,
    ];
    if (count === 0) return undefined;
    const buckets = table + 16n + BigInt(bloom * memory.wordSize);
    const hash = gnuHash(name);
    let index = memory.u32(buckets + BigInt(4 * (hash % count))) ?? 0;
    if (index < first) return undefined;
    const chain = buckets + BigInt(4 * count);
    for (let i = 0; i < MAX_CHAIN; i++, index++) {
      const entry = memory.u32(chain + BigInt(4 * (index - first)));
      if (entry === undefined) return undefined;
      if ((entry | 1) >>> 0 === (hash | 1) >>> 0) {
        const symbol = this.at(index, name);
        if (symbol) return symbol;
      }
      if (entry & 1) return undefined;
    }
    return undefined;
  }

  private bySysvHash(name: string): ElfSymbol | undefined {
    const { memory } = this;
    const table = this.table(DT_HASH);
    const count = table === undefined ? 0 : (memory.u32(table) ?? 0);
    if (table === undefined || count === 0) return undefined;
    let index = memory.u32(table + 8n + BigInt(4 * (sysvHash(name) % count))) ?? 0;
    for (let i = 0; i < MAX_CHAIN && index !== 0; i++) {
      const symbol = this.at(index, name);
      if (symbol) return symbol;
      index = memory.u32(table + 8n + BigInt(4 * (count + index))) ?? 0;
    }
    return undefined;
  }

  private at(index: number, name: string): ElfSymbol | undefined {
    const { memory } = this;
    const symbols = this.table(DT_SYMTAB);
    const strings = this.table(DT_STRTAB);
    if (symbols === undefined || strings === undefined) return undefined;
    const size = memory.wordSize === 8 ? 24 : 16;
    const raw = memory.bytes(symbols + BigInt(size * index), size);
    if (raw === undefined) return undefined;
    const found = memory.string(strings + BigInt(raw.readUInt32LE(0)), name.length + 1);
    return found.toString('latin1') === name ? elfSymbol(raw, 0, memory.wordSize) : undefined;
  }
}
