// Among many threads the server goes first, for a few milliseconds at a time; nobody else does.
import { readFileSync } from 'node:fs';
import { policy, SCHED_OTHER, SCHED_RR } from '../addon/support/policy';
import { root, testIf } from '../gdb/support/needs';
import { ServerProcess } from '../gdb/support/server-process';
import { eventually } from '../hostile/watching';
import { RawClient } from '../hostile/raw-client';
import { program } from '../support/programs';

/** Serves a program with so many threads, all of them there; runs the body; ends both. */
async function serving(
  threads: number,
  options: string[],
  body: (client: RawClient, server: number, program: number) => Promise<void>,
): Promise<void> {
  const args = [...options, '--once', '127.0.0.1:0', program('service'), String(threads)];
  const server = ServerProcess.start(args);
  try {
    const client = await RawClient.quiet(await server.port());
    client.packet('vCont;c');
    await eventually('it has its threads', () => /^\d+\n/m.test(server.stdout));
    client.send('\x03');
    expect(await client.reply()).toMatch(/^T02/);
    const stop = await client.ask('?');
    await body(client, server.pid, parseInt(/thread:p?([0-9a-f]+)/.exec(stop)![1]!, 16));
    client.vanish();
  } finally {
    await server.stop();
  }
}

testIf(root())('with many threads, and its program does not inherit it', async () => {
  await serving(40, [], (_, server, program) => {
    expect(policy(server)).toBe(SCHED_RR);
    expect(policy(program)).toBe(SCHED_OTHER);
    expect(readFileSync(`/proc/${program}/limits`, 'utf8')).toMatch(
      /^Max realtime timeout +unlimited +unlimited/m,
    );
    return Promise.resolve();
  });
});

testIf(root())('not with a few threads, nor where it was told not to', async () => {
  const ordinary = (_: RawClient, server: number): Promise<void> => {
    expect(policy(server)).toBe(SCHED_OTHER);
    return Promise.resolve();
  };
  await serving(3, [], ordinary);
  await serving(40, ['--no-priority'], ordinary);
});
