// Two gdbs on one process, through one server.
import type { ChildProcess } from 'node:child_process';
import path from 'node:path';
import { repositoryRoot } from '../support/root';
import { program } from './support/program';
import { ServerProcess } from './support/server-process';
import { connect, endAll, type GdbSession } from './support/session';
import { running, startReady } from './support/victim';

const NTRACE = path.join(repositoryRoot, 'bin/ntrace');

let victim: ChildProcess | undefined;
afterEach(async () => {
  await endAll();
  victim?.kill('SIGKILL');
  victim = undefined;
});

async function two(): Promise<{ a: GdbSession['gdb']; b: GdbSession['gdb'] }> {
  victim = await startReady(program('forever'), 'tell');
  const server = ServerProcess.start(['serve', '--listen', ':0'], { executable: NTRACE });
  const { gdb: a } = await connect(server, program('forever'), true);
  const { gdb: b } = await connect(server, program('forever'), true);
  for (const gdb of [a, b])
    expect(await gdb.send(`attach ${victim.pid}`)).toMatch(/Attaching to program/);
  return { a, b };
}

test('each gets its own stops, and nothing of the other', async () => {
  const { a, b } = await two();
  const clean = await b.send('x/8xb usleep');
  await b.send('watch spins');
  a.begin('continue');
  expect(await b.send('continue')).toMatch(/hit Hardware watchpoint 1: spins/);
  expect(await a.interrupt()).toMatch(/SIGINT/); // the watchpoint was none of its business

  await b.send('delete');
  await a.send('break usleep');
  a.begin('continue'); // nothing runs before b lets go as well
  b.begin('continue');
  expect(await a.prompt()).toMatch(/hit Breakpoint 1, .*usleep/);
  expect(await b.interrupt()).toMatch(/SIGINT/);
  expect(await b.send('x/8xb usleep')).toBe(clean);
  const who = await b.send('monitor who');
  expect(who).toMatch(/holds: breakpoint\b/);
  expect(who.match(/^\d+ +\d+ +2 /gm)).toHaveLength(2);
});

test('who leaves takes along its own breakpoints only', async () => {
  const { a, b } = await two();
  await a.send('break usleep');
  await b.send('break usleep');
  a.begin('continue');
  expect(await b.send('continue')).toMatch(/hit Breakpoint 1/);
  expect(await a.prompt()).toMatch(/hit Breakpoint 1/);
  await a.send('detach');
  expect(await b.send('continue')).toMatch(/hit Breakpoint 1/);
  await b.send('detach');
  expect(running(victim!)).toBe(true);
});
