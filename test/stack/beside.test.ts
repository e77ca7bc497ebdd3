// A gdb of ntrace at work on a process while a tool that knows nothing of engines is, too: every
// operation beside every tool. Where engines are built on ptrace such a tool is kept out, which
// matrix.test.ts shows. NTRACE_STACK_ROUNDS repeats each operation so often.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { GdbConsole } from '../../src/cli/demo/gdb-console';
import { testIf } from '../gdb/support/needs';
import { PATIENCE } from '../support/patience';
import { COMPANION_GOES } from './matrix';
import {
  COMPANION_KINDS,
  tracing,
  Uprobe,
  type Companion,
  type CompanionKind,
} from './support/companions';
import { OPERATIONS } from './support/operations';
import { program, type Victim } from './support/programs';
import { NTRACE, PROVIDER, Stack } from './support/scene';

const ROUNDS = Number(process.env['NTRACE_STACK_ROUNDS'] ?? 1);
const LIFE = String(20 * 60 * ROUNDS); // seconds until a victim that was forgotten ends
const KERNEL = PROVIDER === 'kernel' ? '' : 'ptrace has room for one: needs the module';

jest.setTimeout(120_000 * PATIENCE * ROUNDS);

/** Where the leak checker writes: its exit code is the same when it was kept from its work. */
const reports = fs.mkdtempSync(path.join(os.tmpdir(), 'ntrace-lsan-'));

/** Program, exit code, how it is built. */
const SELF_TRACERS: readonly [string, number, string[]][] = [
  ['crasher', 7, []],
  ['leaky', 23, ['-fsanitize=leak']],
];

interface Scene {
  victim: Victim;
  companion: Companion;
  gdb: GdbConsole;
}

/** What a leak checker that could do its work wrote. */
function expectLeak(name: string, pid: number): void {
  if (name !== 'leaky') return;
  const report = fs.readFileSync(path.join(reports, `lsan.${pid}`), 'latin1');
  expect(report).toMatch(/1234 byte\(s\) leaked in 1 allocation/);
}

let stack: Stack;
let scene: Scene | undefined;

beforeAll(async () => {
  process.env['LSAN_OPTIONS'] = `log_path=${path.join(reports, 'lsan')}`;
  if (KERNEL === '') stack = await Stack.start();
});
afterAll(async () => {
  await leave();
  if (KERNEL === '') await stack.end();
  delete process.env['LSAN_OPTIONS'];
  fs.rmSync(reports, { recursive: true });
});

/** The companion first, then gdb. */
async function enter(kind: CompanionKind): Promise<Scene> {
  let victim: Victim;
  let companion: Companion;
  if (kind.starts !== undefined) {
    ({ victim, companion } = await kind.starts([LIFE]));
    stack.adopt(victim);
  } else {
    victim = await stack.victim(kind.copy?.() ?? 'actor', LIFE);
    companion = await kind.joins!(victim);
  }
  try {
    await companion.sees();
    const gdb = await attach(victim, 'actor');
    return { victim, companion, gdb };
  } catch (error) {
    await companion.end();
    throw error;
  }
}

async function attach(victim: Victim, name: string): Promise<GdbConsole> {
  const gdb = await stack.gdb('tcp', name);
  expect(await gdb.send(`attach ${victim.pid}`)).toMatch(/Attaching to program/);
  return gdb;
}

async function leave(): Promise<void> {
  const left = scene;
  scene = undefined;
  if (left === undefined) return;
  await left.gdb.vanish();
  left.victim.kill();
  await left.victim.end();
  await left.companion.end();
}

/** One scene serves all operations that leave it as it was; one that failed is not used again. */
async function onScene(kind: CompanionKind, body: (scene: Scene) => Promise<void>): Promise<void> {
  try {
    scene ??= await enter(kind);
    await body(scene);
  } catch (error) {
    await leave();
    throw error;
  }
}

if (KERNEL !== '') test.skip(`every operation beside every tool (${KERNEL})`, () => undefined);

