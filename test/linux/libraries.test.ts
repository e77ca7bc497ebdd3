import { findRDebug } from '../../src/engine/linux/link-map';
import { readAuxv } from '../../src/engine/linux/auxv';
import { libraryList, librariesSvr4 } from '../../src/engine/linux/libraries';
import type { MemoryReader } from '../../src/engine/linux/memory';
import { Memory } from '../../src/engine/linux/memory';
import { compiler, describeEach } from '../gdb/support/needs';
import { skipped } from '../support/skip';
import { askGdbserver, procMemory, Workshop } from './program';

const LIBRARY = `int library_variable = 1;`;
const PROGRAM = `
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
int main(int argc, char **argv)
{
  for (int i = 1; i < argc; i++) {
    void *h = argv[i][0] == '+' ? dlmopen(LM_ID_NEWLM, argv[i] + 1, RTLD_NOW) : dlopen(argv[i], RTLD_NOW);
    if (!h) { puts(dlerror()); return 1; }
  }
  puts("ready");
  fflush(stdout);
  getchar();
  return 0;
}`;

let shop: Workshop;
beforeAll(() => {
  shop = new Workshop();
});
afterAll(() => shop.close());

interface Library {
  name: string;
  lm: string;
  l_addr: string;
  l_ld: string;
  lmid: string;
}
function parse(list: string): Library[] {
  return [...list.matchAll(/<library ([^>]*)\/>/g)].map(([, attributes]) =>
    Object.fromEntries([...attributes!.matchAll(/(\w+)="([^"]*)"/g)].map((m) => [m[1], m[2]])),
  ) as unknown as Library[];
}

describeEach(
  [
    ['64-bit', 8, [], []],
    ['32-bit', 4, ['-m32'], []],
    ['64-bit at a fixed address', 8, [], ['-no-pie']],
  ] as const,
  ([, , flags]) => compiler(flags),
  ([label, wordSize, flags, more]) => {
    test('the document is gdbserver’s, namespaces included', async () => {
      const name = label.replace(/ /g, '-');
      const plugin = shop.compile(`lib <${name}> & co.so`, LIBRARY, '-shared', '-fPIC', ...flags);
      const program = shop.compile(name, PROGRAM, ...flags, ...more);
      const run = await shop.start(program, plugin, `+${plugin}`);
      const list = librariesSvr4(run.pid, wordSize, procMemory(run.pid))!;
      expect(list).toMatch(
        /^<library-list-svr4 version="1.0" main-lm="0x[0-9a-f]+"><library name=/,
      );
      const libraries = parse(list);
      const escaped = plugin.replace('&', '&amp;').replace('<', '&lt;').replace('>', '&gt;');
      expect(libraries.filter((library) => library.name === escaped)).toHaveLength(2);
      expect(new Set(libraries.map((library) => library.lmid)).size).toBe(2);
      const theirs = askGdbserver(run.pid, 'libraries-svr4:read:');
      if (theirs === undefined) skipped('it is not compared: no gdbserver here');
      else expect(list).toBe(theirs);

      // the rest of the first namespace from its third member on
      const [, from, ...rest] = libraries.filter((one) => one.lmid === libraries[0]!.lmid);
      const part = librariesSvr4(
        run.pid,
        wordSize,
        procMemory(run.pid),
        `start=${rest[0]!.lm.slice(2)};prev=${from!.lm.slice(2)};lmid=${from!.lmid.slice(2)}`,
      );
      expect(parse(part!)).toEqual(rest);
      expect(part).toMatch(/^<library-list-svr4 version="1.0"><library/);
      const wrong = `start=${rest[0]!.lm.slice(2)};prev=1234`;
      expect(parse(librariesSvr4(run.pid, wordSize, procMemory(run.pid), wrong)!)).toEqual([]);
      await run.stop();
      expect(librariesSvr4(run.pid, wordSize, procMemory(run.pid))).toBeUndefined();
    });
  },
);

test('a static program has no list', async () => {
  const program = shop.compile('static', PROGRAM, '-static', '-Wno-error', '-w');
  const run = await shop.start(program);
  expect(librariesSvr4(run.pid, 8, procMemory(run.pid))).toBeUndefined();
  await run.stop();
});

test('many libraries take few reads', async () => {
  const plugins = Array.from({ length: 59 }, (_, i) =>
    shop.compile(`lib${i}.so`, LIBRARY, '-shared', '-fPIC', '-nostdlib'),
  );
  const run = await shop.start(shop.compile('many', PROGRAM), ...plugins);
  let reads = 0;
  const memory = procMemory(run.pid);
  const counting: MemoryReader = { read: (...args) => (reads++, memory.read(...args)) };
  const libraries = parse(librariesSvr4(run.pid, 8, counting)!);
  expect(libraries.map((library) => library.name)).toEqual(expect.arrayContaining(plugins));
  expect(reads).toBeLessThan(60);
  await run.stop();
});

describe('garbage', () => {
  const image = (bytes: Buffer): MemoryReader => ({
    read(addr, length) {
      if (addr >= BigInt(bytes.length)) throw new Error('EFAULT');
      return bytes.subarray(Number(addr), Number(addr) + length);
    },
  });
  const link = (raw: Buffer, at: number, next: number, prev: number): void => {
    raw.writeBigUInt64LE(BigInt(at), at); // l_addr
    raw.writeBigUInt64LE(0x100n, at + 8); // l_name
    raw.writeBigUInt64LE(BigInt(next), at + 24);
    raw.writeBigUInt64LE(BigInt(prev), at + 32);
  };
  const raw = (): Buffer => {
    const bytes = Buffer.alloc(8192);
    bytes.write('lib.so\0', 0x100);
    bytes.writeUInt32LE(1, 0x200); // r_version
    bytes.writeBigUInt64LE(0x300n, 0x208); // r_map
    return bytes;
  };
  const list = (bytes: Buffer, rDebug = 0x200n): string =>
    libraryList(new Memory(image(bytes), 8), rDebug, '');

  test('a list that bites its tail', () => {
    const bytes = raw();
    link(bytes, 0x300, 0x400, 0);
    link(bytes, 0x400, 0x500, 0x300);
    link(bytes, 0x500, 0x400, 0x400);
    expect(parse(list(bytes)).map((library) => library.lm)).toEqual(['0x400', '0x500']);
    link(bytes, 0x400, 0x400, 0x400);
    expect(parse(list(bytes))).toEqual([]);
  });

  test('unreadable, absent and nonsensical lists', () => {
    const empty = '<library-list-svr4 version="1.0"></library-list-svr4>';
    expect(list(raw(), 0n)).toBe(empty);
    expect(list(raw(), 0xdead0000n)).toBe(empty);
    expect(list(Buffer.alloc(8192, 0xff))).toBe(empty);
    const bytes = raw();
    link(bytes, 0x300, 0x7fffffff, 0);
    expect(list(bytes)).toBe(
      '<library-list-svr4 version="1.0" main-lm="0x300"></library-list-svr4>',
    );
  });

  test('namespaces that bite their tail', () => {
    const bytes = raw();
    link(bytes, 0x300, 0x400, 0);
    link(bytes, 0x400, 0, 0x300);
    bytes.writeUInt32LE(2, 0x200);
    bytes.writeBigUInt64LE(0x200n, 0x200 + 40);
    expect(parse(list(bytes))).toHaveLength(1);
  });

  test('a list without end', () => {
    // every address holds a link map whose neighbours are 40 bytes away
    const endless: MemoryReader = {
      read(addr, length) {
        const bytes = Buffer.alloc(length);
        for (let at = 0; at + 8 <= length; at += 8) {
          const field = ((addr + BigInt(at)) / 8n) % 5n;
          const base = addr + BigInt(at) - 8n * field;
          const value = field === 3n ? base + 40n : field === 4n ? base - 40n : 0n;
          bytes.writeBigUInt64LE(BigInt.asUintN(64, value), at);
        }
        return bytes;
      },
    };
    const started = process.cpuUsage().user;
    expect(libraryList(new Memory(endless, 8), 0n, 'start=28000;prev=27fd8')).toMatch(/^<lib.*>$/);
    expect(process.cpuUsage().user - started).toBeLessThan(5_000_000);
  });

  test('a vector that leads nowhere', () => {
    const auxv = Buffer.alloc(64);
    expect(findRDebug(new Memory(image(raw()), 8), auxv)).toBeUndefined();
    const own = readAuxv(process.pid);
    expect(findRDebug(new Memory(image(Buffer.alloc(0)), 8), own)).toBeUndefined();
    expect(
      findRDebug(new Memory({ read: (_, n) => Buffer.alloc(n, 0xff) }, 8), own),
    ).toBeUndefined();
  });
});
