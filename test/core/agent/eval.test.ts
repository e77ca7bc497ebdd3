// Every opcode by its value: expressions whose results the GDB manual fixes.
import { OPCODES, assemble } from './assembler';
import { E, run, type Outcome } from './runner';

const MIN = 1n << 63n;
const ONES = (1n << 64n) - 1n;

/** Registers 0 to 3, memory of 16 bytes at 0x1000, a string at 0x2000, variable 3. */
const WORLD = [
  'reg 0 0xffffffffffffffff',
  'reg 1 7',
  'reg 2 0x1000',
  'reg 3 0x8000000000000000',
  'mem 0x1000 f1f2f3f4f5f6f7f801020304050607ff',
  `mem 0x2000 ${Buffer.from('hello\0there').toString('hex').padEnd(128, '0')}`,
  'var 3 0xfffffffffffffffe',
];

/** Instructions without the final "end", and the top of the stack. */
const VALUES: [code: string, value: bigint][] = [
  ['const8 255', 255n],
  ['const16 65535', 65535n],
  ['const32 4294967295', 4294967295n],
  ['const64 18446744073709551615', ONES],
  ['const64 72623859790382856', 0x0102030405060708n],
  ['const8 5; const8 6; add', 11n],
  ['reg 0; const8 1; add', 0n],
  ['const8 5; const8 6; sub', ONES],
  ['reg 3; const8 1; sub', MIN - 1n],
  ['const8 5; const8 6; mul', 30n],
  ['reg 0; reg 0; mul', 1n],
  ['reg 3; const8 2; mul', 0n],
  // quotients are cut towards zero, remainders follow the dividend
  ['const8 7; const8 2; div_signed', 3n],
  ['const8 0; const8 7; sub; const8 2; div_signed', ONES - 2n],
  ['const8 7; const8 0; const8 2; sub; div_signed', ONES - 2n],
  ['reg 3; reg 0; div_signed', MIN],
  ['reg 3; const8 1; div_signed', MIN],
  ['const8 1; reg 3; div_signed', 0n],
  ['reg 3; reg 3; div_signed', 1n],
  ['reg 0; const8 2; div_unsigned', ONES / 2n],
  ['const8 7; reg 0; div_unsigned', 0n],
  ['const8 0; const8 7; sub; const8 2; rem_signed', ONES],
  ['const8 7; const8 0; const8 2; sub; rem_signed', 1n],
  ['reg 3; reg 0; rem_signed', 0n],
  ['reg 3; const8 10; rem_signed', ONES - 7n],
  ['reg 0; const8 10; rem_unsigned', ONES % 10n],
  ['const8 1; const8 63; lsh', MIN],
  ['reg 0; const8 0; lsh', ONES],
  ['reg 0; const8 64; lsh', 0n],
  ['reg 0; reg 0; lsh', 0n],
  ['reg 3; const8 63; rsh_signed', ONES],
  ['reg 3; const8 1; rsh_signed', MIN | (MIN >> 1n)],
  ['const8 8; const8 1; rsh_signed', 4n],
  ['reg 3; const8 64; rsh_signed', ONES],
  ['reg 1; const8 64; rsh_signed', 0n],
  ['reg 3; reg 0; rsh_signed', ONES],
  ['reg 0; const8 63; rsh_unsigned', 1n],
  ['reg 0; const8 64; rsh_unsigned', 0n],
  ['reg 0; reg 3; rsh_unsigned', 0n],
  ['const8 0; log_not', 1n],
  ['reg 0; log_not', 0n],
  ['reg 3; log_not', 0n],
  ['const8 12; const8 10; bit_and', 8n],
  ['const8 12; const8 10; bit_or', 14n],
  ['const8 12; const8 10; bit_xor', 6n],
  ['const8 0; bit_not', ONES],
  ['reg 0; reg 0; equal', 1n],
  ['reg 0; reg 3; equal', 0n],
  ['reg 0; const8 0; less_signed', 1n],
  ['const8 0; reg 0; less_signed', 0n],
  ['reg 3; reg 0; less_signed', 1n],
  ['reg 1; reg 1; less_signed', 0n],
  ['reg 0; const8 0; less_unsigned', 0n],
  ['const8 0; reg 0; less_unsigned', 1n],
  ['reg 1; reg 1; less_unsigned', 0n],
  ['const8 128; ext 8', ONES - 127n],
  ['const8 127; ext 8', 127n],
  ['const16 511; ext 8', ONES],
  ['const8 1; ext 1', ONES],
  ['const8 2; ext 1', 0n],
  ['const32 2147483648; ext 32', ONES - 0x7fffffffn],
  // widths above 32, where gdbserver's own mask is of an int
  ['const64 8589934592; ext 34', ONES - 0x1ffffffffn],
  ['reg 3; ext 64', MIN],
  ['reg 0; zero_ext 8', 255n],
  ['reg 0; zero_ext 1', 1n],
  ['reg 0; zero_ext 33', 0x1ffffffffn],
  ['reg 0; zero_ext 63', ONES >> 1n],
  ['reg 0; zero_ext 64', ONES],
  ['reg 2; ref8', 0xf1n],
  ['reg 2; ref16', 0xf2f1n],
  ['reg 2; ref32', 0xf4f3f2f1n],
  ['reg 2; ref64', 0xf8f7f6f5f4f3f2f1n],
  ['reg 2; const8 1; add; ref32', 0xf5f4f3f2n],
  ['reg 2; const8 3; add; ref16', 0xf5f4n],
  ['reg 2; const8 8; add; ref64', 0xff07060504030201n],
  ['reg 2; const8 15; add; ref8', 0xffn],
  ['const8 1; if_goto 8; const8 2; end; const8 3', 3n],
  ['const8 0; if_goto 8; const8 2; end; const8 3', 2n],
  ['goto 5; const8 2; const8 3', 3n],
  // 10 + 9 + ... + 1, as a loop: sum in the first entry, counter in the second
  ['const8 0; const8 10; dup; rot; add; swap; const8 1; sub; dup; if_goto 4; pop', 55n],
  ['const8 4; dup; mul', 16n],
  ['const8 4; const8 5; pop', 4n],
  ['const8 4; const8 5; swap; sub', 1n],
  ['const8 4; const8 5; const8 6; pick 0', 6n],
  ['const8 4; const8 5; const8 6; pick 2', 4n],
  // bottom to top: 1 2 3 becomes 3 1 2
  ['const8 1; const8 2; const8 3; rot', 2n],
  ['const8 1; const8 2; const8 3; rot; pop', 1n],
  ['const8 1; const8 2; const8 3; rot; pop; pop', 3n],
  ['getv 3', ONES - 1n],
  ['getv 4', 0n],
  ['const8 9; setv 5; getv 5; add', 18n],
];

