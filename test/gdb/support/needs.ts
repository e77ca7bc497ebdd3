import { spawnSync } from 'node:child_process';

/** A test that runs where `missing` is empty; elsewhere it is skipped with that reason. */
export function testIf(missing: string): (name: string, body: jest.ProvidesCallback) => void {
  if (missing === '') return (name, body) => test(name, body);
  return (name, body) => test.skip(`${name} (${missing})`, body);
}

/** "" if a command is there, else the reason to skip. */
export function command(name: string): string {
  return spawnSync('sh', ['-c', `command -v ${name}`]).status === 0 ? '' : `no ${name} here`;
}

/** "" for root, else the reason to skip. */
export function root(): string {
  return process.getuid?.() === 0 ? '' : 'for root alone';
}

/** "" if programs of 32 bits can be built. */
export function multilib(): string {
  const found = spawnSync('gcc', ['-m32', '-print-file-name=libc.so'], { encoding: 'utf8' });
  return found.stdout.includes('/') ? '' : 'no gcc-multilib here';
}
