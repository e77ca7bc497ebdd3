import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { CASES } from './fixture';

// What gdb itself makes of the descriptions: silence, and the same numbers and offsets as ours.

let dir: string;
beforeAll(() => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), 'ntrace-tdesc-'));
});
afterAll(() => fs.rmSync(dir, { recursive: true }));

function gdb(xml: string, ...commands: string[]): { stdout: string; stderr: string } {
  const file = path.join(dir, 'target.xml');
  fs.writeFileSync(file, xml);
  const all = [`set tdesc filename ${file}`, ...commands].flatMap((command) => ['-ex', command]);
  return spawnSync('gdb', ['-nx', '-batch', ...all], { encoding: 'utf8' });
}

test.each(CASES.map((c) => [c.label, c.arch] as const))('%s', (_label, arch) => {
  const { stdout, stderr } = gdb(
    arch.targetXml,
    'show architecture',
    'maint print remote-registers',
  );
  expect(stderr).toBe('');
  expect(stdout).toContain(`currently "${arch.name}"`);
  // Name Nr Rel Offset Size Type [Rmt-Nr g/G-Offset]
  const rows = [...stdout.matchAll(/^ (\w+) +\d+ +\d+ +\d+ +(\d+) .*? +(\d+) +(\d+) *$/gm)];
  const seen = new Map(rows.map((row) => [row[1], row.slice(2).map(Number)]));
  expect(Object.fromEntries(seen)).toEqual(
    Object.fromEntries(arch.registers.map((reg) => [reg.name, [reg.size, reg.num, reg.gOffset]])),
  );
});

test.each([
  ['i386:x86-64', 560],
  ['i386', 312],
])('what gdb presumes of %s without a description', (name, size) => {
  const commands = [
    `set architecture ${name}`,
    'set osabi GNU/Linux',
    'maint print remote-registers',
  ];
  const stdout = execFileSync('gdb', ['-nx', '-batch', ...commands.flatMap((c) => ['-ex', c])], {
    encoding: 'utf8',
  });
  const rows = [...stdout.matchAll(/^ (\w+) +\d+ +\d+ +\d+ +(\d+) .*? +(\d+) +(\d+) *$/gm)];
  const all = rows.map(([, register, bytes, , offset]) => [
    register,
    Number(bytes),
    Number(offset),
  ]);
  for (const { arch } of CASES.filter((c) => c.arch.name === name)) {
    expect(arch.plainGSize).toBe(size);
    const plain = arch.registers.filter((reg) => reg.gOffset < size);
    const ours = plain.map((reg) => [reg.name, reg.size, reg.gOffset]);
    expect(new Set(ours.map(String))).toEqual(new Set(all.map(String)));
  }
});

test('a description that is wrong would not pass', () => {
  const arch = CASES[0]!.arch;
  const { stderr } = gdb(arch.targetXml.replace('name="rip"', 'name="rap"'), 'show architecture');
  expect(stderr).toMatch(/warning/);
});

test('gdb is there', () => {
  expect(execFileSync('gdb', ['--version'], { encoding: 'utf8' })).toMatch(/GNU gdb/);
});
