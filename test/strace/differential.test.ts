// Line for line against the real strace.
import fs from 'node:fs';
import path from 'node:path';
import { command, multilib, testIf } from '../gdb/support/needs';
import { Bench, common, OURS, THEIRS, withoutChildSignals } from './tracing';

const bench = new Bench();
afterAll(() => bench.close());

const missing = command('strace');
const compare = testIf(missing);

/** Of several children that have ended, which one is waited for first is nobody's choice. */
const anyChild = (line: string): string => line.replace(/^(wait4\(-1, .*\) = TID)\d+$/, '$1');

/** Every line of every thread is the same; a difference is shown with its surroundings. */
function expectSame(args: readonly string[]): void {
  const theirs = bench.threads(THEIRS, args);
  const ours = bench.threads(OURS, args);
  const plain = (lines: string[]): string[] => withoutChildSignals(lines).map(anyChild);
  expect(ours.lines.map(plain)).toEqual(theirs.lines.map(plain));
  const { status, signal } = ours.outcome;
  expect({ status, signal }).toEqual({
    status: theirs.outcome.status,
    signal: theirs.outcome.signal,
  });
}

compare('true, cat and ls', () => {
  expectSame(['true']);
  expectSame(['cat', '/etc/passwd']);
  fs.mkdirSync(path.join(bench.dir, 'some'));
  for (let n = 0; n < 50; n++) fs.writeFileSync(path.join(bench.dir, 'some', `file${n}`), '');
  expectSame(['ls', '-l', 'some']);
  expectSame(['ls', 'nothing-there']);
});

compare('everything in full, in hexadecimal, with what descriptors stand for', () => {
  const verbose = ['-v', '-e', 'trace=!clock_gettime'];
  expectSame([...verbose, 'ls', '-a', 'some']);
  expectSame(['-xx', '-s', '7', 'cat', '/etc/passwd']);
  expectSame(['-y', '-x', 'cat', '/etc/passwd']);
});

compare('dd, block by block', () => {
  expectSame(['dd', 'if=/dev/zero', 'of=/dev/null', 'bs=1', 'count=300', 'status=none']);
});

compare('a pipeline of a shell', () => {
  expectSame(['sh', '-c', 'echo one; ls / | grep b | wc -l; (exit 3); kill -0 $$; exit 7']);
});

compare('threads, one cut off by the end of the process', () => {
  expectSame([bench.build('threads')]);
});

compare('a leader that ends before its thread', () => {
  expectSame([bench.build('leader')]);
});

for (const args of [[], ['fault'], ['kill']])
  compare(`signals, ended by ${JSON.stringify(args)}`, () => {
    expectSame([bench.build('signals'), ...args]);
  });

compare('calls of every family, x86-64', () => expectAlike(bench.build('calls')));
testIf(missing || multilib())('calls of every family, i386', () =>
  expectAlike(bench.build('calls', '-m32')),
);

function expectAlike(program: string): void {
  const theirs = bench.threads(THEIRS, [program, 'work']);
  const ours = bench.threads(OURS, [program, 'work']);
  expect(ours.outcome.status).toBe(42);
  expect(theirs.outcome.status).toBe(42);
  expect(ours.lines.length).toBe(theirs.lines.length);
  let same = 0;
  let all = 0;
  theirs.lines.forEach((lines, n) => {
    const [a, b] = [lines, ours.lines[n]!].map(withoutChildSignals) as [string[], string[]];
    const shared = common(a, b);
    same += shared.same;
    all += shared.of;
  });
  expect(all).toBeGreaterThan(350);
  // what a full disk, another processor or the oldest of all selects make of it
  expect({ same, all, different: all - same <= 3 }).toEqual({ same, all, different: true });
}
