// The module in guests with stock kernels: it loads, and everything is well with it.
import { testIf } from '../gdb/support/needs';
import { buildModule, chosenKernels, missingFor, runInGuest, VM_BUDGET } from '../support/vm';
import { defineShort } from './short';
import { expectAllPassed, runSuites, RELOAD } from './suites';

const MINUTES = 60;

for (const kernel of chosenKernels()) {
  const missing = missingFor(kernel);
  const guest = testIf(missing);
  const seconds = (kernel.endsWith('-debug') ? 60 : 25) * MINUTES;

  describe(`ntrace.ko on ${kernel}`, () => {
    if (VM_BUDGET !== undefined) {
      defineShort(kernel, missing, VM_BUDGET);
      return;
    }
    jest.setTimeout((seconds + 5 * MINUTES) * 1000);

    guest('loads, tells people of itself, unloads and loads again', async () => {
      const file = buildModule(kernel);
      const { code, output, errors } = await runInGuest(kernel, ['sh', '-c', RELOAD(file)], {
        modules: [file],
      });
      expect({ code, errors }).toEqual({ code: 0, errors: '' });
      expect(output).toMatch(/again\n$/);
    });

    guest('the contract suite', async () => {
      expectAllPassed(await runSuites(kernel, { levels: ['contract'], seconds }));
    });

    guest('gdb', async () => {
      expectAllPassed(await runSuites(kernel, { levels: ['gdb'], seconds }));
    });
  });
}
