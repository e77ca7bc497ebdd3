import { native } from '../../src/native';

test('errno names and texts', () => {
  expect(native.errnoName(3)).toBe('ESRCH');
  expect(native.errnoName(116)).toBe('ESTALE');
  expect(native.errnoName(4000)).toBe('E4000');
  expect(native.errnoText(3)).toBe('No such process');
});

test('kill and tgkill', () => {
  expect(native.kill(process.pid, 0, 0)).toBe(0);
  expect(native.kill(process.pid, process.pid, 0)).toBe(0);
  expect(native.kill(2 ** 22 + 1, 0, 0)).toBe(-3);
  expect(native.kill(process.pid, 1, 0)).toBe(-3); // no thread of ours
  expect(native.kill(process.pid, 0, 65)).toBe(-22);
});

test('the page size is a power of two', () => {
  const size = native.getpagesize();
  expect(size).toBeGreaterThanOrEqual(4096);
  expect(size & (size - 1)).toBe(0);
});
