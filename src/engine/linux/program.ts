import { AT, auxvEntry } from './auxv';
import type { Memory } from './memory';
import { wordAt } from './memory';

const PT_DYNAMIC = 2;
const PT_PHDR = 6;
const PT_LOAD = 1;
const PT_TLS = 7;
const MAX_HEADERS = 1024;
const MAX_DYNAMIC = 4096; // entries

/** A program header; addresses as linked. */
export interface ProgramHeader {
  type: number;
  flags: number;
  offset: bigint;
  vaddr: bigint;
  filesz: bigint;
  memsz: bigint;
  align: bigint;
}

/** Program headers of the main program, from memory, and how far it is from where it was linked. */
export interface Program {
  headers: readonly ProgramHeader[];
  bias: bigint;
}

/** Elf32_Phdr or Elf64_Phdr at an offset of raw. */
export function programHeader(raw: Buffer, at: number, wordSize: 4 | 8): ProgramHeader {
  const word = (offset: number): bigint => wordAt(raw, at + offset, wordSize);
  return wordSize === 8
    ? {
        type: raw.readUInt32LE(at),
        flags: raw.readUInt32LE(at + 4),
        offset: word(8),
        vaddr: word(16),
        filesz: word(32),
        memsz: word(40),
        align: word(48),
      }
    : {
        type: raw.readUInt32LE(at),
        offset: word(4),
        vaddr: word(8),
        filesz: word(16),
        memsz: word(20),
        flags: raw.readUInt32LE(at + 24),
        align: word(28),
      };
}

/** undefined if the auxiliary vector does not lead to program headers (yet: before exec is done). */
export function readProgram(memory: Memory, auxv: Buffer): Program | undefined {
  const { wordSize } = memory;
  const at = auxvEntry(auxv, AT.PHDR, wordSize);
  const count = Number(auxvEntry(auxv, AT.PHNUM, wordSize) ?? 0n);
  const size = Number(auxvEntry(auxv, AT.PHENT, wordSize) ?? 0n);
  const least = wordSize === 8 ? 56 : 32;
  if (!at || count === 0 || count > MAX_HEADERS || size < least || size > 256) return undefined;
  const raw = memory.bytes(at, count * size);
  if (raw === undefined) return undefined;
  const headers = Array.from({ length: count }, (_, i) => programHeader(raw, i * size, wordSize));
  return { headers, bias: wrap(at - linkedAddress(headers, wordSize), wordSize) };
}

/** Where the linker put the program headers. */
function linkedAddress(headers: readonly ProgramHeader[], wordSize: 4 | 8): bigint {
  const self = headers.find((h) => h.type === PT_PHDR);
  if (self) return self.vaddr;
  // static programs have no PT_PHDR: the headers follow the ELF header in the first segment
  const first = headers.find((h) => h.type === PT_LOAD && h.offset === 0n);
  return (first?.vaddr ?? 0n) + (wordSize === 8 ? 64n : 52n);
}

/** Addresses are modulo the program's word. */
export function wrap(addr: bigint, wordSize: 4 | 8): bigint {
  return BigInt.asUintN(8 * wordSize, addr);
}

/** The main program's TLS segment. */
export function tlsSegment(program: Program): ProgramHeader | undefined {
  return program.headers.find((h) => h.type === PT_TLS);
}

/** Address and bytes of the main program's dynamic section. */
export function dynamicSection(
  program: Program,
  wordSize: 4 | 8,
): { addr: bigint; size: bigint } | undefined {
  const header = program.headers.find((h) => h.type === PT_DYNAMIC);
  return header && { addr: wrap(header.vaddr + program.bias, wordSize), size: header.memsz };
}

/** Tags and values of a dynamic section, up to DT_NULL. */
export function* dynamicEntries(
  memory: Memory,
  addr: bigint,
): Generator<{ tag: bigint; value: bigint }> {
  const { wordSize } = memory;
  for (let i = 0; i < MAX_DYNAMIC; i++) {
    const raw = memory.bytes(addr + BigInt(2 * wordSize * i), 2 * wordSize);
    if (raw === undefined) return;
    const tag = wordAt(raw, 0, wordSize);
    if (tag === 0n) return;
    yield { tag, value: wordAt(raw, wordSize, wordSize) };
  }
}
