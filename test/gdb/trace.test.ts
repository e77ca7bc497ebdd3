// Trace experiments in an unmodified gdb.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { GdbConsole } from '../../src/cli/demo/gdb-console';
import { multilib, testIf } from './support/needs';
import { program } from './support/program';
import { ServerProcess } from './support/server-process';
import { connect, debug, endAll } from './support/session';

let directory: string;
beforeEach(() => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'ntrace-trace-'));
});
afterEach(async () => {
  await endAll();
  fs.rmSync(directory, { recursive: true });
});
const traced = (): string => program('traced');

/** In main, with its libraries: gdb defines tracepoints anew when libraries come. */
async function inMain(...args: string[]): Promise<GdbConsole> {
  const { gdb } = await debug(traced(), { args });
  await gdb.script('break done', 'tbreak main', 'continue');
  return gdb;
}
const actions = (...lines: string[]): string => ['actions', ...lines, 'end'].join('\n');

test('collect, find, dump: values of the past, and what was not collected', async () => {
  const gdb = await inMain('5');
  expect(await gdb.send('trace work')).toMatch(/Tracepoint 3/);
  await gdb.send(actions('collect $regs, $args, *it, table[1]'));
  await gdb.send('tstart');
  expect(await gdb.send('tstatus')).toMatch(/Trace is running.*Collected 0/s);
  expect(await gdb.send('continue')).toMatch(/Breakpoint 1, done/);
  expect(await gdb.send('tstatus')).toMatch(/Collected 5 trace frames/);
  await gdb.send('tstop');
  expect(await gdb.send('tstatus')).toMatch(/stopped by a tstop command/);
  for (let n = 1; n <= 5; n++) {
    expect(await gdb.send('tfind')).toMatch(`Found trace frame ${n - 1}, tracepoint 3`);
    expect(await gdb.send('print n')).toMatch(`= ${n}\n`);
    expect(await gdb.send('print it->weight')).toMatch(`= ${n + 2}\n`);
  }
  expect(await gdb.send('tfind')).toMatch(/failed to find/);
  await gdb.send('tfind 2');
  expect(await gdb.send('print *it')).toMatch(/weight = 5, name = "first/);
  expect(await gdb.send('print it->next->name')).toMatch(/unavailable/);
  expect(await gdb.send('print table')).toMatch(/<unavailable>, 20, <unavailable>, <unavailable>/);
  expect(await gdb.send('print total')).toMatch(/unavailable/);
  expect(await gdb.send('set var total = 1')).toMatch(/Cannot access memory/);
  expect(await gdb.send('tdump')).toMatch(/rip[^]*n = 3[^]*table\[1\] = 20/);
  expect(await gdb.send('info tracepoints')).toMatch(/already hit 5 times/);
  await gdb.send('tfind none');
  expect(await gdb.send('print total')).toMatch(/= 30/);
  expect(await gdb.send('continue')).toMatch(/exited normally/);
});

test('conditions, pass counts, state variables, while-stepping', async () => {
  const gdb = await inMain('40');
  await gdb.script('tvariable $seen = 100', 'trace work if n % 2 == 0', 'passcount 3');
  await gdb.send(
    actions('collect n', 'collect $seen += 1', 'while-stepping 2', 'collect $regs', 'end'),
  );
  await gdb.script('tstart', 'continue');
  expect(await gdb.send('tstatus')).toMatch(
    /stopped by a pass count \(tracepoint 3\)|tracepoint 3/,
  );
  expect(await gdb.send('tstatus')).toMatch(/Collected 9 trace frames/);
  await gdb.send('tfind 0');
  expect(await gdb.script('print n', 'print $seen')).toMatch(/= 2\n[^]*= 101\n/);
  await gdb.send('tfind 6');
  expect(await gdb.script('print n', 'print $seen')).toMatch(/= 6\n[^]*= 103\n/);
  const hit = /0x[0-9a-f]+/.exec(await gdb.send('print $pc'))?.[0];
  await gdb.send('tfind 7');
  const step = /0x[0-9a-f]+/.exec(await gdb.send('print $pc'))?.[0];
  expect(Number(step)).toBeGreaterThan(Number(hit));
  await gdb.send('tfind none');
  expect(await gdb.send('tvariable $seen')).not.toMatch(/rror/);
  expect(await gdb.send('print $seen')).toMatch(/= 103/);
});

test('searching frames by place and tracepoint', async () => {
  const gdb = await inMain('3');
  await gdb.script('trace work', 'trace done', 'tstart', 'continue', 'tstop');
  expect(await gdb.send('tfind tracepoint 4')).toMatch(/Found trace frame 3, tracepoint 4/);
  await gdb.send('tfind none');
  expect(await gdb.send('tfind outside main')).toMatch(/Found trace frame 0/);
  expect(await gdb.send('tfind range work, work+200')).toMatch(/Found trace frame 1/);
  await gdb.send('tfind start');
  expect(await gdb.send('tfind pc')).toMatch(/Found trace frame 1/);
});

test('a circular buffer keeps the newest, a small one fills', async () => {
  const gdb = await inMain('200');
  await gdb.script('trace work', actions('collect n'));
  await gdb.script('set trace-buffer-size 2000', 'set circular-trace-buffer on');
  await gdb.script('tstart', 'continue');
  expect(await gdb.send('tstatus')).toMatch(/contains \d+ trace frames \(of 200 created/);
  await gdb.script('tstop', 'tfind start');
  const first = Number(/= (\d+)/.exec(await gdb.send('print n'))?.[1]);
  expect(first).toBeGreaterThan(150);
  await gdb.send('tfind end');

  const { gdb: other } = await debug(traced(), { args: ['200'] });
  await other.script('break done', 'tbreak main', 'continue');
  await other.script('trace work', actions('collect n'), 'set trace-buffer-size 2000');
  await other.script('tstart', 'continue');
  expect(await other.send('tstatus')).toMatch(/stopped because the buffer was full/);
  await other.send('tfind start');
  expect(await other.send('print n')).toMatch(/= 1\n/);
});

test('tsave here and there, and both files in target tfile', async () => {
  const gdb = await inMain('4');
  await gdb.send('tvariable $mark = 5');
  await gdb.send('trace work');
  await gdb.send(actions('collect $regs, $args, *it', 'collect $mark'));
  await gdb.script('tstart', 'continue', 'tstop');
  const [own, remote] = ['own.tf', 'remote.tf'].map((name) => path.join(directory, name));
  expect(await gdb.send(`tsave ${own}`)).toMatch(/saved to file/);
  expect(await gdb.send(`tsave -r ${remote}`)).toMatch(/saved to file/);
  await gdb.send('kill');
  for (const file of [own!, remote!]) {
    expect(await gdb.send(`target tfile ${file}`)).not.toMatch(/rror|not a/);
    expect(await gdb.send('tfind 2')).toMatch(/Found trace frame 2, tracepoint 3/);
    expect(await gdb.send('print n')).toMatch(/= 3\n/);
    expect(await gdb.send('print *it')).toMatch(/weight = 5/);
    expect(await gdb.send('print $mark')).toMatch(/= 5\n/);
    expect(await gdb.send('info registers rip')).toMatch(/work\+/);
    expect(await gdb.send('tstatus')).toMatch(/Using a trace file[^]*Collected 4 trace frames/);
  }
});

test('an expression that fails ends the run with its reason', async () => {
  const gdb = await inMain('4');
  await gdb.script('trace work if 5 / (n - n)', 'tstart', 'continue');
  expect(await gdb.send('tstatus')).toMatch(/divide by zero[^]*tracepoint 3/i);
});

testIf(multilib())('a 32-bit program: its registers in conditions and expressions', async () => {
  const binary = program('traced', '-m32');
  const { gdb } = await debug(binary, { args: ['6'] });
  await gdb.script('break done', 'tbreak main', 'continue', 'trace work if n == 4');
  await gdb.send(actions('collect $regs, n, *it'));
  await gdb.script('tstart', 'continue', 'tstop', 'tfind start');
  expect(await gdb.send('print n')).toMatch(/= 4\n/);
  expect(await gdb.send('print *it')).toMatch(/weight = 6, name = "first/);
  expect(await gdb.send('print $eip == $pc && $esp != 0')).toMatch(/= 1\n/);
  expect(await gdb.send('tfind')).toMatch(/failed to find/);
  // and in the condition of a breakpoint
  const again = await debug(binary, { args: ['6'] });
  expect(await again.gdb.script('break work if n == 5', 'continue')).toMatch(/work \(n=5,/);
});

test('disconnected tracing goes on without gdb, and the next one finds everything', async () => {
  const server = ServerProcess.start(['127.0.0.1:0', traced()]);
  const { gdb } = await connect(server, traced());
  await gdb.script('tbreak main', 'continue', 'tvariable $mark = 5', 'trace work');
  await gdb.send(actions('collect n', 'collect $mark'));
  await gdb.script('set disconnected-tracing on', 'set trace-notes from the first', 'tstart');
  expect(await gdb.send('detach')).toMatch(/Detaching/);
  await server.says(/Disconnected tracing in effect/);
  await gdb.quit();

  const { gdb: next, greeting } = await connect(server, traced());
  expect(greeting).toMatch(/Assuming tracepoint|Created tracepoint/);
  const frames = async (): Promise<number> =>
    Number(/Collected (\d+) trace frames/.exec(await next.send('tstatus'))?.[1]);
  const before = await frames();
  await next.script('break done if total == 0', 'tbreak work', 'continue');
  expect(await frames()).toBeGreaterThan(before);
  expect(await next.send('tstatus')).toMatch(/from the first/);
  expect(await next.send('info tracepoints')).toMatch(/collect n[^]*collect \$mark/);
  await next.script('tstop', 'tfind start');
  expect(await next.send('print n')).toMatch(/= 1\n/);
  expect(await next.send('print $mark')).toMatch(/= 5\n/);
  await next.script('tfind none', 'kill');
});

test('without it the run ends with the connection', async () => {
  const server = ServerProcess.start(['127.0.0.1:0', traced()]);
  const { gdb } = await connect(server, traced());
  await gdb.script('tbreak main', 'continue', 'trace work', 'tstart', 'disconnect');
  await server.says(/Disconnected tracing disabled; stopping trace run/);
  const { gdb: next } = await connect(server, traced());
  expect(await next.send('tstatus')).toMatch(/stopped because of disconnection/);
  await next.send('kill');
});
