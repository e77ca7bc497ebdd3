import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { native, READY_DRAINED, READY_HANGUP, READY_READ } from '../../src/native';
import { Loop } from './support/loop';
import { runScript } from './support/program';

let dir: string;
let loop: Loop;
beforeEach(() => {
  dir = mkdtempSync(path.join(os.tmpdir(), 'ntrace-'));
  loop = new Loop();
});
afterEach(() => {
  loop.reactor.stop();
  rmSync(dir, { recursive: true });
});

function text(socket: net.Socket): Promise<string> {
  return new Promise((resolve, reject) => {
    let all = '';
    socket.on('data', (data) => (all += data.toString('latin1')));
    socket.on('end', () => resolve(all));
    socket.on('error', reject);
  });
}

async function tcpPair(): Promise<{ id: number; socket: net.Socket }> {
  const listener = loop.reactor.listenTcp('127.0.0.1', 0);
  const socket = net.connect(loop.reactor.port(listener), '127.0.0.1');
  const [{ id }] = await Promise.all([loop.client(listener), once(socket, 'ready')]);
  loop.reactor.close(listener);
  return { id, socket };
}

describe('TCP', () => {
  test.each(['127.0.0.1', '::1', '[::1]', 'localhost', '0.0.0.0', '::'])('on %s', async (host) => {
    const listener = loop.reactor.listenTcp(host, 0);
    const v6 = host.includes('::');
    const socket = net.connect(loop.reactor.port(listener), v6 ? '::1' : '127.0.0.1');
    const { id, peer, host: from } = await loop.client(listener);
    expect(from).toBe(v6 ? '::1' : '127.0.0.1');
    expect(peer).toBe(`${v6 ? '[::1]' : '127.0.0.1'}:${socket.localPort}`);
    expect(loop.reactor.accept(listener)).toBeUndefined();
    const echoed = loop.echo(id);
    socket.end('a\0\u00ffb', 'latin1');
    expect(await text(socket)).toBe('a\0\u00ffb');
    await echoed;
    loop.reactor.close(listener);
  });

  test('errors have codes and remedies', async () => {
    const listener = loop.reactor.listenTcp('127.0.0.1', 0);
    const port = loop.reactor.port(listener);
    const failure = (call: () => unknown): unknown => {
      try {
        return call();
      } catch (e) {
        return (e as NodeJS.ErrnoException).code;
      }
    };
    const r = loop.reactor;
    expect(failure(() => r.listenTcp('127.0.0.1', port))).toBe('EADDRINUSE');
    expect(() => r.listenTcp('127.0.0.1', port)).toThrow(/another program has this port/);
    expect(failure(() => r.listenTcp('192.0.2.1', 0))).toBe('EADDRNOTAVAIL');
    expect(failure(() => r.listenTcp('no.such.host.invalid', 0))).toBe('ENOTFOUND');
    expect(failure(() => r.listenTcp('127.0.0.1', 65536))).toBe('EINVAL');
    expect(failure(() => r.listenTcp('', 0))).toBe('EINVAL');
    r.close(listener);
    expect(failure(() => r.connectTcp('127.0.0.1', port))).toBe('ECONNREFUSED');
  });

  test('as a client', async () => {
    const server = net.createServer((socket) => socket.end('hello')).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as net.AddressInfo;
    const id = loop.reactor.connectTcp('localhost', port);
    expect(await loop.all(id)).toBe('hello');
    loop.reactor.close(id);
    server.close();
  });

  test('a paused listener lets clients wait', async () => {
    const listener = loop.reactor.listenTcp('127.0.0.1', 0);
    loop.reactor.pause(listener, true);
    const socket = net.connect(loop.reactor.port(listener), '127.0.0.1');
    await once(socket, 'ready');
    loop.reactor.stop();
    expect(loop.reactor.turn(0)).toBe(0);
    loop.reactor.pause(listener, false);
    expect(loop.reactor.turn(1000)).toBe(1);
    const client = loop.reactor.accept(listener);
    expect(client).toBeDefined();
    loop.reactor.close(client?.id ?? 0);
    loop.reactor.close(listener);
    socket.destroy();
  });

  test('a port can be taken again at once', async () => {
    const { id, socket } = await tcpPair();
    const listener = loop.reactor.listenTcp('127.0.0.1', socket.remotePort as number);
    loop.reactor.close(id);
    loop.reactor.close(listener);
    socket.destroy();
  });
});

