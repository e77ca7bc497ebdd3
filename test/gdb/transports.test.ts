import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { GdbConsole as Gdb } from '../../src/cli/demo/gdb-console';
import { program } from './support/program';
import { OURS, ServerProcess } from './support/server-process';

test('stdio: gdb starts the server and speaks through a pipe', async () => {
  const calls = program('calls');
  const gdb = await Gdb.start(calls);
  expect(await gdb.send(`target remote | ${OURS} - ${calls}`)).toMatch(/_start/);
  await gdb.send('break square');
  expect(await gdb.send('continue')).toMatch(/square \(n=1\)/);
  const end = await gdb.script('delete', 'continue');
  expect(end).toMatch(/exited with code 07/);
  // what the program writes comes over standard error, not among the packets
  expect(end).toContain('1 35 after');
  expect(end).not.toContain('Child exited');
  await gdb.quit();
});

test('a Unix socket', async () => {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'ntrace-gdb-'));
  const socket = path.join(dir, 'socket');
  const calls = program('calls');
  const server = ServerProcess.start(['--once', `unix:${socket}`, calls]);
  try {
    await server.says(/Listening on/);
    const gdb = await Gdb.start(calls);
    expect(await gdb.send(`target remote ${socket}`)).toMatch(/_start/);
    await gdb.send('break recurse');
    expect(await gdb.send('continue')).toMatch(/recurse \(depth=5\)/);
    await gdb.send('kill');
    await gdb.quit();
    expect(await server.end()).toBe(0);
  } finally {
    await server.stop();
    fs.rmSync(dir, { recursive: true, force: true });
  }
});
