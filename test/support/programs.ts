// Builds test/support/programs/*.c when they are asked for.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { compiled } from './compile';
import { repositoryRoot } from './root';

const sources = path.join(repositoryRoot, 'test/support/programs');
const binaries = path.join(repositoryRoot, 'build/test/programs');
const FLAGS = ['-O1', '-g', '-Wall', '-Wextra', '-no-pie', '-pthread'];

/**
 * The path of a program's executable: not position independent, so symbols are addresses. One whose
 * name ends in 32 has 32 bits.
 */
export function program(name: string): string {
  const source = path.join(sources, `${name}.c`);
  const binary = path.join(binaries, name);
  return compiled(binary, source, name.endsWith('32') ? [...FLAGS, '-m32'] : FLAGS);
}

/** The few programs of 32 bits run on no guest. */
function symbols32(binary: string): ReadonlyMap<string, bigint> {
  const text = execFileSync('nm', [binary], { encoding: 'utf8' });
  const lines = text.split('\n').map((line) => /^([0-9a-f]+) \w (\S+)$/.exec(line));
  return new Map(lines.flatMap((m) => (m ? [[m[2]!, BigInt(`0x${m[1]}`)]] : [])));
}

/** Addresses by name. Read here: nm loads its linker plugins first, which takes a guest seconds. */
export function symbols(binary: string): ReadonlyMap<string, bigint> {
  const image = fs.readFileSync(binary);
  if (image[4] === 1) return symbols32(binary); // ELFCLASS32
  const section = (index: number): { type: number; offset: number; size: number; link: number } => {
    const at = Number(image.readBigUInt64LE(40)) + index * 64; // Elf64_Shdr
    return {
      type: image.readUInt32LE(at + 4),
      offset: Number(image.readBigUInt64LE(at + 24)),
      size: Number(image.readBigUInt64LE(at + 32)),
      link: image.readUInt32LE(at + 40),
    };
  };
  const found = new Map<string, bigint>();
  for (let i = 0; i < image.readUInt16LE(60); i++) {
    const table = section(i);
    if (table.type !== 2) continue; // SHT_SYMTAB
    const strings = section(table.link).offset;
    for (let at = table.offset; at < table.offset + table.size; at += 24) {
      const from = strings + image.readUInt32LE(at); // Elf64_Sym
      const name = image.toString('utf8', from, image.indexOf(0, from));
      const defined = image.readUInt16LE(at + 6) !== 0;
      if (defined && name !== '') found.set(name, image.readBigUInt64LE(at + 8));
    }
  }
  return found;
}

/** Bytes of the executable's file that are loaded at addr. */
export function fileBytes(binary: string, addr: bigint, length: number): Buffer {
  const image = fs.readFileSync(binary);
  const headers = Number(image.readBigUInt64LE(32));
  const count = image.readUInt16LE(56);
  for (let i = 0; i < count; i++) {
    const at = headers + i * 56; // Elf64_Phdr
    const [offset, start] = [image.readBigUInt64LE(at + 8), image.readBigUInt64LE(at + 16)];
    const inside = addr >= start && addr < start + image.readBigUInt64LE(at + 32);
    if (image.readUInt32LE(at) === 1 && inside) {
      const from = Number(offset + addr - start);
      return image.subarray(from, from + length);
    }
  }
  throw new Error(`${binary} loads nothing at 0x${addr.toString(16)}`);
}
