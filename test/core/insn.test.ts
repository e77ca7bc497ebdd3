// Lengths of instructions: against objdump over the system's own code, and by hand for the rare.
// NTRACE_INSN_ALL=1 compares whole files (minutes) where usually a part is taken.
import { execFile, execFileSync } from 'node:child_process';
import crypto from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { coreProgram, LIBRARIES, present, rareInstructions } from './insn/build';

const ALL = process.env['NTRACE_INSN_ALL'] !== undefined;
const run = promisify(execFile);

interface Lengths {
  seen: number;
  skipped: number;
  refused: number;
  wrong: number;
  examples: string[];
}

async function compare(bits: 32 | 64, objdump: string[], data = false): Promise<Lengths> {
  const lengths = coreProgram('lengths', ['core/insn/lengths.c']);
  const dump = ['objdump', '-w', '-z', '--insn-width=16', '-M', 'intel64', ...objdump];
  const ours = [lengths, String(bits), ...(data ? ['data'] : [])];
  // the last line may be an instruction cut off by the end of a window
  const quoted = [dump, ['head', '-n', '-1'], ours].map((words) =>
    words.map((word) => `'${word}'`).join(' '),
  );
  const { stdout } = await run('sh', ['-c', quoted.join(' | ')], {
    env: { ...process.env, LC_ALL: 'C' },
  });
  return JSON.parse(stdout) as Lengths;
}

/** A window of a file's text, or all of it; -D, because -d shows what is declared data as text. */
function windowOf(file: string, bytes: number): string[] {
  if (ALL) return ['-D', '-j', '.text', file];
  const headers = execFileSync('objdump', ['-h', '-w', file], { encoding: 'utf8' });
  const text = /\s\.text\s+([0-9a-f]+)\s+([0-9a-f]+)/.exec(headers);
  if (!text) throw new Error(`${file} has no .text`);
  const [size, start] = [Number.parseInt(text[1]!, 16), Number.parseInt(text[2]!, 16)];
  const from = start + crypto.randomInt(Math.max(1, size - bytes));
  return ['-D', '-j', '.text', `--start-address=${from}`, `--stop-address=${from + bytes}`, file];
}

describe('objdump agrees', () => {
  const libc = LIBRARIES[64][0]!;

  test('on all of the C library', async () => {
    const found = await compare(64, ['-d', libc]);
    expect(found).toMatchObject({ wrong: 0, examples: [] });
    expect(found.seen).toBeGreaterThan(100_000);
  });

  const binaries = present('/usr/bin/gdb', '/bin/bash', '/usr/bin/python3', process.execPath);
  test.each([...LIBRARIES[64].slice(1), ...binaries])(
    'on %s',
    async (file) => {
      // these have tables among their code, which may look like what faults
      const tables = /crypto|node/.test(file);
      const found = await compare(64, windowOf(file, 300_000), tables);
      expect(found).toMatchObject({ wrong: 0, examples: [] });
      expect(found.refused).toBeLessThan(found.seen / 1000);
      expect(found.seen).toBeGreaterThan(1000);
    },
    900_000,
  );

  if (LIBRARIES[32].length === 0)
    test.skip('on 32-bit libraries (there are none here)', () => undefined);
  for (const file of LIBRARIES[32])
    test(`on 32-bit ${file}`, async () => {
      const found = await compare(32, windowOf(file, 500_000));
      expect(found).toMatchObject({ wrong: 0, examples: [] });
      expect(found.seen).toBeGreaterThan(1000);
    });

  test.each([64, 32] as const)('on rare instructions, %i bits', async (bits) => {
    const found = await compare(bits, ['-d', rareInstructions(bits)]);
    expect(found).toMatchObject({ wrong: 0, examples: [] });
    expect(found.seen).toBeGreaterThan(100);
  });

  test.each([
    [64, 'i386:x86-64'],
    [32, 'i386'],
  ] as const)('on random bytes, %i bits', async (bits, machine) => {
    const file = path.join(os.tmpdir(), `ntrace-insn-${process.pid}-${bits}`);
    try {
      fs.writeFileSync(file, crypto.randomBytes(200_000));
      const found = await compare(bits, ['-D', '-b', 'binary', '-m', machine, file], true);
      expect(found).toMatchObject({ wrong: 0, examples: [] });
      expect(found.seen).toBeGreaterThan(30_000);
      expect(found.refused).toBeLessThan(found.seen / 1000);
    } finally {
      fs.rmSync(file, { force: true });
    }
  });
});

interface Decoded {
  length: number;
  encoding: number;
  map: number;
  opcode: number;
  branch: number;
  dispAt: number;
  dispSize: number;
  immAt: number;
  immSize: number;
}

function decode(bits: 32 | 64, ...hex: string[]): Decoded[] {
  const program = coreProgram('decode', ['core/insn/decode.c']);
  const words = hex.map((text) => text.replaceAll(' ', ''));
  const args = [String(bits), '0x400000', '0x500000', ...words];
  const lines = execFileSync(program, args, { encoding: 'utf8' }).trim().split('\n');
  return lines.map((line) => JSON.parse(line) as Decoded);
}

