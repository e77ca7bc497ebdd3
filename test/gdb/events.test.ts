import { GdbConsole as Gdb } from '../../src/cli/demo/gdb-console';
import { lineOf, program } from './support/program';
import { ServerProcess } from './support/server-process';
import { debug, endAll } from './support/session';

afterEach(endAll);
const children = (): string => program('children');

test('catch syscall: entry and return, by name', async () => {
  const { gdb } = await debug(program('syscalls'));
  await gdb.script('tbreak main', 'continue', 'catch syscall getppid');
  expect(await gdb.send('continue')).toMatch(/call to syscall getppid/);
  expect(await gdb.send('continue')).toMatch(/returned from syscall getppid/);
  await gdb.send(`tbreak ${lineOf('syscalls', '/* called */')}`);
  expect(await gdb.send('continue')).toMatch(/return parent/);
});

test('fork: the parent is followed, the child let go', async () => {
  const { gdb } = await debug(children());
  await gdb.script(
    'set detach-on-fork on',
    `break ${lineOf('children', 'in parent')}`,
    'break child',
  );
  expect(await gdb.send('continue')).toMatch(/in parent/);
  expect(await gdb.send('print status >> 8')).toMatch(/= 3/);
});

test.each(['fork', 'vfork'])('%s: the child is followed', async (kind) => {
  const { gdb } = await debug(children(), { args: [kind] });
  await gdb.script('set follow-fork-mode child', `break ${lineOf('children', 'in child')}`);
  expect(await gdb.send('continue')).toMatch(/in child/);
  expect(await gdb.send('continue')).toMatch(/exited with code 03/);
});

test('fork: both stay, and each runs to its end', async () => {
  const { gdb } = await debug(children());
  await gdb.script('set detach-on-fork off', 'catch fork');
  expect(await gdb.send('continue')).toMatch(/Catchpoint 1 \(forked process \d+\)/);
  await gdb.script('next', 'next');
  expect(await gdb.send('info inferiors')).toMatch(/process \d+[^]*process \d+/);
  await gdb.send('inferior 2');
  expect(await gdb.send('continue')).toMatch(/exited with code 03/);
});

test('exec: the new program, its symbols and breakpoints', async () => {
  const { gdb } = await debug(children(), { args: ['exec'] });
  await gdb.script('catch exec', `break ${lineOf('children', 'in execed')}`);
  expect(await gdb.send('continue')).toMatch(/Catchpoint 1 \(exec'd .*children\)/);
  expect(await gdb.send('continue')).toMatch(/in execed/);
  expect(await gdb.send('print argv[1]')).toMatch(/"execed"/);
  expect(await gdb.send('continue')).toMatch(/exited normally/);
});

test.each(['off', 'on'])('forks of other threads while one steps, non-stop %s', async (nonStop) => {
  const server = ServerProcess.start(['--once', '127.0.0.1:0', program('forkers')]);
  const port = await server.port();
  const gdb = await Gdb.start(program('forkers'));
  try {
    await gdb.script('set print inferior-events off', `set non-stop ${nonStop}`);
    await gdb.send(`target remote :${port}`);
    await gdb.script(`break ${lineOf('forkers', 'first')}`, 'continue');
    for (let i = 0; i < 10; i++) {
      expect(await gdb.send('next')).toMatch(/second/);
      expect(await gdb.send('next')).toMatch(/round/);
      expect(await gdb.send('next')).toMatch(/first/);
    }
    expect((await gdb.send('info inferiors')).match(/process /g)).toHaveLength(1);
  } finally {
    await gdb.quit();
    await server.stop();
  }
});
