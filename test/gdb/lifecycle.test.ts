import type { ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { GdbConsole as Gdb } from '../../src/cli/demo/gdb-console';
import { eventually } from '../hostile/watching';
import { program } from './support/program';
import { ServerProcess } from './support/server-process';
import { connect, debug, endAll } from './support/session';
import { running, startReady } from './support/victim';

let victim: ChildProcess | undefined;
afterEach(async () => {
  await endAll();
  victim?.kill('SIGKILL');
  victim = undefined;
});

async function startForever(): Promise<number> {
  victim = await startReady(program('forever'), 'tell');
  return victim.pid ?? 0;
}

/** How often its leader went to sleep by itself. */
const sleeps = (pid: number): number =>
  Number(
    /^voluntary_ctxt_switches:\t(\d+)/m.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1],
  );

const tracer = (pid: number): string =>
  /TracerPid:\t(\d+)/.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '';

test('--attach: all threads are there, detach lets it run on untouched', async () => {
  const pid = await startForever();
  const server = ServerProcess.start(['--once', ':0', '--attach', String(pid)]);
  const { gdb } = await connect(server, program('forever'));
  expect(await gdb.send('thread apply all backtrace')).toMatch(/spin/);
  expect(tracer(pid)).toBe(String(server.pid));
  await gdb.script('break spin', 'break main');
  expect(await gdb.send('detach')).toMatch(/Detaching from program/);
  expect(await server.end()).toBe(0);
  expect(server.stderr).toMatch(/Detaching from process \d+\n/);
  expect(tracer(pid)).toBe('0');
  const before = fs.readFileSync(`/proc/${pid}/stat`, 'utf8').split(' ')[13];
  while (fs.readFileSync(`/proc/${pid}/stat`, 'utf8').split(' ')[13] === before)
    await new Promise((resolve) => setTimeout(resolve, 10));
});

test('extended-remote: attach by pid, detach, run, kill, run again', async () => {
  const pid = await startForever();
  const server = ServerProcess.start(['--multi', ':0']);
  const { gdb } = await connect(server, program('forever'), true);
  expect(await gdb.send(`attach ${pid}`)).toMatch(/Attaching to program/);
  expect(await gdb.send('print go_on')).toMatch(/= 1/);
  await gdb.send('detach');
  await gdb.script(`file ${program('calls')}`, `set remote exec-file ${program('calls')}`);
  await gdb.send('break recurse');
  expect(await gdb.send('run')).toMatch(/recurse \(depth=5\)/);
  expect(await gdb.send('kill')).toMatch(/Inferior 1 \(process \d+\) killed/);
  await gdb.script('set args one two', 'set environment NTRACE_TEST=yes');
  expect(await gdb.send('run')).toMatch(/recurse \(depth=5\)/);
  expect(await gdb.script('up 1', 'frame function main', 'print argc')).toMatch(/= 3/);
  expect(await gdb.send('print (char *) getenv("NTRACE_TEST")')).toMatch(/"yes"/);
  await gdb.send('delete');
  expect(await gdb.send('continue')).toMatch(/exited with code 07/);
  expect(await gdb.send('monitor exit')).not.toMatch(/Protocol error/);
  expect(await server.end()).toBe(0);
});

test('what was run, detached and has ended is no zombie of the server', async () => {
  const server = ServerProcess.start(['--multi', ':0']);
  const { gdb } = await connect(server, program('forever'), true);
  await gdb.script(`set remote exec-file ${program('forever')}`, 'starti');
  const pid = Number(/process (\d+)/.exec(await gdb.send('info inferiors'))?.[1]);
  expect(await gdb.send('detach')).toMatch(/detached/);
  expect(fs.existsSync(`/proc/${pid}`)).toBe(true);
  process.kill(pid, 'SIGKILL');
  await eventually('it is gone', () => !fs.existsSync(`/proc/${pid}`));
  expect(await gdb.send('monitor exit')).not.toMatch(/Protocol error/);
  expect(await server.end()).toBe(0);
});

test('disconnect and reconnect find the program where it was', async () => {
  const { gdb, server } = await debug(program('calls'), { server: [] });
  await gdb.script('break square', 'continue', 'disconnect');
  await server.says(/reopen the connection\.\nListening/);
  expect(await gdb.send(`target remote :${await server.port()}`)).toMatch(/square \(n=1\)/);
  expect(await gdb.send('continue')).toMatch(/square \(n=2\)/);
});

test('a gdb that vanishes leaves no breakpoint, and the server takes the next', async () => {
  const pid = await startForever();
  const server = ServerProcess.start([':0', '--attach', String(pid)]);
  const first = await connect(server, program('forever'));
  await first.gdb.script('break usleep', 'continue');
  await first.gdb.vanish();
  await server.says(/reopen the connection\.\nListening/);
  const { gdb } = await connect(server, program('forever'));
  expect(await gdb.send('info threads')).toMatch(/Thread/);
  await gdb.send('detach');
  await server.end();
  // its leader calls usleep() again and again: a breakpoint left behind would kill it
  const before = sleeps(pid);
  while (running(victim!) && !(sleeps(pid) > before + 3))
    await new Promise((resolve) => setTimeout(resolve, 5));
  expect(running(victim!)).toBe(true);
});

test('kill ends program and server', async () => {
  const { gdb, server } = await debug(program('forever'));
  await gdb.send('kill');
  expect(await server.end()).toBe(0);
});

test('attaching what cannot be attached says why, in the window of gdb', async () => {
  const server = ServerProcess.start(['--multi', ':0']);
  const { gdb } = await connect(server, undefined, true);
  expect(await gdb.send('attach 99999999')).toMatch(/failed|No such process|no such process/i);
  expect(await gdb.send('attach 2')).toMatch(/failed|not permitted|kernel thread/i);
});

test('generate-core-file: the core is a program gdb can read', async () => {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'ntrace-core-'));
  const core = path.join(dir, 'core');
  try {
    const { gdb } = await debug(program('threads'));
    await gdb.script('break main', 'continue', 'next', 'next');
    expect(await gdb.send(`generate-core-file ${core}`)).toMatch(/Saved corefile/);
    const reader = await Gdb.start(program('threads'), core);
    expect(await reader.send('backtrace')).toMatch(/main \(\)/);
    await reader.quit();
  } finally {
    fs.rmSync(dir, { recursive: true, force: true });
  }
});

test('the program is the child, ends with its own exit code, once', async () => {
  const { gdb, server } = await debug(program('calls'));
  await gdb.send('continue');
  expect(await server.end()).toBe(0);
  expect(server.stderr).toMatch(/\nChild exited with status 7\n/);
});
