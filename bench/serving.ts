// Starts the servers under measurement, and ends them.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';

/** A guest on a busy host takes its time. */
const START_MS = 300_000;

export interface Serving {
  child: ChildProcess;
  startMs: number;
  residentMb(): number;
}

/** Starts a server and waits until its port is bound. */
export async function serve(command: string[], port: number): Promise<Serving> {
  const [file = '', ...args] = command;
  const begun = performance.now();
  const child = spawn(file, args, { stdio: 'ignore' });
  let resident = 0;
  const sampler = setInterval(() => {
    resident = residentOf(child.pid ?? 0) || resident;
  }, 5);
  child.once('exit', () => clearInterval(sampler));
  while (!listening(port)) {
    if (child.exitCode !== null || performance.now() - begun > START_MS) {
      await end(child);
      throw new Error(`${command.join(' ')} does not listen`);
    }
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

export async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Ends a server and the program it started: not every server takes that with it. */
export async function endWith(server: ChildProcess, program: string): Promise<void> {
  const children = childrenOf(server.pid ?? 0);
  await end(server);
  for (const pid of children)
    try {
      // the number may belong to somebody else by now
      if (fs.readlinkSync(`/proc/${pid}/exe`) === fs.realpathSync(program))
        process.kill(pid, 'SIGKILL');
    } catch {
      // it is gone
    }
}

function childrenOf(pid: number): number[] {
  try {
    const text = fs.readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
    return text.split(' ').map(Number).filter(Boolean);
  } catch {
    return [];
  }
}

export async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}
