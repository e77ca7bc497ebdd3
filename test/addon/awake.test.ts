// Processors are kept from sleep while something comes and goes, and no longer.
import { closeSync, existsSync, openSync, readFileSync, readSync } from 'node:fs';
import net from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { root, testIf } from '../gdb/support/needs';
import { Loop } from './support/loop';

const DEVICE = '/dev/cpu_dma_latency';
const AWAKE = 0;
const DRIVER = '/sys/devices/system/cpu/cpuidle/current_driver';
/** Why nobody can keep the processors here from sleep. */
function missing(): string {
  if (root()) return root();
  if (!existsSync(DEVICE)) return `no ${DEVICE} here`;
  const driver = existsSync(DRIVER) ? readFileSync(DRIVER, 'utf8').trim() : 'none';
  return driver === 'none' ? 'no cpuidle driver here that would listen' : '';
}

/** What the kernel keeps to now, of all wishes: microseconds. */
function latency(): number {
  const value = Buffer.alloc(4);
  const fd = openSync(DEVICE, 'r');
  try {
    readSync(fd, value, 0, 4, 0);
  } finally {
    closeSync(fd);
  }
  return value.readInt32LE();
}

/** Looked at again and again: nobody tells of it. */
async function untilAsleep(): Promise<void> {
  while (latency() === AWAKE) await setTimeout(2);
}

let loop: Loop;
let client: net.Socket;

/** A client sends a byte; the latency when the reactor tells of it. */
async function busy(): Promise<number> {
  const listener = loop.reactor.listenTcp('127.0.0.1', 0);
  client = net.connect(loop.reactor.port(listener), '127.0.0.1');
  const stream = (await loop.client(listener)).id;
  const buf = new Uint8Array(1);
  client.write('x');
  return new Promise((resolve) =>
    loop.on(stream, () => {
      resolve(latency());
      // read, or it would be told again and again
      if (loop.reactor.read(stream, buf, 0, 1) === 0) loop.reactor.close(stream);
    }),
  );
}

beforeEach(() => {
  loop = new Loop();
});
afterEach(() => {
  loop.reactor.stop();
  client.destroy();
});

testIf(missing())('while a client is busy, until it is not', async () => {
  await untilAsleep();
  expect(await busy()).toBe(AWAKE);
  client.destroy();
  await untilAsleep();
});

testIf(missing())('no longer than the reactor is started', async () => {
  expect(await busy()).toBe(AWAKE);
  loop.reactor.stop();
  expect(latency()).toBeGreaterThan(AWAKE);
});

testIf(missing())('not where it was told to let them sleep', async () => {
  await untilAsleep();
  loop.reactor.letSleep();
  expect(await busy()).toBeGreaterThan(AWAKE);
});
