// The module in guests with stock kernels: it loads, and everything is well with it.
import fs from 'node:fs';
import path from 'node:path';
import { testIf } from '../gdb/support/needs';
import { program as gdbProgram } from '../gdb/support/program';
import { program as stackProgram } from '../stack/support/programs';
import { program as contractProgram } from '../support/programs';
import { repositoryRoot } from '../support/root';
import { buildModule, chosenKernels, missingFor, runInGuest, type GuestRun } from '../support/vm';

const MINUTES = 60;
const JEST = [
  'node_modules/.bin/jest',
  '--runInBand',
  '--forceExit',
  '--transform={}', // it is JavaScript already
  '--testMatch=**/vm/guest/suites.js',
  `--reporters=${path.join(repositoryRoot, 'build/test/vm/guest/reporter.js')}`,
];

/** What the tests would compile, and in the guest slowly. */
function compilePrograms(): void {
  for (const name of ['actor', 'kitchen', 'spinner', 'crasher']) stackProgram(name);
  stackProgram('leaky', '-fsanitize=leak');
  for (const [folder, compile] of [
    ['test/support/programs', contractProgram],
    ['test/gdb/programs', gdbProgram],
  ] as const)
    for (const file of fs.readdirSync(path.join(repositoryRoot, folder)))
      if (file.endsWith('.c')) compile(path.basename(file, '.c'));
}

/** Families that say in two minutes whether the module does its work: with all levels in a row. */
const SHORT = ['handshake', 'attach', 'memory', 'step', 'signals'];
const short = process.env['NTRACE_VM_SHORT'] === '1';

/** Runs levels of tests in the guest, with the module; their own lines. */
async function levels(
  kernel: string,
  names: string,
  seconds: number,
  families: readonly string[] = [],
): Promise<GuestRun> {
  compilePrograms();
  const patience = kernel.endsWith('-debug') ? 20 : 6;
  return runInGuest(kernel, [...JEST, `--testTimeout=${patience * 60_000}`, ...only(families)], {
    modules: [buildModule(kernel)],
    seconds,
    env: {
      CI: 'true',
      NTRACE_PROVIDERS: 'kernel',
      NTRACE_TEST_ENGINE: 'kernel',
      NTRACE_TEST_PATIENCE: String(patience),
      NTRACE_TEST_SERVER: path.join(repositoryRoot, 'test/vm/guest/gdbserver-kernel'),
      NTRACE_VM_LEVELS: names,
      NTRACE_STACK_ROUNDS: process.env['NTRACE_STACK_ROUNDS'] ?? '1',
    },
  });
}

function only(families: readonly string[]): string[] {
  return families.length === 0 ? [] : ['-t', `(${families.join('|')}) \\(kernel\\)`];
}

function expectAllPassed({ code, output, errors }: GuestRun): void {
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

for (const kernel of chosenKernels()) {
  const guest = testIf(missingFor(kernel));
  const seconds = (kernel.endsWith('-debug') ? 60 : 25) * MINUTES;

  describe(`ntrace.ko on ${kernel}`, () => {
    jest.setTimeout((seconds + 5 * MINUTES) * 1000);

    guest('loads, tells people of itself, unloads and loads again', async () => {
      const file = buildModule(kernel);
      const script = `cat /proc/ntrace/engines && rmmod ntrace && ! [ -e /proc/ntrace ] && insmod ${file} && echo again`;
      const { code, output, errors } = await runInGuest(kernel, ['sh', '-c', script], {
        modules: [file],
      });
      expect({ code, errors }).toEqual({ code: 0, errors: '' });
      expect(output).toMatch(/again\n$/);
    });

    if (short) {
      guest(`of the contract suite: ${SHORT.join(', ')}`, async () => {
        expectAllPassed(await levels(kernel, 'contract', seconds, SHORT));
      });
      test.skip('the whole contract suite and gdb [too long here: npm run test:vm]', () =>
        undefined);
      return;
    }

    guest('the contract suite', async () => {
      expectAllPassed(await levels(kernel, 'contract', seconds));
    });

    guest('tools beside each other on one process', async () => {
      expectAllPassed(await levels(kernel, 'stack', seconds));
    });

    guest('gdb', async () => {
      expectAllPassed(await levels(kernel, 'gdb', seconds));
    });
  });
}
