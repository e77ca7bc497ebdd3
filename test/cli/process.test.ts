// How the server behaves as a process: signals, standard error, exit codes.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { RspClient } from '../../src/cli/rsp-client';
import { program } from '../gdb/support/program';
import { ServerProcess } from '../gdb/support/server-process';
import { PATIENCE } from '../support/patience';

const NONBLOCK = 0o4000;

async function client(server: ServerProcess): Promise<RspClient> {
  const rsp = new RspClient(20_000 * PATIENCE);
  await rsp.connect({ kind: 'tcp', host: '127.0.0.1', port: await server.port() });
  return rsp;
}

function inferiorOf(server: ServerProcess): number {
  const [, pid] = /created; pid = (\d+)/.exec(server.stderr) ?? [];
  return Number(pid);
}

function alive(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(fs.readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

/** Is somebody listening there? (__SO_ACCEPTCON of net/unix/af_unix.c) */
function listening(socket: string): boolean {
  const lines = fs.readFileSync('/proc/net/unix', 'utf8').split('\n');
  return lines.some((line) => line.endsWith(` ${socket}`) && line.split(' ')[3] === '00010000');
}

async function eventually(what: () => boolean): Promise<boolean> {
  for (const limit = Date.now() + 20_000 * PATIENCE; Date.now() < limit;) {
    if (what()) return true;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return false;
}

test.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)('%s ends it by that signal', async (signal) => {
  const server = ServerProcess.start(['--multi', ':0']);
  await server.port();
  expect(await server.stop(signal)).toBe(signal);
});

test('the spawned pid is the server, and the program its child', async () => {
  const server = ServerProcess.start([':0', program('hello')]);
  await server.port();
  const status = fs.readFileSync(`/proc/${inferiorOf(server)}/status`, 'utf8');
  expect(status).toContain(`PPid:\t${server.pid}\n`);
  await server.stop();
});

test('a signal: the program survives if no client had connected, else it dies', async () => {
  const lonely = ServerProcess.start([':0', '/bin/sleep', '1000']);
  await lonely.port();
  const survivor = inferiorOf(lonely);
  await lonely.stop();
  expect(alive(survivor)).toBe(true);
  process.kill(survivor, 'SIGKILL');

  const visited = ServerProcess.start([':0', '/bin/sleep', '1000']);
  const rsp = await client(visited);
  await rsp.request(Buffer.from('?'));
  await visited.stop();
  rsp.close();
  expect(await eventually(() => !alive(inferiorOf(visited)))).toBe(true);
});

test('even SIGKILL leaves no program behind', async () => {
  const server = ServerProcess.start([':0', '/bin/sleep', '1000']);
  const rsp = await client(server);
  await rsp.request(Buffer.from('?'));
  await server.stop('SIGKILL');
  rsp.close();
  expect(await eventually(() => !alive(inferiorOf(server)))).toBe(true);
});

test('the program ends: its end is told, then exit code 0', async () => {
  const server = ServerProcess.start([':0', program('hello')]);
  const rsp = await client(server);
  expect((await rsp.request(Buffer.from('vCont;c'))).toString()).toBe('W00');
  rsp.close();
  expect(await server.end()).toBe(0);
  expect(server.stderr).toMatch(/\nChild exited with status 0\n/);
});

test('without --once a client that leaves is followed by the next', async () => {
  const server = ServerProcess.start([':0', '/bin/sleep', '1000']);
  const port = await server.port();
  for (let round = 0; round < 3; round++) {
    const rsp = new RspClient(20_000 * PATIENCE);
    await rsp.connect({ kind: 'tcp', host: '127.0.0.1', port });
    expect((await rsp.request(Buffer.from('?'))).toString()).toMatch(/^[TS]05/);
    rsp.close();
    await server.says(new RegExp(`(reopen the connection\\.\\nListening[^]*){${round + 1}}`));
  }
  await server.stop();
  expect(server.stderr).toMatch(
    /Remote side has terminated connection\. {2}GDBserver will reopen the connection\.\n/,
  );
});

test('--once: a client that leaves ends it, and the program with it', async () => {
  const server = ServerProcess.start(['--once', ':0', '/bin/sleep', '1000']);
  const rsp = await client(server);
  await rsp.request(Buffer.from('?'));
  rsp.close();
  expect(await server.end()).toBe(0);
  expect(alive(inferiorOf(server))).toBe(false);
});

test('kill and detach end plain remote mode with exit code 0', async () => {
  for (const packet of ['k', 'D']) {
    const server = ServerProcess.start([':0', program('hello')]);
    const rsp = await client(server);
    rsp.send(Buffer.from(packet));
    expect(await server.end()).toBe(0);
    rsp.close();
  }
});

test('a full standard error never holds it up, and is left as it was', async () => {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'ntrace-full-'));
  try {
    const fifo = path.join(dir, 'stderr');
    const socket = path.join(dir, 'socket');
    execFileSync('mkfifo', [fifo]);
    const shared = fs.openSync(fifo, 'r+');
    const filler = fs.openSync(fifo, fs.constants.O_WRONLY | fs.constants.O_NONBLOCK);
    const full = (): never | number => fs.writeSync(filler, Buffer.alloc(4096));
    expect(() => {
      for (;;) full();
    }).toThrow(/EAGAIN/);

    const server = ServerProcess.start(['--multi', `unix:${socket}`], {
      stdio: ['ignore', 'ignore', shared],
    });
    // it is there a moment before it is listened on
    expect(await eventually(() => listening(socket))).toBe(true);
    for (let round = 0; round < 3; round++) {
      const rsp = new RspClient(20_000 * PATIENCE);
      await rsp.connect({ kind: 'unix', path: socket });
      expect((await rsp.request(Buffer.from('qSupported'))).toString()).toContain('PacketSize');
      rsp.close();
    }
    const info = fs.readFileSync(`/proc/${server.pid}/fdinfo/2`, 'utf8');
    const flags = parseInt(/flags:\s*([0-7]+)/.exec(info)?.[1] ?? '', 8);
    expect(flags & NONBLOCK).toBe(0);
    await server.stop();
    fs.closeSync(shared);
    fs.closeSync(filler);
  } finally {
    fs.rmSync(dir, { recursive: true, force: true });
  }
});

test('stdio: the program reads nothing of what the client sends and writes nothing among it', async () => {
  const server = ServerProcess.start(['stdio', '/bin/cat', '/proc/self/fd/0', '/proc/version'], {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  server.child.stdin!.write('+$QStartNoAckMode#b0+$c#63');
  expect(await server.says(/Linux version/)).not.toBeNull();
  expect(await eventually(() => server.stdout.includes('$W00#'))).toBe(true);
  expect(server.stdout).toMatch(/^\+\$OK#9a\$W00#b7$/);
  server.child.stdin!.end();
  expect(await server.end()).toBe(0);
  expect(server.stderr).not.toContain('Child exited');
});

test('stdio: end of input ends it', async () => {
  for (const comm of ['-', 'stdio']) {
    const server = ServerProcess.start([comm, program('hello')]);
    expect(await server.end()).toBe(0);
    expect(server.stderr).toMatch(/^stdin\/stdout redirected\nProcess .* created; pid = \d+\n/);
    expect(server.stderr).toContain('Remote debugging using stdio\n');
  }
});
