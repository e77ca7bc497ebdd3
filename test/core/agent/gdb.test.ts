// Differential tests: bytecode compiled by gdb, evaluated by ours, by gdb and by gdbserver.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { command, testIf } from '../../gdb/support/needs';
import { fromListing } from './assembler';
import { expressions, isServed } from './expressions';
import { lineOf, session } from './gdb-session';
import {
  E,
  expected,
  printed,
  run,
  runNative,
  told,
  unlessValue,
  type Outcome,
  type Verdict,
} from './runner';

const COUNT = 2000;
const SEED = 20240607;
const SERVED = 300;

/** Registers by their numbers in the target description of x86-64. */
const REGISTERS = [
  ...['rax', 'rbx', 'rcx', 'rdx', 'rsi', 'rdi', 'rbp', 'rsp', 'r8', 'r9', 'r10', 'r11'],
  ...['r12', 'r13', 'r14', 'r15', 'rip', 'eflags', 'cs', 'ss', 'ds', 'es', 'fs', 'gs'],
];

/** gdb's errors, and ours for the same. */
const FAILURES: [pattern: RegExp, error: number][] = [
  [/Division by zero/, E.DIVIDE],
  [/Cannot access memory/, E.MEMORY],
];

interface Compiled {
  expression: string;
  code: string;
  /** what gdb itself prints for it */
  gdb: string;
  ours: Outcome;
}

const missing =
  process.arch === 'x64' ? command('gdb') || command('gdbserver') : 'registers of x86-64 only';

let scratch = '';
beforeAll(() => {
  scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'agent-gdb-'));
});
afterAll(() => fs.rmSync(scratch, { recursive: true }));

/** Where the subject's own data and its stack lie, from "info proc mappings". */
function regions(mappings: string): [start: string, end: string][] {
  return [...mappings.matchAll(/^\s*(0x\w+)\s+(0x\w+)\s.*(?:agent-subject|\[stack\])$/gm)].map(
    ([, start = '', end = '']) => [start, end],
  );
}

/** Registers and memory of the stopped subject, as lines for run.c. */
function snapshotCommands(): string[] {
  return REGISTERS.map((name) => `output/x $${name}`);
}

/** Asks gdb everything in one stop; the answers of ours come from registers and memory alone. */
function ask(asked: readonly string[], compile: (text: string) => string): string[][] {
  const places = regions(session(['info proc mappings'])[0] ?? '');
  expect(places.length).toBeGreaterThan(4);
  const dumps = places.map(([start], i): [string, string] => [start, path.join(scratch, `m${i}`)]);
  const answers = session([
    ...snapshotCommands(),
    ...dumps.map(([start, file], i) => `dump binary memory ${file} ${start} ${places[i]?.[1]}`),
    'info proc mappings',
    ...asked.flatMap((text) => [compile(text), text]),
  ]);
  const rest = REGISTERS.length + dumps.length;
  // the dumps were of the places of the session before
  expect(regions(answers[rest] ?? '')).toEqual(places);
  const world = [
    ...REGISTERS.map((_, i) => `reg ${i} ${answers[i]}`),
    ...dumps.map(([start, file]) => `file ${start} ${file}`),
  ];
  return [world, answers.slice(rest + 1)];
}

let compiled: Compiled[] = [];
let snapshot: string[] = [];

testIf(missing)('what gdb compiles has the value gdb prints', async () => {
  const texts = expressions(COUNT, SEED);
  const [world = [], answers = []] = ask(
    texts.map((text) => `output (long)(${text})`),
    (text) => text.replace(/^output/, 'maint agent-eval'),
  );
  const pairs = texts.map((expression, i) => ({
    expression,
    code: fromListing(answers[2 * i] ?? ''),
    gdb: answers[2 * i + 1] ?? '',
  }));
  expect(pairs.filter(({ code }) => code === '')).toEqual([]);

  const verdicts = run<Verdict>([
    'limit registers 24',
    'limit need_result 1',
    ...pairs.map(({ code }) => `verify ${code}`),
  ]);
  const outcomes = run<Outcome>([...world, ...pairs.map(({ code }) => `eval ${code} 10000`)]);
  snapshot = world;
  compiled = pairs.map((pair, i) => ({ ...pair, ours: outcomes[i] as Outcome }));

  expect(verdicts.filter(({ error }) => error !== 0)).toEqual([]);
  const told = compiled.map(({ expression, gdb, ours }) => [
    expression,
    FAILURES.find(([pattern]) => pattern.test(gdb))?.[1] ?? gdb,
    ours.error || String(BigInt.asIntN(64, BigInt(ours.value))),
  ]);
  expect(told.filter(([, gdb, ours]) => gdb !== ours)).toEqual([]);
  // the comparison was of values, not of failures
  expect(compiled.filter(({ ours }) => ours.error === 0).length).toBeGreaterThan(COUNT * 0.8);
});