/** Instructions with "end", the error and the offset it is told at. */
const ERRORS: [code: string, error: number, at: number][] = [
  ['const8 1; const8 0; div_signed; end', E.DIVIDE, 4],
  ['const8 1; const8 0; div_unsigned; end', E.DIVIDE, 4],
  ['const8 1; const8 0; rem_signed; end', E.DIVIDE, 4],
  ['const8 1; const8 0; rem_unsigned; end', E.DIVIDE, 4],
  ['const8 0; ref8; end', E.MEMORY, 2],
  // the last byte is there, the one behind it is not
  ['reg 2; const8 15; add; ref16; end', E.MEMORY, 6],
  ['reg 0; ref64; end', E.MEMORY, 3],
  ['reg 4; end', E.REGISTER, 0],
  ['const8 1; setv 99; end', E.STATE, 2],
  ['const8 1; ext 0; end', E.OPERAND, 2],
  ['const8 1; zero_ext 65; end', E.OPERAND, 2],
  ['goto 0; end', E.BUDGET, 0],
  ['const8 1; if_goto 0; end', E.BUDGET, 0],
  ['const8 1; goto 0; end', E.OVERFLOW, 0],
  ['goto 99; end', E.JUMP, 0],
  ['const8 1; if_goto 65535; end', E.JUMP, 2],
  ['const8 1', E.NO_END, 0],
  ['end', E.NO_RESULT, 0],
  ['const8 1; pop; end', E.NO_RESULT, 3],
  ['add; end', E.UNDERFLOW, 0],
  ['const8 1; add; end', E.UNDERFLOW, 2],
  ['dup; end', E.UNDERFLOW, 0],
  ['pop; end', E.UNDERFLOW, 0],
  ['const8 1; swap; end', E.UNDERFLOW, 2],
  ['const8 1; const8 1; rot; end', E.UNDERFLOW, 4],
  ['const8 1; pick 1; end', E.UNDERFLOW, 2],
  ['const8 1; trace; end', E.UNDERFLOW, 2],
  ['const8 1; const8 2; const8 3; printf 2 %d %d; end', E.UNDERFLOW, 6],
  ['float; end', E.UNSUPPORTED, 0],
  ['const8 1; ref_float; end', E.UNSUPPORTED, 2],
  ['const8 1; ref_double; end', E.UNSUPPORTED, 2],
  ['const8 1; ref_long_double; end', E.UNSUPPORTED, 2],
  ['const8 1; l_to_d; end', E.UNSUPPORTED, 2],
  ['const8 1; d_to_l; end', E.UNSUPPORTED, 2],
  ['reg 2; reg 0; trace; const8 1; end', E.BUDGET, 6],
  ['reg 2; const32 2097152; trace; const8 1; end', E.BUDGET, 8],
];

