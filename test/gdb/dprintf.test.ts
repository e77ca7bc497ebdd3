// dprintf that the server runs by itself (set dprintf-style agent), and what it counts.
import { PATIENCE } from '../support/patience';
import { lineOf, program } from './support/program';
import { debug, endAll } from './support/session';
import type { ServerProcess } from './support/server-process';

afterEach(endAll);

const PATIENCE_MS = 20_000 * PATIENCE;

/** Waits until the server's output has grown to so many lines. */
async function lines(server: ServerProcess, wanted: number): Promise<string[]> {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const all = server.stdout.split('\n').slice(0, -1);
    if (all.length >= wanted) return all;
    if (Date.now() > deadline) throw new Error(`only ${all.length} lines of ${wanted}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

test('agent style: the server prints, the program does not stop', async () => {
  const { gdb, server } = await debug(program('calls'));
  await gdb.send('set dprintf-style agent');
  await gdb.send('dprintf square,"n=%d %s %c\\n", n, home.name, 65');
  expect(await gdb.send('continue')).toMatch(/exited with code 07/);
  expect(await server.end()).toBe(0);
  const printed = server.stdout.split('\n').filter((line) => line.startsWith('n='));
  expect(printed).toEqual(['n=1 home A', 'n=2 home A', 'n=3 home A', 'n=4 home A']);
});

test('with a condition, and beside a breakpoint at the same place', async () => {
  const { gdb, server } = await debug(program('calls'));
  await gdb.send('set dprintf-style agent');
  await gdb.send('dprintf square,"n=%d\\n", n');
  await gdb.send('condition 1 n > 2');
  await gdb.send(`break ${lineOf('calls', 'return total')}`);
  expect(await gdb.send('continue')).toMatch(/return total/);
  expect((await lines(server, 2)).filter((line) => line.startsWith('n='))).toEqual(['n=3', 'n=4']);
});

test('disconnected: it goes on while gdb is away', async () => {
  const { gdb, server } = await debug(program('forever'), { server: ['--multi'], extended: true });
  await gdb.send('set dprintf-style agent');
  await gdb.send('set disconnected-dprintf on');
  // otherwise gdb takes it out while the program stands
  await gdb.send('set breakpoint always-inserted on');
  await gdb.send(`dprintf ${lineOf('forever', 'wait')},"waits\\n"`);
  expect(await gdb.send('detach')).toMatch(/[Dd]etach/);
  const first = await lines(server, 3);
  const more = await lines(server, first.length + 3);
  // nor does it need a connection, which has an engine
  await gdb.send('disconnect');
  const last = await lines(server, more.length + 3);
  expect(new Set(last)).toEqual(new Set(['waits']));
});

test('monitor stats counts hits, conditions and their cost', async () => {
  const { gdb } = await debug(program('calls'));
  await gdb.script('break square if n == 3', 'continue');
  const row = /^\d+ 0x[0-9a-f]+ +breakpoint( \(removed\))? +3 +3 +1 +2 +0 +0 +[\d,]+ ns$/m;
  expect(await gdb.send('monitor stats')).toMatch(row);
});
