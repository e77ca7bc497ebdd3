// A condition in a hot loop, through an unmodified gdb.
import { program } from './support/program';
import { debug, endAll } from './support/session';

afterEach(endAll);
/** The module decides where the trap happens, the embedded provider in the program itself. */
const TRAPS = process.env['NTRACE_TEST_ENGINE'] === 'kernel';
const ROUNDS = TRAPS ? 300_000 : 3_000_000;

/** hits, evaluated, true, false, errors, in the program: of the conditional breakpoint. */
function counted(stats: string): number[] {
  const line = stats.split('\n').find((one) => / breakpoint .*[1-9]\d*,\d{3}/.test(one)) ?? '';
  return [...line.replace(/,/g, '').matchAll(/ (\d+)(?= )/g)].map(([, value]) => Number(value));
}

for (const [level, place] of [
  ['-O0', 'f'],
  ['-O2', 'f'],
  // the first instruction is of one byte
  ['-O0', '*f'],
  ['-O2', '*f'],
] as const)
  test(`break ${place} if ..., ${level}: decided where it is, told once`, async () => {
    const { gdb } = await debug(program('hot', level), { args: [String(ROUNDS)] });
    const clean = await gdb.send('x/24xb f');
    await gdb.script('tbreak main', 'continue');
    await gdb.send(`break ${place} if $rdi == ${ROUNDS - 5}`);
    expect(await gdb.send('continue')).toMatch(/Breakpoint 2, /);
    expect(await gdb.send('print $rdi')).toMatch(`= ${ROUNDS - 5}`);
    // what is before it, and the sum of what came before
    expect(await gdb.send('print sum')).toMatch(`= ${(ROUNDS - 6) * (ROUNDS - 5)}`);
    expect(await gdb.send('x/24xb f')).toBe(clean);
    const [hits, evaluated, yes, no, errors, native = 0] = counted(await gdb.send('monitor stats'));
    expect([hits, evaluated, yes, no, errors]).toEqual([ROUNDS - 5, ROUNDS - 5, 1, ROUNDS - 6, 0]);
    if (!TRAPS) expect(native).toBeGreaterThan(ROUNDS * 0.9);
    expect(await gdb.send('backtrace')).toMatch(/#0 +f \(x=.*\)[^]*#1 .* main \(/);
    // gdb takes it out and puts it back here, and steps from it
    await gdb.send('stepi');
    expect(await gdb.send('print $rdi')).toMatch(`= ${ROUNDS - 5}`);
    await gdb.send(`condition 2 $rdi % ${ROUNDS / 3} == 0`);
    expect(await gdb.send('continue')).toMatch(/Breakpoint 2, /);
    expect(await gdb.send('print $rdi')).toMatch(`= ${ROUNDS}`);
    await gdb.send('delete');
    expect(await gdb.send('continue')).toMatch(/exited with code 07/);
  });
