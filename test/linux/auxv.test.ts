import { AT, auxvEntry, readAuxv } from '../../src/engine/linux/auxv';
import { ElfFile } from '../../src/engine/linux/elf';
import { execFile, withoutDeleted } from '../../src/engine/linux/exec-file';
import { readMaps, regionAt } from '../../src/engine/linux/maps';
import { Memory } from '../../src/engine/linux/memory';
import { readProgram, tlsSegment } from '../../src/engine/linux/program';
import fs from 'node:fs';
import { compiler, testEach } from '../gdb/support/needs';
import { procMemory, Workshop } from './program';

const PROGRAM = `
#include <stdio.h>
__thread int tls = 1;
int main(void) { printf("%lx\\n", (unsigned long) main); puts("ready"); fflush(stdout); getchar(); return tls; }`;

let shop: Workshop;
beforeAll(() => {
  shop = new Workshop();
});
afterAll(() => shop.close());

testEach(
  [
    ['64-bit', 8, []],
    ['32-bit', 4, ['-m32']],
    ['fixed', 8, ['-no-pie']],
    ['static', 8, ['-static']],
    ['static-pie', 8, ['-static-pie']],
    ['static 32-bit', 4, ['-static', '-m32']],
  ] as const,
  ([, , flags]) => compiler(flags),
  async ([label, wordSize, flags]) => {
    const file = shop.compile(label, PROGRAM, ...flags);
    const run = await shop.start(file);
    const auxv = readAuxv(run.pid);
    const memory = new Memory(procMemory(run.pid), wordSize);
    const program = readProgram(memory, auxv)!;
    const elf = ElfFile.open(file)!;
    const real = (linked: bigint): bigint => linked + program.bias;

    expect(auxvEntry(auxv, AT.ENTRY, wordSize)).toBe(real(elf.header.entry));
    expect(real(elf.symbol('main')!.value)).toBe(BigInt(`0x${run.lines[0]!}`));
    expect(program.headers).toEqual(elf.programHeaders);
    expect(tlsSegment(program)?.memsz).toBeGreaterThan(0n);
    expect(memory.string(auxvEntry(auxv, AT.EXECFN, wordSize)!).toString()).toBe(file);
    expect(auxvEntry(auxv, 12345, wordSize)).toBeUndefined();
    expect(elf.symbol('no such symbol')).toBeUndefined();
    elf.close();

    const maps = readMaps(run.pid)!;
    const main = regionAt(maps, real(elf.header.entry), wordSize);
    expect(main.mapping).toMatchObject({ name: file, executable: true, writable: false });
    expect(main.start <= real(elf.header.entry) && real(elf.header.entry) < main.end).toBe(true);
    expect(regionAt(maps, 0n, wordSize)).toEqual({
      start: 0n,
      end: maps[0]!.start,
      mapping: undefined,
    });
    const hole = regionAt(maps, (1n << BigInt(8 * wordSize)) - 1n, wordSize);
    if (wordSize === 4) expect(hole).toMatchObject({ end: 1n << 32n, mapping: undefined });

    expect(execFile(run.pid)).toBe(file);
    fs.unlinkSync(file);
    expect(execFile(run.pid)).toBe(`${file} (deleted)`);
    expect(withoutDeleted(`${file} (deleted)`)).toBe(file);
    await run.stop();
    expect(execFile(run.pid)).toBeUndefined();
    expect(() => readAuxv(run.pid)).toThrow(/ENOENT/);
  },
);

test('a file whose name ends like the mark is not deleted', () => {
  const odd = shop.path('odd (deleted)');
  fs.writeFileSync(odd, '');
  expect(withoutDeleted(odd)).toBe(odd);
});

test('a vector that is cut off', () => {
  const auxv = readAuxv(process.pid);
  for (let length = 0; length < auxv.length; length += 7) {
    expect(() => auxvEntry(auxv.subarray(0, length), AT.ENTRY, 8)).not.toThrow();
  }
});

test('files that are no ELF files', () => {
  expect(ElfFile.open('/etc/passwd')).toBeUndefined();
  expect(ElfFile.open('/nonexistent')).toBeUndefined();
  expect(ElfFile.open(shop.dir)).toBeUndefined();
});

test('damaged ELF files neither throw nor hang', () => {
  const good = fs.readFileSync(shop.compile('victim', PROGRAM));
  const file = shop.path('damaged');
  let seed = 12345;
  const next = (): number => (seed = (Math.imul(seed, 1103515245) + 12345) >>> 0) >>> 8;
  let opened = 0;
  for (let i = 0; i < 300; i++) {
    const bad = Buffer.from(good.subarray(0, i % 3 === 0 ? next() % good.length : good.length));
    for (let j = 0; j < 8 && bad.length > 64; j++) bad[16 + (next() % 48)] = next() & 0xff;
    fs.writeFileSync(file, bad);
    const elf = ElfFile.open(file);
    if (elf === undefined) continue;
    opened++;
    elf.symbol('main');
    elf.close();
  }
  expect(opened).toBeGreaterThan(50);
});
