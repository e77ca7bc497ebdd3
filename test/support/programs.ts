// Builds test/support/programs/*.c when they are asked for.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { repositoryRoot } from './root';

const sources = path.join(repositoryRoot, 'test/support/programs');
const binaries = path.join(repositoryRoot, 'build/test/programs');
const FLAGS = ['-O1', '-g', '-Wall', '-Wextra', '-no-pie', '-pthread'];

function newer(file: string, than: string): boolean {
  return fs.existsSync(file) && fs.statSync(file).mtimeMs > fs.statSync(than).mtimeMs;
}

/** The path of a program's executable: not position independent, so symbols are addresses. */
export function program(name: string): string {
  const source = path.join(sources, `${name}.c`);
  const binary = path.join(binaries, name);
  if (newer(binary, source)) return binary;
  fs.mkdirSync(binaries, { recursive: true });
  const temporary = `${binary}.${process.pid}`;
  execFileSync('gcc', [...FLAGS, '-o', temporary, source], { stdio: ['ignore', 'inherit', 2] });
  fs.renameSync(temporary, binary);
  return binary;
}

/** Addresses by name. */
export function symbols(binary: string): ReadonlyMap<string, bigint> {
  const text = execFileSync('nm', [binary], { encoding: 'utf8' });
  const found = new Map<string, bigint>();
  for (const line of text.split('\n')) {
    const match = /^([0-9a-f]+) \w (\S+)$/.exec(line);
    if (match?.[1] !== undefined && match[2] !== undefined) {
      found.set(match[2], BigInt(`0x${match[1]}`));
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
