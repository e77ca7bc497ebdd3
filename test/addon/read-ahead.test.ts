// Events that are taken from a control file by a thread of the addon's own; a FIFO stands for the file.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { EVENT } from '../../src/engine/channel/records';
import { native, READY_READ, type NativeEngine } from '../../src/native';

const BATCH = 25; // records: less than PIPE_BUF bytes, which are written whole or not at all
const MORE_THAN_A_FIFO = 4 * 2 ** 20; // bytes
const QUIET_MS = 300;

let dir: string;
let engine: NativeEngine;
let fifo: number;

beforeEach(() => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), 'ntrace-'));
  const file = path.join(dir, 'control');
  execFileSync('mkfifo', [file]);
  engine = native.openControl(file);
  fifo = fs.openSync(file, fs.constants.O_WRONLY | fs.constants.O_NONBLOCK);
});
afterEach(() => {
  engine.close();
  fs.closeSync(fifo);
  fs.rmSync(dir, { recursive: true });
});

let made: number;
beforeEach(() => (made = 0));

/** Writes one batch of numbered records. False: there is no room for it now. */
function make(): boolean {
  const batch = Buffer.alloc(BATCH * EVENT.size);
  for (let i = 0; i < BATCH; i++) {
    batch.writeUInt32LE(EVENT.size, i * EVENT.size);
    batch.writeBigUInt64LE(BigInt(made + i), i * EVENT.size + EVENT.at.addr);
  }
  try {
    fs.writeSync(fifo, batch);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
    return false;
  }
  made += BATCH;
  return true;
}

/** Makes records until that many bytes are gone, or nobody took any for a while. */
function makeUntil(bytes: number): void {
  let last = Date.now();
  while (made * EVENT.size < bytes && Date.now() - last < QUIET_MS) if (make()) last = Date.now();
}

/** The numbers of all records that are there. */
function take(): number[] {
  const numbers: number[] = [];
  const buf = Buffer.alloc(100 * EVENT.size + 1); // not a whole number of them
  while (numbers.length < made && engine.wait(1000)) {
    const got = engine.read(buf);
    expect(got % EVENT.size).toBe(0);
    for (let at = 0; at < got; at += EVENT.size)
      numbers.push(Number(buf.readBigUInt64LE(at + EVENT.at.addr)));
  }
  return numbers;
}

test('what nobody reads is kept, whole and in order', () => {
  expect(engine.readAhead(2 ** 29)).toBe(0);
  makeUntil(MORE_THAN_A_FIFO);
  expect(made * EVENT.size).toBeGreaterThanOrEqual(MORE_THAN_A_FIFO);
  expect(take()).toEqual(Array.from({ length: made }, (_, i) => i));
  expect(engine.wait(0)).toBe(false);
});

test('without that it stays in the file', () => {
  makeUntil(MORE_THAN_A_FIFO);
  expect(made * EVENT.size).toBeLessThan(2 ** 17);
});

test('no more is kept than was said; the rest comes once there is room', () => {
  expect(engine.readAhead(1000 * EVENT.size)).toBe(0);
  makeUntil(MORE_THAN_A_FIFO);
  expect(made * EVENT.size).toBeLessThan(2 ** 20);
  expect(take()).toEqual(Array.from({ length: made }, (_, i) => i));
});

test('who sleeps is told', () => {
  const reactor = new native.Reactor();
  expect(engine.readAhead(2 ** 20)).toBe(0);
  const source = reactor.addEngine(engine);
  expect(reactor.turn(0)).toBe(0);
  make();
  expect(reactor.turn(10_000)).toBe(1);
  expect([...reactor.ready.subarray(0, 2)]).toEqual([source, READY_READ]);
  reactor.close(source);
});

test('it ends with the engine, and is not to be had after it', () => {
  expect(engine.readAhead(-1)).toBe(-22);
  expect(engine.readAhead(2 ** 20)).toBe(0);
  engine.close();
  expect(engine.readAhead(2 ** 20)).toBe(-9);
  expect(engine.read(new Uint8Array(EVENT.size))).toBe(-9);
});
