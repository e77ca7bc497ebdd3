import type { Engine } from '../../src/engine/engine';
import type { Stop } from '../../src/rsp/stop';
import { interruptee, Turns } from '../../src/rsp/turns';

const stop = (tid: number): Stop => ({ kind: 'thread', pid: 1, tid, signo: 5, event: undefined });
const any = (): boolean => true;

test('threads that always stop together are told in turns', () => {
  const turns = new Turns();
  const told: number[] = [];
  for (let i = 0; i < 6; i++) {
    const queue = [stop(2), stop(3), stop(4)];
    const chosen = queue[turns.next(queue, any)]!;
    turns.took(chosen);
    told.push(chosen.kind === 'thread' ? chosen.tid : 0);
  }
  expect(told).toEqual([2, 3, 4, 2, 3, 4]);
});

test('what is no stop of a thread keeps its place; what may not be told is passed over', () => {
  const turns = new Turns();
  turns.took(stop(2));
  const exit: Stop = { kind: 'exited', pid: 1, code: 0 };
  expect(turns.next([exit, stop(3)], any)).toBe(0);
  expect(turns.next([stop(2), exit, stop(3)], any)).toBe(2);
  expect(turns.next([stop(2), stop(3)], ({ kind }) => kind === 'exited')).toBe(-1);
  expect(turns.next([stop(2), stop(3)], (one) => one.kind === 'thread' && one.tid === 2)).toBe(0);
});

test('^C reaches the process that came last, its first thread if that runs, else one that does', () => {
  const process = (pid: number, ...states: string[]): unknown => ({
    pid,
    threads: new Map(states.map((state, i) => [pid + i, { pid, tid: pid + i, state }])),
  });
  const chosen = (latest: number, ...processes: unknown[]): number | undefined => {
    const inferiors = new Map(processes.map((one) => [(one as { pid: number }).pid, one]));
    return interruptee({ inferiors } as unknown as Engine, latest)?.tid;
  };
  const [old, young] = [process(10, 'running'), process(20, 'held', 'running', 'running')];
  expect(chosen(10, old, young)).toBe(10);
  expect(chosen(20, old, young)).toBe(21);
  expect(chosen(20, old, process(20, 'held'))).toBe(10);
  expect(chosen(30, young, old)).toBe(10);
  expect(chosen(30, process(20, 'held'))).toBeUndefined();
});
