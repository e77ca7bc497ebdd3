// Whoever goes first does so for a few milliseconds of work, again after each sleep.
import net from 'node:net';
import { root, testIf } from '../gdb/support/needs';
import { PATIENCE } from '../support/patience';
import { Loop } from './support/loop';
import { policy, SCHED_OTHER, SCHED_RR } from './support/policy';

const LIMIT_MS = 20_000 * PATIENCE;
const own = (): number => policy(process.pid);

testIf(root())('work that takes long goes on as ever, the next is urgent again', async () => {
  const loop = new Loop();
  const listener = loop.reactor.listenTcp('127.0.0.1', 0);
  try {
    expect(own()).toBe(SCHED_OTHER);
    loop.reactor.goFirst(true);
    expect(own()).toBe(SCHED_RR);
    const end = Date.now() + LIMIT_MS;
    while (own() === SCHED_RR && Date.now() < end);
    expect(own()).toBe(SCHED_OTHER);
    const socket = net.connect(loop.reactor.port(listener), '127.0.0.1');
    await loop.client(listener);
    socket.destroy();
    expect(own()).toBe(SCHED_RR);
    loop.reactor.goFirst(false);
    expect(own()).toBe(SCHED_OTHER);
  } finally {
    loop.reactor.goFirst(false);
    loop.reactor.stop();
  }
});
