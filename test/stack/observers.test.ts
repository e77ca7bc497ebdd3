// An unmodified gdb that only looks: alone, beside another one, and switched by a monitor command.
import { GdbConsole } from '../../src/cli/demo/gdb-console';
import { OURS, ServerProcess } from '../gdb/support/server-process';
import { PATIENCE } from '../support/patience';
import { program } from './support/programs';
import { Stack } from './support/scene';

let stack: Stack;
afterEach(() => stack.end());

const ONLY = /this client only observes, and changes nothing/;

test('alone: threads, memory and backtraces of what goes on running', async () => {
  stack = await Stack.start('--observe');
  const victim = await stack.victim('kitchen');
  const gdb = await stack.gdb();
  expect(await gdb.send(`attach ${victim.pid}`)).toMatch(/Attaching to program/);
  const threads = await gdb.send('info threads');
  for (const name of ['kitchen', 'chopper', 'stirrer'])
    expect(threads).toMatch(new RegExp(`"${name}" \\(not stopped\\)`));

  // it runs: what is read at two looks differs
  const ticks = async (): Promise<number> =>
    Number(/= (\d+)/.exec(await gdb.send('print ticks'))?.[1]);
  const before = await ticks();
  for (let i = 0; i < 3; i++) {
    await stack.goes(gdb);
    expect(await gdb.interrupt()).toMatch(/received signal SIGINT/);
  }
  expect(await ticks()).toBeGreaterThan(before);

  // each thread sleeps most of its time, on a busy machine some of it: where is known, and who called
  const asleep = /nanosleep .*\n(?:.*\n){1,3}.* in chopper /;
  let stacks = '';
  for (const limit = Date.now() + 60_000 * PATIENCE; !asleep.test(stacks);) {
    if (Date.now() > limit) throw new Error(`no thread was ever seen asleep; at last:\n${stacks}`);
    await stack.goes(gdb);
    await gdb.interrupt();
    stacks = await gdb.send('thread apply all backtrace');
  }

  // what the program gets, the observer never touches
  victim.child.kill('SIGUSR1');
  expect(await victim.end()).toBe(7);
  expect(await gdb.send('continue')).toMatch(/exited with code 07/);
});

test('a thread that never leaves the processor: its memory can be read', async () => {
  stack = await Stack.start('--observe');
  const victim = await stack.victim('spinner');
  const gdb = await stack.gdb('tcp', 'spinner');
  expect(await gdb.send(`attach ${victim.pid}`)).toMatch(/0x0+ in \?\?/);
  expect(await gdb.send('print spins > 0')).toMatch(/= 1\n/);
  await stack.goes(gdb);
  expect(await gdb.interrupt()).toMatch(/received signal SIGINT/);
  expect(await gdb.send('detach')).toMatch(/detached/);
  expect(victim.running).toBe(true);
});

test('every change is refused, and says why', async () => {
  stack = await Stack.start('--observe');
  const victim = await stack.victim('kitchen');
  const gdb = await stack.gdb();
  await gdb.send(`attach ${victim.pid}`);
  const refused = async (command: string, packet: string): Promise<void> => {
    await gdb.send(command);
    const why = await gdb.send('monitor why');
    expect(why).toMatch(new RegExp(`^${packet}: .*${ONLY.source}`, 'm'));
  };
  expect(await gdb.send('stepi')).toMatch(ONLY);
  // it reads 0 where the thread runs: writing that would change nothing
  expect(await gdb.send('print $pc = 1')).toMatch(ONLY);
  await refused('set variable ticks = 0', 'X');
  expect(await gdb.send('kill')).toMatch(/Can't kill/);
  await gdb.send('break chop');
  expect(await gdb.send('continue')).toMatch(/Cannot insert breakpoint 1/);
  await gdb.send('delete');
  expect(await gdb.send('remote put /dev/null /tmp/never-written')).toMatch(/read-only/i);
  expect(await gdb.send('signal SIGUSR2')).toMatch(ONLY);
  await gdb.send('catch syscall write');
  await stack.goes(gdb);
  await gdb.interrupt();
  expect(await gdb.send('monitor why')).toMatch(/^QCatchSyscalls: cannot stop at system calls: /m);
  expect(victim.running).toBe(true);
  await gdb.send('detach');
  await gdb.send('set remote exec-file /bin/true');
  expect(await gdb.send('run')).toMatch(/failed/);
  expect(
    await stack.server.says(/^ntrace: cannot start a program: this client only observes/m),
  ).toBeTruthy();
});

test('beside a debugger: whole registers of what it holds, and its breakpoints unseen', async () => {
  stack = await Stack.start();
  const victim = await stack.victim('kitchen');
  const a = await stack.attached(victim);
  const b = await stack.attached(victim, 'unix');
  expect(await b.send('monitor observe on')).toMatch(/^This client observes/);
  const clean = await b.send('x/16xb chop');
  await a.send('break chop');
  // nothing of the observer keeps it
  for (let i = 0; i < 3; i++) expect(await a.send('continue')).toMatch(/hit Breakpoint 1, chop/);
  const pc = /chop\+\d+>|<chop/.exec(await a.send('x/i $pc'))?.[0];
  expect(pc).toBeDefined();
  await stack.goes(b);
  await b.interrupt();
  expect(await b.send('info threads')).toMatch(/"chopper" \(held by engine 1 \(gdb .*breakpoint/);
  expect(await b.send('thread 2')).toMatch(/chop \(/);
  const registers = await b.send('info registers');
  expect(registers).toBe(await a.send('info registers'));
  expect(registers).toMatch(/^rbx +0x/m);
  expect(await b.send('x/16xb chop')).toBe(clean);
  expect(await b.send('print $rip = 0')).toMatch(ONLY);

  // and back: it takes part again
  expect(await b.send('monitor observe off')).toMatch(/may change things again/);
  await b.send('break stir');
  await a.send('detach');
  expect(await b.send('continue')).toMatch(/hit Breakpoint 1, stir/);
  await b.send('detach');
  victim.child.kill('SIGUSR1');
  expect(await victim.end()).toBe(7);
});

test('gdbserver --observe --attach; a program is not started', async () => {
  stack = await Stack.start();
  const victim = await stack.victim('kitchen');
  const server = ServerProcess.start(['--observe', '--once', '--attach', ':0', `${victim.pid}`]);
  const port = await server.port();
  const gdb = await GdbConsole.start(program('kitchen'));
  try {
    await gdb.send(`target remote :${port}`);
    expect(await gdb.send('info threads')).toMatch(/"stirrer" \(not stopped\)/);
    expect(await gdb.send('stepi')).toMatch(ONLY);
    await gdb.send('detach');
    expect(await server.end()).toBe(0);
  } finally {
    await gdb.vanish();
    await server.stop();
  }
  expect(victim.running).toBe(true);
  const refused = ServerProcess.start(['--observe', ':0', program('kitchen')], {
    executable: OURS,
  });
  expect(await refused.end()).toBe(1);
  expect(refused.stderr).toMatch(/--observe looks at what runs already/);
});
