import { Call } from '../../src/engine/channel/calls';
import { MEM, MEMVEC } from '../../src/engine/channel/records';
import { E } from '../support/errno';
import { field, record, records } from '../support/raw';
import { contract } from './contract';

/** More than a provider writes at once. */
const MUCH = 1 << 20;
const INT3 = 0xcc;

contract('memory', (row) => {
  row('is read and written at any offset of the caller’s buffer', (scene) => {
    const engine = scene.engine();
    const subject = scene.start('signals');
    const { pid } = subject;
    engine.attach(pid, { stop: true });
    const addr = subject.address('handled');
    const ours = Buffer.alloc(64, 0xee);
    ours.writeBigUInt64LE(0x0102030405060708n, 24);
    expect(engine.writeMemory(pid, addr, ours, 24, 8)).toBe(8);
    expect(subject.read('handled')).toBe(0x0102030405060708n);
    const back = Buffer.alloc(32, 0x11);
    expect(engine.readMemory(pid, addr, back, 3, 8)).toBe(8);
    expect(back.readBigUInt64LE(3)).toBe(0x0102030405060708n);
    expect([back[2], back[11]]).toEqual([0x11, 0x11]);
    expect(engine.readMemory(pid, addr, back, 0, 0)).toBe(0);
  });

  row('a running process’s memory is there too', (scene) => {
    const engine = scene.engine();
    const subject = scene.start('spin');
    engine.attach(subject.pid);
    const out = Buffer.alloc(8);
    engine.readMemory(subject.pid, subject.address('counter'), out, 0, 8);
    const before = out.readBigUInt64LE();
    scene.until('it grows', () => {
      engine.readMemory(subject.pid, subject.address('counter'), out, 0, 8);
      return out.readBigUInt64LE() > before;
    });
  });

  row('text is written although it is read only', (scene) => {
    const engine = scene.engine();
    const subject = scene.start('calls');
    const { pid } = subject;
    engine.attach(pid, { stop: true });
    const site = subject.address('function');
    const nops = Buffer.from([0x90, 0x90]);
    expect(engine.writeMemory(pid, site, nops, 0, 2)).toBe(2);
    expect(subject.memory(site, 2)).toEqual(nops);
    engine.resume([{ pid, tid: -1, kind: 'cont' }]);
    scene.grows(subject, 'counter');
  });

  row('much that is written over breakpoints is there, and so are they', (scene) => {
    const engine = scene.engine();
    const subject = scene.start('large');
    const { pid } = subject;
    engine.attach(pid, { stop: true });
    const start = subject.address('memory');
    const places = [0, 5000, 300_001, MUCH - 1];
    const bytes = Buffer.from(Uint8Array.from({ length: MUCH }, (_, i) => i * 13 + (i >> 8)));
    const trapped = Buffer.from(bytes);
    const seen = Buffer.alloc(MUCH);
    for (const place of places) {
      engine.insertBreakpoint(pid, 0, start + BigInt(place), 1);
      trapped[place] = INT3;
    }
    expect(engine.writeMemory(pid, start, bytes, 0, MUCH)).toBe(MUCH);
    expect(engine.readMemory(pid, start, seen, 0, MUCH)).toBe(MUCH);
    expect(seen.equals(bytes)).toBe(true);
    expect(subject.memory(start, MUCH).equals(trapped)).toBe(true);
    for (const place of places) engine.removeBreakpoint(pid, 0, start + BigInt(place), 1);
    expect(subject.memory(start, MUCH).equals(bytes)).toBe(true);
  });

  row('ends where the mapping ends', (scene) => {
    const engine = scene.engine();
    const subject = scene.start('spin');
    const { pid } = subject;
    engine.attach(pid);
    const out = Buffer.alloc(1 << 20);
    const length = engine.readMemory(pid, subject.address('counter'), out, 0, out.length);
    expect(length).toBeGreaterThan(8);
    expect(length).toBeLessThan(out.length);
    expect(() => engine.readMemory(pid, 0x10n, out, 0, 8)).toThrow(
      expect.objectContaining({ code: 'EFAULT' }),
    );
    expect(() => engine.writeMemory(pid, 0x10n, out, 0, 8)).toThrow(
      expect.objectContaining({ code: 'EFAULT' }),
    );
    const top = 0xffff_ffff_ffff_fff8n;
    expect(() => engine.readMemory(pid, top, out, 0, 64)).toThrow(
      expect.objectContaining({ code: 'EFAULT' }),
    );
  });

  row('vectors fail one by one', (scene) => {
    const engine = scene.engine();
    const subject = scene.start('spin');
    engine.attach(subject.pid);
    const { channel } = engine;
    const out = Buffer.alloc(64);
    const buf = channel.addressOf(out);
    const site = subject.address('site');
    const vecs = records(MEMVEC, [
      { addr: site, len: 4, buf },
      { addr: 0x10n, len: 4, buf: buf + 8n },
      { addr: site, len: 2, buf: buf + 16n },
    ]);
    const mem = record(MEM, { pid: subject.pid, vecs: channel.addressOf(vecs), count: 3 });
    expect(channel.call(Call.ReadMem, mem)).toBe(0);
    expect(field(MEM, mem, 'done')).toBe(2n);
    const errors = [0, 1, 2].map((i) => Number(field(MEMVEC, vecs, 'error', i)));
    expect(errors).toEqual([0, E.EFAULT, 0]);
    const done = [0, 1, 2].map((i) => Number(field(MEMVEC, vecs, 'done', i)));
    expect(done).toEqual([4, 0, 2]);
    expect(out.subarray(0, 4)).toEqual(subject.text(site, 4));
    expect(out.subarray(16, 18)).toEqual(subject.text(site, 2));
  });
});