test('64 MiB to a slow reader: queued, drained, complete', async () => {
  const { id, socket } = await tcpPair();
  socket.pause();
  const payload = new Uint8Array(64 << 20);
  for (let i = 0; i < payload.length; i++) payload[i] = (i * 7) ^ (i >> 11);
  const queued = loop.reactor.write(id, payload, 0, payload.length);
  expect(queued).toBeGreaterThan(48 << 20);
  expect(loop.reactor.write(id, Buffer.from('end'), 0, 3)).toBe(queued + 3);

  let crc = 0xffffffff;
  let length = 0;
  let last = Buffer.alloc(0);
  socket.on('data', (data) => {
    crc = native.crc32(crc, data, 0, data.length);
    length += data.length;
    last = data;
    socket.pause(); // a pass through libuv for each piece
    setImmediate(() => socket.resume());
  });
  socket.resume();
  expect(await loop.next(id, READY_DRAINED)).toBe(READY_DRAINED);
  loop.reactor.close(id);
  await once(socket, 'end');
  expect(length).toBe(payload.length + 3);
  expect(last.subarray(-3).toString()).toBe('end');
  const wanted = native.crc32(0xffffffff, payload, 0, payload.length);
  expect(crc).toBe(native.crc32(wanted, Buffer.from('end'), 0, 3));
});

/** Milliseconds of the quickest of some tries: others may take the processor in one, not in all. */
async function quickest(limit: number, attempt: () => Promise<number>): Promise<number> {
  let best = Infinity;
  for (let tries = 0; tries < 5 && best >= limit; tries++) best = Math.min(best, await attempt());
  return best;
}

test('close waits half a second for a reader, not more', async () => {
  const took = await quickest(1000, async () => {
    const { id, socket } = await tcpPair();
    socket.pause();
    loop.reactor.write(id, new Uint8Array(32 << 20), 0, 32 << 20);
    const began = Date.now();
    loop.reactor.close(id);
    const ms = Date.now() - began;
    expect(ms).toBeGreaterThanOrEqual(490);
    loop.reactor.close(id);
    socket.destroy();
    return ms;
  });
  expect(took).toBeLessThan(1000);
});

test('what was written before close arrives although input was not read', async () => {
  const { id, socket } = await tcpPair();
  socket.write('unread');
  await loop.next(id, READY_READ);
  loop.send(id, 'last words');
  loop.reactor.close(id);
  expect(await text(socket)).toBe('last words');
});

describe('a peer that is gone', () => {
  test('reset: read tells 0, write -1, and it is told once', async () => {
    const { id, socket } = await tcpPair();
    socket.resetAndDestroy();
    expect((await loop.next(id)) & READY_HANGUP).toBe(READY_HANGUP);
    const buf = new Uint8Array(8);
    expect(loop.reactor.read(id, buf, 0, 8)).toBe(0);
    expect(loop.reactor.read(id, buf, 0, 8)).toBe(0);
    expect(loop.send(id, 'x')).toBe(-1);
    expect(loop.send(id, 'x')).toBe(-1);
    loop.reactor.stop();
    loop.reactor.turn(0); // what was under way
    expect(loop.reactor.turn(0)).toBe(0);
    loop.reactor.close(id);
  });

  test('in the middle of our output', async () => {
    const took = await quickest(400, async () => {
      const { id, socket } = await tcpPair();
      expect(loop.reactor.write(id, new Uint8Array(32 << 20), 0, 32 << 20)).toBeGreaterThan(0);
      socket.resetAndDestroy();
      expect((await loop.next(id, READY_HANGUP)) & READY_DRAINED).toBe(0);
      expect(loop.send(id, 'x')).toBe(-1);
      const began = Date.now();
      loop.reactor.close(id);
      return Date.now() - began;
    });
    expect(took).toBeLessThan(400);
  });

  test('while paused, with data not read yet: a failed write ends the pause', async () => {
    const { id, socket } = await tcpPair();
    loop.reactor.pause(id, true);
    socket.write('some data', () => socket.destroy());
    await loop.next(id, READY_HANGUP);
    while (loop.send(id, 'x') !== -1); // the answer to the first is a reset
    const buf = new Uint8Array(64);
    for (const [wanted, got] of [
      [4, 4],
      [64, 5],
      [64, 0],
    ] as const) {
      await loop.next(id, READY_READ);
      expect(loop.reactor.read(id, buf, 0, wanted)).toBe(got);
    }
    loop.reactor.close(id);
  });

  test('half closed: its data comes first, and it can still be answered', async () => {
    const { id, socket } = await tcpPair();
    socket.end('question');
    expect(await loop.all(id)).toBe('question');
    loop.send(id, 'answer');
    loop.reactor.close(id);
    expect(await text(socket)).toBe('answer');
  });

  test('while paused: the hangup is told, once', async () => {
    const { id, socket } = await tcpPair();
    loop.reactor.pause(id, true);
    const hangup = loop.next(id);
    socket.write('data that nobody reads yet', () => socket.destroy());
    expect((await hangup) & READY_READ).toBe(0);
    loop.reactor.stop();
    loop.reactor.turn(0);
    expect(loop.reactor.turn(0)).toBe(0);
    loop.reactor.pause(id, false);
    expect(loop.reactor.turn(0)).toBe(1);
    const buf = new Uint8Array(64);
    const got = loop.reactor.read(id, buf, 0, 64);
    expect(Buffer.from(buf.subarray(0, got)).toString()).toBe('data that nobody reads yet');
    expect(loop.reactor.read(id, buf, 0, 64)).toBe(0);
    loop.reactor.close(id);
  });
});

