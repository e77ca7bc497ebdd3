import { program } from './support/program';
import { debug, endAll } from './support/session';

afterEach(endAll);

test('a signal stops the program, and is delivered when it goes on', async () => {
  const { gdb } = await debug(program('signals'));
  expect(await gdb.send('continue')).toMatch(/received signal SIGUSR1/);
  expect(await gdb.send('print $_siginfo.si_signo')).toMatch(/= 10/);
  await gdb.send('break handler');
  expect(await gdb.send('continue')).toMatch(/handler \(signo=10\)/);
  expect(await gdb.send('backtrace')).toMatch(/signal handler called/);
  expect(await gdb.send('continue')).toMatch(/received signal SIGUSR2/);
});

test('handle: passed without a stop, or never delivered', async () => {
  const { gdb, server } = await debug(program('signals'));
  await gdb.script('handle SIGUSR1 nostop noprint pass', 'handle SIGUSR2 nostop print nopass');
  expect(await gdb.send('continue')).toMatch(/received signal SIGUSR2[^]*exited normally/);
  await server.end();
  expect(server.stdout).toBe('10\n');
});

test('signal 0 and signal SIG change what is delivered', async () => {
  const { gdb, server } = await debug(program('signals'));
  await gdb.send('continue');
  expect(await gdb.send('signal SIGUSR2')).toMatch(/SIGUSR2/);
  expect(await gdb.send('signal 0')).toMatch(/exited normally/);
  await server.end();
  expect(server.stdout).toBe('12\n');
});

test('a crash: where, and the death that follows', async () => {
  const { gdb, server } = await debug(program('signals'), { args: ['crash'] });
  await gdb.script('handle SIGUSR1 nostop noprint', 'handle SIGUSR2 nostop noprint');
  expect(await gdb.send('continue')).toMatch(/SIGSEGV, Segmentation fault\.[^]*main/);
  expect(await gdb.send('print $_siginfo._sifields._sigfault.si_addr')).toMatch(/0x10\b/);
  expect(await gdb.send('continue')).toMatch(/terminated with signal SIGSEGV/);
  expect(await server.end()).toBe(0);
  expect(server.stderr).toMatch(/Child terminated with signal = 0xb \(SIGSEGV\)\n/);
});

test('^C stops a running program, again and again', async () => {
  const { gdb, goes } = await debug(program('forever'), { logged: true });
  await gdb.script('tbreak spin', 'continue');
  for (let round = 0; round < 5; round++) {
    await goes();
    expect(await gdb.interrupt()).toMatch(/received signal SIGINT/);
  }
  expect(await gdb.send('info threads')).toMatch(/spin/);
  expect(await gdb.script('set var go_on = 0', 'continue')).toMatch(/exited normally/);
});
