// The kernel's own tests of ptrace, and of seccomp, which use ptrace on children of theirs: what passes
// where no engine is passes with one on all of it. scripts/vm/selftests builds them.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { GdbConsole } from '../../src/cli/demo/gdb-console';
import { testIf } from '../gdb/support/needs';
import { ServerProcess } from '../gdb/support/server-process';
import { PATIENCE } from '../support/patience';
import { repositoryRoot } from '../support/root';
import { NTRACE, PROVIDER } from './support/scene';

const PROGRAMS = ['get_syscall_info', 'peeksiginfo', 'vmaccess', 'seccomp_bpf'];

/**
 * What fails where signals are seen: one that somebody wants to see does not end a process when it is
 * sent (ptrace keeps it from that, too), so not while that waits for what only SIGKILL interrupts.
 */
const TRACED = 'global.user_notification_wait_killable_fatal';

interface Run {
  passed: Set<string>;
  /** All it wrote. */
  text: string;
}
type Way = (file: string) => Promise<Run>;

const folder = ((): { bin: string; missing: string } => {
  if (PROVIDER !== 'kernel')
    return { bin: '', missing: 'ptrace has room for one: needs the module' };
  const script = path.join(repositoryRoot, 'scripts/vm/selftests');
  const { status, stdout, stderr } = spawnSync(script, ['--there'], { encoding: 'utf8' });
  if (status === 0) return { bin: stdout.trim(), missing: '' };
  return { bin: '', missing: stderr.trim().replace(/^.*?: /, '') };
})();

jest.setTimeout(120_000 * PATIENCE);

/** One that knows no TAP says by its exit code whether all of it passed. */
function judged(file: string, text: string, code: number | null): Run {
  const lines = [...text.matchAll(/^(ok|not ok) \d+ (\S+)/gm)];
  const passed = lines.filter(([, verdict]) => verdict === 'ok').map(([, , name = '']) => name);
  if (lines.length === 0 && code === 0) passed.push(path.basename(file));
  return { passed: new Set(passed), text };
}

async function run(file: string, ...tool: string[]): Promise<Run> {
  const [command = '', ...args] = [...tool, file];
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  child.stdout.on('data', (data: Buffer) => (text += data.toString()));
  child.stderr.on('data', (data: Buffer) => (text += data.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  return judged(file, text, code);
}

/** Started by a server, on the command of a gdb, which lets every signal pass. */
async function underGdb(file: string): Promise<Run> {
  const server = ServerProcess.start(['--once', ':0', file]);
  const gdb = await GdbConsole.start(file);
  try {
    await gdb.send(`target remote :${await server.port()}`);
    await gdb.send('handle all nostop noprint pass');
    await gdb.send('break main');
    expect(await gdb.send('continue')).toMatch(/Breakpoint 1, /);
    const end = await gdb.send('continue');
    const said = server.stderr.slice(-1000);
    expect({ end, said }).toEqual({
      end: expect.stringMatching(/exited (normally|with code)/) as string,
      said,
    });
    await server.end();
    return judged(file, server.stdout, /exited normally/.test(end) ? 0 : 1);
  } finally {
    await gdb.vanish();
    await server.stop();
  }
}

const WAYS: readonly [name: string, way: Way, but: readonly string[]][] = [
  [
    'under ntrace strace',
    (file) => run(file, NTRACE, 'strace', '--engine=kernel', '-f', '-o', '/dev/null'),
    [TRACED],
  ],
  ['under a gdb of ntrace', underGdb, []],
];

describe('the selftests of the kernel', () => {
  const alone = new Map<string, Promise<Run>>();
  for (const name of PROGRAMS)
    for (const [words, way, but] of WAYS)
      testIf(folder.missing)(`${name} ${words}`, async () => {
        const file = path.join(folder.bin, name);
        if (!alone.has(name)) alone.set(name, run(file));
        const plain = await alone.get(name)!;
        expect(plain.passed.size).toBeGreaterThan(0);
        const beside = await way(file);
        const lost = [...plain.passed].filter((one) => !beside.passed.has(one));
        expect({ lost: lost.filter((one) => !but.includes(one)), text: beside.text }).toEqual({
          lost: [],
          text: beside.text,
        });
      });
});
