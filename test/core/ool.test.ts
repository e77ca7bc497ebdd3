// Instructions executed in place and out of line must leave the same state.
// NTRACE_OOL_COUNT sets how many are executed of each group (usually 4000), NTRACE_OOL_SEED which.
import { execFile, execFileSync } from 'node:child_process';
import { promisify } from 'node:util';
import { EFFORT } from '../support/effort';
import { coreProgram, LIBRARIES, rareInstructions } from './insn/build';

const COUNT = Number(process.env['NTRACE_OOL_COUNT'] ?? 4000 * EFFORT);
const SEED = Number(process.env['NTRACE_OOL_SEED'] ?? Date.now() % 0x7fffffff);
const run = promisify(execFile);

interface Executed {
  kinds: number;
  executed: number;
  faults: number;
  boosted: number;
  stepped: number;
  emulated: number;
  interrupted: number;
  declined: number;
  refused: number;
  wrong: number;
  examples: string[];
}

/** The seed is in the answer, so that a failure shows it. */
async function execute(files: readonly string[]): Promise<Executed & { seed: number }> {
  const names = ['execute', 'corpus', 'subject', 'states'];
  const program = coreProgram(
    'execute',
    names.map((name) => `core/insn/${name}.c`),
  );
  const args = [String(COUNT), String(SEED), ...files];
  const { stdout } = await run(program, args).catch((error: { stdout?: string }) => {
    if (error.stdout) return { stdout: error.stdout };
    throw error;
  });
  return { seed: SEED, ...(JSON.parse(stdout) as Executed) };
}

describe('in place and out of line', () => {
  const groups: [string, readonly string[]][] = [
    ['the C library', LIBRARIES[64].slice(0, 1)],
    ['other libraries', LIBRARIES[64].slice(1)],
    ['rare instructions', [rareInstructions(64)]],
    ['rare 32-bit instructions', [rareInstructions(32)]],
  ];
  if (LIBRARIES[32].length) groups.push(['32-bit libraries', LIBRARIES[32]]);

  test.each(groups)(
    '%s',
    async (_name, files) => {
      const done = await execute(files);
      expect(done).toMatchObject({ seed: SEED, wrong: 0, examples: [] });
      expect(done.executed).toBeGreaterThan(COUNT * 0.9);
      expect(done.faults).toBeLessThan(COUNT / 4);
      expect(done.boosted).toBeGreaterThan(COUNT / 2);
      expect(done.stepped).toBeGreaterThan(COUNT * 0.9);
      for (const way of ['emulated', 'interrupted'] as const)
        expect(done[way]).toBeGreaterThan(COUNT / 1000);
    },
    300_000 + COUNT * 5,
  );
});

interface Plan {
  length: number;
  class: number;
  slotClass: number;
  reason: number;
  code: string;
  marks: [offset: number, sp: number, done: number][];
}

const [REFUSE, STEP, BOOST, EMULATE] = [0, 1, 2, 3];

function plan(hex: string, addr: number, slot: number, bits: 32 | 64 = 64): Plan {
  const program = coreProgram('decode', ['core/insn/decode.c']);
  const args = [bits, addr, slot, hex.replaceAll(' ', '')].map(String);
  return JSON.parse(execFileSync(program, args, { encoding: 'utf8' })) as Plan;
}

describe('plans', () => {
  const [addr, near, far] = [0x400000, 0x500000, 0x7f0000000000];

  test('a copy and a jump back', () => {
    expect(plan('31 c0', addr, near)).toMatchObject({
      class: BOOST,
      code: '31c0e9fbffefff',
      marks: [
        [0, 0, 0],
        [2, 0, 1],
      ],
    });
  });

  test('far away the jump has an aligned literal at the end', () => {
    const code = plan('31 c0', addr, far).code;
    expect(code).toHaveLength(64);
    expect(code.slice(0, 16)).toBe('31c0ff2510000000');
    expect(code.slice(48)).toBe('0200400000000000');
  });

  test('an operand relative to rip keeps its address', () => {
    expect(plan('8b 05 00 01 00 00', addr, near)).toMatchObject({ slotClass: BOOST });
    expect(plan('8b 05 00 01 00 00', addr, near).code.slice(0, 12)).toBe('8b050001f0ff');
    expect(plan('8b 05 00 01 00 00', addr, far)).toMatchObject({ class: REFUSE, reason: 3 });
    expect(plan('48 8d 05 00 01 00 00', addr, far)).toMatchObject({
      class: EMULATE,
      slotClass: REFUSE,
      reason: 3,
    });
  });

  test('a call pushes the address of the program', () => {
    const { code, marks } = plan('e8 00 10 00 00', 0x7f1234560000, 0x7f1234570000);
    expect(code.slice(0, 26)).toBe('6805005634c7442404127f0000');
    expect(marks).toEqual([
      [0, 0, 0],
      [5, 8, 0],
      [13, 8, 0],
    ]);
  });

  const REFUSED: [string, string, number][] = [
    ['not an instruction', '06', 1],
    ['cut off', 'e8 00', 1],
    ['jmp with 66', '66 e9 00 00 00 00', 4],
    ['int3', 'cc', 5],
    ['int 3', 'cd 03', 5],
    ['int1', 'f1', 5],
    ['far return', 'cb', 6],
    ['iret', '48 cf', 6],
    ['sysenter', '0f 34', 7],
    ['enclu', '0f 01 d7', 7],
    ['xbegin', 'c7 f8 00 00 00 00', 8],
    ['lock with a branch', 'f0 eb 00', 1],
  ];
  test.each(REFUSED)('%s is refused', (_what, hex, reason) => {
    expect(plan(hex, addr, near)).toMatchObject({ class: REFUSE, slotClass: REFUSE, reason });
  });

  test('a slot that is none', () => {
    expect(plan('31 c0', addr, 0)).toMatchObject({ class: REFUSE, reason: 2 });
    expect(plan('31 c0', addr, near + 4)).toMatchObject({ class: REFUSE, reason: 2 });
    expect(plan('55', addr, 0)).toMatchObject({ class: EMULATE, slotClass: REFUSE, reason: 2 });
  });

  test.each([
    ['syscall', '0f 05'],
    ['popf', '9d'],
    ['call through memory', 'ff 15 00 00 00 00'],
    ['call through the stack pointer', 'ff d4'],
  ])('%s must be stepped in the slot', (_what, hex) => {
    expect(plan(hex, addr, near)).toMatchObject({ slotClass: STEP });
  });
});

interface Shares {
  total: number;
  emulate: number;
  boost: number;
  step: number;
  refuse: number;
}

test('the first instructions of functions are emulated or boosted, nearly all', async () => {
  const program = coreProgram('survey', ['core/insn/survey.c', 'core/insn/corpus.c']);
  for (const libraries of [LIBRARIES[64], LIBRARIES[32]]) {
    if (!libraries.length) continue;
    const { stdout } = await run(program, [...libraries]);
    const { entries, all } = JSON.parse(stdout) as Record<'entries' | 'all', Shares>;
    expect(entries.total).toBeGreaterThan(1000);
    expect(entries.emulate).toBeGreaterThan(entries.total / 2);
    expect(entries.emulate + entries.boost).toBeGreaterThan(entries.total * 0.999);
    expect(all.emulate + all.boost).toBeGreaterThan(all.total * 0.98);
  }
});
