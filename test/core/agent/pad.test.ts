// Conditions as machine code: every opcode, against the interpreter, and every place in it where a
// thread may be interrupted.
import { assemble } from './assembler';
import { expected, run, runNative, told, unlessValue, type Outcome } from './runner';

const MEMORY = 0x20000000;
const STACK = 0x21000800;
const PLACE = 0x401234;
const VALUES = [
  ...[0n, 1n, 2n, 7n, 63n, 64n, 65n, 0xffn, 0x8000n, 0x7fffffffn, 0x80000000n, 0xffffffffn],
  ...[1n << 63n, (1n << 63n) - 1n, (1n << 64n) - 1n, (1n << 64n) - 7n, 0x123456789abcdef0n],
];

/** A small generator of numbers: the same seed, the same programs. */
function numbers(seed: number): (limit: number) => number {
  let state = seed >>> 0;
  return (limit) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}

const registers = Array.from({ length: 17 }, (_, i) =>
  i === 7 ? STACK : i === 16 ? PLACE : VALUES[i % VALUES.length]!,
);
const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => (i * 151 + 7) & 255));
const WORLD = [
  ...registers.map((value, i) => `reg ${i} ${value}`),
  `mem ${MEMORY} ${bytes.toString('hex')}${'00'.repeat(4096 - 256)}`,
];
const STACK_LINE = `mem ${STACK - 0x800} ${'00'.repeat(4096)}`;

const BINARY = [
  ...['add', 'sub', 'mul', 'div_signed', 'div_unsigned', 'rem_signed', 'rem_unsigned', 'lsh'],
  ...['rsh_signed', 'rsh_unsigned', 'bit_and', 'bit_or', 'bit_xor', 'equal', 'less_signed'],
  'less_unsigned',
];

/** Runs texts of assembly both ways. */
function compare(texts: readonly string[]): void {
  const codes = texts.map(assemble);
  const outcomes = run<Outcome>([
    ...WORLD,
    STACK_LINE,
    ...codes.map((code) => `eval ${code} 10000`),
  ]);
  const exact = codes.map((code, i) =>
    outcomes[i]!.error === 0 ? unlessValue(code, BigInt(outcomes[i]!.value)) : code,
  );
  const ran = runNative([
    ...[...WORLD, STACK_LINE],
    ...codes.map((code) => `pad ${code}`),
    ...exact.map((code) => `pad ${code}`),
  ]);
  const results = ran.map((one, i) => [
    texts[i % texts.length],
    one.built ? told(one) : 'no place',
  ]);
  const wanted = [
    ...outcomes.map(expected),
    ...outcomes.map(({ error }) => (error === 0 ? 'pass' : 'hit')),
  ];
  expect(results).toEqual(wanted.map((should, i) => [texts[i % texts.length], should]));
}

test('every operation on every pair of edges', () => {
  const texts = BINARY.flatMap((op) =>
    VALUES.flatMap((a) =>
      VALUES.flatMap((b) => [
        `const64 ${a}; const64 ${b}; ${op}; end`,
        // not a constant in the second place
        ...(b % 3n === 0n ? [`const64 ${a}; const64 ${b}; dup; pop; ${op}; end`] : []),
      ]),
    ),
  );
  compare(texts);
});

