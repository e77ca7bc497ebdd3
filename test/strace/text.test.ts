// Strings, sets of constants, signals and layouts, without any process.
import { abis } from '../../src/strace/abi';
import { Constants } from '../../src/strace/constants';
import { Filter } from '../../src/strace/filter';
import { inet6 } from '../../src/strace/kinds/socket-address';
import { quote } from '../../src/strace/quote';
import { Signatures } from '../../src/strace/signature';
import { signalName, signalNumber, signalSet } from '../../src/strace/signals';
import { Summary } from '../../src/strace/summary';
import { loadTables } from '../../src/strace/tables';
import { VOCABULARY } from '../../src/strace/vocabulary';

const tables = loadTables();
const constants = new Constants(tables);
const { x86_64, i386 } = abis(tables);

const quoted = (text: string, mode: 0 | 1 | 2 = 0): string => {
  const bytes = Buffer.from(text, 'latin1');
  return quote(bytes, 0, bytes.length, mode);
};

test('bytes as C writes them', () => {
  expect(quoted('a"b\\c\n\t')).toBe(String.raw`"a\"b\\c\n\t"`);
  expect(quoted('\0' + '1\0' + '8\0')).toBe(String.raw`"\0001\08\0"`);
  expect(quoted('\xff\x7f')).toBe(String.raw`"\377\177"`);
  expect(quoted('text', 1)).toBe('"text"');
  expect(quoted('t\x01', 1)).toBe(String.raw`"\x74\x01"`);
  expect(quoted('t', 2)).toBe(String.raw`"\x74"`);
});

test('numbers are those of the headers', () => {
  expect(x86_64.numbers).toMatchObject({ read: 0, write: 1, openat: 257, clone3: 435 });
  expect(i386.numbers).toMatchObject({ exit: 1, read: 3, socketcall: 102, clone3: 435 });
  expect(x86_64.names.get(59)).toBe('execve');
});

test('flags in their order, and what has no name', () => {
  expect(constants.set('prot').join(3n)).toBe('PROT_READ|PROT_WRITE');
  expect(constants.set('prot').join(0n)).toBe('PROT_NONE');
  expect(constants.set('msg').join(0n)).toBe('0');
  expect(constants.set('wait').join(0x1n | 0x400n)).toBe('WNOHANG|0x400');
  expect(constants.set('wait').join(0x400n)).toMatch(/^0x400 \/\* .*\?\?\? \*\/$/);
  expect(constants.set('rusage').choice(0xffffffffn)).toBe('RUSAGE_CHILDREN');
  expect(constants.ioctl(0x5401)).toBe('TCGETS');
});

test('every set has members on this machine', () => {
  const empty = Object.keys(VOCABULARY).filter(
    (name) => constants.set(name).split(2n ** 64n - 1n).names.length === 0,
  );
  // sets of nothing but zero and one
  expect(empty).toEqual([]);
});

test('every signature is one', () => {
  for (const abi of [x86_64, i386]) {
    const signatures = new Signatures(abi);
    for (const [nr, name] of abi.names) expect(signatures.of(nr).name).toBe(name);
  }
});

test('signals by name and number', () => {
  expect(signalName(constants, 2)).toBe('SIGINT');
  expect(signalName(constants, 32)).toBe('SIGRTMIN');
  expect(signalName(constants, 34)).toBe('SIGRT_2');
  for (const text of ['SIGINT', 'int', '2']) expect(signalNumber(constants, text)).toBe(2);
  expect(signalNumber(constants, 'nothing')).toBeUndefined();
  expect(signalSet(constants, 0b11n)).toBe('[HUP INT]');
  expect(signalSet(constants, 2n ** 64n - 1n)).toBe('~[]');
});

test('filters know numbers of both interfaces', () => {
  const filter = new Filter([x86_64, i386], constants);
  filter.trace('socket,mmap2');
  expect(filter.numbers(x86_64)).toEqual([x86_64.numbers['socket']]);
  const numbers = filter.numbers(i386);
  expect(numbers).toContain(i386.numbers['socketcall']);
  expect(numbers).toContain(i386.numbers['mmap2']);
  expect(filter.wants(102, i386, 'socket')).toBe(true);
  expect(filter.wants(102, i386, 'connect')).toBe(false);
});

test('IPv6 addresses in their canonical form', () => {
  const of = (...groups: number[]): string => {
    const bytes = Buffer.alloc(16);
    groups.forEach((group, n) => bytes.writeUInt16BE(group, 2 * n));
    return inet6(bytes);
  };
  expect(of(0, 0, 0, 0, 0, 0, 0, 1)).toBe('::1');
  expect(of()).toBe('::');
  expect(of(0x2001, 0xdb8, 0, 0, 1, 0, 0, 1)).toBe('2001:db8::1:0:0:1');
  expect(of(0, 0, 0, 0, 0, 0xffff, 0x7f00, 1)).toBe('::ffff:127.0.0.1');
});

test('a summary sorts and adds up', () => {
  const summary = new Summary();
  summary.add('read', 3000, false);
  summary.add('read', 1000, true);
  summary.add('close', 1000, false);
  const lines = summary.table('time').trimEnd().split('\n');
  expect(lines[2]).toBe(' 80.00    0.000004           2         2         1 read');
  expect(lines[3]).toBe(' 20.00    0.000001           1         1           close');
  expect(lines.at(-1)).toBe('100.00    0.000005           2         3         1 total');
  expect(summary.table('name').split('\n')[2]).toMatch(/close$/);
});
