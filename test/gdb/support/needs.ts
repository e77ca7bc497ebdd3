import { spawnSync } from 'node:child_process';

/** A test that runs where `missing` is empty; elsewhere it is skipped with that reason. */
export function testIf(missing: string): (name: string, body: jest.ProvidesCallback) => void {
  if (missing === '') return (name, body) => test(name, body);
  return (name, body) => test.skip(`${name} (${missing})`, body);
}

/** The same for several; where they cannot run one skip stands for all. */
export function describeIf(missing: string): (name: string, body: () => void) => void {
  if (missing === '') return (name, body) => describe(name, body);
  return (name) => test.skip(`${name} (${missing})`, () => undefined);
}

/** "" if a command is there, else the reason to skip. */
export function command(name: string): string {
  return spawnSync('sh', ['-c', `command -v ${name}`]).status === 0 ? '' : `no ${name} here`;
}

/** "" for root, else the reason to skip. */
export function root(): string {
  return process.getuid?.() === 0 ? '' : 'for root alone';
}

/** describe.each, where some rows cannot run. */
export function describeEach<Row extends readonly [name: string, ...rest: unknown[]]>(
  rows: readonly Row[],
  missing: (row: Row) => string,
  body: (row: Row) => void,
): void {
  for (const row of rows) describeIf(missing(row))(row[0], () => body(row));
}

/** test.each, where some rows cannot run. */
export function testEach<Row extends readonly [name: string, ...rest: unknown[]]>(
  rows: readonly Row[],
  missing: (row: Row) => string,
  body: (row: Row) => Promise<void>,
): void {
  for (const row of rows) testIf(missing(row))(row[0], () => body(row));
}

/** What these flags of the compiler need. */
export function compiler(flags: readonly string[]): string {
  return flags.includes('-m32') ? multilib() : '';
}

/** "" if programs of 32 bits can be built. */
export function multilib(): string {
  const found = spawnSync('gcc', ['-m32', '-print-file-name=libc.so'], { encoding: 'utf8' });
  return found.stdout.includes('/') ? '' : 'no gcc-multilib here';
}