test('one operand, widths, memory, registers and the stack', () => {
  compare([
    ...VALUES.flatMap((a) => [
      ...['log_not', 'bit_not'].map((op) => `const64 ${a}; ${op}; end`),
      ...[1, 5, 8, 13, 16, 31, 32, 33, 63, 64].flatMap((bits) => [
        `const64 ${a}; ext ${bits}; end`,
        `const64 ${a}; zero_ext ${bits}; end`,
      ]),
    ]),
    ...['ref8', 'ref16', 'ref32', 'ref64'].flatMap((op) =>
      [0, 1, 3, 7, 100, 4088, 4089, 4095, 4096, 1 << 20].map(
        (at) => `const32 ${MEMORY + at}; ${op}; end`,
      ),
    ),
    `const64 ${1n << 63n}; ref8; end`,
    ...registers.map((_, i) => `reg ${i}; end`),
    ...registers.map((_, i) => `const8 9; const8 8; reg ${i}; add; sub; end`),
    ...['swap', 'rot'].map((op) => `const8 3; const8 5; const8 11; ${op}; lsh; add; end`),
    'const8 3; pop; const8 0; end',
    'const8 3; const8 5; pop; dup; sub; end',
    ...[0, 1, 2, 3].map((n) => `const8 3; const8 5; const8 11; const8 13; pick ${n}; end`),
    ...[0, 1].map((n) => `const8 ${n}; if_goto 10; const8 0; goto 12; const8 7; end`),
    ...[0, 1].map(
      (n) => `const8 9; const8 ${n}; if_goto 12; const8 4; goto 14; const8 7; sub; end`,
    ),
  ]);
});

test('programs of any kind', () => {
  const below = numbers(20261129);
  const one = <T>(list: readonly T[]): T => list[below(list.length)]!;
  const texts = Array.from({ length: 3000 }, () => {
    const lines: string[] = [];
    let depth = 0;
    for (let i = 2 + below(24); i > 0; i--) {
      const kind = below(10);
      if (depth < 2 || (kind < 3 && depth < 10)) {
        const address = `const32 ${MEMORY + below(250)}; ${one(['ref8', 'ref16', 'ref32', 'ref64'])}`;
        lines.push(
          one([`const64 ${one(VALUES)}`, `reg ${below(17)}`, `const8 ${below(256)}`, address]),
        );
        depth++;
      } else if (kind < 7) {
        lines.push(one(BINARY));
        depth--;
      } else if (kind < 8) {
        lines.push(
          one(['swap', 'log_not', 'bit_not', `ext ${1 + below(64)}`, `zero_ext ${1 + below(64)}`]),
        );
      } else if (kind < 9) {
        lines.push(one([`pick ${below(depth)}`, 'dup']));
        depth++;
      } else if (depth > 2) {
        lines.push('rot');
      }
    }
    return `${lines.join('; ')}; end`;
  });
  compare(texts);
});

test('what has no place in a pad is not built', () => {
  const refused = [
    'const8 1; pop; goto 0', // backwards
    'getv 3; end',
    'const8 1; setv 3; end',
    `${'const8 1; '.repeat(20)}end`,
    'reg 17; end',
    'reg 300; end',
  ];
  const ran = runNative([...WORLD, STACK_LINE, ...refused.map((text) => `pad ${assemble(text)}`)]);
  expect(ran).toEqual(refused.map(() => ({ built: false })));
});

test('several conditions: all are false, or it is a hit', () => {
  const [no, yes, unknown] = ['220027', '220127', '220122000527'];
  const cases: [string, string][] = [
    [`${no},${no},${no}`, 'pass'],
    [`${no},${no},${yes}`, 'trap'],
    [`${yes},${no}`, 'trap'],
    [`${no},${unknown}`, 'trap'],
  ];
  const ran = runNative([...WORLD, STACK_LINE, ...cases.map(([codes]) => `pad ${codes}`)]);
  expect(ran.map(({ result, wrong }) => [result, wrong])).toEqual(
    cases.map(([, result]) => [result, 0]),
  );
});

test('memory with breakpoint bytes in it is left to who hides them', () => {
  const code = assemble(`const32 ${MEMORY + 8}; ref32; pop; const8 0; end`);
  const ran = runNative([
    ...[...WORLD, STACK_LINE],
    ...[`pad ${code}`, `marked ${MEMORY}`, `pad ${code}`, `marked ${MEMORY}`, `pad ${code}`],
  ]);
  expect(ran.map(({ result, wrong }) => [result, wrong])).toEqual([
    ['pass', 0],
    ['trap', 0],
    ['pass', 0],
  ]);
});
