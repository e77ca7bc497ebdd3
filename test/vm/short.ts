// A short choice of rows in one guest, for who runs every level in a row: with one boot, and with a
// budget of time. A slow machine gets through fewer of them; what was not begun is skipped.
import { testIf } from '../gdb/support/needs';
import { skipped } from '../support/skip';
import type { GuestRun } from '../support/vm';
import { LATE } from './guest/late';
import { RELOAD, runSuites } from './suites';

/** What is to be run, what the names of its tests match, and what it is called here. */
const PARTS: readonly [file: string, tests: RegExp, title: string][] = [
  ['contract/handshake', /\bhandshake \(kernel\)/, 'contract: handshake'],
  ['contract/memory', /\bmemory \(kernel\)/, 'contract: memory'],
  ['gdb/breakpoints', /\bbreak, continue, backtrace/, 'gdb: break, continue, backtrace'],
  ['contract/attach', /\battach \(kernel\)/, 'contract: attach'],
  ['contract/step', /\bstep \(kernel\)/, 'contract: step'],
  ['contract/stats', /\bstats \(kernel\)/, 'contract: actions'],
  ['contract/trace', /\btracepoints \(kernel\)/, 'contract: tracepoints'],
  ['contract/signals', /\bsignals \(kernel\)/, 'contract: signals'],
];
/** What the last test that was begun in time may take, and the end of the guest. */
const REST_SECONDS = 300;

interface Row {
  word: string;
  /** Its line, and those of its failure. */
  text: string;
}

function rows(output: string): Row[] {
  return output
    .split(/^(?=(?:PASS|SKIP|FAIL) )/m)
    .filter((text) => /^(PASS|SKIP|FAIL) /.test(text))
    .map((text) => ({ word: text.slice(0, 4), text }));
}

/** Defines the tests of one kernel. missing: why there can be no guest. */
export function defineShort(kernel: string, missing: string, budget: number): void {
  const guest = testIf(missing);
  const seconds = budget + REST_SECONDS;
  jest.setTimeout((seconds + 60) * 1000);
  let run: GuestRun;

  beforeAll(async () => {
    if (missing !== '') return;
    run = await runSuites(kernel, {
      levels: PARTS.map(([file]) => file),
      seconds,
      begin: budget,
      only: PARTS.map(([, tests]) => tests.source).join('|'),
      first: RELOAD,
    });
  });

  guest('loads, tells people of itself, unloads and loads again', () => {
    expect(run.output).toMatch(/^again$/m);
  });

  for (const [, tests, title] of PARTS)
    guest(title, () => {
      const mine = rows(run.output).filter(({ text }) => tests.test(text.split('\n')[0] ?? ''));
      expect(mine.filter(({ word }) => word === 'FAIL').map(({ text }) => text)).toEqual([]);
      const late = mine.filter(({ text }) => text.includes(LATE)).length;
      const passed = mine.filter(({ word }) => word === 'PASS').length;
      if (late > 0) skipped(`${late} of ${late + passed} tests: ${budget} s were not enough`);
      else expect(passed).toBeGreaterThan(0);
    });

  guest('every test that was begun ended, and the kernel complains of nothing', () => {
    const { code, errors } = run;
    const [sum] = /^\d+ passed, \d+ failed, \d+ skipped$/m.exec(run.output) ?? [''];
    expect({ code, errors, sum }).toEqual({
      code: 0,
      errors: '',
      sum: expect.stringMatching(/, 0 failed, /) as string,
    });
  });

  const rest = 'the whole contract suite and gdb, safety, features that are off, stress';
  test.skip(`${rest} [too long here: npm run test:vm]`, () => undefined);
}
