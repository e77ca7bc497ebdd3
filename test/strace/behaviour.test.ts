// Ends, attaching and letting go, filters, summaries and where the output goes.
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { root, testIf } from '../gdb/support/needs';
import { Bench, LIMIT_MS, OURS, sleeper, tracerOf } from './tracing';

const bench = new Bench();
afterAll(() => bench.close());

const run = (...args: string[]): ReturnType<Bench['run']> => bench.run(OURS, args);

test('ends as the program ended: by its status, by its signal', () => {
  expect(run('-o', 'out', 'sh', '-c', 'exit 23').status).toBe(23);
  for (const signal of ['SIGTERM', 'SIGKILL', 'SIGUSR1'] as const) {
    expect(run('-o', 'out', 'sh', '-c', `kill -${signal.slice(3)} $$`).signal).toBe(signal);
    expect(fs.readFileSync(path.join(bench.dir, 'out'), 'utf8')).toMatch(
      new RegExp(`\\+\\+\\+ killed by ${signal} \\+\\+\\+\n$`),
    );
  }
});

test('output and errors of the program are its own', () => {
  const { stdout, stderr } = run('-e', 'trace=none', 'sh', '-c', 'echo out; echo err >&2');
  expect(stdout).toBe('out\n');
  expect(stderr).toMatch(/^err\n/);
  expect(stderr).toContain('+++ exited with 0 +++');
});

test('a program that is not there, that cannot be executed, options that are none', () => {
  const missing = run('no-such-program');
  expect(missing.status).toBe(1);
  expect(missing.stderr).toBe("strace: Can't stat 'no-such-program': No such file or directory\n");
  const refused = run('/etc/passwd');
  expect(refused.status).toBe(1);
  expect(refused.stderr).toMatch(
    /^execve\("\/etc\/passwd", .*\) = -1 EACCES \(Permission denied\)\nstrace: exec: Permission denied\n\+\+\+ exited with 1 \+\+\+\n$/,
  );
  expect(run().stderr).toMatch(/must have PROG/);
  expect(run('-Q', 'true').stderr).toMatch(/invalid option -- 'Q'/);
  expect(run('-e', 'trace=no_such_call', 'true').stderr).toMatch(/invalid system call/);
  expect(run('-e', 'trace=%nothing', 'true').stderr).toMatch(/invalid system call class/);
  expect(run('-e', 'signal=SIGNOT', 'true').stderr).toMatch(/invalid signal/);
  expect(run('-p', '1', '-p', 'x').stderr).toMatch(/invalid -p argument/);
});

test('a process that is not there: the reason is named, others are traced all the same', async () => {
  expect(run('-p', '99999999').stderr).toBe(
    'strace: cannot attach to process 99999999: there is no such process\n',
  );
  const target = sleeper();
  const tracer = bench.start(OURS, ['-p', '99999999', '-p', String(target.pid)]);
  await tracer.until(/Process \d+ attached/);
  target.kill('SIGTERM');
  await tracer.until(
    /--- SIGTERM \{si_signo=SIGTERM, si_code=SI_USER, si_pid=\d+, si_uid=\d+\} ---/,
  );
  expect(await tracer.end()).toEqual({ code: 0, signal: null });
  expect(tracer.stderr).toContain('there is no such process');
  expect(tracer.stderr).toMatch(/\+\+\+ killed by SIGTERM \+\+\+\n$/);
});

test('^C lets an attached process go, which runs on', async () => {
  const target = sleeper();
  const pid = target.pid!;
  const tracer = bench.start(OURS, ['-p', String(pid)]);
  await tracer.until(/resuming interrupted|nanosleep/);
  expect(tracerOf(pid)).toBe(tracer.child.pid);
  tracer.child.kill('SIGINT');
  expect(await tracer.end()).toEqual({ code: null, signal: 'SIGINT' });
  expect(tracer.stderr).toContain(`strace: Process ${pid} detached\n <detached ...>\n`);
  expect(tracerOf(pid)).toBe(0);
  expect(target.exitCode ?? target.signalCode).toBeNull();
  target.kill('SIGKILL');
  await once(target, 'close');
});

