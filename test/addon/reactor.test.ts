import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import net from 'node:net';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';
import { native, READY_SIGNAL, READY_TIMER } from '../../src/native';
import { Loop } from './support/loop';
import { program, runScript, startNode } from './support/program';

const TIMER = 0; // the source that tells timer and signals

describe('the timer', () => {
  test('fires once, not early, fractions counted', () => {
    const reactor = new native.Reactor();
    for (const ms of [0, 0.4, 5.5]) {
      reactor.setTimer(ms);
      const began = process.hrtime.bigint();
      expect(reactor.turn(2000)).toBe(1);
      expect(Number(process.hrtime.bigint() - began) / 1e6).toBeGreaterThanOrEqual(ms * 0.98);
      expect([...reactor.ready.subarray(0, 2)]).toEqual([TIMER, READY_TIMER]);
      expect(reactor.turn(0)).toBe(0);
    }
  });

  test('is cancelled by a negative time, replaced by another', () => {
    const reactor = new native.Reactor();
    reactor.setTimer(1);
    reactor.setTimer(-1);
    expect(reactor.turn(5)).toBe(0);
    reactor.setTimer(60_000);
    reactor.setTimer(1);
    expect(reactor.turn(2000)).toBe(1);
  });

  test('fires while the reactor is started', async () => {
    const loop = new Loop();
    loop.reactor.setTimer(3);
    expect(await loop.next(TIMER)).toBe(READY_TIMER);
    loop.reactor.stop();
  });
});

test('turn() waits no longer than asked', () => {
  const reactor = new native.Reactor();
  const began = Date.now();
  expect(reactor.turn(20)).toBe(0);
  expect(Date.now() - began).toBeGreaterThanOrEqual(19);
});

describe('libuv goes on', () => {
  let loop: Loop;
  let stop: () => void;
  let overtaken = 0;
  let overtaking = (): number => 0;

  // A client in another process keeps the reactor busy all the time.
  beforeEach(async () => {
    loop = new Loop();
    const listener = loop.reactor.listenTcp('127.0.0.1', 0);
    const port = String(loop.reactor.port(listener));
    const child = execFile(process.execPath, [program('ping'), port, '100000000']);
    const { id } = await loop.client(listener);
    let turns = 0;
    const warm = new Promise<void>((resolve) => {
      const buf = new Uint8Array(64);
      loop.on(id, () => {
        const got = loop.reactor.read(id, buf, 0, 64);
        if (got > 0) loop.reactor.write(id, buf, 0, got);
        overtaken += overtaking();
        if (++turns === 100) resolve();
      });
    });
    await warm;
    stop = () => {
      child.kill('SIGKILL');
      loop.reactor.close(id);
      loop.reactor.close(listener);
      loop.reactor.stop();
    };
  });
  afterEach(() => stop());

  test('timers, at their time', async () => {
    for (let ticks = 0; ticks < 20; ticks++) {
      const due = performance.now() + 10;
      // turns that came between, although the timer was due
      overtaking = () => (performance.now() > due + 2 ? 1 : 0);
      overtaken = 0;
      await new Promise((resolve) => setTimeout(resolve, 10));
      expect(performance.now()).toBeGreaterThanOrEqual(due - 1);
      expect(overtaken).toBeLessThan(5);
    }
  });

  test('immediates, files, processes, sockets, unreferenced immediates', async () => {
    await new Promise((resolve) => setImmediate(resolve));
    expect(await readFile('/proc/self/comm', 'latin1')).toMatch(/\n/);
    const { stdout } = await promisify(execFile)('echo', ['text']);
    expect(stdout).toBe('text\n');
    const server = net.createServer((socket) => socket.end('hello')).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const socket = net.connect((server.address() as net.AddressInfo).port, '127.0.0.1');
    expect(String((await once(socket, 'data'))[0])).toBe('hello');
    server.close();
    await new Promise((resolve) => setImmediate(resolve).unref());
  });

  test('promises and ticks of a callback run before the next turn', async () => {
    const order: string[] = [];
    loop.reactor.setTimer(0);
    await new Promise<void>((resolve) => {
      loop.on(TIMER, () => {
        process.nextTick(() => order.push('tick'));
        void Promise.resolve().then(() => order.push('promise'));
        order.push('turn');
        if (order.length > 3) resolve();
        else loop.reactor.setTimer(0);
      });
    });
    expect(order.slice(0, 4)).toEqual(['turn', 'tick', 'promise', 'turn']);
  });
});

