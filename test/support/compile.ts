import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

/**
 * Compiles a C program unless it is up to date; its path. Several may do so at once, and others run
 * it meanwhile: the finished one takes its place in one step.
 */
export function compiled(binary: string, source: string, flags: readonly string[]): string {
  if (fs.existsSync(binary) && fs.statSync(binary).mtimeMs > fs.statSync(source).mtimeMs)
    return binary;
  fs.mkdirSync(path.dirname(binary), { recursive: true });
  const temporary = `${binary}.${process.pid}`;
  execFileSync('gcc', [...flags, '-o', temporary, source], { stdio: ['ignore', 'inherit', 2] });
  fs.renameSync(temporary, binary);
  return binary;
}