describe('by hand', () => {
  // what, bits, bytes (with some that follow), length
  const LENGTHS: [string, 32 | 64, string, number][] = [
    ['EVEX with disp8*N', 64, '62 f1 7c 48 28 48 01 90', 7],
    ['EVEX relative to rip with an immediate', 64, '62 f3 fd 48 25 05 00 01 00 00 03 90', 11],
    ['EVEX map 5 (FP16)', 64, '62 f5 74 48 58 c2 90', 6],
    ['EVEX map 6 (FP16)', 64, '62 f6 75 48 98 00 90', 6],
    ['EVEX map 4 (APX) is unknown', 64, '62 f4 7c 08 01 c0 90', 0],
    ['bound in 32-bit code', 32, '62 48 04 90', 3],
    ['EVEX in 32-bit code', 32, '62 f1 7c 48 28 48 01 90', 7],
    ['VEX with two bytes', 64, 'c5 f8 28 44 24 10 90', 6],
    ['VEX with two bytes, vzeroupper', 64, 'c5 f8 77 90', 3],
    ['VEX map 3', 64, 'c4 e3 7d 19 c1 01 90', 6],
    ['VEX after REX faults', 64, '48 c5 f8 77 90', 0],
    ['lds in 32-bit code', 32, 'c5 44 24 10 90', 4],
    ['les in 32-bit code', 32, 'c4 05 00 10 00 00 90', 6],
    ['XOP map 8', 64, '8f e8 78 c2 c1 05 90', 6],
    ['XOP map 9', 64, '8f e9 78 81 c1 90', 5],
    ['XOP map 10', 64, '8f ea 78 10 c1 01 02 03 04 90', 9],
    ['pop that looks like XOP', 64, '8f 40 08 90', 3],
    ['3DNow!', 64, '0f 0f 41 08 9e 90', 5],
    ['3DNow! with SIB', 32, '0f 0f 84 88 00 01 00 00 b4 90', 9],
    ['femms', 64, '0f 0e 90', 2],
    ['SSE4a extrq', 64, '66 0f 78 c1 04 08 90', 6],
    ['SSE4a insertq', 64, 'f2 0f 78 c1 04 08 90', 6],
    ['mov moffs', 64, '48 a1 01 02 03 04 05 06 07 08 90', 10],
    ['mov moffs with 67', 64, '67 a1 01 02 03 04 90', 6],
    ['mov moffs', 32, 'a1 01 02 03 04 90', 5],
    ['mov moffs with 67', 32, '67 a1 01 02 90', 4],
    ['mov imm64', 64, '49 b8 01 02 03 04 05 06 07 08 90', 10],
    ['mov imm16', 64, '66 b8 01 02 90', 4],
    ['enter', 64, 'c8 10 00 01 90', 4],
    ['jmp far', 32, 'ea 01 02 03 04 33 00 90', 7],
    ['jmp far, 16 bits', 32, '66 ea 01 02 33 00 90', 6],
    ['jmp far is gone', 64, 'ea 01 02 03 04 33 00 90', 0],
    ['test of group 3, byte', 64, 'f6 c1 01 90', 3],
    ['not of group 3, byte', 64, 'f6 d1 90', 2],
    ['test of group 3', 64, '48 f7 05 00 01 00 00 01 02 03 04 90', 11],
    ['neg of group 3', 64, '48 f7 1d 00 01 00 00 90', 7],
    ['16-bit addresses', 32, '67 8b 86 34 12 90', 5],
    ['16-bit address without a base', 32, '67 8b 06 34 12 90', 5],
    ['SIB without a base', 64, '8b 04 25 00 10 00 00 90', 7],
    ['mov from cr0 has no operand in memory', 64, '0f 20 05 90', 3],
    ['call with 66 on Intel', 64, '66 e8 01 02 03 04 90', 6],
    ['call with 66', 32, '66 e8 01 02 90', 4],
    ['xbegin', 64, 'c7 f8 01 02 03 04 90', 6],
    ['xabort', 64, 'c6 f8 01 90', 3],
    ['fifteen bytes', 64, '66 66 66 66 66 2e 0f 1f 84 00 00 02 00 00 90', 14],
    ['sixteen bytes', 64, '66 66 66 66 66 66 66 2e 0f 1f 84 00 00 02 00 00', 0],
    ['a REX before a prefix counts for nothing', 64, '48 66 b8 01 02 90', 5],
    ['ud1', 64, '0f b9 c0 90', 3],
    ['endbr64', 64, 'f3 0f 1e fa 90', 4],
    ['cut off', 64, '48 8b 05 00 00', 0],
    ['nothing', 64, '', 0],
  ];
  test.each(LENGTHS)('%s (%i bits): %s', (_what, bits, hex, length) => {
    expect(decode(bits, hex)[0]).toMatchObject({ length });
  });

  test('fields of an instruction with everything', () => {
    // lock-free: 65 48 81 84 c8 disp32 imm32
    expect(decode(64, '65 48 81 84 c8 10 00 00 00 01 02 03 04')[0]).toMatchObject({
      length: 13,
      opcode: 0x81,
      dispAt: 5,
      dispSize: 4,
      immAt: 9,
      immSize: 4,
    });
    expect(decode(64, '0f 0f 41 08 9e')[0]).toMatchObject({ map: 15, opcode: 0x9e, dispAt: 3 });
  });

  const BRANCHES: [string, number][] = [
    ['90', 0],
    ['eb 00', 1],
    ['0f 85 00 00 00 00', 2],
    ['e3 00', 3],
    ['e8 00 00 00 00', 4],
    ['ff 25 00 00 00 00', 5],
    ['41 ff d7', 6],
    ['c3', 7],
    ['cb', 8],
    ['48 cf', 9],
    ['0f 05', 10],
    ['0f 34', 11],
    ['cd 80', 12],
    ['cc', 13],
    ['c7 f8 00 00 00 00', 14],
    ['0f 01 d7', 15],
    ['f3 0f 01 ec', 15],
  ];
  test('branches by kind', () => {
    const kinds = decode(64, ...BRANCHES.map(([hex]) => hex)).map((insn) => insn.branch);
    expect(kinds).toEqual(BRANCHES.map(([, kind]) => kind));
  });
});