describe('the process', () => {
  test('ends when the reactor is stopped, sources open or not', async () => {
    const { out, how } = await runScript(`
      const r = new native.Reactor();
      r.listenTcp('127.0.0.1', 0);
      r.start(() => { console.log('turn'); r.stop(); });
      r.setTimer(5);`);
    expect({ out, how }).toEqual({ out: 'turn\n', how: 0 });
  });

  test('lives while it is started, even without sources', async () => {
    const { out, how } = await runScript(`
      const r = new native.Reactor();
      r.start(() => {});
      setTimeout(() => { console.log('alive'); r.stop(); }, 20).unref();`);
    expect({ out, how }).toEqual({ out: 'alive\n', how: 0 });
  });

  test('gets what a callback throws as an uncaught exception', async () => {
    const { err, how } = await runScript(`
      const r = new native.Reactor();
      r.start(() => { throw new Error('from the callback'); });
      r.setTimer(0);`);
    expect(err).toMatch(/Error: from the callback/);
    expect(how).toBe(1);
  });

  test('goes on when it handles that', async () => {
    const { out, how } = await runScript(`
      const r = new native.Reactor();
      let turns = 0;
      process.on('uncaughtException', (e) => console.log(e.message));
      r.start(() => {
        turns++;
        if (turns === 3) r.stop();
        else r.setTimer(0);
        throw new Error('number ' + turns);
      });
      r.setTimer(0);`);
    expect({ out, how }).toEqual({ out: 'number 1\nnumber 2\nnumber 3\n', how: 0 });
  });

  test('can be left from within a callback', async () => {
    const { how } = await runScript(`
      const r = new native.Reactor();
      r.start(() => process.exit(7));
      r.setTimer(0);`);
    expect(how).toBe(7);
  });

  test('keeps nothing of reactors that are garbage', async () => {
    const { out, how } = await runScript(`
      const fds = () => require('fs').readdirSync('/proc/self/fd').length;
      const before = fds();
      require('v8').setFlagsFromString('--expose-gc');
      const gc = require('vm').runInNewContext('gc');
      for (let i = 0; i < 50; i++) {
        const r = new native.Reactor();
        r.listenTcp('127.0.0.1', 0);
        r.start(() => {});
        r.stop();
      }
      gc();
      setImmediate(() => { gc(); setImmediate(() => console.log(fds() - before)); });`);
    expect({ out: Number(out) <= 2, how }).toEqual({ out: true, how: 0 });
  });

  test('gives up a worker whose reactor waits', async () => {
    const script = `
      const { native } = require(${JSON.stringify(require.resolve('../../src/native'))});
      const r = new native.Reactor();
      r.listenTcp('127.0.0.1', 0);
      r.start(() => {});
      require('worker_threads').parentPort.postMessage('waiting');`;
    const worker = new Worker(script, { eval: true });
    await once(worker, 'message');
    expect(await worker.terminate()).toBe(1);
  });
});

test('two reactors of one thread both make progress', async () => {
  const [a, b] = [new Loop(), new Loop()];
  const listener = a.reactor.listenTcp('127.0.0.1', 0);
  const client = b.reactor.connectTcp('127.0.0.1', a.reactor.port(listener));
  const { id } = await a.client(listener);
  const echoed = a.echo(id);
  b.send(client, 'text');
  await b.next(client);
  const buf = new Uint8Array(8);
  expect(b.reactor.read(client, buf, 0, 8)).toBe(4);
  b.reactor.close(client);
  await echoed;
  a.reactor.close(listener);
  a.reactor.stop();
  b.reactor.stop();
});

describe('signals', () => {
  test('are told instead of their default action', async () => {
    const { child, ended } = await startNode([program('echo'), 'tcp']);
    child.kill('SIGTERM');
    expect(await ended).toBe(0);
  });

  test('are taken one by one', () => {
    const reactor = new native.Reactor();
    reactor.watchSignals([10, 12]);
    expect(reactor.takeSignal()).toBe(0);
    process.kill(process.pid, 12);
    process.kill(process.pid, 10);
    expect(reactor.turn(1000)).toBe(1);
    expect([...reactor.ready.subarray(0, 2)]).toEqual([TIMER, READY_SIGNAL]);
    expect([reactor.takeSignal(), reactor.takeSignal(), reactor.takeSignal()]).toEqual([10, 12, 0]);
    expect(reactor.turn(0)).toBe(0);
    for (const bad of [0, 65, 9]) expect(() => reactor.watchSignals([bad])).toThrow(/EINVAL/);
  });
});

test('round trips over TCP (printed, not judged: other work shares the machine)', async () => {
  const { child, line, ended } = await startNode([program('echo'), 'tcp']);
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [program('ping'), line, '5000']);
    process.stdout.write(`    echo round trip: ${stdout}`);
    expect(stdout).toMatch(/^p5 /);
  } finally {
    child.kill('SIGTERM');
  }
  expect(await ended).toBe(0);
});
