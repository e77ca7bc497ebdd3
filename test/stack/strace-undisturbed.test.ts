// What the real strace prints is the same with and without an engine on the program and on strace
// itself: ids, addresses and times aside. The engine stops them at most of their calls and signals.
import fs from 'node:fs';
import path from 'node:path';
import { command } from '../gdb/support/needs';
import { PATIENCE } from '../support/patience';
import { Bench, THEIRS, withoutChildSignals } from '../strace/tracing';
import { NTRACE, PROVIDER } from './support/scene';

jest.setTimeout(240_000 * PATIENCE);

const ENGINE = [NTRACE, 'strace', '--engine=kernel', '-f', '-o', '/dev/null'];
const LAST_ID = '/proc/sys/kernel/ns_last_pid';
const bench = new Bench();
beforeAll(() => {
  // ids that are no other number in the output; a guest's are small
  if (needs === '') fs.writeFileSync(LAST_ID, '20000');
});
afterAll(() => bench.close());

const needs =
  command('strace') ||
  (PROVIDER === 'kernel' ? '' : 'ptrace has room for one tracer: needs the module');

function someFiles(): string[] {
  fs.mkdirSync(path.join(bench.dir, 'some'));
  for (let n = 0; n < 20; n++) fs.writeFileSync(path.join(bench.dir, 'some', `file${n}`), '');
  return ['ls', '-l', 'some'];
}

function expectSame(args: readonly string[]): void {
  const alone = bench.threads(THEIRS, args);
  const beside = bench.threads([...ENGINE, ...THEIRS], args);
  expect(alone.lines.flat().length).toBeGreaterThan(10);
  expect(beside.lines.map(withoutChildSignals)).toEqual(alone.lines.map(withoutChildSignals));
}

const CASES: readonly [name: string, args: () => string[]][] = [
  ['true', (): string[] => ['true']],
  ['cat', (): string[] => ['cat', '/etc/passwd']],
  ['ls', someFiles],
  ['dd', (): string[] => 'dd if=/dev/zero of=/dev/null bs=1 count=50 status=none'.split(' ')],
  [
    'a pipeline of a shell',
    (): string[] => ['sh', '-c', 'echo one; ls / | grep b | wc -l; (exit 3); exit 7'],
  ],
  ['threads, one cut off by the end of the process', (): string[] => [bench.build('threads')!]],
  ['signals', (): string[] => [bench.build('signals')!]],
  ['a program that a fault ends', (): string[] => [bench.build('signals')!, 'fault']],
  ['a program that SIGKILL ends', (): string[] => [bench.build('signals')!, 'kill']],
];

if (needs !== '') test.skip(`strace prints the same beside an engine (${needs})`, () => undefined);
else
  test.each(CASES)('%s', (_, args) => {
    expectSame(args());
  });
