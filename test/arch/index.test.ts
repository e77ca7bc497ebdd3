import { spawn } from 'node:child_process';
import { archOfElfHeader, archOfPid, i386, x86_64 } from '../../src/engine/arch';
import { native } from '../../src/native';

test('each architecture is described once', () => {
  expect(x86_64()).toBe(x86_64());
  expect(i386()).toBe(i386());
  expect(x86_64().name).toBe('i386:x86-64');
  expect(i386().name).toBe('i386');
});

test('the addon finds the legacy components on every machine with XSAVE', () => {
  const layout = native.xsaveLayout();
  if (layout === undefined) return;
  expect(layout.xcr0 & 3n).toBe(3n);
  expect(layout.size).toBeGreaterThanOrEqual(576);
  for (const { offset, size } of layout.components)
    expect(offset + size).toBeLessThanOrEqual(layout.size);
});

test('a process of this machine', async () => {
  expect(archOfPid(process.pid)).toBe(x86_64());
  const child = spawn('cat');
  expect(archOfPid(child.pid!)).toBe(x86_64());
  const gone = new Promise((resolve) => child.on('close', resolve));
  child.stdin.end();
  await gone;
  expect(archOfPid(child.pid!)).toBe(x86_64());
});

test('ELF headers', () => {
  const header = Buffer.alloc(64);
  header.write('\x7fELF\x01\x01\x01', 'latin1');
  header.writeUInt16LE(3, 18);
  expect(archOfElfHeader(header)).toBe(i386());
  expect(archOfElfHeader(header.subarray(0, 19))).toBe(x86_64());
  header.writeUInt16LE(62, 18); // x32: its registers are those of x86-64
  expect(archOfElfHeader(header)).toBe(x86_64());
  expect(archOfElfHeader(Buffer.from('#!/bin/sh, long enough for a header'))).toBe(x86_64());
});