test('a program we started ends with us', async () => {
  const tracer = bench.start(OURS, ['sh', '-c', 'echo $$ >pid; exec sleep 1000']);
  await tracer.until(/execve\("[^"]*sleep".*= 0[^]*nanosleep/);
  const pid = Number(fs.readFileSync(path.join(bench.dir, 'pid'), 'utf8'));
  tracer.child.kill('SIGTERM');
  expect(await tracer.end()).toEqual({ code: null, signal: 'SIGTERM' });
  const deadline = Date.now() + LIMIT_MS;
  while (fs.existsSync(`/proc/${pid}`) && !/Z/.test(state(pid)) && Date.now() < deadline) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(fs.existsSync(`/proc/${pid}`) && !/Z/.test(state(pid))).toBe(false);
});

function state(pid: number): string {
  try {
    return /^State:\s*(\S)/m.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 'Z';
  } catch {
    return 'Z';
  }
}

test('filters: names, classes, patterns, negations', () => {
  const names = (...args: string[]): Set<string> => {
    run('-o', 'out', ...args, 'cat', '/etc/passwd');
    const text = fs.readFileSync(path.join(bench.dir, 'out'), 'utf8');
    return new Set([...text.matchAll(/^(\w+)\(/gm)].map(([, name]) => name!));
  };
  expect(names('-e', 'trace=read,write')).toEqual(new Set(['read', 'write']));
  expect(names('-e', 'openat')).toEqual(new Set(['openat']));
  expect(names('-e', '/^(close|clos)$')).toEqual(new Set(['close']));
  expect(names('-e', '%process')).toEqual(new Set(['execve', 'exit_group']));
  expect([...names('-e', '%memory')].sort()).toEqual(
    ['brk', 'mmap', 'mprotect', 'munmap'].filter((name) => name !== ''),
  );
  const without = names('-e', 'trace=!mmap,brk');
  expect(without.has('mmap') || without.has('brk')).toBe(false);
  expect(without.has('read')).toBe(true);
  expect(names('-e', 'trace=none').size).toBe(0);
});

test('signals and results are filtered as well', () => {
  const { stderr } = run(
    '-e',
    'signal=USR1',
    '-e',
    'trace=none',
    'sh',
    '-c',
    'trap : USR1 USR2; kill -USR2 $$; kill -USR1 $$',
  );
  expect(stderr).toContain('--- SIGUSR1 {');
  expect(stderr).not.toContain('SIGUSR2');
  const failed = run('-Z', 'cat', '/nonexistent')
    .stderr.split('\n')
    .filter((line) => /^\w+\(/.test(line));
  expect(failed.length).toBeGreaterThan(1);
  expect(failed.filter((line) => !/ = -1 E/.test(line))).toEqual([]);
});

test('a summary counts calls and errors', () => {
  const { stderr } = run('-c', '-S', 'calls', 'cat', '/nonexistent');
  expect(stderr).toMatch(/^% time {5}seconds {2}usecs\/call {5}calls {4}errors syscall$/m);
  expect(stderr).toMatch(/^ +[\d.]+ +[\d.]+ +\d+ +\d+ +\d+ openat$/m);
  expect(stderr).not.toContain('openat(');
  const both = run('-C', 'true').stderr;
  expect(both).toContain('execve(');
  expect(both).toMatch(/^100\.00 .* total$/m);
});

test('the output goes to a file, is appended, or read by a command', () => {
  const file = path.join(bench.dir, 'out');
  run('-o', file, '-e', 'execve', 'true');
  run('-A', '-o', file, '-e', 'execve', 'true');
  expect(fs.readFileSync(file, 'utf8').match(/^execve\(/gm)?.length).toBe(2);
  const { stdout, stderr } = run('-o', '|grep -c ^execve', '-e', 'execve', 'true');
  expect(stdout).toBe('1\n');
  expect(stderr).toBe('');
});

test('variables of the program are set and removed', () => {
  process.env['NTRACE_GONE'] = 'here';
  const { stdout } = run('-o', 'out', '-E', 'NTRACE_NEW=a b', '-E', 'NTRACE_GONE', 'env');
  delete process.env['NTRACE_GONE'];
  expect(stdout).toContain('NTRACE_NEW=a b\n');
  expect(stdout).not.toContain('NTRACE_GONE');
});

const asRoot = testIf(root());

asRoot('a program runs as another user', () => {
  const { stdout, stderr } = run('-u', 'nobody', '-e', 'trace=geteuid', 'id', '-u');
  const [, uid] = /^nobody:[^:]*:(\d+):/m.exec(fs.readFileSync('/etc/passwd', 'utf8')) ?? [];
  expect(stdout).toBe(`${uid}\n`);
  expect(stderr).toMatch(new RegExp(`^geteuid\\(\\) += ${uid}$`, 'm'));
  expect(run('-u', 'no-such-user', 'true').stderr).toBe(
    "strace: Cannot find user 'no-such-user'\n",
  );
});

test('a child that executes a program is let go', () => {
  const args = ['-f', '-b', 'execve', '-e', 'trace=execve,write'];
  const { stdout, stderr } = run(...args, 'sh', '-c', 'sh -c "echo inner"; echo outer');
  expect(stdout).toBe('inner\nouter\n');
  expect(stderr).toMatch(/^strace: Process \d+ detached$/m);
  expect(stderr).not.toContain('"inner');
  expect(stderr).toContain('write(1, "outer\\n", 6');
});

test('times: of day, relative, in the call', () => {
  const lines = (...args: string[]): string[] =>
    run(...args, '-e', 'openat', 'true').stderr.split('\n');
  expect(lines('-t')[0]).toMatch(/^\d\d:\d\d:\d\d openat\(/);
  expect(lines('-tt')[0]).toMatch(/^\d\d:\d\d:\d\d\.\d{6} openat\(/);
  const epoch = Number(/^(\d+\.\d{6}) openat\(/.exec(lines('-ttt')[0] ?? '')?.[1]);
  expect(Math.abs(epoch - Date.now() / 1000)).toBeLessThan(60);
  expect(lines('-r')[0]).toMatch(/^ {5}0\.000000 openat\(/);
  expect(lines('-T')[0]).toMatch(/ = 3 <\d+\.\d{6}>$/);
});

test('records stop nobody and show the same calls', () => {
  const calls = (...args: string[]): string[] => {
    run(
      ...args,
      '-o',
      'out',
      'dd',
      'if=/dev/zero',
      'of=/dev/null',
      'bs=1',
      'count=100',
      'status=none',
    );
    const text = fs.readFileSync(path.join(bench.dir, 'out'), 'utf8');
    const found = [...text.matchAll(/^(\w+)\(.*= (\S+)/gm)];
    return found.map(([, name, result = '']) =>
      /^0x/.test(result) || name === 'set_tid_address' ? name! : `${name} ${result}`,
    );
  };
  const plain = calls();
  expect(plain.length).toBeGreaterThan(200);
  expect(calls('--record')).toEqual(plain);
});
