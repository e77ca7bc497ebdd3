// Levels of tests in a guest with the module.
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { COPY } from '../stack/support/companions';
import { program } from '../stack/support/programs';
import { compileAll } from '../support/compile-all';
import { repositoryRoot } from '../support/root';
import { buildModule, runInGuest, type GuestRun } from '../support/vm';

const GUEST = path.join(repositoryRoot, 'build/test/vm/guest');
const JEST = [
  'node_modules/.bin/jest',
  '--runInBand',
  '--forceExit',
  '--transform={}', // it is JavaScript already
  '--testMatch=**/vm/guest/suites.js',
  `--reporters=${GUEST}/reporter.js`,
  `--testEnvironment=${GUEST}/environment.js`,
];

/** A shell's command: the module, loaded already, shows itself, goes and comes again. */
export const RELOAD = (file: string): string =>
  `cat /proc/ntrace/engines && rmmod ntrace && ! [ -e /proc/ntrace ] && insmod ${file} && echo again`;

export interface Suites {
  /** Levels, or files of them: contract, gdb/stacking. */
  levels: readonly string[];
  /** After which the guest is ended. */
  seconds: number;
  /** No test begins later than that many seconds in the guest's life. */
  begin?: number;
  /** Only tests whose names match. */
  only?: string;
  /** Features that are switched off in turn, for one row in so many: NTRACE_VM_SHARE. */
  off?: readonly string[];
  /** A shell's command that comes first, given the module's file. */
  first?: (file: string) => string;
}

/** Builds what the guest does not: where that fails the tests are skipped, and say why. */
function prepareStrangers(kernel: string): void {
  const scripts = path.join(repositoryRoot, 'scripts/vm');
  spawnSync(path.join(scripts, 'stap'), [kernel, program('actor'), 'act', COPY]);
  spawnSync(path.join(scripts, 'selftests'));
}

/** Runs levels of tests in the guest, with the module; their own lines. */
export async function runSuites(kernel: string, suites: Suites): Promise<GuestRun> {
  compileAll(); // else the tests would, and in the guest slowly
  if (suites.levels.includes('stack')) prepareStrangers(kernel);
  const patience = kernel.endsWith('-debug') ? 20 : 6;
  const file = buildModule(kernel);
  const command = [
    ...[...JEST, `--testTimeout=${patience * 60_000}`],
    ...(suites.only === undefined ? [] : ['-t', suites.only]),
  ];
  const first = suites.first === undefined ? [] : ['sh', '-c', `${suites.first(file)}; exec "$@"`];
  return runInGuest(kernel, [...first, ...(first.length > 0 ? ['sh'] : []), ...command], {
    modules: [file],
    seconds: suites.seconds,
    env: {
      CI: 'true',
      NTRACE_PROVIDERS: 'kernel',
      NTRACE_TEST_ENGINE: 'kernel',
      NTRACE_STACK_ROUNDS: process.env['NTRACE_STACK_ROUNDS'] ?? '1',
      NTRACE_TEST_PATIENCE: String(patience),
      NTRACE_TEST_SERVER: path.join(repositoryRoot, 'test/vm/guest/gdbserver-kernel'),
      NTRACE_VM_LEVELS: suites.levels.join(','),
      ...(suites.off === undefined
        ? {}
        : {
            NTRACE_TEST_OFF: suites.off.join(','),
            NTRACE_TEST_SHARE: process.env['NTRACE_VM_SHARE'] ?? '8',
            NTRACE_TEST_MODULE: file,
          }),
      ...(suites.begin === undefined ? {} : { NTRACE_VM_SECONDS: String(suites.begin) }),
    },
  });
}

export function expectAllPassed({ code, output, errors }: GuestRun): void {
  const [sum] = /^\d+ passed, \d+ failed, \d+ skipped$/m.exec(output) ?? [''];
  const failures = output.split(/^(?=(?:PASS|SKIP|FAIL) )/m).filter((s) => s.startsWith('FAIL'));
  // the whole of it, so that the report tells what happened
  expect({ failures: failures.join(''), errors, code, sum }).toEqual({
    failures: '',
    errors: '',
    code: 0,
    sum: expect.stringMatching(/^[1-9]\d* passed, 0 failed/) as string,
  });
}
