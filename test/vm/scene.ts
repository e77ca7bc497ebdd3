import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { repositoryRoot } from '../support/root';

/** Builds one of test/vm/programs, which work on the ABI itself; its path. */
export function scene(name: string): string {
  const folder = path.join(repositoryRoot, 'build/test/vm/programs');
  const include = path.join(repositoryRoot, 'kernel/uapi');
  fs.mkdirSync(folder, { recursive: true });
  const binary = path.join(folder, name);
  const source = path.join(repositoryRoot, 'test/vm/programs', `${name}.c`);
  const flags = ['-O1', '-g', '-Wall', '-Wextra', '-pthread', `-I${include}`];
  execFileSync('gcc', [...flags, '-o', binary, source], { stdio: ['ignore', 'inherit', 2] });
  return binary;
}
