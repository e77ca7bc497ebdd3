// ntrace ps and ntrace release, against real servers, gdbs and strangers.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { findEngine } from '../../src/cli/release';
import { parseKernelEngines } from '../../src/engine/who-report';
import type { Situation } from '../../src/engine/who-client';
import { command, testIf } from '../gdb/support/needs';
import { NTRACE, Stack } from '../stack/support/scene';

let stack: Stack;
const children: ChildProcess[] = [];
beforeEach(async () => {
  stack = await Stack.start();
});
afterEach(async () => {
  await stack.end();
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

function ntrace(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  const env = { ...process.env, XDG_RUNTIME_DIR: stack.directory };
  return spawnSync(NTRACE, args, { encoding: 'utf8', env });
}
/** Of our server alone: others of this machine are none of the test's business. */
function engines(): Situation['engines'] {
  const all = JSON.parse(ntrace('ps', '--json').stdout) as Situation;
  return all.engines.filter(({ server }) => server === stack.server.pid);
}

test('who is attached, what it holds, why and since when; gone with its client', async () => {
  const victim = await stack.victim('kitchen');
  const a = await stack.attached(victim);
  await a.send('break chop');
  await a.send('continue');
  const b = await stack.attached(victim, 'unix');
  await b.send('monitor observe on');
  const { stdout, status } = ntrace('ps');
  expect(status).toBe(0);
  expect(stdout).toMatch(/^PROCESS +THREAD +WHAT +FOR +ENGINE +CLIENT +SERVER +USER\n/);
  const server = stack.server.pid;
  expect(stdout).toMatch(
    new RegExp(
      `^${victim.pid} kitchen +\\d+ +holds: breakpoint +[\\d.]+ s +${server}/1 +gdb 127\\.0\\.0\\.1:\\d+ +${server} \\S+ +\\w+$`,
      'm',
    ),
  );
  expect(stdout).toMatch(new RegExp(` holds: stopped by its client +[\\d.]+ s +${server}/1 `));
  expect(stdout).toMatch(
    new RegExp(
      `^${victim.pid} kitchen +all +attached +[\\d.]+ s +${server}/3 .*\\(observes\\)`,
      'm',
    ),
  );

  const told = engines();
  expect(told.map(({ provider, observer, uid }) => [provider, observer, uid])).toEqual([
    ['embedded', false, process.getuid?.()],
    ['embedded', true, process.getuid?.()],
  ]);
  const [process_] = told[0]!.processes;
  expect(process_!.pid).toBe(victim.pid);
  expect(process_!.holds).toHaveLength(3);
  expect(process_!.holds.filter(({ why }) => why === 'breakpoint')).toHaveLength(1);
  await a.quit();
  expect(engines().map(({ observer }) => observer)).toEqual([true]);
});

test('--watch looks again and again', async () => {
  const victim = await stack.victim('kitchen');
  await stack.attached(victim);
  const child = spawn(NTRACE, ['ps', '--watch', '--interval', '0.1', '--json'], {
    env: { ...process.env, XDG_RUNTIME_DIR: stack.directory },
  });
  children.push(child);
  let text = '';
  for await (const data of child.stdout) {
    text += String(data);
    if (text.split('\n').length > 3) break;
  }
  for (const line of text.split('\n').slice(0, 3)) {
    const { engines: seen } = JSON.parse(line) as Situation;
    expect(seen.some(({ processes }) => processes.some(({ pid }) => pid === victim.pid))).toBe(
      true,
    );
  }
});

testIf(command('strace'))('strangers that trace by ptrace are listed too', async () => {
  const victim = await stack.victim('kitchen');
  const strace = spawn('strace', ['-f', '-o', '/dev/null', '-p', `${victim.pid}`]);
  children.push(strace);
  await once(strace.stderr, 'data'); // "attached"
  const { stdout } = ntrace('ps');
  expect(stdout).toMatch(
    new RegExp(`^${victim.pid} kitchen +all +traced by ptrace +- +- +${strace.pid} strace `, 'm'),
  );
});

test('servers publish themselves to their user alone, and leave nothing behind', async () => {
  const directory = path.join(stack.directory, 'ntrace');
  const socket = path.join(directory, `${stack.server.pid}.sock`);
  engines();
  expect(fs.statSync(directory).mode & 0o777).toBe(0o700);
  expect(fs.statSync(socket).mode & 0o777).toBe(0o600);
  // one that was killed left its socket; nobody is disturbed by it, and it goes
  const other = await Stack.start();
  const left = path.join(other.directory, 'ntrace', `${other.server.pid}.sock`);
  await other.server.stop('SIGKILL');
  expect(fs.existsSync(left)).toBe(true);
  const stale = path.join(directory, path.basename(left));
  fs.renameSync(left, stale);
  expect(ntrace('ps').status).toBe(0);
  expect(fs.existsSync(stale)).toBe(false);
  await other.end();
  await stack.server.stop();
  expect(fs.existsSync(socket)).toBe(false);
});

test('release lets a stuck client’s threads go; the client can go on', async () => {
  const victim = await stack.victim('kitchen');
  const a = await stack.attached(victim);
  await a.send('break chop');
  expect(await a.send('continue')).toMatch(/hit Breakpoint 1, chop/);
  const b = await stack.attached(victim);
  await b.send('break stir');
  b.begin('continue');
  await b.until(/\[ntrace\] Threads .* wait for engine 1/);

  const name = `${stack.server.pid}/1`;
  const { status, stdout, stderr } = ntrace('release', name);
  expect(stderr).toBe('');
  expect(stdout).toMatch(new RegExp(`^engine ${name} \\(gdb .*\\) let 3 threads go\\n$`));
  expect(status).toBe(0);
  expect(await b.prompt()).toMatch(/hit Breakpoint 1, stir/);
  await b.send('detach');

  // for its gdb it is still stopped: it steps from where it is, and goes on
  expect(await a.send('thread 3')).toMatch(/Switching to thread 3/);
  await a.send('delete');
  expect(await a.send('stepi')).toMatch(/^0x|^\d+\t/m);
  await stack.goes(a);
  expect(await a.interrupt()).toMatch(/SIGINT/);
  await a.send('detach');
  victim.child.kill('SIGUSR1');
  expect(await victim.end()).toBe(7);
});

test('release of one thread, and of what is not there', async () => {
  const victim = await stack.victim('kitchen');
  await stack.attached(victim);
  const name = `${stack.server.pid}/1`;
  expect(ntrace('release', name, '--tid', String(victim.pid)).stdout).toMatch(/let 1 thread go/);
  expect(engines()[0]!.processes[0]!.holds).toHaveLength(2);
  expect(ntrace('release', `${stack.server.pid}/99`)).toMatchObject({
    status: 1,
    stderr: `ntrace: there is no engine "${stack.server.pid}/99"; ntrace ps lists them\n`,
  });
  expect(ntrace('release', name, '--tid', '1').status).toBe(1);
  expect(ntrace('release', name, '--tid', 'x')).toMatchObject({
    status: 1,
    stderr: 'ntrace: --tid takes a thread id\n',
  });
});

test('the list of the kernel provider', () => {
  const text =
    'engine 7: gdb 127.0.0.1:4242, opened by process 99 of user 1000, 0 notes lost\n' +
    '  process 12: 2 threads, 1 held\n' +
    '    thread 13: held by breakpoint for 1.250 s\n' +
    'engine 8: watcher, opened by process 98 of user 0, an observer, 3 notes lost\n';
  const parsed = parseKernelEngines(text);
  expect(parsed).toEqual([
    {
      ...{ provider: 'kernel', id: '7', label: 'gdb 127.0.0.1:4242', observer: false },
      ...{ server: 99, uid: 1000 },
      processes: [
        { pid: 12, seconds: undefined, holds: [{ tid: 13, why: 'breakpoint', seconds: 1.25 }] },
      ],
    },
    {
      ...{ provider: 'kernel', id: '8', label: 'watcher', observer: true },
      ...{ server: 98, uid: 0, processes: [] },
    },
  ]);
  expect(findEngine(parsed, '8').server).toBe(98);
  expect(() => findEngine([...parsed, parsed[0]!], '9')).toThrow(/no engine "9"/);
});
