// ^C that crosses other stops on the way: the client may pass over those, as gdb does where it put
// breakpoints of its own, so none of them is an answer.
import { ServerProcess } from '../gdb/support/server-process';
import { program } from '../support/programs';
import { RawClient } from './raw-client';
import { eventually, hexAddress, LARGE } from './watching';

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

test('its SIGINT goes to a thread that ran: the first one, or the only one', async () => {
  const server = ServerProcess.start(['--once', '127.0.0.1:0', program('service'), '3']);
  try {
    const client = await RawClient.quiet(await server.port());
    await client.ask('qSupported:multiprocess+');
    client.packet('vCont;c');
    const port = /^\d+\n/m;
    await eventually('it has its threads', () => port.test(server.stdout));
    client.send('\x03');
    const leader = /^T02.*thread:p([0-9a-f]+)\.\1;/;
    expect(await client.reply()).toMatch(leader);
    const ids = (await client.ask('qfThreadInfo')).slice(1).split(',');
    expect(ids).toHaveLength(3);
    for (const id of ids) {
      client.packet(`vCont;c:${id}`);
      client.send('\x03');
      expect(await client.reply()).toMatch(new RegExp(`^T02.*thread:${id};`));
    }
    client.packet('vCont;c');
    client.send('\x03');
    expect(await client.reply()).toMatch(leader);
    client.vanish();
  } finally {
    await server.stop();
  }
});
