// Clients that go away at the worst moment, and the server and the program they leave.
import { spawn, type ChildProcess } from 'node:child_process';
import { ServerProcess } from '../gdb/support/server-process';
import { hex } from '../rsp/client';
import { RawClient } from './raw-client';
import { gone, hexAddress, LARGE, pristine, runs, stopped, tracer } from './watching';

const REOPENED =
  /Remote side has terminated connection\. {2}GDBserver will reopen the connection\.\nListening on port (\d+)\n/;

interface Way {
  name: string;
  /** Does what it does and is gone. */
  go(port: number): Promise<void>;
  /** The program ran when the client went. */
  running?: true;
}

async function breakpoints(client: RawClient): Promise<void> {
  for (const name of ['function', 'never', 'main'])
    expect(await client.ask(`Z0,${hexAddress(name)},1`)).toBe('OK');
}
const BIG_FILE = hex(process.execPath);

const WAYS: readonly Way[] = [
  {
    name: 'connects, says nothing and closes',
    go: async (port) => (await RawClient.connect(port)).vanish(),
  },
  {
    name: 'closes in the middle of a packet',
    async go(port) {
      const client = await RawClient.quiet(port);
      await breakpoints(client);
      client.send('$m40');
      client.vanish();
    },
  },
  {
    name: 'is reset in the middle of a packet',
    async go(port) {
      const client = await RawClient.quiet(port);
      await breakpoints(client);
      client.send(`$X${hexAddress('memory')},400000:${'x'.repeat(1 << 20)}`);
      client.reset();
    },
  },
  {
    name: 'closes while the program runs',
    running: true,
    async go(port) {
      const client = await RawClient.quiet(port);
      expect(await client.ask(`Z0,${hexAddress('never')},1`)).toBe('OK');
      expect(await client.ask(`Z2,${hexAddress('never')},4`)).toBe('OK');
      client.packet('z2');
      await client.reply();
      client.packet('vCont;c');
      client.vanish();
    },
  },
  {
    name: 'is reset while the program runs',
    running: true,
    async go(port) {
      const client = await RawClient.quiet(port);
      expect(await client.ask(`Z0,${hexAddress('never')},1`)).toBe('OK');
      client.packet('c');
      client.reset();
    },
  },
  {
    name: 'closes while a range is stepped',
    running: true,
    async go(port) {
      const client = await RawClient.quiet(port);
      expect(await client.ask(`Z0,${hexAddress('never')},1`)).toBe('OK');
      client.packet('vCont;r0,ffffffffffffffff');
      client.vanish();
    },
  },
  {
    name: 'closes while a non-stop program runs',
    running: true,
    async go(port) {
      const client = await RawClient.quiet(port);
      await client.ask('qSupported:multiprocess+;vContSupported+');
      expect(await client.ask('QNonStop:1')).toBe('OK');
      expect(await client.ask(`Z0,${hexAddress('never')},1`)).toBe('OK');
      expect(await client.ask('vCont;c')).toBe('OK');
      client.vanish();
    },
  },
  {
    name: 'closes while it is sent a file',
    async go(port) {
      const client = await RawClient.quiet(port);
      await breakpoints(client);
      const file = /^F(\d+)$/.exec(await client.ask(`vFile:open:${BIG_FILE},0,0`))?.[1];
      client.keeps = false;
      client.stopReading();
      for (let at = 0; at < 32; at++)
        client.packet(`vFile:pread:${file},100000,${(at << 20).toString(16)}`);
      client.readOn();
      await client.bytes(1 << 20);
      client.vanish();
    },
  },
  {
    name: 'closes before it acknowledged a reply',
    async go(port) {
      const client = await RawClient.connect(port);
      expect(await client.ask('qSupported')).toMatch(/^PacketSize/);
      client.packet(`Z0,${hexAddress('function')},1`);
      expect(await client.reply()).toBe('OK');
      client.vanish();
    },
  },
  {
    name: 'refuses a reply and is gone before it comes again',
    async go(port) {
      const client = await RawClient.connect(port);
      await client.ask(`m${hexAddress('memory')},1f0000`);
      client.send('-----');
      client.vanish();
    },
  },
  {
    name: 'closes its sending side only',
    async go(port) {
      const client = await RawClient.connect(port);
      client.packet('qAttached');
      client.halfClose();
      expect(await client.reply()).toBe('0');
      await client.end();
      client.vanish();
    },
  },
];