testIf(missing)('as machine code they have the same value', () => {
  const sound = compiled.filter(({ ours }) => ours.error === 0);
  const ran = runNative([
    ...snapshot,
    ...compiled.map(({ code }) => `pad ${code}`),
    ...sound.map(({ code, ours }) => `pad ${unlessValue(code, BigInt(ours.value))}`),
  ]);
  const wanted = [...compiled.map(({ ours }) => expected(ours)), ...sound.map(() => 'pass')];
  const texts = [...compiled, ...sound].map(({ expression }) => expression);
  const rows = ran.map((one, i) => [texts[i], wanted[i], one.built ? told(one) : 'no place']);
  expect(rows.length).toBe(compiled.length + sound.length);
  const [built, refused] = [ran.filter((one) => one.built), ran.filter((one) => !one.built)];
  expect(rows.filter(([, should, is]) => is !== 'no place' && should !== is)).toEqual([]);
  // only what needs a deep stack has no place there
  expect(refused.length).toBeLessThan(COUNT / 50);
  expect(built.reduce((sum, { steps = 0 }) => sum + steps, 0)).toBeGreaterThan(20 * built.length);
});

testIf(missing)("gdbserver's conditions have our values", async () => {
  const chosen = compiled
    .filter(({ expression, ours }) => ours.error === 0 && isServed(expression))
    .slice(-SERVED);
  expect(chosen.length).toBe(SERVED);
  const literal = (value: bigint): string => {
    const signed = BigInt.asIntN(64, value);
    return signed < 0 ? `(-${-signed - 1n} - 1)` : `${signed}`;
  };
  // every tenth is compared with what it is not: that must let the thread run on to the tail
  const cases = chosen.map(({ expression, ours }, i) => ({
    condition: `(long)(${expression}) == ${literal(BigInt(ours.value) ^ (i % 10 ? 0n : 1n))}`,
    stops: i % 10 ? 'stop' : 'tail',
  }));
  const answers = session([
    'set breakpoint condition-evaluation target',
    // a condition is compiled when its breakpoint is inserted; only then gdb says who evaluates it
    'set breakpoint always-inserted on',
    `break ${lineOf('tail')}`,
    'continue',
    ...cases.flatMap(({ condition }) => [
      `break ${lineOf('stop')} if ${condition}`,
      'info breakpoints',
      'continue',
      `clear ${lineOf('stop')}`,
      // with that breakpoint gone the next stop is at the tail again
      'continue',
    ]),
  ]);
  const results = cases.map(({ condition }, i) => {
    const [, listed = '', stop = ''] = answers.slice(4 + 5 * i);
    return [condition, /\(target evals\)/.test(listed), /\/\* (stop|tail) \*\//.exec(stop)?.[1]];
  });
  expect(results).toEqual(cases.map(({ condition, stops }) => [condition, true, stops]));
});

testIf(missing)('a printf that gdb compiles prints what gdb prints', async () => {
  const commands = [
    '"plain\\n"',
    '"%d %u %x\\n", g_i, g_u, g_first.b40',
    '"%s and %.3s|%10s|\\n", g_text, g_text, &g_sp->next->name[0]',
    '"%ld %lu %lx %lld\\n", g_l, g_ul, g_ul, g_first.sb33',
    '"%c%c %5d|%-5d|%05d\\n", g_text[0], 98, g_s, g_c, argument',
    '"\\t%#x %#o %+d 100%%\\n", g_us, g_uc, g_seven',
    '"%p %p\\n", g_text, g_zero',
    '"%s\\n", g_zero',
    '"%zu \\"quoted\\" \\\\\\n", sizeof(g_first)',
  ];
  const [world = [], answers = []] = ask(
    commands.map((text) => `printf ${text}`),
    (text) => text.replace(/^printf/, 'maint agent-printf'),
  );
  const codes = commands.map((_, i) => fromListing(answers[2 * i] ?? ''));
  expect(codes).not.toContain('');
  const outcomes = run<Outcome>([...world, ...codes.map((code) => `run ${code} 10000`)]);
  expect(
    outcomes.map((outcome, i) => [commands[i], outcome.error, printed(outcome).trim()]),
  ).toEqual(commands.map((text, i) => [text, 0, answers[2 * i + 1]]));
});
