import { execFile, execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Values } from './rows';
import type { ServerKind } from './servers';

const ROOT = path.resolve(__dirname, '../..');
const OUT = path.join(ROOT, 'build/bench');
const CLIENT = path.join(OUT, 'client');
const TARGET = path.join(OUT, 'target');
const PATIENCE_MS = 120_000;
const START_MS = 60_000;

/** Groups with the client's name, and whether threads matter to them. */
const GROUPS: readonly [name: string, threaded: boolean][] = [
  ['trips', false],
  ['step', true],
  ['breakpoint', true],
  ['interrupt', true],
  ['range', false],
  ['memory', false],
  ['attach', true],
];

function compile(binary: string, flags: readonly string[], names: readonly string[]): void {
  const sources = names.map((name) => path.join(ROOT, 'bench', name));
  const written = (file: string): number => fs.statSync(file).mtimeMs;
  // a guest would take its time, and has what the host has built
  if (fs.existsSync(binary) && sources.every((file) => written(file) < written(binary))) return;
  execFileSync('gcc', [...flags, '-o', binary, ...sources]);
}

export function build(): void {
  compile(CLIENT, ['-O2'], ['client.c', 'rsp.c']);
  const fixed = ['-no-pie', '-fno-pie', '-fcf-protection=none']; // addresses as nm tells them
  compile(TARGET, ['-O1', '-g', ...fixed, '-pthread'], ['target.c']);
}

/** NAME=ADDRESS of what the client breaks at and reads. */
function symbols(): string[] {
  const lines = execFileSync('nm', ['-S', TARGET], { encoding: 'utf8' }).split('\n');
  return lines.flatMap((line) => {
    const [address, size, , name = ''] = line.split(' ');
    if (!['ready', 'tick', 'spin', 'block'].includes(name)) return [];
    return [`${name}=0x${address}`, ...(name === 'spin' ? [`spin-size=0x${size}`] : [])];
  });
}

/** One round of everything, or of the groups named, against one server. */
export async function measure(
  kind: ServerKind,
  only: readonly string[],
  threads: readonly number[],
): Promise<Values> {
  const values: Values = new Map();
  const wanted = (group: string): boolean => only.length === 0 || only.includes(group);
  for (const [group, threaded] of GROUPS)
    if (wanted(group))
      for (const count of threaded ? threads : [1])
        await (group === 'attach'
          ? attach(kind, count, values)
          : launched(kind, group, count, values));
  if (wanted('start')) await startUp(kind, values);
  return values;
}

async function launched(
  kind: ServerKind,
  group: string,
  count: number,
  values: Values,
): Promise<void> {
  const port = await freePort();
  const server = await serve(kind.launch(port, TARGET, [String(count)]), port);
  try {
    await client(port, group, count, values, []);
  } finally {
    await endBoth(server.child, values);
  }
}

/** Ends a server and what it launched: not every server takes that with it. */
async function endBoth(server: ChildProcess, values: Values): Promise<void> {
  await end(server);
  const pid = values.get('pid');
  values.delete('pid');
  if (!pid) return;
  try {
    // the number may belong to somebody else by now
    if (fs.readlinkSync(`/proc/${pid}/exe`) === TARGET) process.kill(pid, 'SIGKILL');
  } catch {
    // it is gone
  }
}

async function attach(kind: ServerKind, count: number, values: Values): Promise<void> {
  if (!kind.multi) return;
  const target = spawn(TARGET, [String(count)], { stdio: 'ignore' });
  const port = await freePort();
  const server = await serve(kind.multi(port), port);
  try {
    const pid = target.pid ?? 0;
    while (fs.readdirSync(`/proc/${pid}/task`).length < count)
      await new Promise((resolve) => setTimeout(resolve, 5));
    await client(port, 'attach', count, values, [`pid=${pid}`]);
  } finally {
    await end(server.child);
    await end(target);
  }
}

async function startUp(kind: ServerKind, values: Values): Promise<void> {
  const port = await freePort();
  const server = await serve(kind.launch(port, TARGET, ['1']), port);
  values.set('start', server.startMs);
  try {
    await client(port, 'session', 1, values, []);
    values.set('resident', server.residentMb());
  } finally {
    await endBoth(server.child, values);
  }
}

async function client(
  port: number,
  group: string,
  count: number,
  values: Values,
  extra: string[],
): Promise<void> {
  try {
    const args = [String(port), group, ...symbols(), ...extra];
    const { stdout } = await promisify(execFile)(CLIENT, args, { timeout: PATIENCE_MS });
    for (const [, name = '', value] of stdout.matchAll(/^(\S+) (\S+)$/gm)) {
      const perCount = ['step', 'cycle', 'interrupt', 'attach', 'threads'].includes(name);
      values.set(perCount ? `${name}/${count}` : name, Number(value));
    }
  } catch (error) {
    console.error(`  ${group}, ${count} threads: ${(error as Error).message.trim()}`);
  }
}

interface Serving {
  child: ChildProcess;
  startMs: number;
  residentMb(): number;
}

/** Starts a server and waits until its port is bound. */
async function serve(command: string[], port: number): Promise<Serving> {
  const [file = '', ...args] = command;
  const begun = performance.now();
  const child = spawn(file, args, { stdio: 'ignore' });
  let resident = 0;
  const sampler = setInterval(() => {
    resident = residentOf(child.pid ?? 0) || resident;
  }, 5);
  child.once('exit', () => clearInterval(sampler));
  while (!listening(port)) {
    if (child.exitCode !== null || performance.now() - begun > START_MS)
      throw new Error(`${command.join(' ')} does not listen`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  return { child, startMs: performance.now() - begun, residentMb: () => resident };
}

/** A connection would take the server's only one, so the kernel's table is asked. */
function listening(port: number): boolean {
  const local = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return ['tcp', 'tcp6'].some((table) =>
    fs
      .readFileSync(`/proc/net/${table}`, 'utf8')
      .split('\n')
      .some((line) => {
        const [, address, , state] = line.trim().split(/\s+/);
        return state === '0A' && address?.endsWith(local);
      }),
  );
}

function residentOf(pid: number): number {
  try {
    const text = fs.readFileSync(`/proc/${pid}/status`, 'utf8');
    return Number(/VmRSS:\s+(\d+)/.exec(text)?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}

async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}
