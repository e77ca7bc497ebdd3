// A process that somebody else kills while a client holds it, and the client that lets it go then.
import { ServerProcess } from '../gdb/support/server-process';
import { RawClient } from './raw-client';
import { eventually, gone, LARGE } from './watching';

test.each(['before the server looked', 'after it did'])('detach of the dead, %s', async (when) => {
  const server = ServerProcess.start(['--once', '127.0.0.1:0', LARGE]);
  try {
    const client = await RawClient.quiet(await server.port());
    const pid = Number(/pid = (\d+)/.exec(server.stderr)?.[1]);
    await client.ask('qSupported:multiprocess+');
    expect(await client.ask('?')).toMatch(/^T05/);
    process.kill(pid, 'SIGKILL');
    if (when.startsWith('after')) await eventually('it is reaped', () => gone(pid));
    expect(await client.ask(`D;${pid.toString(16)}`)).toBe('OK');
    expect(await server.end()).toBe(0);
    await eventually('it is gone', () => gone(pid));
  } finally {
    await server.stop();
  }
});
