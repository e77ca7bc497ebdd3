import { EventType, type EngineEvent } from '../../src/engine/channel/event';
import type { Stop } from '../../src/rsp/stop';
import { crossed, untoldChildren } from '../../src/rsp/untold';

const stop = (pid: number, tid: number, event?: Partial<EngineEvent>): Stop => ({
  kind: 'thread',
  pid,
  tid,
  signo: 5,
  event: event as EngineEvent | undefined,
});
const fork = stop(1, 2, { type: EventType.Fork, child: 50 });
const vfork = stop(7, 7, { type: EventType.Vfork, child: 60 });
const hit = stop(1, 3, { type: EventType.Break, child: 0 });
const all = { pid: -1, tid: -1, kind: 'cont' } as const;

test('children of forks that wait to be told', () => {
  expect(untoldChildren([hit, { kind: 'no-resumed' }])).toEqual([]);
  expect(untoldChildren([hit, fork, vfork])).toEqual([50, 60]);
  expect(untoldChildren([fork, vfork], 7)).toEqual([60]);
});

test('a resume of all leaves those alone whose stop it crossed, and their children', () => {
  expect(crossed([all], [])).toEqual([all]);
  expect(crossed([all], [hit, fork])).toEqual([
    { pid: 50, tid: -1, kind: 'stay' },
    { pid: 1, tid: 3, kind: 'stay' },
    { pid: 1, tid: 2, kind: 'stay' },
    all,
  ]);
});

test('a resume of one thread is nothing where its stop waits, and else only of that thread', () => {
  const step = { pid: 1, tid: 3, kind: 'step' } as const;
  expect(crossed([step], [hit])).toEqual([]);
  expect(crossed([step], [fork])).toEqual([step]);
});
