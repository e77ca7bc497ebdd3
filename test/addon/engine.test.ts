// What the addon itself does for engines; the calls of a provider are the contract suite's.
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { native, READY_READ } from '../../src/native';

const EBADF = -9;
const EINVAL = -22;
const ENOTTY = -25;
// _IOC_SIZE is 16: a record that short must not reach the kernel
const REQUEST = 0xc010e700;

let dir: string;
beforeAll(() => (dir = mkdtempSync(path.join(os.tmpdir(), 'ntrace-'))));
afterAll(() => rmSync(dir, { recursive: true }));

test('a control file that is not there names the module', () => {
  expect(() => native.openControl(path.join(dir, 'control'))).toThrow(
    expect.objectContaining({ code: 'ENOENT', message: expect.stringMatching(/module/) }),
  );
});

test('calls reach the file, with a record as long as the request says', () => {
  const engine = native.openControl('/dev/null');
  expect(engine.ioctl(REQUEST, new Uint8Array(16))).toBe(ENOTTY);
  expect(engine.ioctl(REQUEST, new Uint8Array(15))).toBe(EINVAL);
  expect(engine.read(new Uint8Array(8))).toBe(0);
  engine.close();
  engine.close();
  expect(engine.ioctl(REQUEST, new Uint8Array(16))).toBe(EBADF);
  expect(engine.read(new Uint8Array(8))).toBe(EBADF);
  expect(engine.wait(0)).toBe(false);
});

test('an engine with a descriptor is a source', () => {
  const reactor = new native.Reactor();
  const engine = native.openControl('/dev/ptmx'); // pollable, nothing to read
  const source = reactor.addEngine(engine);
  expect(reactor.turn(0)).toBe(0);
  reactor.close(source);
  engine.close();
  expect(source).toBeGreaterThan(0);
  expect(READY_READ).toBe(1);
});

test('addEngine takes engines only', () => {
  const reactor = new native.Reactor();
  for (const value of [undefined, {}, reactor])
    expect(() => reactor.addEngine(value as never)).toThrow(/NativeEngine/);
});
