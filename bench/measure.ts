import { execFile, execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import { promisify } from 'node:util';
import { GdbConsole } from '../src/cli/demo/gdb-console';
import { built, compile } from './compile';
import { conditionPrograms, hitCost } from './condition';
import { BUSY, type Values } from './rows';
import type { ServerKind } from './servers';
import { end, endWith, freePort, serve } from './serving';

const CLIENT = built('client');
const TARGET = built('target');
const PATIENCE_MS = 120_000;
/** Hits of a condition in its short run. */
const HITS = 12345;

/** Values that there are for each number of threads. */
const PER_COUNT = 'step cycle interrupt stop-busy cycle-busy attach threads'.split(' ');

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

export function build(): void {
  compile('client', ['-O2'], ['client.c', 'rsp.c']);
  const fixed = ['-no-pie', '-fno-pie', '-fcf-protection=none']; // addresses as nm tells them
  compile('target', ['-O1', '-g', ...fixed, '-pthread'], ['target.c']);
  conditionPrograms();
}

/** Values of a group that has no client of its own; a server that cannot do it has none. */
async function conditions(kind: ServerKind, values: Values): Promise<void> {
  for (const [level, program] of conditionPrograms()) {
    const port = await freePort();
    const server = await serve(kind.launch(port, program, []), port);
    const gdb = await GdbConsole.start(program);
    try {
      await gdb.send(`target remote 127.0.0.1:${port}`);
      const { short, long } = await hitCost(gdb, HITS);
      values.set(`condition-${level}`, short);
      values.set(`condition-${level}-long`, long);
    } catch (error) {
      console.error(`  condition, ${level}: ${(error as Error).message.trim()}`);
    } finally {
      await gdb.vanish();
      await endWith(server.child, program);
    }
  }
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
  if (wanted('busy')) await launched(kind, 'busy', BUSY, values, ['busy']);
  if (wanted('condition')) await conditions(kind, values);
  if (wanted('start')) await startUp(kind, values);
  return values;
}

async function launched(
  kind: ServerKind,
  group: string,
  count: number,
  values: Values,
  how: string[] = [],
): Promise<void> {
  const port = await freePort();
  const server = await serve(kind.launch(port, TARGET, [String(count), ...how]), port);
  try {
    await client(port, group, count, values, []);
  } finally {
    await endWith(server.child, TARGET);
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
    await endWith(server.child, TARGET);
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
      const perCount = PER_COUNT.includes(name);
      values.set(perCount ? `${name}/${count}` : name, Number(value));
    }
  } catch (error) {
    console.error(`  ${group}, ${count} threads: ${(error as Error).message.trim()}`);
  }
}
