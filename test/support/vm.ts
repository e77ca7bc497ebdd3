// Commands in a guest with a kernel of Debian's: scripts/vm, for tests.
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { repositoryRoot } from './root';

const SCRIPTS = path.join(repositoryRoot, 'scripts/vm');
/** As scripts/vm/lib.sh has it. */
const CACHE =
  process.env['NTRACE_CACHE'] ??
  path.join(process.env['XDG_CACHE_HOME'] ?? path.join(os.homedir(), '.cache'), 'ntrace');

/** What scripts/vm/run says when the guest or its kernel fails, and at the time limit. */
export const GUEST_FAILED = 125;
export const TIME_LIMIT = 124;

/** In how many seconds a short choice of tests is to be begun; undefined: all of them, whenever. */
export const VM_BUDGET = budget(process.env['NTRACE_VM_BUDGET']);

function budget(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}

export interface GuestRun {
  code: number;
  /** what the command printed */
  output: string;
  /** what the script says of the guest: complaints of its kernel */
  errors: string;
}

/** The kernels to test: NTRACE_VM_KERNELS=6.1,6.12. */
export function chosenKernels(): string[] {
  return (process.env['NTRACE_VM_KERNELS'] ?? '6.1,6.12').split(',');
}

/** "" if a guest with this kernel can run, else the reason why not. */
export function missingFor(kernel: string): string {
  if (os.arch() !== 'x64') return 'the guests are x86-64';
  for (const [command, of] of [
    ['busybox', 'busybox-static'],
    ['cpio', 'cpio'],
    ['setpriv', 'util-linux'],
  ] as const)
    if (spawnSync('sh', ['-c', `command -v ${command}`]).status !== 0)
      return `no ${command} here: apt-get install ${of}`;
  const qemu = spawnSync(path.join(SCRIPTS, 'qemu'), [], { encoding: 'utf8' });
  if (qemu.status !== 0) return `no QEMU: ${qemu.stderr.trim().split('\n').at(-1)}`;
  // who sets the machine up first has tried: what is not there now does not come
  if (VM_BUDGET !== undefined)
    return fs.existsSync(path.join(CACHE, 'kernels', kernel, 'complete'))
      ? ''
      : `no kernel ${kernel}: scripts/vm/fetch ${kernel} says why`;
  const { status, stderr } = spawnSync(path.join(SCRIPTS, 'fetch'), [kernel], { encoding: 'utf8' });
  return status === 0 ? '' : `no kernel ${kernel}: ${stderr.trim().split('\n').at(-1)}`;
}

/** Builds the module of a folder (default: ntrace.ko), not one warning allowed; the path of the .ko. */
export function buildModule(kernel: string, folder: string = repositoryRoot): string {
  const { status, stdout, stderr } = spawnSync(
    path.join(SCRIPTS, 'build'),
    [kernel, '--strict', folder],
    {
      encoding: 'utf8',
    },
  );
  if (status !== 0) throw new Error(`the module does not build for ${kernel}:\n${stderr}`);
  return stdout.trim().split('\n').at(-1) ?? '';
}

/** What a kernel's log says against the kernel; "" if nothing. */
export function complaints(log: string): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'ntrace-log-'));
  try {
    const file = path.join(folder, 'log');
    fs.writeFileSync(file, log);
    return spawnSync(path.join(SCRIPTS, 'complaints'), [file], { encoding: 'utf8' }).stdout;
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}

/** Boots, loads the modules, runs the command in the repository, powers off. */
export async function runInGuest(
  kernel: string,
  command: readonly string[],
  options: { modules?: readonly string[]; env?: Record<string, string>; seconds?: number } = {},
): Promise<GuestRun> {
  const args = [
    kernel,
    ...['--timeout', String(options.seconds ?? 300)],
    ...(options.modules ?? []).flatMap((file) => ['--module', file]),
    ...Object.entries(options.env ?? {}).flatMap(([name, value]) => ['--env', `${name}=${value}`]),
    '--',
    ...command,
  ];
  // a test runner that is killed takes the guest with it
  const child = spawn('setpriv', ['--pdeathsig', 'TERM', path.join(SCRIPTS, 'run'), ...args], {
    cwd: repositoryRoot,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [output, errors] = ['', ''];
  child.stdout.on('data', (data: Buffer) => (output += data.toString()));
  child.stderr.on('data', (data: Buffer) => (errors += data.toString()));
  const code = await new Promise<number>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status) => resolve(status ?? -1));
  });
  return { code, output: output.replaceAll('\r', ''), errors };
}
