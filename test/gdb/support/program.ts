import fs from 'node:fs';
import path from 'node:path';
import { compiled } from '../../support/compile';
import { repositoryRoot } from '../../support/root';

const SOURCES = path.join(repositoryRoot, 'test/gdb/programs');
const OUTPUT = path.join(repositoryRoot, 'build/programs');

/** Compiles test/gdb/programs/NAME.c unless it is up to date; the path of the program. */
export function program(name: string, ...flags: string[]): string {
  const source = path.join(SOURCES, `${name}.c`);
  const binary = path.join(OUTPUT, [name, ...flags].join(''));
  return compiled(binary, source, ['-g', '-O0', '-pthread', ...flags]);
}

/** The first line of a program's source that contains text, for gdb: "calls.c:12". */
export function lineOf(name: string, text: string): string {
  const lines = fs.readFileSync(path.join(SOURCES, `${name}.c`), 'utf8').split('\n');
  const index = lines.findIndex((line) => line.includes(text));
  if (index < 0) throw new Error(`${name}.c has no line with "${text}"`);
  return `${name}.c:${index + 1}`;
}
