import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

const BENCH = path.resolve(__dirname, '../../bench');
const OUT = path.resolve(__dirname, '../../build/bench');

/** Where a program for measurements is. */
export const built = (name: string): string => path.join(OUT, name);

/** Builds it of sources in bench/, if it is older than they are; its path. */
export function compile(name: string, flags: readonly string[], names: readonly string[]): string {
  const binary = built(name);
  const sources = names.map((source) => path.join(BENCH, source));
  const written = (file: string): number => fs.statSync(file).mtimeMs;
  // a guest would take its time, and has what the host has built
  if (!fs.existsSync(binary) || sources.some((source) => written(source) >= written(binary)))
    execFileSync('gcc', [...flags, '-o', binary, ...sources]);
  return binary;
}
