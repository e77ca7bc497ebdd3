import { lineOf, program } from './support/program';
import { debug, endAll } from './support/session';

afterEach(endAll);
const calls = (): string => program('calls');

test('break, continue, backtrace, and the end of the program', async () => {
  const { gdb, server, greeting } = await debug(calls());
  expect(greeting).toMatch(/_start/);
  await gdb.send('break square');
  expect(await gdb.send('continue')).toMatch(/Breakpoint 1, square \(n=1\)/);
  expect(await gdb.send('backtrace')).toMatch(
    /#0 +square \(n=1\)[^]*#1 .* in sum \(count=4\)[^]*#2 .* in main \(argc=1,/,
  );
  expect(await gdb.send('continue')).toMatch(/square \(n=2\)/);
  await gdb.send('delete');
  expect(await gdb.send('continue')).toMatch(/exited with code 07/);
  expect(await server.end()).toBe(0);
  expect(server.stdout).toBe('1 35 after\n');
});

test('step into, next over, finish, until, advance', async () => {
  const { gdb } = await debug(calls());
  await gdb.script('tbreak main', 'continue');
  expect(await gdb.send('step')).toMatch(/sum \(count=4\)/);
  expect(await gdb.send('next')).toMatch(/total \+= square/);
  expect(await gdb.send('step')).toMatch(/square \(n=1\)/);
  expect(await gdb.send('finish')).toMatch(/Value returned is \$1 = 1/);
  expect(await gdb.send(`until ${lineOf('calls', 'return total')}`)).toMatch(/return total/);
  expect(await gdb.send('print total')).toMatch(/= 30/);
  expect(await gdb.send(`advance ${lineOf('calls', 'second')}`)).toMatch(/main \(argc=1/);
  const before = await gdb.send('print $pc');
  await gdb.send('stepi');
  expect(await gdb.send('print $pc')).not.toBe(before);
});

test('a condition is true once; an ignore count', async () => {
  const { gdb } = await debug(calls());
  await gdb.script('break square if n == 3', 'continue');
  expect(await gdb.send('print n')).toMatch(/= 3/);
  expect(await gdb.send('info breakpoints')).toMatch(/already hit 1 time/);
  await gdb.script('delete', 'break recurse', 'ignore 2 3');
  expect(await gdb.send('continue')).toMatch(/recurse \(depth=2\)/);
  expect(await gdb.send('backtrace -3')).toMatch(/main/);
});

test('breakpoints leave no trace in memory that gdb or the program reads', async () => {
  const { gdb } = await debug(calls());
  const clean = await gdb.send('x/16xb square');
  await gdb.script('break square', 'break *square', 'set breakpoint always-inserted on');
  await gdb.send('continue');
  expect(await gdb.send('x/16xb square')).toBe(clean);
});

test('watchpoints: write, read, access, and their going out of scope', async () => {
  const { gdb } = await debug(calls());
  await gdb.script('tbreak main', 'continue');
  expect(await gdb.send('watch total')).toMatch(/Hardware watchpoint/);
  expect(await gdb.send('continue')).toMatch(/Old value = 0[^]*New value = 1/);
  expect(await gdb.send('continue')).toMatch(/Old value = 1[^]*New value = 5/);
  await gdb.script('delete', 'rwatch home.x');
  expect(await gdb.send('print home.x')).toMatch(/= 3/); // gdb's own read is no hit
  await gdb.script('delete', 'awatch text');
  await gdb.send('delete');
  await gdb.script('tbreak square', 'continue', 'watch result');
  expect(await gdb.send('continue')).toMatch(/New value = 9/);
  expect(await gdb.send('continue')).toMatch(/deleted because the program has left the block/);
});

test('hardware breakpoints, and as many as there are', async () => {
  const { gdb } = await debug(calls());
  await gdb.send('hbreak recurse');
  expect(await gdb.send('continue')).toMatch(/recurse \(depth=5\)/);
  await gdb.script('hbreak square', 'hbreak sum', 'hbreak main');
  const fifth = await gdb.script(`hbreak ${lineOf('calls', '/* last */')}`, 'continue');
  expect(fifth).toMatch(/Could not insert hardware breakpoint|Remote failure|No hardware/i);
  await gdb.script('delete 3 4');
  expect(await gdb.send('continue')).toMatch(/recurse \(depth=4\)/);
});

test('print, set, call, strings and structures', async () => {
  const { gdb } = await debug(calls());
  await gdb.script('break recurse', 'continue');
  expect(await gdb.send('print home')).toMatch(/\{x = 3, y = 4, name = 0x[0-9a-f]+ "home"\}/);
  expect(await gdb.send('x/s text')).toMatch(/"after"/);
  expect(await gdb.send('call square(12)')).toMatch(/= 144/);
  await gdb.script('set var home.x = 77', 'set var text = "changed"');
  expect(await gdb.send('print home.x + 1')).toMatch(/= 78/);
  expect(await gdb.send('find &text, +32, "changed"')).toMatch(/1 pattern found/);
  expect(await gdb.send('x/4xb 0')).toMatch(/Cannot access memory at address 0x0/);
  expect(await gdb.send('print $_siginfo.si_signo')).toMatch(/= 5/);
});

test('a call that meets a breakpoint, and one that crashes', async () => {
  const { gdb } = await debug(calls());
  await gdb.script('break main', 'continue', 'break square');
  expect(await gdb.send('call square(3)')).toMatch(
    /Breakpoint 2, square[^]*stopped while in a function/,
  );
  expect(await gdb.send('finish')).toMatch(/Value returned is .* = 9/);
  await gdb.send('set unwindonsignal on');
  expect(await gdb.send('print *(int *) 8')).toMatch(/Cannot access memory/);
  expect(await gdb.send('call (int) strlen(8)')).toMatch(
    /SIGSEGV[^]*unwindonsignal|signaled while/,
  );
  expect(await gdb.send('backtrace')).toMatch(/main/);
});