const servers: ServerProcess[] = [];
const children: ChildProcess[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop('SIGKILL');
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

async function start(...args: string[]): Promise<[ServerProcess, number, number]> {
  const server = ServerProcess.start([...args, '127.0.0.1:0', LARGE]);
  servers.push(server);
  const port = await server.port();
  return [server, port, Number(/created; pid = (\d+)/.exec(server.stderr)?.[1])];
}

describe.each(WAYS)('a client that $name', ({ go, running }) => {
  test('ends a --once server in good order, and the program with it', async () => {
    const [server, port, pid] = await start('--once');
    await go(port);
    expect(await server.end()).toBe(0);
    expect(gone(pid)).toBe(true);
  });

  test('leaves the program to the next client without its breakpoints', async () => {
    const [server, port, pid] = await start();
    await go(port);
    const again = await server.says(REOPENED);
    expect(again?.[1]).toBe(String(port));
    expect(pristine(pid)).toBe(true);
    if (running) await runs(pid);
    else expect(stopped(pid)).toBe(true);

    const next = await RawClient.connect(port);
    expect(await next.ask('qSupported:multiprocess+;swbreak+')).toMatch(/^PacketSize/);
    expect(await next.ask('?')).toMatch(
      new RegExp(`^T[0-9a-f]{2}.*thread:p${pid.toString(16)}\\.`),
    );
    expect(stopped(pid)).toBe(true);
    // it is whole: it can be debugged as ever
    expect(await next.ask(`Z0,${hexAddress('function')},1`)).toBe('OK');
    expect(await next.ask('vCont;c')).toMatch(/^T05.*swbreak/);
    next.packet('k');
    expect(await server.end()).toBe(0);
    expect(gone(pid)).toBe(true);
  });
});

test('the last client of a --multi server goes: the server stays, what it attached runs on', async () => {
  const child = spawn(LARGE, { stdio: 'ignore' });
  children.push(child);
  const pid = child.pid!;
  await runs(pid);
  const server = ServerProcess.start(['--multi', '127.0.0.1:0']);
  servers.push(server);
  const port = await server.port();
  const client = await RawClient.quiet(port);
  expect(await client.ask('!')).toBe('OK');
  expect(await client.ask(`vAttach;${pid.toString(16)}`)).toMatch(/^T05/);
  await breakpoints(client);
  expect(await client.ask('QCatchSyscalls:1')).toBe('OK');
  client.packet('z0,' + hexAddress('function') + ',1');
  await client.reply();
  client.packet('c');
  client.vanish();
  await server.says(REOPENED);
  await runs(pid);
  expect(pristine(pid)).toBe(true);
  expect(tracer(pid)).toBe(server.pid);
  const next = await RawClient.quiet(port);
  expect(await next.ask('!')).toBe('OK');
  expect(await next.ask('?')).toMatch(/^T/);
  expect(await next.ask('D')).toBe('OK');
  await runs(pid);
  expect(tracer(pid)).toBe(0);
});

test('a process whose system calls were caught ends, then the client does: the server stays', async () => {
  const server = ServerProcess.start(['--multi', '127.0.0.1:0']);
  servers.push(server);
  const port = await server.port();
  const client = await RawClient.quiet(port);
  expect(await client.ask('!')).toBe('OK');
  expect(await client.ask(`vRun;${hex('/bin/true')}`)).toMatch(/^T05/);
  expect(await client.ask('QCatchSyscalls:1;ffff')).toBe('OK');
  expect(await client.ask('vCont;c')).toMatch(/^W00/);
  client.vanish();
  await server.says(REOPENED);
  const next = await RawClient.quiet(port);
  expect(await next.ask('qSupported')).toMatch(/^PacketSize/);
  next.vanish();
});
