// Several gdbs on one process of several threads, through one server.
import type { GdbConsole } from '../../src/cli/demo/gdb-console';
import { ServerProcess } from '../gdb/support/server-process';
import { PATIENCE } from '../support/patience';
import { NTRACE, Stack } from './support/scene';

jest.setTimeout(60_000 * PATIENCE);

let stack: Stack;
beforeEach(async () => {
  stack = await Stack.start();
});
afterEach(() => stack.end());

test('different breakpoints, over TCP and a Unix socket: each sees its own alone', async () => {
  const victim = await stack.victim('kitchen', 3);
  const a = await stack.attached(victim, 'tcp');
  const b = await stack.attached(victim, 'unix');
  const clean = await b.send('x/16xb chop');
  await a.send('break chop');
  await b.send('break stir');
  for (let i = 0; i < 5; i++) {
    a.begin('continue');
    b.begin('continue');
    // the first to stop holds the other up, until it goes on without its breakpoint
    const first = await Promise.race([
      a.until(/hit Breakpoint/).then(() => a),
      b.until(/hit Breakpoint/).then(() => b),
    ]);
    const other = first === a ? b : a;
    expect(await first.prompt()).toMatch(first === a ? / chop \(/ : / stir \(/);
    expect((await first.send('info breakpoints')).match(/breakpoint +keep/g)).toHaveLength(1);
    await first.send('disable');
    first.begin('continue');
    expect(await other.prompt()).toMatch(other === a ? / chop \(/ : / stir \(/);
    await letGo(other, first === a ? 1 : 2);
    await first.interrupt();
    await first.send('enable');
    expect(await b.send('x/16xb chop')).toBe(clean);
  }
  expect(victim.running).toBe(true);
});

test('who waits is told for whom, and once', async () => {
  const victim = await stack.victim('kitchen', 3);
  const a = await stack.attached(victim, 'tcp');
  const b = await stack.attached(victim, 'unix');
  b.begin('continue');
  await b.until(/\[ntrace\] Threads [\d, ]+ wait for engine 1 \(gdb 127\.0\.0\.1:\d+\): stopped /);
  await a.send('break chop');
  expect(await a.send('continue')).toMatch(/hit Breakpoint 1, chop/);
  await a.send('detach');
  expect((await b.interrupt()).match(/\[ntrace\]/g)).toHaveLength(1);
  // the other way round: it holds up what ran already
  const c = await stack.attached(victim);
  await c.send('break stir');
  b.begin('continue');
  expect(await c.send('continue')).toMatch(/hit Breakpoint 1, stir/);
  await b.until(
    /\[ntrace\] Threads [\d, ]+ wait for engine 3 \(gdb 127\.0\.0\.1:\d+\): breakpoint, /,
  );
});

test('a thread another engine holds is reported as such', async () => {
  const victim = await stack.victim('kitchen', 3);
  const a = await stack.attached(victim, 'tcp');
  await a.send('break chop');
  expect(await a.send('continue')).toMatch(/hit Breakpoint 1, chop/);
  const b = await stack.attached(victim, 'unix');
  const threads = await b.send('info threads');
  expect(threads).toMatch(
    /"chopper" \(held by engine 1 \(gdb 127\.0\.0\.1:\d+\): breakpoint, [\d.]+ s\)/,
  );
  expect(threads).toMatch(
    /"stirrer" \(held by engine 1 \(gdb 127\.0\.0\.1:\d+\): stopped by its client, [\d.]+ s\)/,
  );
  const who = await b.send('monitor who');
  expect(who).toMatch(/^\d+ +\d+ +1 +gdb 127\.0\.0\.1:\d+ +\d+ +\d+ +holds: breakpoint +/m);
  expect(who).toMatch(/^\d+ +\d+ +2 +gdb \(pid \d+\) \(you\) +\d+ +\d+ +holds: stopped by /m);
  expect(await b.send('monitor threads')).toMatch(/chopper +held; held by engine 1 \(gdb/);
});

test('one goes on while the other holds nothing: detach leaves the other its breakpoints', async () => {
  const victim = await stack.victim('kitchen', 3);
  const a = await stack.attached(victim);
  const b = await stack.attached(victim);
  await a.send('break chop');
  await b.send('break stir');
  expect(await a.send('detach')).toMatch(/Detaching from program.*process \d+/);
  expect(await b.send('continue')).toMatch(/hit Breakpoint 1, stir/);
  expect(await b.send('continue')).toMatch(/hit Breakpoint 1, stir/);
  await b.send('detach');
  expect(victim.running).toBe(true);
  expect(victim.child.kill('SIGUSR1')).toBe(true);
  expect(await victim.end()).toBe(7);
});

test.each(['holds', 'runs'])(
  'kill -9 of a gdb that %s: the other goes on, its traps are gone',
  async (state) => {
    const victim = await stack.victim('kitchen', 3);
    const a = await stack.attached(victim);
    const b = await stack.attached(victim);
    await a.send('break chop');
    await b.send('break stir');
    if (state === 'holds') expect(await stepTo(a, b)).toMatch(/hit Breakpoint 1, chop/);
    else {
      a.begin('continue');
      await a.until(/Continuing/);
      b.begin('continue');
    }
    await a.vanish();
    expect(await b.prompt()).toMatch(/hit Breakpoint 1, stir/);
    for (let i = 0; i < 5; i++) expect(await b.send('continue')).toMatch(/hit Breakpoint 1, stir/);
    expect(await b.send('monitor who')).not.toMatch(/ 1 +gdb /);
    await b.send('detach');
    victim.child.kill('SIGUSR1');
    expect(await victim.end()).toBe(7);
  },
);

test('the end of the process is seen by both', async () => {
  const victim = await stack.victim('kitchen', 3, '23');
  const a = await stack.attached(victim);
  const b = await stack.attached(victim, 'unix');
  a.begin('continue');
  b.begin('continue');
  await a.until(/Continuing/);
  await b.until(/Continuing/);
  victim.child.kill('SIGUSR1');
  // the signal stops in either, in attach order
  expect(await a.prompt()).toMatch(/received signal SIGUSR1/);
  a.begin('continue');
  expect(await b.prompt()).toMatch(/received signal SIGUSR1/);
  b.begin('continue');
  expect(await a.prompt()).toMatch(/exited with code 027/);
  expect(await b.prompt()).toMatch(/exited with code 027/);
  expect(await victim.end()).toBe(23);
});

test('one discards a signal: the other never hears of it', async () => {
  const victim = await stack.victim('kitchen', 3);
  const a = await stack.attached(victim);
  const b = await stack.attached(victim);
  a.begin('continue');
  b.begin('continue');
  await a.until(/Continuing/);
  await b.until(/Continuing/);
  victim.child.kill('SIGUSR1');
  expect(await a.prompt()).toMatch(/received signal SIGUSR1/);
  a.begin('signal 0');
  expect(await b.interrupt()).toMatch(/received signal SIGINT/);
  expect(victim.running).toBe(true);
});

test('a client the server cannot give an engine does not take it down', async () => {
  const a = await stack.gdb();
  const server = ServerProcess.start(['serve', '--engine', 'kernel', '-l', ':0'], {
    executable: NTRACE,
  });
  try {
    const port = await server.port();
    await a.send('disconnect');
    for (let i = 0; i < 2; i++)
      expect(await a.send(`target extended-remote :${port}`)).toMatch(/closed|reset/i);
    expect(await server.says(/is turned away: .*/)).not.toBeNull();
    expect(server.running).toBe(true);
  } finally {
    await server.stop();
  }
});

/** Asks through one gdb until the other's engine holds nothing: its continue arrived. */
async function letGo(gdb: GdbConsole, engine: number): Promise<void> {
  const holds = new RegExp(`^\\d+ +\\d+ +${engine} .*holds`, 'm');
  for (const limit = Date.now() + 20_000; holds.test(await gdb.send('monitor who'));)
    if (Date.now() > limit) throw new Error(`engine ${engine} still holds`);
}

/** a continues to its breakpoint, and holds it; b is left waiting. */
async function stepTo(a: GdbConsole, b: GdbConsole): Promise<string> {
  await b.send('disable');
  a.begin('continue');
  b.begin('continue');
  const text = await a.prompt();
  await letGo(a, 2);
  await b.interrupt();
  await b.send('enable');
  b.begin('continue');
  await b.until(/\[ntrace\] Threads .* wait for engine 1/);
  return text;
}
