// Where we are stricter or can do more than gdbserver.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { RspClient } from '../../src/cli/rsp-client';
import { ServerProcess } from '../gdb/support/server-process';
import { PATIENCE } from '../support/patience';
import { repositoryRoot } from '../support/root';

let dir: string;
beforeAll(() => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), 'ntrace-cli-'));
});
afterAll(() => fs.rmSync(dir, { recursive: true, force: true }));

async function ask(comm: { host: string; port: number } | string, packet: string): Promise<string> {
  const client = new RspClient(20_000 * PATIENCE);
  await client.connect(
    typeof comm === 'string' ? { kind: 'unix', path: comm } : { kind: 'tcp', ...comm },
  );
  try {
    return (await client.request(Buffer.from(packet))).toString('latin1');
  } finally {
    client.close();
  }
}

/** Local addresses a port is bound to, from /proc/net/tcp: "0100007F". */
function boundTo(port: number): string[] {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  return ['tcp', 'tcp6'].flatMap((table) =>
    fs
      .readFileSync(`/proc/net/${table}`, 'utf8')
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .filter(([, local, , state]) => state === '0A' && local?.endsWith(`:${hex}`))
      .map(([, local]) => local?.split(':')[0] ?? ''),
  );
}

test('an empty host and localhost listen on loopback alone', async () => {
  for (const spec of [':0', 'localhost:0', 'tcp::0', 'tcp4:localhost:0', '127.0.0.1:0']) {
    const server = ServerProcess.start(['--multi', spec]);
    expect(boundTo(await server.port())).toEqual(['0100007F']);
    expect(server.stderr).not.toContain('Warning');
    await server.stop();
  }
});

test('tcp6 listens on the IPv6 loopback', async () => {
  const server = ServerProcess.start(['--multi', 'tcp6::0']);
  expect(boundTo(await server.port())).toEqual(['00000000000000000000000001000000']);
  await server.stop();
});

test('an address that others can reach is obeyed, with a warning', async () => {
  const server = ServerProcess.start(['--multi', '0.0.0.0:0']);
  expect(boundTo(await server.port())).toEqual(['00000000']);
  expect(server.stderr).toMatch(/Warning: listening on 0\.0\.0\.0: whoever can connect/);
  await server.stop();
});

test('a Unix socket for this user alone', async () => {
  const socket = path.join(dir, 'socket');
  const server = ServerProcess.start(['--once', '--multi', `unix:${socket}`]);
  await server.says(/Listening on/);
  expect(fs.statSync(socket).mode & 0o777).toBe(0o600);
  expect(await ask(socket, 'qSupported')).toContain('PacketSize=');
  expect(await server.end()).toBe(0);
});

test('--log-packets: a line per packet', async () => {
  const log = path.join(dir, 'packets');
  const server = ServerProcess.start(['--once', '--multi', `--log-packets=${log}`, ':0']);
  await ask({ host: '127.0.0.1', port: await server.port() }, 'vMustReplyEmpty');
  expect(await server.end()).toBe(0);
  const lines = fs.readFileSync(log, 'utf8').trimEnd().split('\n');
  expect(lines.filter((line) => line.includes('vMustReplyEmpty'))).toHaveLength(1);
});

test('--log-packets into nowhere is an error at once', async () => {
  const server = ServerProcess.start(['--log-packets=/nonexistent/log', '--multi', ':0']);
  expect(await server.end()).toBe(1);
  expect(server.stderr).toMatch(/\/nonexistent\/log.*\nExiting\n$/);
});

test('--debug-file that cannot be opened falls back to standard error, as gdbserver', async () => {
  const server = ServerProcess.start(['--debug-file=/nonexistent/x', '--debug', '--multi', ':0']);
  await server.port();
  await server.stop();
  expect(server.stderr).toContain(
    'Cannot open /nonexistent/x for writing. No such file or directory. Switching to stderr.\n',
  );
});

test('--engine takes known names only', async () => {
  const server = ServerProcess.start(['--engine=magic', ':0', '/bin/true']);
  expect(await server.end()).toBe(1);
  expect(server.stderr).toBe('--engine is kernel, embedded or auto, not "magic"\n');
});

test('a terminal that is none is refused before anything is started', async () => {
  const server = ServerProcess.start(['/dev/no-such-terminal', '/bin/true']);
  expect(await server.end()).toBe(1);
  expect(server.stderr).toMatch(/^Could not open remote device: .*\nExiting\n$/);
});

test('--selftest', () => {
  const out = execFileSync(path.join(repositoryRoot, 'bin/ntrace-gdbserver'), ['--selftest'], {
    encoding: 'utf8',
  });
  expect(out).toMatch(/^Ran [1-9]\d* unit tests, 0 failed\n$/);
});

test('--version names us and what we are compatible with', () => {
  const out = execFileSync(path.join(repositoryRoot, 'bin/ntrace-gdbserver'), ['--version'], {
    encoding: 'utf8',
  });
  expect(out).toMatch(/^ntrace-gdbserver \d+\.\d+\.\d+, compatible with GNU gdbserver 13\.1\n/);
});
