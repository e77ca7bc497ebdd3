// Builds the C programs beside this file together with the decoder and the planner.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { repositoryRoot } from '../../support/root';

const core = path.join(repositoryRoot, 'kernel/core');
const output = path.join(repositoryRoot, 'build/test/core/insn/programs');
const FLAGS = ['-std=gnu11', '-D_GNU_SOURCE', '-O1', '-g', '-Wall', '-Wextra', `-I${core}`];

/** What is compiled from kernel/core. */
const shared = fs
  .readdirSync(core)
  .filter((file) => /^(insn|ool).*\.[ch]$/.test(file))
  .map((file) => path.join(core, file));

function upToDate(file: string, sources: readonly string[]): boolean {
  if (!fs.existsSync(file)) return false;
  const built = fs.statSync(file).mtimeMs;
  return sources.every((source) => fs.statSync(source).mtimeMs < built);
}

function compile(file: string, depends: readonly string[], args: readonly string[]): string {
  if (upToDate(file, depends)) return file;
  fs.mkdirSync(path.dirname(file), { recursive: true });
  const temporary = `${file}.${process.pid}`;
  execFileSync('gcc', [...args, '-o', temporary], { stdio: ['ignore', 'inherit', 2] });
  fs.renameSync(temporary, file);
  return file;
}

/** A program from C files below test/, the decoder and the planner. */
export function coreProgram(name: string, files: string[], flags: string[] = []): string {
  const sources = files.map((file) => path.join(repositoryRoot, 'test', file));
  const all = [...sources, ...shared.filter((file) => file.endsWith('.c'))];
  const beside = new Set(sources.map((file) => path.dirname(file)));
  const headers = [...beside].flatMap((dir) =>
    fs
      .readdirSync(dir)
      .filter((file) => file.endsWith('.h'))
      .map((file) => path.join(dir, file)),
  );
  const args = [...FLAGS, ...flags, ...all];
  return compile(path.join(output, name), [...all, ...headers, ...shared], args);
}

/** An object file of test/core/insn/rare.S. */
export function rareInstructions(bits: 32 | 64): string {
  const source = path.join(repositoryRoot, 'test/core/insn/rare.S');
  return compile(path.join(output, `rare${bits}.o`), [source], [`-m${bits}`, '-c', source]);
}

/** Those files of this system that exist. */
export function present(...files: string[]): string[] {
  return files.filter((file) => fs.existsSync(file));
}

/** Libraries of the system, of both widths; the 32-bit ones may be missing. */
export const LIBRARIES = {
  64: present(
    '/lib/x86_64-linux-gnu/libc.so.6',
    '/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2',
    '/lib/x86_64-linux-gnu/libm.so.6',
    '/usr/lib/x86_64-linux-gnu/libstdc++.so.6',
    '/usr/lib/x86_64-linux-gnu/libcrypto.so.3',
  ),
  32: present(
    '/lib32/libc.so.6',
    '/lib/i386-linux-gnu/libc.so.6',
    '/lib32/libm.so.6',
    '/usr/lib32/libstdc++.so.6',
  ),
} as const;
