import { EventType } from '../../src/engine/channel/event';
import type { Engine } from '../../src/engine/engine';
import { EFFORT } from '../support/effort';
import { PATIENCE } from '../support/patience';
import type { Scene } from '../support/scene';
import type { Subject } from '../support/subject';
import { contract } from './contract';

/** A guest whose processors are others' too may take long to run each of many threads once. */
const WAIT = { wait: true, timeoutUs: 2_000_000 * PATIENCE };

const cont = (engine: Engine): number => engine.resume([{ pid: -1, tid: -1, kind: 'cont' }]);

function crowd(scene: Scene, count: number, args: string[] = []): Subject {
  const subject = scene.start('threads', [String(count), ...args]);
  const all = BigInt(count);
  scene.until(`${count} threads are there`, () => subject.read('counter') === all, subject);
  return subject;
}

contract('many', (row) => {
  row(
    'random stops and resumes of 32 threads',
    (scene) => {
      const engine = scene.engine();
      const subject = crowd(scene, 32);
      const { pid } = subject;
      const inferior = engine.attach(pid);
      const tids = [...inferior.threads.keys()];
      let seed = 7;
      const random = (n: number): number => {
        seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff;
        return (seed >>> 8) % n;
      };
      for (let i = 0; i < 150 * EFFORT; i++) {
        const few = [random(33), random(33), random(33)].map((n) => tids[n] ?? pid);
        const refs = [...new Set(few)].map((tid) => ({ pid, tid }));
        const kind = random(4);
        if (kind === 0) expect(engine.stop([{ pid, tid: -1 }], WAIT)).toBe(true);
        else if (kind === 1) expect(engine.stop(refs, WAIT)).toBe(true);
        else if (kind === 2) engine.interrupt(refs);
        else {
          engine.stop(refs, WAIT);
          engine.events();
          engine.resume(refs.map((ref) => ({ ...ref, kind: 'cont' as const })));
        }
        if (kind < 2)
          for (const { tid } of refs) expect(inferior.threads.get(tid)?.state).toBe('held');
        engine.events();
        if (random(2) === 0) cont(engine);
      }
      engine.stop([{ pid, tid: -1 }], WAIT);
      engine.events();
      cont(engine);
      for (let i = 0; i < 32; i++) scene.grows(subject, 'counts', i);
      engine.detach(pid);
      for (let i = 0; i < 32; i++) scene.grows(subject, 'counts', i);
    },
    { timeoutMs: 60_000 },
  );

  row(
    'a thousand threads: attach, stop, resume, detach',
    (scene) => {
      const engine = scene.engine();
      const subject = crowd(scene, 1000, ['sleep']);
      const { pid } = subject;
      const inferior = engine.attach(pid, { stop: true });
      expect(inferior.threads.size).toBe(1001);
      const states = (): Set<string> => new Set([...inferior.threads.values()].map((t) => t.state));
      expect(states()).toEqual(new Set(['held']));
      for (let i = 0; i < 3; i++) {
        cont(engine);
        expect(states()).toEqual(new Set(['running']));
        expect(engine.stop([{ pid, tid: -1 }], { wait: true, timeoutUs: 10_000_000 })).toBe(true);
        expect(states()).toEqual(new Set(['held']));
        expect(engine.events()).toEqual([]);
      }
      cont(engine);
      engine.interrupt([{ pid, tid: -1 }]);
      const stopped = new Set<number>();
      scene.until('all are stopped', () => {
        for (const event of engine.events()) {
          expect(event.type).toBe(EventType.Stopped);
          stopped.add(event.tid);
        }
        return stopped.size === 1001;
      });
      engine.detach(pid);
      expect(subject.alive()).toBe(true);
    },
    { timeoutMs: 60_000 },
  );

  row(
    'threads that are born and die while they are stopped again and again',
    (scene) => {
      const [first, second] = [scene.engine('first'), scene.engine('second')];
      const subject = scene.start('creator');
      const { pid } = subject;
      first.attach(pid);
      second.attach(pid);
      for (let i = 0; i < 200 * EFFORT; i++) {
        const engine = i % 3 === 0 ? second : first;
        expect(engine.stop([{ pid, tid: -1 }], WAIT)).toBe(true);
        for (const event of [...first.events(), ...second.events()]) {
          expect([EventType.NewThread, EventType.Dead]).toContain(event.type);
        }
        if (i % 10 === 0) {
          const before = subject.read('counter');
          subject.pause();
          expect(subject.read('counter')).toBe(before);
        }
        cont(engine);
      }
      scene.grows(subject, 'counter');
    },
    { timeoutMs: 60_000 },
  );
});
