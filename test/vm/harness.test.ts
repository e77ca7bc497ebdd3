// The virtual machine itself: what has to fail, fails.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { repositoryRoot } from '../support/root';
import {
  buildModule,
  chosenKernels,
  complaints,
  GUEST_FAILED,
  missingFor,
  runInGuest,
  TIME_LIMIT,
  VM_BUDGET,
} from '../support/vm';
import { testIf } from '../gdb/support/needs';
import { skipped } from '../support/skip';

const HELLO = path.join(repositoryRoot, 'test/vm/modules/hello');
const LIMIT_MS = 10 * 60_000;
const kernel = chosenKernels()[0] as string;
const missing = missingFor(kernel);
const began = Date.now();
/** What a guest takes that does nothing: the quickest that ended by itself. */
let quickSeconds = 60;

jest.setTimeout(LIMIT_MS);

test("the kernel's checkpatch has nothing to say of the module's sources", () => {
  const script = path.join(repositoryRoot, 'scripts/vm/checkpatch');
  const { status, stdout, stderr } = spawnSync(script, { encoding: 'utf8' });
  if (status === 77) return skipped(stderr.trim());
  expect({ status, stdout }).toEqual({ status: 0, stdout: '' });
});

test.each([
  ['that is not there', 'exit 127'],
  ['that is too old', 'echo QEMU emulator version 7.2.22'],
])("a system's QEMU %s: there is another one", (_, program) => {
  const script = path.join(repositoryRoot, 'scripts/vm/qemu');
  const usual = spawnSync(script, { encoding: 'utf8' }).stdout;
  if (!usual.endsWith('/ntrace/qemu/qemu\n')) return skipped("the system's own QEMU serves here");
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'ntrace-'));
  try {
    const file = path.join(folder, 'qemu-system-x86_64');
    fs.writeFileSync(file, `#!/bin/sh\n${program}\n`, { mode: 0o755 });
    const env = { ...process.env, PATH: `${folder}:${process.env['PATH']}` };
    const { status, stdout } = spawnSync(script, { encoding: 'utf8', env });
    expect({ status, stdout }).toEqual({ status: 0, stdout: usual });
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
});

test('without a cache folder: it is made', () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'ntrace-'));
  try {
    const cache = path.join(folder, 'not', 'there');
    const script = path.join(repositoryRoot, 'scripts/vm/gdb-testsuite');
    // refused for want of the tools; it is about what is done before that
    const { status, stderr } = spawnSync(script, ['/nowhere', 'x'], {
      encoding: 'utf8',
      env: { ...process.env, NTRACE_CACHE: cache },
    });
    expect({ status, there: fs.existsSync(cache), stderr }).toMatchObject({
      status: 1,
      there: true,
    });
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
});

/** Each boots a guest; the budget of time says how many of them may. */
function guest(name: string, body: () => Promise<void>): void {
  testIf(missing)(name, async () => {
    if (VM_BUDGET !== undefined && Date.now() - began > VM_BUDGET * 1000)
      return skipped(`${VM_BUDGET} s were not enough`);
    const booted = Date.now();
    await body();
    quickSeconds = Math.min(quickSeconds, (Date.now() - booted) / 1000);
  });
}

guest(
  'output and exit code come through; a module is there; what is written stays there',
  async () => {
    const script =
      'echo "on $(uname -r)"; grep hello /proc/modules; echo x >package.json; ps -o tty= -p $$; id -u; exit 7';
    const { code, output, errors } = await runInGuest(kernel, ['sh', '-c', script], {
      modules: [buildModule(kernel, HELLO)],
    });
    expect(errors).toBe('');
    expect(output).toMatch(new RegExp(`^on ${kernel.split('-')[0]?.replace('.', '\\.')}\\..*\n`));
    expect(output).toMatch(/^hello \d+ 0 .* Live/m);
    expect(output).toMatch(/\nhvc0\s*\n0\n$/);
    expect(code).toBe(7);
    expect(fs.statSync(path.join(repositoryRoot, 'package.json')).size).toBeGreaterThan(100);
  },
);

guest('a WARNING fails the run, though the command succeeds', async () => {
  const script = 'echo now >/sys/module/hello/parameters/warn && echo fine';
  const { code, output, errors } = await runInGuest(kernel, ['sh', '-c', script], {
    modules: [buildModule(kernel, HELLO)],
  });
  expect(output).toBe('fine\n');
  expect(errors).toMatch(/WARNING: .* set_warn/);
  expect(code).toBe(GUEST_FAILED);
});

guest('a crash fails the run', async () => {
  const { code, errors } = await runInGuest(kernel, ['sh', '-c', 'echo c >/proc/sysrq-trigger']);
  expect(errors).toMatch(/Kernel panic/);
  expect(code).toBe(GUEST_FAILED);
});

guest('a module that does not load fails the run, and says so', async () => {
  const { code, output } = await runInGuest(kernel, ['echo', 'never'], {
    modules: [path.join(HELLO, 'hello.c')],
  });
  expect(output).toMatch(/hello\.c.*Invalid module format/);
  expect(output).not.toMatch(/never/);
  expect(code).toBe(GUEST_FAILED);
});

guest('a command that hangs ends at the time limit', async () => {
  // boot and end took that long here
  const seconds = Math.ceil(2 * quickSeconds + 10);
  const { code, errors } = await runInGuest(kernel, ['sleep', 'infinity'], { seconds });
  expect(errors).toContain(`not done after ${seconds} s`);
  expect(code).toBe(TIME_LIMIT);
});

describe('complaints of a kernel', () => {
  const said = (line: string): string =>
    complaints(`[    1.0] before the tests\n[    2.0] ntrace-vm: start\n[    3.0] ${line}\n`);

  test.each([
    'BUG: KASAN: use-after-free in release+0x1/0x2 [ntrace]',
    'BUG: sleeping function called from invalid context at kernel/main.c:1',
    'WARNING: CPU: 1 PID: 131 at kernel/main.c:8 set_warn+0x14/0x1d',
    'WARNING: possible circular locking dependency detected',
    'WARNING: suspicious RCU usage',
    'general protection fault, probably for non-canonical address 0xdead: 0000 [#1]',
    'Oops: 0000 [#1] PREEMPT SMP',
    'INFO: task cat:12 blocked for more than 60 seconds.',
    'rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:',
    'UBSAN: shift-out-of-bounds in kernel/main.c:1:2',
    'kmemleak: 2 new suspected memory leaks (see /sys/kernel/debug/kmemleak)',
    'ntrace: 1 engine leaked',
    'ODEBUG: free active (active state 0) object type: timer_list',
  ])('%s', (line) => {
    expect(said(line)).toContain(line);
  });

  test.each([
    'traps: victim[131] general protection fault ip:401136 sp:7ffd error:0 in victim[401000+1000]',
    'victim[131]: segfault at 10 ip 401136 sp 7ffd error 6 in victim[401000+1000]',
    'hello: loading out-of-tree module taints kernel.',
    'ntrace: loaded, every hook resolved',
  ])('not: %s', (line) => {
    expect(said(line)).toBe('');
  });

  test('not what was said before the tests', () => {
    expect(complaints('[ 1.0] RCU lockdep checking is enabled.\n[ 2.0] ntrace-vm: start\n')).toBe(
      '',
    );
  });

  test('the test that ran is named', () => {
    const log = ['ntrace-vm: start', 'ntrace-test: step: a', 'ntrace-test: step: b', 'BUG: x'];
    expect(complaints(log.join('\n'))).toMatch(/^during: step: b\nBUG: x\n$/);
  });
});