function evaluate(codes: readonly string[], budget = 1000): Outcome[] {
  return run<Outcome>([...WORLD, ...codes.map((code) => `eval ${code} ${budget}`)]);
}

test('values', () => {
  const outcomes = evaluate(VALUES.map(([code]) => assemble(`${code}; end`)));
  expect(outcomes.map(({ error, value }, i) => [VALUES[i]?.[0], error, BigInt(value)])).toEqual(
    VALUES.map(([code, value]) => [code, 0, value]),
  );
});

test('errors, with their offsets', () => {
  const outcomes = evaluate(ERRORS.map(([code]) => assemble(code)));
  expect(outcomes.map(({ error, at }, i) => [ERRORS[i]?.[0], error, at])).toEqual(ERRORS);
});

test('what is recorded', () => {
  const cases: [code: string, calls: Outcome['calls']][] = [
    ['reg 2; const8 16; trace', [['trace', '4096', '16']]],
    ['reg 2; const8 0; trace', []],
    ['reg 2; trace_quick 8; pop', [['trace', '4096', '8']]],
    ['reg 2; trace16 300; pop', [['trace', '4096', '300']]],
    ['tracev 3', [['tracev', '3', '0']]],
    // the NUL belongs to the string; a string without one is as long as allowed
    ['const16 8192; const8 100; tracenz', [['trace', '8192', '6']]],
    ['const16 8192; const8 6; tracenz', [['trace', '8192', '6']]],
    ['const16 8192; const8 5; tracenz', [['trace', '8192', '5']]],
    ['const16 8192; const8 0; tracenz', []],
    ['const8 9; setv 1; pop', [['setv', '1', '9']]],
  ];
  const outcomes = run<Outcome>([
    ...WORLD,
    ...cases.map(([code]) => `run ${assemble(`${code}; end`)} 1000`),
  ]);
  expect(outcomes.map(({ error, calls }, i) => [cases[i]?.[0], error, calls])).toEqual(
    cases.map(([code, calls]) => [code, 0, calls]),
  );
});

test('a string to be recorded may end where memory ends, not run past it', () => {
  const code = (size: number): string => assemble(`const16 16384; const8 ${size}; tracenz; end`);
  const at = 0x4000;
  const outcomes = run<Outcome>([
    // 64 bytes, the last one NUL; then, 64 bytes without any
    `mem ${at} ${'61'.repeat(63)}00`,
    `run ${code(200)} 100`,
    'forget',
    `mem ${at} ${'61'.repeat(64)}`,
    `run ${code(64)} 100`,
    `run ${code(65)} 100`,
  ]);
  expect(outcomes.map(({ error, calls }) => [error, calls[0]?.[2]])).toEqual([
    [0, '64'],
    [0, '64'],
    [E.MEMORY, undefined],
  ]);
});

test('the stack holds a hundred values', () => {
  const push = (count: number): string => assemble('const8 1; '.repeat(count) + 'end');
  const [full, over] = evaluate([push(100), push(101)]);
  expect(full).toMatchObject({ error: 0, value: '1' });
  expect(over).toMatchObject({ error: E.OVERFLOW, at: 200 });
});

test('the budget counts instructions', () => {
  const code = assemble('const8 1; const8 2; add; end');
  const [enough] = evaluate([code], 4);
  const [short] = evaluate([code], 3);
  const [none] = evaluate([code], 0);
  expect(enough).toMatchObject({ error: 0, value: '3' });
  expect(short).toMatchObject({ error: E.BUDGET, at: 5 });
  expect(none).toMatchObject({ error: E.BUDGET, at: 0 });
});

test('bytes that are no code', () => {
  // nothing, opcodes nobody defined, operands behind the end
  const codes = ['-', '00', '31', '35', 'ff', '22', '2301', '25010203', '21', '3401', '34010005'];
  expect(evaluate(codes).map(({ error, at }) => [error, at])).toEqual([
    [E.EMPTY, 0],
    [E.OPCODE, 0],
    [E.OPCODE, 0],
    [E.OPCODE, 0],
    [E.OPCODE, 0],
    [E.TRUNCATED, 0],
    [E.TRUNCATED, 0],
    [E.TRUNCATED, 0],
    [E.TRUNCATED, 0],
    [E.TRUNCATED, 0],
    [E.TRUNCATED, 0],
  ]);
});

test('no opcode is left out of these tables', () => {
  const recorded = ['trace', 'trace_quick', 'trace16', 'tracev', 'tracenz'];
  const text = [...VALUES, ...ERRORS].map(([code]) => code).join('; ');
  const used = new Set([...text.split('; ').map((word) => word.split(' ')[0]), ...recorded, 'end']);
  expect(Object.keys(OPCODES).filter((name) => !used.has(name))).toEqual([]);
});
