import { EventType } from '../../src/engine/channel/event';
import type { Engine } from '../../src/engine/engine';
import type { Scene } from '../support/scene';
import type { Subject } from '../support/subject';
import { contract } from './contract';

const NT_PRSTATUS = 1;
const WORKERS = 10;
const ALL_THREADS = Array.from({ length: WORKERS }, (_, i) => i);

/** Everybody is held, the leader at its breakpoint. */
function atStop(scene: Scene): [Engine, Subject] {
  const engine = scene.engine();
  engine.grace = true;
  const subject = scene.start('relay', [String(WORKERS)]);
  const { pid } = subject;
  scene.until('all are there', () => subject.read('counter') === BigInt(WORKERS), subject);
  engine.attach(pid, { stop: true });
  engine.insertBreakpoint(pid, 0, subject.address('stop_here'), 1);
  cycle(scene, engine, pid);
  return [engine, subject];
}

/** As an all-stop client does: everybody runs, the leader stops again, everybody is stopped. */
function cycle(scene: Scene, engine: Engine, pid: number): void {
  engine.resume([{ pid, tid: -1, kind: 'cont' }]);
  const event = scene.next(engine, (e) => e.stopId !== 0n);
  expect([event.type, event.tid]).toEqual([EventType.Break, pid]);
  expect(engine.stop([{ pid, tid: -1 }], { wait: true })).toBe(true);
}

contract('grace', (row) => {
  row('a thread that waits for another one by spinning is not left alone', (scene) => {
    const [engine, subject] = atStop(scene);
    subject.write('waits', 1n);
    const before = subject.read('rounds');
    for (let i = 0; i < 25; i++) cycle(scene, engine, subject.pid);
    expect(subject.read('rounds')).toBe(before + 25n);
  });

  row('others get on although one stops again at once, every time', (scene) => {
    const [engine, subject] = atStop(scene);
    const before = ALL_THREADS.map((i) => subject.read('counts', i));
    const behind = (): number[] =>
      ALL_THREADS.filter((i) => subject.read('counts', i) === before[i]);
    for (let i = 0; i < 20_000 && behind().length > 0; i++) cycle(scene, engine, subject.pid);
    expect(behind()).toEqual([]);
  });

  row('who waits is as good as running: can be stopped, read, and let go', (scene) => {
    const [engine, subject] = atStop(scene);
    const { pid } = subject;
    for (let i = 0; i < 50; i++) {
      engine.resume([{ pid, tid: -1, kind: 'cont' }]);
      expect(engine.stop([{ pid, tid: -1 }], { wait: true })).toBe(true);
      for (const thread of engine.inferiors.get(pid)?.threads.values() ?? [])
        expect(engine.regset(thread, NT_PRSTATUS)?.length).toBeGreaterThan(0);
      engine.events();
    }
    engine.resume([{ pid, tid: -1, kind: 'cont' }]);
    engine.detach(pid);
    for (const i of ALL_THREADS) scene.grows(subject, 'counts', i);
  });

  row('they run when the first one is held and nobody holds them', (scene) => {
    const [engine, subject] = atStop(scene);
    const { pid } = subject;
    engine.resume([{ pid, tid: -1, kind: 'cont' }]);
    scene.next(engine, (e) => e.type === EventType.Break && e.tid === pid);
    for (const i of ALL_THREADS) scene.grows(subject, 'counts', i);
  });

  row('a kill finds them, and so does the end of the engine', (scene) => {
    const [engine, subject] = atStop(scene);
    engine.resume([{ pid: subject.pid, tid: -1, kind: 'cont' }]);
    engine.close();
    for (const i of ALL_THREADS) scene.grows(subject, 'counts', i);
    const [second, other] = atStop(scene);
    second.resume([{ pid: other.pid, tid: -1, kind: 'cont' }]);
    second.kill(other.pid);
    scene.until('it is dead', () => !other.alive(), other);
  });
});
