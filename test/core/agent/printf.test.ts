// The printf of agent expressions against the C library's.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { assemble } from './assembler';
import { E, printed, run, type Outcome } from './runner';

const TEXT = 0x5000;
const LONG = 0x6000;

/** Format and arguments; a string argument stands for its address. */
const CASES: [format: string, ...args: (bigint | 'hello' | '')[]][] = [
  ['plain'],
  ['100%% sure'],
  ['%d|%i', -5n, 7n],
  ['%d', 0x1_8000_0000n],
  ['%5d|%-5d|%05d|%+d|% d', 42n, 42n, 42n, 42n, 42n],
  ['%+5d|%-+5d|%+05d|% 05d', -42n, -42n, -42n, -42n],
  ['%.3d|%8.3d|%-8.3d|%08.3d|%.0d', 7n, 7n, 7n, 7n, 0n],
  ['%hd|%hu|%hx', 0x18000n, 0x18000n, 0x1ffffn],
  ['%u|%u', -1n, 0x1_0000_0001n],
  ['%ld|%lu', -(1n << 63n), (1n << 64n) - 1n],
  ['%lld|%llu|%llx', (1n << 63n) - 1n, -1n, -1n],
  ['%zu|%zd|%zx', -1n, -1n, 1n << 40n],
  ['%x|%X|%#x|%#X|%#x', 0xbeefn, 0xbeefn, 0xbeefn, 0xbeefn, 0n],
  ['%#10x|%-#10x|%#010x|%#.6x', 0xbeefn, 0xbeefn, 0xbeefn, 0xbeefn],
  ['%o|%#o|%#o|%#.5o|%#.0o|%lo', 8n, 8n, 0n, 8n, 0n, -1n],
  ['%c|%5c|%-5c|', 65n, 66n, 67n],
  ['%c', 0x141n],
  ['%p|%20p|%-20p|', 0xdeadbeefn, 0xdeadbeefn, 0xdeadbeefn],
  ['%p|%8p|', 0n, 0n],
  ['%s|%8s|%-8s|%.2s|%8.2s', 'hello', 'hello', 'hello', 'hello', 'hello'],
  ['%s|%.0s|', '', 'hello'],
  ['%s|%8s', 0n, 0n],
  ['%d %s %#lx %c%%', 1n, 'hello', 255n, 33n],
];

function code(format: string, args: readonly (bigint | string)[]): string {
  const values = args.map((arg) =>
    typeof arg === 'bigint' ? BigInt.asUintN(64, arg) : BigInt(arg === '' ? TEXT + 5 : TEXT),
  );
  const pushes = values.reverse().map((value) => `const64 ${value}; `);
  return assemble(`${pushes.join('')}const8 0; dup; printf ${args.length} ${format}; end`);
}

const WORLD = [
  `mem ${TEXT} ${Buffer.from('hello\0').toString('hex').padEnd(128, '0')}`,
  `mem ${LONG} ${'41'.repeat(0x2000)}`,
];

function print(format: string, ...args: (bigint | string)[]): Outcome {
  const [outcome] = run<Outcome>([...WORLD, `run ${code(format, args)} 1000`]);
  if (!outcome) throw new Error('no answer');
  return outcome;
}

test('what the C library prints', () => {
  const outcomes = run<Outcome>([
    ...WORLD,
    ...CASES.map(([format, ...args]) => `run ${code(format, args)} 1000`),
  ]);
  const calls = CASES.map(([format, ...args]) => {
    const list = args.map((arg) =>
      typeof arg === 'string' ? `"${arg}"` : `(unsigned long)${BigInt.asUintN(64, arg)}ul`,
    );
    return `printf("${format}\\n"${list.map((arg) => `, ${arg}`).join('')});`;
  });
  const source = `#include <stdio.h>\nint main(void) { ${calls.join('\n')} return 0; }\n`;
  const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'agent-printf-'));
  const program = path.join(scratch, 'program');
  execFileSync('gcc', ['-w', '-x', 'c', '-', '-o', program], { input: source });
  const expected = execFileSync(program, { encoding: 'latin1' }).split('\n');
  fs.rmSync(scratch, { recursive: true });
  expect(outcomes.map((outcome, i) => [CASES[i]?.[0], outcome.error, printed(outcome)])).toEqual(
    CASES.map(([format], i) => [format, 0, expected[i]]),
  );
});

test('escape sequences', () => {
  expect(printed(print('a\\\\b\\n\\t\\"q\\"\\a\\b\\e\\f\\r\\v'))).toBe(
    'a\\b\n\t"q"\x07\b\x1b\f\r\v',
  );
  // a quote of its own ends the text
  expect(printed(print('left" right'))).toBe('left');
});

test('output is bounded and says so', () => {
  const cut = printed(print('%s', BigInt(LONG)));
  expect(cut.length).toBe(4096);
  expect(cut.endsWith('AAA...')).toBe(true);
  expect(printed(print('<%.10s>', BigInt(LONG)))).toBe('<AAAAAAAAAA>');
  expect(printed(print('%999999999d', 1n)).length).toBe(4096);
  expect(printed(print('%.4096d', 1n))).toBe('1'.padStart(4096, '0'));
  expect(printed(print('%4096s', 'hello'))).toBe('hello'.padStart(4096));
});

test('failures', () => {
  expect(print('%s', 16n)).toMatchObject({ error: E.MEMORY });
  expect(print('%s', BigInt(LONG + 0x2000 - 5))).toMatchObject({ error: E.MEMORY });
  expect(print('%d')).toMatchObject({ error: E.FORMAT });
  expect(print('%f', 1n)).toMatchObject({ error: E.FORMAT });
  const [short] = run<Outcome>([...WORLD, `run ${code('%s', [BigInt(LONG)])} 40`]);
  expect(short).toMatchObject({ error: E.BUDGET });
});
