import fs from 'node:fs';
import net from 'node:net';
import { once } from 'node:events';
import { procNumbers, processStatus } from './linux/process';
import { publishedIn, readableDirectories } from './who-directory';
import { parseKernelEngines, type EngineReport } from './who-report';
import type { WhoReply, WhoRequest } from './who-service';

const KERNEL_LIST = '/proc/ntrace/engines';
const PATIENCE_MS = 3000;

/** A process that traces others by ptrace, and is no server of ours. */
export interface Tracer {
  pid: number;
  name: string;
  uid: number;
  tracees: number[];
}

/** Everything that is attached to anything, as far as this user may see it. */
export interface Situation {
  engines: EngineReport[];
  tracers: Tracer[];
  /** Servers that are there and did not answer. */
  silent: number[];
}

/** Asks a published server; undefined: nobody listens there any more. */
async function ask(socket: string, request: WhoRequest): Promise<WhoReply | undefined> {
  const client = net.connect(socket);
  client.setEncoding('utf8').setTimeout(PATIENCE_MS, () => client.destroy(new Error('no answer')));
  try {
    await once(client, 'connect');
    client.write(`${JSON.stringify(request)}\n`);
    let text = '';
    for await (const data of client) text += data as string;
    return JSON.parse(text) as WhoReply;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ECONNREFUSED' || code === 'ENOENT') return undefined;
    return { error: (error as Error).message };
  } finally {
    client.destroy();
  }
}

function published(): { pid: number; socket: string }[] {
  return readableDirectories().flatMap(publishedIn);
}

function tracers(servers: ReadonlySet<number>): Tracer[] {
  const found = new Map<number, Tracer>();
  for (const pid of procNumbers('/proc')) {
    const tracer = processStatus(pid)?.tracerPid ?? 0;
    if (tracer === 0 || servers.has(tracer)) continue;
    const known = found.get(tracer);
    if (known) known.tracees.push(pid);
    else {
      const status = processStatus(tracer);
      const { name = '?', euid = 0 } = status ?? {};
      found.set(tracer, { pid: tracer, name, uid: euid, tracees: [pid] });
    }
  }
  return [...found.values()];
}

function kernelEngines(): EngineReport[] {
  try {
    return parseKernelEngines(fs.readFileSync(KERNEL_LIST, 'utf8'));
  } catch {
    return []; // no module
  }
}

/** Who is attached to what now. Sockets nobody listens at are removed. */
export async function situation(): Promise<Situation> {
  const engines = kernelEngines();
  const silent: number[] = [];
  const servers = new Set<number>();
  for (const { pid, socket } of published()) {
    const reply = await ask(socket, { ask: 'who' });
    if (reply === undefined) {
      fs.rmSync(socket, { force: true });
      continue;
    }
    servers.add(pid);
    if ('engines' in reply)
      engines.push(...reply.engines.filter(({ provider }) => provider !== 'kernel'));
    else silent.push(pid);
  }
  return { engines, silent, tracers: tracers(servers) };
}

/** Asks a server to let an engine's holds go; how many it let go. Throws Error. */
export async function askRelease(server: number, engine: string, tid: number): Promise<number> {
  const found = published().find(({ pid }) => pid === server);
  const reply = found && (await ask(found.socket, { ask: 'release', engine, tid }));
  if (!reply) throw new Error(`process ${server} is no server that can be asked`);
  if ('released' in reply) return reply.released;
  throw new Error('error' in reply ? reply.error : 'the server did not understand');
}
