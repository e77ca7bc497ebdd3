import fs from 'node:fs';
import { wordAt } from './memory';
import type { ProgramHeader } from './program';
import { programHeader } from './program';

const SHT_SYMTAB = 2;
const SHT_DYNSYM = 11;
const PN_XNUM = 0xffff;
const MAX_HEADERS = 65536;
const MAX_TABLE = 512 << 20; // bytes of one symbol or string table

export interface ElfHeader {
  wordSize: 4 | 8;
  /** ET_EXEC 2, ET_DYN 3, ... */
  type: number;
  /** EM_* */
  machine: number;
  entry: bigint;
}

/** A defined symbol; value as linked. */
export interface ElfSymbol {
  value: bigint;
  size: bigint;
  /** STT_* */
  type: number;
}

interface Section {
  type: number;
  offset: bigint;
  size: bigint;
  link: number;
  entrySize: bigint;
}

interface SymbolTable {
  symbols: Buffer;
  strings: Buffer;
}

/** An ELF file on disk, little-endian. Tables are read when first needed and kept until close(). */
export class ElfFile {
  readonly header: ElfHeader;
  readonly programHeaders: readonly ProgramHeader[];
  private readonly sections: readonly Section[];
  private readonly tables = new Map<Section, SymbolTable | undefined>();

  private constructor(private readonly fd: number) {
    const ident = this.read(0n, 64);
    if (ident.length < 52 || ident.toString('latin1', 0, 4) !== '\x7fELF' || ident[5] !== 1) {
      throw new Error('not a little-endian ELF file');
    }
    const wordSize = ident[4] === 2 ? 8 : 4;
    const word = (at32: number, at64: number): bigint =>
      wordAt(ident, wordSize === 8 ? at64 : at32, wordSize);
    const half = (at32: number, at64: number): number =>
      ident.readUInt16LE(wordSize === 8 ? at64 : at32);
    this.header = {
      wordSize,
      type: ident.readUInt16LE(16),
      machine: ident.readUInt16LE(18),
      entry: word(24, 24),
    };
    this.sections = this.readSections(word(32, 40), half(46, 58), half(48, 60));
    this.programHeaders = this.readProgramHeaders(word(28, 32), half(42, 54), half(44, 56));
  }

  /** undefined for what is unreadable or no ELF file. Close it. */
  static open(path: string): ElfFile | undefined {
    let fd: number | undefined;
    try {
      fd = fs.openSync(path, 'r');
      return new ElfFile(fd);
    } catch {
      if (fd !== undefined) fs.closeSync(fd);
      return undefined;
    }
  }

  close(): void {
    this.tables.clear();
    fs.closeSync(this.fd);
  }

  /** By exact name: dynamic symbols first, then the full table if it was not stripped. */
  symbol(name: string): ElfSymbol | undefined {
    for (const type of [SHT_DYNSYM, SHT_SYMTAB]) {
      for (const section of this.sections) {
        if (section.type !== type) continue;
        const table = this.table(section);
        const found = table && this.find(table, name);
        if (found) return found;
      }
    }
    return undefined;
  }

  private find({ symbols, strings }: SymbolTable, name: string): ElfSymbol | undefined {
    // linkers share tails, so the name may start inside a longer one
    const wanted = Buffer.from(`${name}\0`);
    const names = new Set<number>();
    for (let at = strings.indexOf(wanted); at >= 0; at = strings.indexOf(wanted, at + 1)) {
      names.add(at);
    }
    if (names.size === 0) return undefined;
    const { wordSize } = this.header;
    const entry = wordSize === 8 ? 24 : 16;
    for (let at = 0; at + entry <= symbols.length; at += entry) {
      if (!names.has(symbols.readUInt32LE(at))) continue;
      const found = elfSymbol(symbols, at, wordSize);
      if (found) return found;
    }
    return undefined;
  }

  private table(section: Section): SymbolTable | undefined {
    if (!this.tables.has(section)) {
      const strings = this.sections[section.link];
      const fits = section.size <= MAX_TABLE && strings && strings.size <= MAX_TABLE;
      this.tables.set(
        section,
        fits
          ? {
              symbols: this.read(section.offset, Number(section.size)),
              strings: this.read(strings.offset, Number(strings.size)),
            }
          : undefined,
      );
    }
    return this.tables.get(section);
  }

  private readSections(offset: bigint, size: number, count: number): Section[] {
    const { wordSize } = this.header;
    if (offset === 0n || size < (wordSize === 8 ? 64 : 40)) return [];
    // 65280 sections or more: the count is in the first section's size
    if (count === 0) count = Number(this.section(this.read(offset, size), 0)?.size ?? 0n);
    const raw = this.read(offset, size * Math.min(count, MAX_HEADERS));
    const sections: Section[] = [];
    for (let at = 0; at + size <= raw.length; at += size) sections.push(this.section(raw, at)!);
    return sections;
  }

  private section(raw: Buffer, at: number): Section | undefined {
    const { wordSize } = this.header;
    if (at + (wordSize === 8 ? 64 : 40) > raw.length) return undefined;
    const word = (at32: number, at64: number): bigint =>
      wordAt(raw, at + (wordSize === 8 ? at64 : at32), wordSize);
    return {
      type: raw.readUInt32LE(at + 4),
      offset: word(16, 24),
      size: word(20, 32),
      link: raw.readUInt32LE(at + (wordSize === 8 ? 40 : 24)),
      entrySize: word(36, 56),
    };
  }

  private readProgramHeaders(offset: bigint, size: number, count: number): ProgramHeader[] {
    const { wordSize } = this.header;
    if (count === PN_XNUM || size < (wordSize === 8 ? 56 : 32)) return [];
    const raw = this.read(offset, size * count);
    const headers: ProgramHeader[] = [];
    for (let at = 0; at + size <= raw.length; at += size) {
      headers.push(programHeader(raw, at, wordSize));
    }
    return headers;
  }

  /** Shorter where the file ends. */
  private read(offset: bigint, length: number): Buffer {
    const { size } = fs.fstatSync(this.fd, { bigint: true });
    const left = offset < size ? size - offset : 0n;
    const buf = Buffer.alloc(BigInt(length) < left ? length : Number(left));
    return buf.subarray(0, fs.readSync(this.fd, buf, 0, buf.length, offset));
  }
}

/** Elf32_Sym or Elf64_Sym; undefined for an undefined one. */
export function elfSymbol(raw: Buffer, at: number, wordSize: 4 | 8): ElfSymbol | undefined {
  const section = raw.readUInt16LE(at + (wordSize === 8 ? 6 : 14));
  if (section === 0) return undefined;
  return {
    type: raw[at + (wordSize === 8 ? 4 : 12)]! & 15,
    value: wordAt(raw, at + (wordSize === 8 ? 8 : 4), wordSize),
    size: wordAt(raw, at + (wordSize === 8 ? 16 : 8), wordSize),
  };
}
