// ^C that crosses other stops on the way: the client may pass over those, as gdb does where it put
// breakpoints of its own, so none of them is an answer.
import { ServerProcess } from '../gdb/support/server-process';
import { RawClient } from './raw-client';
import { hexAddress, LARGE } from './watching';

jest.setTimeout(60_000);
const ROUNDS = 100;

test('a breakpoint hit beside it does not swallow it', async () => {
  const server = ServerProcess.start(['--once', '127.0.0.1:0', LARGE]);
  try {
    const client = await RawClient.quiet(await server.port());
    const site = `0,${hexAddress('function')},1`;
    const seen = { hit: 0, interrupt: 0 };
    for (let round = 0; round < ROUNDS; round++) {
      expect(await client.ask(`Z${site}`)).toBe('OK');
      client.packet('vCont;c');
      client.send('\x03');
      const first = await client.reply();
      expect(await client.ask(`z${site}`)).toBe('OK');
      if (first.startsWith('T05')) {
        seen.hit++;
        expect(await client.ask('vCont;c')).toMatch(/^T02/);
      } else {
        seen.interrupt++;
        expect(first).toMatch(/^T02/);
      }
      // off the place of the breakpoint
      expect(await client.ask('vCont;s')).toMatch(/^T05/);
    }
    expect(seen.hit).toBeGreaterThan(0);
    client.vanish();
  } finally {
    await server.stop();
  }
});
