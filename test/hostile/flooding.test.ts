// Clients that send or ask more than they read: the server stays small and serves on.
import { spawn, type ChildProcess } from 'node:child_process';
import path from 'node:path';
import { ServerProcess } from '../gdb/support/server-process';
import { hex } from '../rsp/client';
import { repositoryRoot } from '../support/root';
import { packed, RawClient } from './raw-client';
import {
  counter,
  eventually,
  gone,
  hexAddress,
  LARGE,
  pristine,
  resident,
  runs,
  ticks,
  tracer,
} from './watching';

const MIB = 1 << 20;
/** What a server may grow by whatever a client does: buffers for both directions, and the heap. */
const GROWTH = 120 * MIB;
const REOPENED = /GDBserver will reopen the connection\.\nListening on port/;

const servers: ServerProcess[] = [];
const children: ChildProcess[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop('SIGKILL');
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

function started(server: ServerProcess): ServerProcess {
  servers.push(server);
  return server;
}
async function debugging(...args: string[]): Promise<[ServerProcess, number, number]> {
  const server = started(ServerProcess.start([...args, '127.0.0.1:0', LARGE]));
  const port = await server.port();
  return [server, port, Number(/created; pid = (\d+)/.exec(server.stderr)?.[1])];
}
async function serving(): Promise<[ServerProcess, number]> {
  const executable = path.join(repositoryRoot, 'bin/ntrace');
  const server = started(ServerProcess.start(['serve', '-l', '127.0.0.1:0'], { executable }));
  return [server, await server.port()];
}
async function victim(): Promise<number> {
  const child = spawn(LARGE, { stdio: 'ignore' });
  children.push(child);
  await eventually('the program runs', () => counter(child.pid!) > 0n);
  return child.pid!;
}

/** Sends until the server takes no more for a while, or it took so much. */
async function flood(client: RawClient, piece: Buffer, most: number): Promise<void> {
  for (let sent = 0; sent < most; sent += piece.length) {
    client.send(piece);
    await new Promise(setImmediate);
    if (client.unsent > 4 * MIB) return;
  }
}

test('10 MiB of garbage, then a packet: it is answered', async () => {
  const [server, port] = await debugging('--once');
  const client = await RawClient.connect(port);
  const before = resident(server.pid);
  const piece = Buffer.alloc(MIB);
  for (let i = 0; i < piece.length; i++) piece[i] = (i * 131 + (i >> 8) * 7) & 0xff;
  for (let i = 0; i < 10; i++) client.send(piece);
  // whatever packet the garbage began ends here
  client.send('#00');
  client.input = '';
  client.packet('qAttached');
  await client.until(/\$0#30/);
  expect(resident(server.pid) - before).toBeLessThan(GROWTH);
  client.vanish();
  expect(await server.end()).toBe(0);
});

test('a packet without an end: the server stays small', async () => {
  const [server, port] = await debugging();
  const client = await RawClient.quiet(port);
  const before = resident(server.pid);
  client.send('$X0,0:');
  for (let i = 0; i < 64; i++) client.send(Buffer.alloc(MIB, 0x61));
  client.send('#00');
  expect(await client.reply()).toBe('E01');
  expect(resident(server.pid) - before).toBeLessThan(GROWTH);
  expect(await client.ask('qAttached')).toBe('0');
  client.vanish();
  expect(await server.says(REOPENED)).not.toBeNull();
});

test('a flood of packets nobody reads the replies of', async () => {
  const [server, port, pid] = await debugging();
  const client = await RawClient.quiet(port);
  const before = resident(server.pid);
  client.stopReading();
  await flood(client, Buffer.concat(Array.from({ length: 20_000 }, () => packed('g'))), 64 * MIB);
  expect(resident(server.pid) - before).toBeLessThan(GROWTH);
  client.vanish();
  expect(await server.says(REOPENED)).not.toBeNull();
  const next = await RawClient.quiet(port);
  expect(await next.ask('?')).toMatch(/^T/);
  next.packet('k');
  expect(await server.end()).toBe(0);
  expect(gone(pid)).toBe(true);
});

test('a flood of packets while the program runs: the connection is closed, the program runs on', async () => {
  const [server, port, pid] = await debugging();
  const client = await RawClient.quiet(port);
  expect(await client.ask(`Z0,${hexAddress('never')},1`)).toBe('OK');
  client.packet('c');
  await eventually('the program runs', () => counter(pid) > 0n);
  const before = resident(server.pid);
  await flood(client, Buffer.concat(Array.from({ length: 20_000 }, () => packed('g'))), 64 * MIB);
  expect(await server.says(REOPENED)).not.toBeNull();
  expect(server.stderr).toMatch(/sent more than 4194304 bytes while it waited for a stop/);
  expect(resident(server.pid) - before).toBeLessThan(GROWTH);
  expect(pristine(pid)).toBe(true);
  await runs(pid);
  client.vanish();
  const next = await RawClient.quiet(port);
  expect(await next.ask('?')).toMatch(/^T/);
  next.vanish();
});

test('a client that says nothing costs nothing', async () => {
  const [server, port] = await debugging();
  const client = await RawClient.connect(port);
  client.packet('qAttached');
  await client.reply();
  const busy = ticks(server.pid);
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect(ticks(server.pid) - busy).toBeLessThan(10);
  client.vanish();
});

test('who asks for much and reads late gets all of it', async () => {
  const [server, port] = await debugging('--once');
  const client = await RawClient.quiet(port);
  client.keeps = false;
  client.received = 0;
  client.stopReading();
  const before = resident(server.pid);
  const asked = 60;
  for (let i = 0; i < asked; i++) client.packet(`m${hexAddress('memory')},1ff000`);
  client.packet('qAttached');
  await eventually('the server has worked', () => resident(server.pid) > before + 8 * MIB);
  const replies = asked * (2 * 0x1ff000 + 4) + packed('0').length;
  client.readOn();
  await client.bytes(replies);
  expect(client.received).toBe(replies);
  expect(resident(server.pid) - before).toBeLessThan(GROWTH);
  client.vanish();
  expect(await server.end()).toBe(0);
});

test('ntrace serve: others work on beside a client that asks for 1 GiB and reads nothing', async () => {
  const [server, port] = await serving();
  const [theirs, ours] = [await victim(), await victim()];
  const greedy = await RawClient.quiet(port);
  expect(await greedy.ask('!')).toBe('OK');
  expect(await greedy.ask(`vAttach;${theirs.toString(16)}`)).toMatch(/^T05/);
  const before = resident(server.pid);
  greedy.stopReading();
  for (let i = 0; i < 256; i++) greedy.packet(`m${hexAddress('memory')},1ff000`);
  const silent = await RawClient.connect(port);
  const client = await RawClient.quiet(port);
  expect(await client.ask('!')).toBe('OK');
  expect(await client.ask(`vAttach;${ours.toString(16)}`)).toMatch(/^T05/);
  expect(await client.ask(`Z0,${hexAddress('function')},1`)).toBe('OK');
  for (let hits = 0; hits < 20; hits++) {
    expect(await client.ask('vCont;c')).toMatch(/^T05/);
    expect(await client.ask(`m${hexAddress('counter')},8`)).toMatch(/^[0-9a-f]{16}$/);
  }
  expect(resident(server.pid) - before).toBeLessThan(GROWTH);
  greedy.vanish();
  await eventually('the process is let go', () => tracer(theirs) === 0);
  await runs(theirs);
  expect(await client.ask('D')).toBe('OK');
  silent.vanish();
  client.vanish();
});

describe('ntrace serve: a client that vanishes', () => {
  test('leaves what it attached to run on clean, and kills what it started', async () => {
    const [server, port] = await serving();
    const pid = await victim();
    const client = await RawClient.quiet(port);
    await client.ask('qSupported:multiprocess+');
    expect(await client.ask('!')).toBe('OK');
    expect(await client.ask(`vAttach;${pid.toString(16)}`)).toMatch(/^T05/);
    for (const name of ['function', 'never', 'main'])
      expect(await client.ask(`Z0,${hexAddress(name)},1`)).toBe('OK');
    const run = await client.ask(`vRun;${hex(LARGE)}`);
    const started_ = parseInt(/thread:p([0-9a-f]+)\./.exec(run)?.[1] ?? '', 16);
    expect(tracer(started_)).toBe(server.pid);
    client.vanish();
    await eventually('the process is let go', () => tracer(pid) === 0);
    await eventually('the started one is gone', () => gone(started_));
    expect(pristine(pid)).toBe(true);
    await runs(pid);
    // and the next one finds it free
    const next = await RawClient.quiet(port);
    expect(await next.ask('!')).toBe('OK');
    expect(await next.ask(`vAttach;${pid.toString(16)}`)).toMatch(/^T05/);
    expect(await next.ask('D')).toBe('OK');
    next.vanish();
  });

  test('while its process runs through breakpoints leaves it clean', async () => {
    const [, port] = await serving();
    const pid = await victim();
    for (let round = 0; round < 10; round++) {
      const client = await RawClient.quiet(port);
      expect(await client.ask('!')).toBe('OK');
      expect(await client.ask(`vAttach;${pid.toString(16)}`)).toMatch(/^T05/);
      expect(await client.ask(`Z0,${hexAddress('function')},1`)).toBe('OK');
      for (let hits = 0; hits < round; hits++) await client.ask('c');
      client.packet('c');
      if (round % 2) client.vanish();
      else client.reset();
      await eventually('the process is let go', () => tracer(pid) === 0);
      expect(pristine(pid)).toBe(true);
      await runs(pid);
    }
  });
});
