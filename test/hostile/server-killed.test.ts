// A server that is killed: what it was attached to goes on, without what it left there.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import { ServerProcess } from '../gdb/support/server-process';
import { program, symbols } from '../support/programs';
import { RawClient } from './raw-client';
import { eventually, gone, hexAddress, LARGE, pristine, runs, tracer } from './watching';

const servers: ServerProcess[] = [];
const children: ChildProcess[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop('SIGKILL');
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

/** The process that waits for the end of this server. */
function guardOf(server: number): number | undefined {
  const found = fs.readdirSync('/proc').find((name) => {
    try {
      return fs.readFileSync(`/proc/${name}/cmdline`, 'latin1') === `ntrace-guard\0${server}\0`;
    } catch {
      return false; // no process, or gone
    }
  });
  return found === undefined ? undefined : Number(found);
}

/** A client of a server that is attached to a program. */
async function attached(file: string): Promise<[RawClient, ServerProcess, ChildProcess]> {
  const child = spawn(file, { stdio: 'ignore' });
  children.push(child);
  const server = ServerProcess.start(['--attach', '127.0.0.1:0', String(child.pid)]);
  servers.push(server);
  const client = await RawClient.quiet(await server.port());
  expect(await client.ask('qSupported:swbreak+;hwbreak+')).toMatch(/^PacketSize/);
  return [client, server, child];
}

async function killed(server: ServerProcess): Promise<void> {
  expect(await server.stop('SIGKILL')).toBe('SIGKILL');
  await eventually('its guard is done', () => guardOf(server.pid) === undefined);
}

test.each(['stopped', 'running'])('breakpoints go, the %s program goes on', async (how) => {
  const [client, server, { pid = 0 }] = await attached(LARGE);
  for (const name of ['never', 'main'])
    expect(await client.ask(`Z0,${hexAddress(name)},1`)).toBe('OK');
  expect(guardOf(server.pid)).toBeDefined();
  expect(pristine(pid)).toBe(false);
  if (how === 'running') {
    client.packet('vCont;c');
    await runs(pid);
  }
  await killed(server);
  expect(pristine(pid)).toBe(true);
  await runs(pid);
  expect(tracer(pid)).toBe(0);
});

test('watchpoints go, in every thread', async () => {
  const watched = program('watched');
  const table = symbols(watched);
  const [client, server, child] = await attached(watched);
  expect(await client.ask(`Z2,${table.get('words')?.toString(16)},8`)).toBe('OK');
  client.packet('vCont;c');
  await killed(server);
  // its threads write there now
  const fd = fs.openSync(`/proc/${child.pid}/mem`, 'r+');
  fs.writeSync(fd, Buffer.from([1]), 0, 1, Number(table.get('go')));
  fs.closeSync(fd);
  expect(await once(child, 'exit')).toEqual([0, null]);
});

test('no guard is needed for what was started: it ends with the server', async () => {
  const server = ServerProcess.start(['127.0.0.1:0', LARGE]);
  servers.push(server);
  const client = await RawClient.quiet(await server.port());
  const pid = Number(/created; pid = (\d+)/.exec(server.stderr)?.[1]);
  expect(await client.ask(`Z0,${hexAddress('never')},1`)).toBe('OK');
  expect(guardOf(server.pid)).toBeUndefined();
  await server.stop('SIGKILL');
  await eventually('the program is gone', () => gone(pid));
});

test('the guard ends with a server that ends in order', async () => {
  const [client, server, { pid = 0 }] = await attached(LARGE);
  expect(await client.ask(`Z0,${hexAddress('never')},1`)).toBe('OK');
  const guard = guardOf(server.pid);
  expect(guard).toBeDefined();
  await server.stop('SIGTERM');
  await eventually('the guard is gone', () => gone(guard ?? 0));
  expect(pristine(pid)).toBe(true);
  await runs(pid);
});
