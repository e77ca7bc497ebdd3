// Which jobs the tests are run as.
import fs from 'node:fs';
import path from 'node:path';
import type { Job } from './job';

/** Levels without processes of their own to wait for: too quick to be worth a job each. */
const QUICK = ['arch', 'house', 'linux', 'records', 'rsp', 'transcript', 'wire'];
/** The levels that take longest, first: what is begun late should be short. */
const LONG = ['stack', 'gdb', 'contract', 'fuzz', 'hostile', 'core', 'strace', 'cli', 'addon'];
const VM = 'vm';
/** Its tests of one kernel. */
const MODULE = 'module.test.js';

/** What one level may take on a slow and busy machine: ten times what it takes elsewhere. */
const LEVEL_SECONDS = 900;
/** Deadlines of tests are for a quiet machine: see test/support/patience.ts. */
const PATIENCE = process.env['NTRACE_TEST_PATIENCE'] ?? '3';
/** Guests, one after the other, with every test there is. */
const ALL_OF_VM_SECONDS = 4 * 3600;

const CHECKS: [name: string, command: string, args: string[]][] = [
  ['eslint', 'node_modules/.bin/eslint', ['.']],
  ['prettier', 'node_modules/.bin/prettier', ['--check', '--log-level', 'warn', '.']],
  ['clang-format', 'scripts/clang-format-check', []],
];

export class Planner {
  constructor(private readonly root: string) {}

  levels(): string[] {
    return fs
      .readdirSync(path.join(this.root, 'build/test'), { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && this.tests(entry.name).length > 0)
      .map((entry) => entry.name);
  }

  /** Everything, guests with a short choice that ends after so many seconds. */
  all(vmSeconds: number): Job[] {
    const rest = this.levels().filter((name) => ![...QUICK, ...LONG, VM].includes(name));
    return [
      ...this.guests(vmSeconds),
      ...[...LONG, ...rest].map((name) => this.jest(name, [`build/test/${name}/`])),
      this.jest(
        'quick levels',
        QUICK.map((name) => `build/test/${name}/`),
      ),
      ...this.checks(),
    ];
  }

  /** Some levels, as they are. */
  some(levels: readonly string[]): Job[] {
    return levels.map((name) =>
      this.jest(name, [`build/test/${name}/`], name === VM ? ALL_OF_VM_SECONDS : LEVEL_SECONDS),
    );
  }

  /** Before all others: what several of them would compile. */
  programs(): Job {
    const args = [path.join(this.root, 'build/test/support/compile-all.js')];
    const job = { name: 'programs of the tests', command: process.execPath, args };
    return { ...job, env: {}, seconds: LEVEL_SECONDS, tells: false };
  }

  checks(): Job[] {
    return CHECKS.map(([name, command, args]) => ({
      ...{ name, command: path.join(this.root, command), args, env: {} },
      ...{ seconds: LEVEL_SECONDS, tells: false },
    }));
  }

  /** A job for each kernel, since they wait for each other's processors only, and the harness. */
  private guests(vmSeconds: number): Job[] {
    if (this.tests(VM).length === 0) return [];
    const kernels = (process.env['NTRACE_VM_KERNELS'] ?? '6.1,6.12').split(',');
    const seconds = 2 * vmSeconds + 300;
    const env = (kernel: string): Record<string, string> => ({
      NTRACE_VM_KERNELS: kernel,
      NTRACE_VM_BUDGET: String(vmSeconds),
    });
    const others = this.tests(VM).filter((file) => file !== MODULE);
    const harness = this.jest(
      'vm harness',
      others.map((file) => `build/test/vm/${file}`),
      seconds,
    );
    return [
      ...kernels.map((kernel) => {
        const job = this.jest(`vm ${kernel}`, [`build/test/vm/${MODULE}`], seconds);
        return { ...job, env: { ...job.env, ...env(kernel) } };
      }),
      { ...harness, env: { ...harness.env, ...env(kernels[0] as string) } },
    ];
  }

  private jest(name: string, paths: string[], seconds = LEVEL_SECONDS): Job {
    const args = [
      ...paths, // first, or they are taken for reporters
      '--runInBand', // tests drive other processes; what runs side by side is for us to choose
      '--forceExit', // a test that leaves something open must not hang the rest
      '--passWithNoTests',
      '--reporters=default',
      `--reporters=${path.join(__dirname, 'reporter.js')}`,
    ];
    const command = path.join(this.root, 'node_modules/.bin/jest');
    const env = { NTRACE_TEST_PATIENCE: PATIENCE };
    return { name, command, args, env, seconds, tells: true };
  }

  private tests(level: string): string[] {
    const folder = path.join(this.root, 'build/test', level);
    return fs
      .readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.test.js'));
  }
}
