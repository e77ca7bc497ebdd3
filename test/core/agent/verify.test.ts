// What the verifier accepts, what it says about it, and where it refuses.
import { assemble } from './assembler';
import { E, run, type Outcome, type Verdict } from './runner';

const USE = { REGISTER: 1, MEMORY: 2, TRACE: 4, PRINT: 8, GETVAR: 16, SETVAR: 32, LOOP: 64 };

function verify(code: string, ...limits: string[]): Verdict {
  const [verdict] = run<Verdict>([
    ...limits.map((limit) => `limit ${limit}`),
    `verify ${code === '' ? '-' : code}`,
  ]);
  if (!verdict) throw new Error('no answer');
  return verdict;
}

test('what is learnt about an expression', () => {
  expect(verify(assemble('reg 5; const8 8; add; ref64; const8 0; equal; log_not; end'))).toEqual({
    error: 0,
    at: 0,
    instructions: 8,
    reachable: 8,
    maxDepth: 2,
    endDepth: 1,
    uses: USE.REGISTER | USE.MEMORY,
  });
  expect(verify(assemble('getv 1; setv 2; trace_quick 4; tracev 3; pop; end'))).toMatchObject({
    error: 0,
    maxDepth: 1,
    endDepth: 0,
    uses: USE.GETVAR | USE.SETVAR | USE.TRACE,
  });
  // a loop, and two instructions nothing leads to
  expect(verify(assemble('const8 3; const8 1; sub; dup; if_goto 2; end; pop; end'))).toMatchObject({
    error: 0,
    instructions: 8,
    reachable: 6,
    uses: USE.LOOP,
  });
});

const REFUSED: [code: string, error: number, at: number][] = [
  ['', E.EMPTY, 0],
  ['00', E.OPCODE, 0],
  [`${assemble('const8 1')}31`, E.OPCODE, 2],
  [assemble('const8 1; float; end'), E.UNSUPPORTED, 2],
  [assemble('const8 1; l_to_d; end'), E.UNSUPPORTED, 2],
  [`${assemble('const8 1; end')}2401`, E.TRUNCATED, 3],
  ['2201340100', E.TRUNCATED, 2],
  [assemble('const8 1; ext 0; end'), E.OPERAND, 2],
  [assemble('const8 1; ext 65; end'), E.OPERAND, 2],
  [assemble('const8 1; zero_ext 255; end'), E.OPERAND, 2],
  [assemble('reg 32; end'), E.REGISTER, 0],
  [assemble('const8 0; getv 16; end'), E.VARIABLE, 2],
  [assemble('const8 0; setv 65535; end'), E.VARIABLE, 2],
  [assemble('tracev 16; end'), E.VARIABLE, 0],
  // into an operand, behind the end, into the text of a printf, even where nothing leads
  [assemble('goto 1; end'), E.JUMP, 0],
  [assemble('const8 1; if_goto 3; end'), E.JUMP, 2],
  [assemble('goto 4; end'), E.JUMP, 0],
  [assemble('goto 65535; end'), E.JUMP, 0],
  [assemble('const8 1; end; goto 1; end'), E.JUMP, 3],
  [assemble("const8 0; dup; goto 10; printf 0 ''''; end"), E.JUMP, 3],
  // the stack
  [assemble('end'), E.NO_RESULT, 0],
  [assemble('const8 1; if_goto 6; end; const8 1; end'), E.NO_RESULT, 5],
  [assemble('add; end'), E.UNDERFLOW, 0],
  [assemble('const8 1; const8 1; pick 2; end'), E.UNDERFLOW, 4],
  [assemble('const8 0; dup; printf 1 %d; end'), E.UNDERFLOW, 3],
  [assemble(`${'const8 1; '.repeat(101)}end`), E.OVERFLOW, 200],
  // one side of a branch only
  [assemble('const8 1; if_goto 8; const8 2; end; pop; end'), E.UNDERFLOW, 8],
  [assemble('const8 1; if_goto 7; const8 2; const8 3; end'), E.HEIGHT, 7],
  // loops that leave more, or less, than they found
  [assemble('const8 1; goto 0; end'), E.HEIGHT, 0],
  [assemble('const8 1; const8 1; pop; pop; goto 2; end'), E.HEIGHT, 2],
  // no end on some path
  [assemble('const8 1'), E.NO_END, 0],
  [assemble('const8 1; dup'), E.NO_END, 2],
  [assemble('const8 1; dup; if_goto 7; end; const8 1'), E.NO_END, 7],
];

test.each(REFUSED)('refused: %s', (code, error, at) => {
  expect(verify(code, 'need_result 1')).toMatchObject({ error, at });
});

