// The ntrace command and its subcommands.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { ServerProcess } from '../gdb/support/server-process';
import { repositoryRoot } from '../support/root';

const NTRACE = path.join(repositoryRoot, 'bin/ntrace');

function ntrace(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(NTRACE, args, { encoding: 'utf8', env: { ...process.env, NO_COLOR: '1' } });
}

test('--help lists every command', () => {
  const { status, stdout } = ntrace('--help');
  expect(status).toBe(0);
  for (const name of ['gdbserver', 'serve', 'doctor', 'connect', 'demo'])
    expect(stdout).toMatch(new RegExp(`^  ntrace ${name}\\b`, 'm'));
});

test('--version', () => {
  expect(ntrace('--version').stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
});

test.each([[[]], [['nonsense']], [['serve', '--bogus']], [['serve', '--engine', 'magic']]])(
  'wrong usage %j: one line with the remedy, no stack',
  (args) => {
    const { status, stderr } = ntrace(...args);
    expect(status).toBe(1);
    expect(stderr).toMatch(/^ntrace: .*See ntrace --help\.\n$/s);
    expect(stderr).not.toMatch(/\n\s+at /);
  },
);

test('doctor: every line is ok, warn or fail, and what is not ok has a remedy', () => {
  const { status, stdout } = ntrace('doctor');
  expect(status).toBe(0);
  expect(stdout).toMatch(/^ok {3}ptrace /m);
  expect(stdout).toMatch(/Embedded debugging works here\.\n$/);
  const lines = stdout.trimEnd().split('\n').slice(0, -1);
  lines.forEach((line, at) => {
    expect(line).toMatch(/^(ok {2}|warn|fail) |^ +-> /);
    if (/^(warn|fail)/.test(line)) expect(lines[at + 1]).toMatch(/^ +-> /);
  });
});

test('gdbserver is ntrace-gdbserver', () => {
  expect(ntrace('gdbserver', '--bogus')).toMatchObject({
    status: 1,
    stderr: 'Unknown argument: --bogus\n',
  });
});

test('connect: nobody there', () => {
  const { status, stderr } = ntrace('connect', '127.0.0.1:1', 'qC');
  expect(status).toBe(1);
  expect(stderr).toMatch(/^ntrace: cannot connect: .*ECONNREFUSED.*\n$/);
});

test('serve: several clients at once on TCP and a Unix socket, connect as a client', async () => {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'ntrace-serve-'));
  const socket = path.join(dir, 'socket');
  const server = ServerProcess.start(['serve', '--listen', ':0', '--unix', socket], {
    executable: NTRACE,
  });
  try {
    const port = await server.port();
    await server.says(/unix socket/);
    const stays = spawnClient(`127.0.0.1:${port}`);
    for (const address of [`127.0.0.1:${port}`, `unix:${socket}`]) {
      const { status, stdout } = ntrace('connect', address, 'qSupported', 'vMustReplyEmpty');
      expect(status).toBe(0);
      expect(stdout).toMatch(/^-> qSupported\n<- .*PacketSize=.*\n-> vMustReplyEmpty\n<- \(empty/);
    }
    stays.kill();
  } finally {
    expect(await server.stop()).toBe('SIGTERM');
    fs.rmSync(dir, { recursive: true, force: true });
  }
});

/** A client that stays connected, so that the others are further ones. */
function spawnClient(address: string): { kill: () => void } {
  const { child } = ServerProcess.start(['connect', address], {
    executable: NTRACE,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  return { kill: () => child.kill('SIGKILL') };
}