for (const kind of KERNEL === '' ? COMPANION_KINDS : [])
  describe(`a gdb of ntrace beside ${kind.name}`, () => {
    const here = testIf(kind.missing());
    afterAll(leave);

    for (const { name, run, ends, leaves } of OPERATIONS)
      here(name, async () => {
        for (let round = 0; round < (ends || leaves ? 1 : ROUNDS); round++)
          await onScene(kind, async ({ gdb, victim, companion }) => {
            await run(gdb, victim, stack);
            if (ends) return;
            if (!leaves) {
              await gdb.send('delete');
              return;
            }
            // it goes on, and the companion with it
            await companion.sees();
            expect(victim.running).toBe(true);
          });
        if (ends || leaves) await leave();
      });

    const own = kind.starts === undefined ? '' : 'it ends with the process';
    testIf(own || kind.missing())(COMPANION_GOES, async () => {
      await onScene(kind, async ({ gdb, victim, companion }) => {
        gdb.begin('continue');
        await companion.end();
        expect(await gdb.interrupt()).toMatch(/received signal SIGINT/);
        await gdb.send('tbreak act');
        expect(await gdb.send('continue')).toMatch(/Temporary breakpoint \d+, act/);
        expect(victim.running).toBe(true);
      });
      await leave();
    });
  });

// push %rbp is emulated by the kernel; mov %rsp,%rbp behind it is stepped, out of line
const INSTRUCTIONS = [0, 1, 4];

for (const at of [0, 1])
  testIf(KERNEL || tracing())(`every instruction is its own, a uprobe at act+${at}`, async () => {
    const victim = await stack.victim('actor', LIFE);
    const uprobe = Uprobe.place(at);
    try {
      await uprobe.sees();
      const gdb = await attach(victim, 'actor');
      const offset = async (): Promise<string> => gdb.send('print (long) $pc - (long) &act');
      for (const round of [1, 2]) {
        const before = await gdb.send('print acts');
        await gdb.send('tbreak *&act');
        expect(await gdb.send('continue')).toMatch(/Temporary breakpoint \d+, .*act/);
        if (round === 2) expect(await gdb.send('print acts')).not.toBe(before);
        for (const [index, instruction] of INSTRUCTIONS.entries()) {
          if (index > 0) await gdb.send('stepi');
          expect(await offset()).toMatch(new RegExp(`= ${instruction}\n`));
        }
      }
      // hit, stepped and hit again where the probe is
      await gdb.send(`break *((char *) &act + ${at})`);
      for (let hit = 0; hit < 3; hit++) {
        expect(await gdb.send('continue')).toMatch(/Breakpoint \d+, /);
        expect(await offset()).toMatch(new RegExp(`= ${at}\n`));
      }
      await gdb.send('delete');
      expect(await gdb.send('detach')).toMatch(/detached/);
      await uprobe.sees();
      expect(victim.running).toBe(true);
    } finally {
      await uprobe.end();
    }
  });

describe('programs that ptrace themselves', () => {
  for (const [name, code, flags] of KERNEL === '' ? SELF_TRACERS : [])
    test(`${name} under ntrace strace`, async () => {
      const victim = await stack.victim(program(name, ...flags), LIFE);
      const args = ['strace', '--engine=kernel', '-f', '-p', String(victim.pid)];
      const strace = spawn(NTRACE, args, { stdio: ['ignore', 'ignore', 'pipe'] });
      let text = '';
      strace.stderr.on('data', (data: Buffer) => (text += data.toString()));
      const closed = new Promise((done) => strace.once('close', done));
      while (!/attached/.test(text)) await new Promise((done) => setTimeout(done, 20));
      victim.signal('SIGUSR2');
      await closed;
      expect(text).toMatch(new RegExp(`\\+\\+\\+ exited with ${code} \\+\\+\\+`));
      expectLeak(name, victim.pid);
    });

  for (const [name, code, flags] of KERNEL === '' ? SELF_TRACERS : [])
    test(`${name} under a gdb of ntrace`, async () => {
      const binary = program(name, ...flags);
      const victim = await stack.victim(binary, LIFE);
      const gdb = await stack.gdb('tcp', binary);
      expect(await gdb.send(`attach ${victim.pid}`)).toMatch(/Attaching to program/);
      await gdb.send('handle SIGSEGV SIGUSR2 nostop noprint pass');
      victim.signal('SIGUSR2');
      const text = await gdb.send('continue');
      expect(text).toMatch(new RegExp(`exited with code 0${code.toString(8)}\\b`));
      expect(await victim.end()).toBe(code);
      expectLeak(name, victim.pid);
    });
});
