// The module in guests with stock kernels: it loads, and everything is well with it.
import { testIf } from '../gdb/support/needs';
import { buildModule, chosenKernels, missingFor, runInGuest, VM_BUDGET } from '../support/vm';
import type { GuestRun } from '../support/vm';
import { scene } from './scene';
import { defineShort } from './short';
import { expectAllPassed, runSuites, RELOAD } from './suites';

const MINUTES = 60;
/** What the module can be loaded without. */
const FEATURES = [
  ...['soft_stop', 'step', 'range_step', 'regsets', 'memory', 'break', 'hwbreak', 'watch'],
  ...['signals', 'signals_fatal', 'syscall_entry', 'syscall_exit', 'syscall_change', 'fork'],
  ...['follow', 'newthread', 'exec', 'exiting', 'dead', 'conditions', 'actions', 'tracepoints'],
  ...['out_of_line', 'yield', 'who', 'release', 'leave_stopped'],
];

/** Seconds of stress and of malformed calls. */
const stress = Number(process.env['NTRACE_VM_STRESS'] ?? '60');

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

    const inGuest = async (script: string, limit: number): Promise<GuestRun> =>
      runInGuest(kernel, ['sh', '-c', script], {
        modules: [buildModule(kernel)],
        seconds: limit,
      });

    guest('loads, tells people of itself, unloads and loads again', async () => {
      const { code, output, errors } = await inGuest(RELOAD(buildModule(kernel)), 5 * MINUTES);
      expect({ code, errors }).toEqual({ code: 0, errors: '' });
      expect(output).toMatch(/again\n$/);
    });

    guest(
      'who holds what, changes of user, namespaces, unloading while threads are held',
      async () => {
        const words =
          'engines namespaces threads collect killed exiting renewed returned setuid /run/setuid';
        const module = buildModule(kernel);
        const coming = `persist ${module} unload ${module} pollers ${module} exec ${module}`;
        const script = `mkdir -p /run/setuid && ${scene('safety')} ${words} ${coming}`;
        const { code, output, errors } = await inGuest(script, 5 * MINUTES);
        expect({ code, errors, output }).toMatchObject({ code: 0, errors: '' });
        expect(output.match(/^ok \w+$/gm)).toHaveLength(13);
      },
    );

    guest('with each feature switched off the others work', async () => {
      const script = `${scene('features')} ${buildModule(kernel)}`;
      const { code, output, errors } = await inGuest(script, 15 * MINUTES);
      expect({ code, errors, output }).toMatchObject({ code: 0, errors: '' });
      expect(output.match(/^ok without/gm)?.length).toBeGreaterThan(20);
    });

    guest(`stress for ${stress} s: nobody is hurt, nothing is left`, async () => {
      const script = `${scene('stress')} ${stress} 1 ${buildModule(kernel)}`;
      const { code, output, errors } = await inGuest(script, stress + 10 * MINUTES);
      expect({ code, errors, output }).toMatchObject({ code: 0, errors: '' });
      expect(output).toMatch(/^stress: [1-9]\d* rounds of programs, 0 hurt/m);
    });

    guest(`malformed calls for ${stress} s: nothing but errno`, async () => {
      const script = `${scene('fuzz-ioctl')} ${stress}`;
      const { code, output, errors } = await inGuest(script, stress + 10 * MINUTES);
      expect({ code, errors, output }).toMatchObject({ code: 0, errors: '' });
      expect(output).toMatch(/^fuzz: [1-9]\d* calls/m);
    });

    guest('the contract suite', async () => {
      expectAllPassed(await runSuites(kernel, { levels: ['contract'], seconds }));
    });

    guest('a share of the contract with each feature switched off', async () => {
      const suites = { levels: ['contract'], seconds, off: FEATURES };
      expectAllPassed(await runSuites(kernel, suites));
    });

    guest('tools beside each other on one process', async () => {
      expectAllPassed(await runSuites(kernel, { levels: ['stack'], seconds }));
    });

    guest('gdb', async () => {
      expectAllPassed(await runSuites(kernel, { levels: ['gdb'], seconds }));
    });
  });
}
