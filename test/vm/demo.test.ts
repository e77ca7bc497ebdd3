// What npm run demo:vm plays: two gdbs and two straces on one program, with the module.
import { command, testIf } from '../gdb/support/needs';
import { buildModule, chosenKernels, missingFor, runInGuest, VM_BUDGET } from '../support/vm';

const SECONDS = 600;
const kernel = chosenKernels()[0] as string;
const short = VM_BUDGET === undefined ? '' : 'too long here: npm run test:vm';

jest.setTimeout((SECONDS + 120) * 1000);

testIf(short || missingFor(kernel) || command('strace'))('the story with the module', async () => {
  const { code, output, errors } = await runInGuest(kernel, ['bin/ntrace', 'demo', '--stack'], {
    modules: [buildModule(kernel)],
    seconds: SECONDS,
    env: { NTRACE_TEST_PATIENCE: '6' },
  });
  expect(errors).toBe('');
  expect(output).toMatch(/Everything was as it should be/);
  expect(output).not.toMatch(/^FAIL/m);
  expect(code).toBe(0);
});
