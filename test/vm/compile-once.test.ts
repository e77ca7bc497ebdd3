// scripts/vm/compile-once: what was compiled once is what the compiler would make now.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { repositoryRoot } from '../support/root';

/** Notes that it was called, and copies what it is to compile to what follows -o. */
const COMPILER = `#!/bin/sh
echo called >>"$CALLS"
echo a warning >&2
[ "$1" != -E ] || { cat "$2"; exit 0; }
cat "$1" >"$3"
exit "$(cat "$1")"
`;
let folder = '';

beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'ntrace-'));
  for (const name of ['first', 'real', 'kept', 'work']) fs.mkdirSync(path.join(folder, name));
  fs.symlinkSync(
    path.join(repositoryRoot, 'scripts/vm/compile-once'),
    path.join(folder, 'first/gcc'),
  );
  fs.writeFileSync(path.join(folder, 'real/gcc'), COMPILER, { mode: 0o755 });
});
afterEach(() => fs.rmSync(folder, { recursive: true }));

const work = (name: string): string => path.join(folder, 'work', name);
const calls = (): number => {
  const file = path.join(folder, 'calls');
  return fs.existsSync(file) ? fs.readFileSync(file, 'utf8').split('\n').length - 1 : 0;
};
function gcc(...words: string[]): { status: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync('gcc', words, {
    cwd: path.join(folder, 'work'),
    encoding: 'utf8',
    env: {
      PATH: `${folder}/first:${folder}/real:${process.env['PATH']}`,
      NTRACE_COMPILED: path.join(folder, 'kept'),
      CALLS: path.join(folder, 'calls'),
    },
  });
  return { status, stdout, stderr };
}

test.each([0, 3])('the second time of a compilation that ends with %d', (code) => {
  fs.writeFileSync(work('a.c'), `${code}\n`);
  const ended = { status: code, stdout: '', stderr: 'a warning\n' };
  expect(gcc('a.c', '-o', 'a')).toEqual(ended);
  fs.rmSync(work('a'));
  expect(gcc('a.c', '-o', 'a')).toEqual(ended);
  expect(fs.readFileSync(work('a'), 'utf8')).toBe(`${code}\n`);
  expect(calls()).toBe(1);
});

test('a source that has changed, and one that has changed back', () => {
  for (const code of [0, 1, 0]) {
    fs.writeFileSync(work('a.c'), `${code}\n`);
    expect(gcc('a.c', '-o', 'a').status).toBe(code);
    expect(fs.readFileSync(work('a'), 'utf8')).toBe(`${code}\n`);
  }
  expect(calls()).toBe(2);
});

test('what is only preprocessed comes to the output', () => {
  fs.writeFileSync(work('a.c'), 'words\n');
  for (let time = 0; time < 2; time++) expect(gcc('-E', 'a.c').stdout).toBe('words\n');
  expect(calls()).toBe(1);
});

test("the testsuite's temporary folders are one", () => {
  for (const number of ['12', '7']) {
    const temporary = path.join(work('temp'), number);
    fs.mkdirSync(temporary, { recursive: true });
    fs.writeFileSync(`${temporary}/a.c`, '0\n');
    expect(gcc(`${temporary}/a.c`, '-o', `${temporary}/a`).status).toBe(0);
    expect(fs.existsSync(`${temporary}/a`)).toBe(true);
  }
  expect(calls()).toBe(1);
});
