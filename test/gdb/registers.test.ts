import fs from 'node:fs';
import { multilib, testIf } from './support/needs';
import { lineOf, program } from './support/program';
import { debug, endAll } from './support/session';

afterEach(endAll);

const avx = /\bavx\b/.test(fs.readFileSync('/proc/cpuinfo', 'utf8')) ? '' : 'no AVX here';
const withAvx = testIf(avx);
const with32 = testIf(multilib());

test('general registers: read, written, used', async () => {
  const { gdb } = await debug(program('calls'));
  await gdb.script('break square', 'continue');
  const all = await gdb.send('info registers');
  for (const name of ['rax', 'rsp', 'rip', 'eflags', 'cs', 'gs'])
    expect(all).toMatch(new RegExp(`^${name} +0x`, 'm'));
  expect(await gdb.send('print $rip')).toMatch(/<square\+\d+>/);
  expect(await gdb.send('print $fs_base')).not.toMatch(/= 0$/m);
  await gdb.script('set var $r12 = 0x123456789abcdef0', 'set var $eflags = $eflags | 1');
  expect(await gdb.send('print/x $r12')).toMatch(/0x123456789abcdef0/);
  expect(await gdb.send('print $eflags')).toMatch(/CF/);
  expect(await gdb.send('info all-registers')).toMatch(/orig_rax|mxcsr/);
});

test('jump and return change the flow', async () => {
  const { gdb } = await debug(program('calls'));
  await gdb.script('break square', 'continue', 'finish');
  await gdb.script('delete', 'break recurse', 'continue');
  await gdb.send('return 40');
  await gdb.send(`tbreak ${lineOf('calls', '/* last */')}`);
  await gdb.script('delete 2', 'continue');
  expect(await gdb.send('print result')).toMatch(/= 70/);
});

withAvx('vector and floating-point registers', async () => {
  const { gdb } = await debug(program('vectors'));
  await gdb.script('break compute', 'continue');
  const bytes = '0x1, 0x2, 0x3, 0x4, 0x5, 0x6, 0x7, 0x8';
  expect(await gdb.send('print/x $ymm7.v32_int8')).toContain(bytes);
  expect(await gdb.send('print/x $xmm7.v16_int8')).toContain(bytes);
  expect(await gdb.send('print $st0')).toMatch(/3\.14159265358979/);
  await gdb.send('set var $ymm7.v4_int64[3] = 0x1122334455667788');
  expect(await gdb.send('print/x $ymm7.v4_int64[3]')).toMatch(/0x1122334455667788/);
  expect(await gdb.send('print $mxcsr')).toMatch(/IM/);
});

with32('a 32-bit program: architecture, registers, stack, watchpoint', async () => {
  const { gdb } = await debug(program('calls', '-m32'));
  await gdb.script('break square', 'continue');
  expect(await gdb.send('show architecture')).toMatch(/i386/);
  const all = await gdb.send('info registers');
  expect(all).toMatch(/^eip +0x[0-9a-f]+ +0x[0-9a-f]+ <square/m);
  expect(all).not.toMatch(/^rip/m);
  expect(await gdb.send('backtrace')).toMatch(/square \(n=1\)[^]*sum \(count=4\)[^]*main/);
  await gdb.send('watch total');
  expect(await gdb.send('continue')).toMatch(/New value = 1/);
  expect(await gdb.send('call square(11)')).toMatch(/= 121|Breakpoint 1/);
});