test('calls on a closed or unknown source do nothing', () => {
  const buf = new Uint8Array(4);
  const listener = loop.reactor.listenTcp('127.0.0.1', 0);
  loop.reactor.close(listener);
  for (const id of [listener, 0, -1, 77, 2 ** 31 - 1]) {
    expect(loop.reactor.read(id, buf, 0, 4)).toBe(0);
    expect(loop.reactor.write(id, buf, 0, 4)).toBe(-1);
    expect(loop.reactor.accept(id)).toBeUndefined();
    expect(loop.reactor.port(id)).toBe(0);
    loop.reactor.pause(id, true);
    loop.reactor.close(id);
  }
  expect(() => loop.reactor.read(1, buf, 2, 3)).toThrow(/outside argument 2/);
  const again = loop.reactor.listenTcp('127.0.0.1', 0);
  expect(again).not.toBe(listener); // a stale number never means another source
  loop.reactor.close(again);
});

describe('Unix sockets', () => {
  test('have their mode, name the peer, and go with the listener', async () => {
    const file = path.join(dir, 'socket');
    const listener = loop.reactor.listenUnix(file, 0o640);
    expect(statSync(file).mode & 0o777).toBe(0o640);
    const socket = net.connect(file);
    const { id, peer } = await loop.client(listener);
    expect(peer).toBe(`unix:pid=${process.pid},uid=${process.getuid?.()}`);
    const echoed = loop.echo(id);
    socket.end('text');
    expect(await text(socket)).toBe('text');
    await echoed;
    loop.reactor.close(listener);
    expect(existsSync(file)).toBe(false);
  });

  test('replace a stale file, nothing else', () => {
    const file = path.join(dir, 'socket');
    const stale = loop.reactor.listenUnix(file, 0o600);
    expect(() => loop.reactor.listenUnix(file, 0o600)).toThrow(/EADDRINUSE/);
    rmSync(file);
    loop.reactor.close(stale);
    const script = `require('net').createServer().listen(${JSON.stringify(file)}, () =>
      process.kill(process.pid, 9))`;
    spawnSync(process.execPath, ['-e', script]);
    expect(existsSync(file)).toBe(true);
    const listener = loop.reactor.listenUnix(file, 0o600);
    const client = loop.reactor.connectUnix(file);
    loop.reactor.close(client);
    loop.reactor.close(listener);
    expect(existsSync(file)).toBe(false);
    writeFileSync(file, 'precious');
    expect(() => loop.reactor.listenUnix(file, 0o600)).toThrow(/EADDRINUSE/);
    expect(existsSync(file)).toBe(true);
  });

  test('go when the process just exits', async () => {
    const file = path.join(dir, 'socket');
    const { out } = await runScript(`
      new native.Reactor().listenUnix(${JSON.stringify(file)}, 0o600);
      console.log(require('fs').existsSync(${JSON.stringify(file)}));
      process.exit(0);`);
    expect(out).toBe('true\n');
    expect(existsSync(file)).toBe(false);
  });

  test('a path that is too long is said so', () => {
    expect(() => loop.reactor.listenUnix('/tmp/'.padEnd(108, 'x'), 0o600)).toThrow(/ENAMETOOLONG/);
    expect(() => loop.reactor.connectUnix(path.join(dir, 'none'))).toThrow(/ENOENT/);
  });
});
