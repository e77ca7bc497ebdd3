import { native } from '../../src/native';
import type { Engine } from '../../src/engine/engine';
import { EngineError } from '../../src/engine/errors';
import { scanMemory } from '../../src/rsp/memory-scan';
import { SelfSession } from './self-session';

const self = new SelfSession();
const at = (addr: bigint): string => addr.toString(16);

function search(addr: bigint, length: bigint, pattern: Buffer): string {
  return self.ask(
    Buffer.concat([Buffer.from(`qSearch:memory:${at(addr)};${at(length)};`), pattern]),
  );
}

const EDGE = 0xffffffffff600000n; // vsyscall: not readable through /proc/PID/mem

test('finds the first match, wherever it lies', () => {
  const memory = Buffer.alloc(3 << 20, 'x');
  const addr = native.addressOf(memory);
  const size = BigInt(memory.length);
  const pattern = Buffer.from('a#pattern$with}escapes*');
  const places = [0, 1, (1 << 20) - 5, (1 << 20) + 3, 2 << 20, memory.length - pattern.length];
  for (const place of places) {
    pattern.copy(memory, place);
    expect(search(addr, size, pattern)).toBe(`1,${at(addr + BigInt(place))}`);
    memory.fill('x', place, place + pattern.length);
  }
  expect(search(addr, size, pattern)).toBe('0');
});

test('a match must lie in the range with all its bytes', () => {
  const memory = Buffer.from('..needle..');
  const addr = native.addressOf(memory);
  const needle = Buffer.from('needle');
  expect(search(addr, 8n, needle)).toBe(`1,${at(addr + 2n)}`);
  expect(search(addr, 7n, needle)).toBe('0');
  expect(search(addr + 3n, 7n, needle)).toBe('0');
  expect(search(addr, 0n, needle)).toBe('0');
});

test('unreadable memory ends a search with an error', () => {
  expect(search(0n, 0x1000n, Buffer.from('x'))).toBe('E01');
  expect(search(EDGE, 0xffffffffffffffffn, Buffer.from('x'))).toBe('E01');
  expect(self.ask('qCRC:0,10')).toBe('E03');
  expect(self.ask('qCRC:0,ffffffffffffffff')).toBe('E03');
});

test('malformed searches are refused', () => {
  for (const packet of [
    'qSearch:memory:',
    'qSearch:memory:10',
    'qSearch:memory:10;10',
    'qSearch:memory:10;10;',
    'qSearch:memory:x;1;a',
    'qSearch:memory:11112222333344445;1;a',
    'qCRC:',
    'qCRC:1',
    'qCRC:1,',
    'qCRC:1,1,1',
  ])
    expect([packet, self.ask(packet)]).toEqual([packet, 'E01']);
});

test('checksums are those of compare-sections', () => {
  const memory = Buffer.from('123456789');
  const addr = at(native.addressOf(memory));
  // CRC-32/MPEG-2 of its check value
  expect(self.ask(`qCRC:${addr},9`)).toBe('C376e6e7');
  expect(self.ask(`qCRC:${addr},0`)).toBe('Cffffffff');
  const large = Buffer.alloc(2_500_000, 7);
  const sum = native.crc32(0xffffffff, large, 0, large.length) >>> 0;
  expect(self.ask(`qCRC:${at(native.addressOf(large))},2625a0`)).toBe(`C${sum.toString(16)}`);
});

/** Memory of zeros in [lo, hi). */
function zeros(lo: bigint, hi: bigint): Engine {
  const engine: Pick<Engine, 'readMemory'> = {
    readMemory(_pid, addr, out, offset, length) {
      if (addr < lo || addr >= hi) throw new EngineError(14, 'EFAULT', 'no memory');
      const count = Number(addr + BigInt(length) > hi ? hi - addr : BigInt(length));
      out.fill(0, offset, offset + count);
      return count;
    },
  };
  return engine as Engine;
}

test('a scan stops where memory does, and at the top of the address space', () => {
  const seen: bigint[] = [];
  const visit = (_buf: Buffer, count: number, addr: bigint): boolean => {
    seen.push(addr, BigInt(count));
    return false;
  };
  const range = { addr: 0x1000n, length: 0x10000000n, overlap: 0 };
  expect(scanMemory(zeros(0n, 0x3800n), 1, range, visit)).toEqual({
    end: 'unreadable',
    next: 0x3800n,
  });
  expect(seen).toEqual([0x1000n, 0x2800n]);
  const top = { addr: 2n ** 64n - 0x100n, length: 2n ** 64n - 1n, overlap: 3 };
  expect(scanMemory(zeros(0n, 2n ** 64n), 1, top, visit)).toEqual({
    end: 'complete',
    next: 2n ** 64n,
  });
});

test('a scan of endless memory gives up in time and says how far it came', () => {
  const range = { addr: 0n, length: 2n ** 63n, overlap: 0, limitMs: 20 };
  const began = performance.now();
  const { end, next } = scanMemory(zeros(0n, 2n ** 64n), 1, range, () => false);
  expect(end).toBe('late');
  expect(next).toBeGreaterThan(0n);
  expect(performance.now() - began).toBeLessThan(2000);
});