test('formats of printf', () => {
  const at = (args: number, format: string): [number, number] => {
    const pushes = 'const8 0; '.repeat(args + 2);
    const { error, at: offset } = verify(assemble(`${pushes}printf ${args} ${format}; end`));
    return [error, error === 0 ? 0 : offset - 2 * (args + 2) - 4];
  };
  expect(at(0, 'plain %% \\n')).toEqual([0, 0]);
  expect(at(9, '%d %i %-5u %#lx %08llX %c %p %.3s %zo')).toEqual([0, 0]);
  for (const bad of ['%f', '%Lf', '%n', '%*d', '%ls', '%lc', '%hhd', '%q', '%', '%.3p', '%0s'])
    expect([bad, at(1, `ab ${bad}`)]).toEqual([bad, [E.FORMAT, 3]]);
  for (const bad of ['%#u', '%+x', '% o', '%+c', '%.1c', '%hs', '%lp', '%zc'])
    expect([bad, at(1, bad)]).toEqual([bad, [E.FORMAT, 0]]);
  expect(at(1, 'no argument is used')).toEqual([E.FORMAT, 19]);
  expect(at(1, '%d and %d')).toEqual([E.FORMAT, 7]);
  expect(at(0, 'a\\q')).toEqual([E.FORMAT, 1]);
  // behind a closing quote nothing counts, as in gdbserver
  expect(at(1, '%d" %d')).toEqual([0, 0]);
  // no NUL at the end; no text at all
  expect(verify('2200220034000001' + '41' + '27')).toMatchObject({ error: E.FORMAT, at: 8 });
  expect(verify('220022003400000027')).toMatchObject({ error: E.FORMAT, at: 4 });
});

test('an expression is held to the place it is for', () => {
  const condition = `allow ${USE.REGISTER | USE.MEMORY | USE.GETVAR | USE.SETVAR | USE.LOOP}`;
  const allowed = (code: string, ...limits: string[]): [number, number] => {
    const { error, at } = verify(assemble(code), ...limits);
    return [error, at];
  };
  expect(allowed('reg 1; ref8; setv 1; getv 1; add; end', condition)).toEqual([0, 0]);
  expect(allowed('reg 1; trace_quick 4; end', condition)).toEqual([E.FORBIDDEN, 3]);
  expect(allowed('const8 1; dup; dup; printf 0 x; end', condition)).toEqual([E.FORBIDDEN, 4]);
  expect(allowed('const8 1; dup; if_goto 2; end', 'allow 0')).toEqual([E.FORBIDDEN, 3]);
  expect(allowed('reg 3; end', 'register_set 7')).toEqual([E.REGISTER, 0]);
  expect(allowed('reg 2; end', 'register_set 7')).toEqual([0, 0]);
  expect(allowed('reg 2; end', 'register_set 7', 'registers 2')).toEqual([E.REGISTER, 0]);
  expect(allowed('const8 1; pop; end', 'need_result 1')).toEqual([E.NO_RESULT, 3]);
  expect(allowed('const8 1; pop; end', 'need_result 0')).toEqual([0, 0]);
});

test('length', () => {
  const long = assemble(`${'const8 1; pop; '.repeat(21844)}const8 1; end`);
  expect(long.length / 2).toBe(65535);
  expect(verify(long)).toMatchObject({ error: 0, instructions: 43690, maxDepth: 1 });
  expect(verify(`${long}27`)).toMatchObject({ error: E.LENGTH });
  expect(verify(long, 'max_len 65534')).toMatchObject({ error: E.LENGTH });
  expect(verify(long, 'work 65534')).toMatchObject({ error: E.LENGTH });
  expect(verify(assemble('const8 1; end'), 'max_len 3', 'work 3')).toMatchObject({ error: 0 });
});

test('thousands of branches at once', () => {
  // every jump is followed after all before it: the list of pending ones is as long as it gets
  const count = 8000;
  const end = 6 * count;
  const code = assemble(`${`const8 1; if_goto ${end}; `.repeat(count)}`.replace(/; $/, ''));
  const jumps = code.length / 2;
  const exact = code.replaceAll(
    end.toString(16).padStart(4, '0'),
    jumps.toString(16).padStart(4, '0'),
  );
  const verdict = verify(`${exact}${assemble('const8 7; end')}`, 'need_result 1');
  expect(verdict).toMatchObject({ error: 0, reachable: 2 * count + 2, endDepth: 1, maxDepth: 1 });
});

test('disassembly', () => {
  const code = assemble('const8 1; const64 18446744073709551615; if_goto 4; printf 2 a "%d"; end');
  const [{ lines } = { lines: [] }] = run<{ lines: string[] }>([`disasm ${code} 80`]);
  expect(lines).toEqual([
    '  0  const8 1',
    '  2  const64 18446744073709551615',
    ' 11  if_goto 4',
    ' 14  printf "a "%d"", 2 args',
    ' 25  end',
  ]);
  const [bad] = run<{ lines: string[] }>(['disasm 001e3127252201 80']);
  expect(bad?.lines).toEqual([
    '  0  <bad opcode 0>',
    '  1  l_to_d',
    '  2  <bad opcode 49>',
    '  3  end',
    '  4  <incomplete opcode const64>',
  ]);
  const [cut] = run<{ lines: string[] }>(['disasm 220122 8']);
  expect(cut?.lines).toEqual(['  0  co', '  2  <i']);
});

test('every error has words and an errno of its own kind', () => {
  const codes = Object.values(E);
  const answers = run<{ text: string; errno: number }>(codes.map((code) => `error ${-code}`));
  expect(new Set(answers.map(({ text }) => text)).size).toBe(codes.length);
  expect(answers.every(({ text, errno }) => text !== 'unknown error' && errno > 0)).toBe(true);
  expect(run(['error 0', 'error 99'])).toEqual([
    { text: 'no error', errno: 0 },
    { text: 'unknown error', errno: 22 },
  ]);
});

test('what is accepted runs without a fault of the code itself', () => {
  const code = assemble('const8 3; const8 1; sub; dup; if_goto 2; end');
  expect(run<Outcome>([`eval ${code} 100`])).toMatchObject([{ error: 0, value: '0' }]);
});
