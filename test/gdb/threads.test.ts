import { lineOf, program } from './support/program';
import { debug, endAll, type GdbSession } from './support/session';

afterEach(endAll);

async function atAllStarted(): Promise<GdbSession> {
  const session = await debug(program('threads'));
  await session.gdb.script(`break ${lineOf('threads', 'all started')}`, 'continue');
  return session;
}

test('every thread is listed, with its stack', async () => {
  const { gdb } = await atAllStarted();
  const list = await gdb.send('info threads');
  expect(list.match(/Thread \d+\.\d+/g)).toHaveLength(5);
  const stacks = await gdb.send('thread apply all backtrace');
  expect(stacks.match(/ worker \(argument=/g)).toHaveLength(4);
  expect(stacks).toMatch(/ main \(\)/);
});

test('switching threads: frames, locals and thread-local variables', async () => {
  const { gdb } = await atAllStarted();
  expect(await gdb.send('print mine')).toMatch(/= 99/);
  const numbers = new Set<string>();
  for (const thread of [2, 3, 4, 5]) {
    await gdb.send(`thread ${thread}`);
    await gdb.send('frame function worker');
    const [, number = ''] = /= (\d)/.exec(await gdb.send('print number')) ?? [];
    numbers.add(number);
    expect(await gdb.send('print mine')).toMatch(new RegExp(`= ${100 + Number(number)}`));
  }
  expect([...numbers].sort()).toEqual(['0', '1', '2', '3']);
});

test('a search path without libthread_db forbids thread-local lookups', async () => {
  const { gdb } = await atAllStarted();
  await gdb.send('monitor set libthread-db-search-path /nowhere');
  expect(await gdb.send('print mine')).toMatch(/Cannot find thread-local storage/);
  expect(await gdb.send('monitor set libthread-db-search-path')).toContain('`$sdir:$pdir');
  expect(await gdb.send('print mine')).toMatch(/= 99/);
});

test('a breakpoint in many threads loses no hit', async () => {
  const { gdb } = await debug(program('threads'));
  await gdb.script('break worker', 'commands 1\nsilent\nend');
  let hits = 0;
  await gdb.send('continue');
  while (!(await gdb.send('print counters[0] + 0')).includes('No symbol') && hits < 20) {
    const where = await gdb.send('backtrace 1');
    if (!/#0 +worker/.test(where)) break;
    hits++;
    await gdb.send('continue');
  }
  expect(hits).toBe(4);
});

test('a breakpoint for one thread, stepping with the others held and not', async () => {
  const { gdb } = await atAllStarted();
  await gdb.script('delete', `break ${lineOf('threads', '/* count */')} thread 3`);
  expect(await gdb.send('continue')).toMatch(/Thread 3 .* hit Breakpoint/);
  await gdb.send('set scheduler-locking on');
  const others = await gdb.send('thread apply 2 4 5 output $pc');
  await gdb.script('next', 'next', 'next');
  expect(others.match(/0x/g)).toHaveLength(3);
  expect(await gdb.send('thread apply 2 4 5 output $pc')).toBe(others);
  expect(await gdb.send('thread')).toMatch(/Current thread is 3/);
});

test('threads come and go; the program ends', async () => {
  const { gdb } = await debug(program('threads'));
  await gdb.script(`break ${lineOf('threads', 'all started')}`, 'continue');
  const end = await gdb.script(`break ${lineOf('threads', 'joined')}`, 'continue', 'info threads');
  expect(end.match(/^[* ] +\d+ +Thread/gm)).toHaveLength(1);
  expect(await gdb.send('continue')).toMatch(/exited normally/);
});

test('a watchpoint sees what another thread writes', async () => {
  const { gdb } = await atAllStarted();
  await gdb.send('watch counters[2] if counters[2] == 500');
  expect(await gdb.send('continue')).toMatch(/Old value = 499[^]*New value = 500/);
  expect(await gdb.send('backtrace 1')).toMatch(/worker/);
});
