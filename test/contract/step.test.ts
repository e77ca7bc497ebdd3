import { EventType } from '../../src/engine/channel/event';
import type { Engine } from '../../src/engine/engine';
import type { Scene } from '../support/scene';
import { setPc } from '../support/set-pc';
import type { Subject } from '../support/subject';
import { contract } from './contract';

/** Held at the label "site" of spin, whose loop is: loop, site, 3 more nops, back. */
function atSite(scene: Scene): [Engine, Subject, bigint[]] {
  const engine = scene.engine();
  const subject = scene.start('spin');
  engine.attach(subject.pid, { stop: true });
  const site = subject.address('site');
  setPc(engine, subject.pid, site);
  const ring = [1n, 2n, 3n, 4n].map((n) => site + n);
  return [engine, subject, [...ring, subject.address('loop'), site]];
}

contract('step', (row) => {
  row('a thousand steps across a known loop', (scene) => {
    const [engine, subject, ring] = atSite(scene);
    const { pid } = subject;
    const counter = subject.read('counter');
    for (let i = 0; i < 1000; i++) {
      engine.resume([{ pid, tid: pid, kind: 'step' }], 1_000_000);
      const event = scene.next(engine, EventType.Step);
      expect([i, event.pc]).toEqual([i, ring[i % ring.length]]);
    }
    expect(subject.read('counter')).toBe(counter + 166n);
    expect(scene.drain(engine)).toEqual([]);
  });

  row('onto where a hardware breakpoint was', (scene) => {
    const [engine, subject, ring] = atSite(scene);
    const { pid } = subject;
    const loop = subject.address('loop');
    engine.insertBreakpoint(pid, 1, loop, 1);
    engine.resume([{ pid, tid: pid, kind: 'cont' }]);
    expect(scene.next(engine, EventType.HwBreak).pc).toBe(loop);
    engine.removeBreakpoint(pid, 1, loop, 1);
    // the register may have its address still, and tell of it
    for (let i = 5; i < 30; i++) {
      engine.resume([{ pid, tid: pid, kind: 'step' }], 1_000_000);
      const { type, pc } = scene.next(engine, (event) => event.stopId !== 0n);
      expect([type, pc]).toEqual([EventType.Step, ring[i % ring.length]]);
    }
  });

  row('a range is left at its end, with one event', (scene) => {
    const [engine, subject, ring] = atSite(scene);
    const { pid } = subject;
    const site = subject.address('site');
    engine.resume([{ pid, tid: pid, kind: 'range', lo: site, hi: site + 4n }]);
    expect(scene.next(engine, EventType.Step).pc).toBe(ring[3]);
    // pc outside of the range: one instruction
    engine.resume([{ pid, tid: pid, kind: 'range', lo: site, hi: site + 4n }]);
    expect(scene.next(engine, EventType.Step).pc).toBe(subject.address('loop'));
    expect(scene.drain(engine)).toEqual([]);
  });

  row('a breakpoint inside a range ends it', (scene) => {
    const [engine, subject] = atSite(scene);
    const { pid } = subject;
    const site = subject.address('site');
    engine.insertBreakpoint(pid, 0, site + 2n, 1);
    engine.resume([{ pid, tid: pid, kind: 'range', lo: site, hi: site + 4n }]);
    const event = scene.next(engine, (e) => e.stopId !== 0n);
    expect([event.type, event.pc]).toEqual([EventType.Break, site + 2n]);
  });

  row('others see nothing of it', (scene) => {
    const other = scene.engine('other');
    const [engine, subject] = atSite(scene);
    const { pid } = subject;
    other.attach(pid);
    for (let i = 0; i < 20; i++) {
      engine.resume([{ pid, tid: pid, kind: 'step' }]);
      scene.next(engine, EventType.Step);
    }
    expect(scene.drain(other)).toEqual([]);
  });

  row('over a breakpoint of another engine: it is hit there, we step', (scene) => {
    const other = scene.engine('other');
    const [engine, subject] = atSite(scene);
    const { pid } = subject;
    const site = subject.address('site');
    other.attach(pid);
    other.insertBreakpoint(pid, 0, site + 1n, 1);
    engine.resume([{ pid, tid: pid, kind: 'step' }]);
    expect(scene.next(engine, EventType.Step).pc).toBe(site + 1n);
    engine.resume([{ pid, tid: pid, kind: 'step' }]);
    expect(scene.next(other, EventType.Break).pc).toBe(site + 1n);
    other.resume([{ pid, tid: pid, kind: 'cont' }]);
    expect(scene.next(engine, EventType.Step).pc).toBe(site + 2n);
  });

  row('of one thread of eight: the others stay where they are', (scene) => {
    const engine = scene.engine();
    const subject = scene.start('threads', ['8']);
    const { pid } = subject;
    scene.until('all are there', () => subject.read('counter') === 8n, subject);
    const inferior = engine.attach(pid, { stop: true });
    const counts = (): bigint[] => [0, 1, 2, 3, 4, 5, 6, 7].map((i) => subject.read('counts', i));
    for (const tid of inferior.threads.keys()) {
      if (tid === pid) continue; // it sleeps
      const before = counts();
      for (let i = 0; i < 50; i++) {
        engine.resume([{ pid, tid, kind: 'step' }], 1_000_000);
        expect(scene.next(engine, EventType.Step).tid).toBe(tid);
      }
      expect(counts().filter((count, i) => count !== before[i]).length).toBe(1);
    }
    engine.resume([{ pid, tid: -1, kind: 'cont' }]);
    for (let i = 0; i < 8; i++) scene.grows(subject, 'counts', i);
  });

  row('into an exit: the process is dead, no step is reported', (scene) => {
    const engine = scene.engine();
    const [{ pid }] = scene.launch(engine, 'exit3');
    let steps = 0;
    for (;;) {
      engine.resume([{ pid, tid: pid, kind: 'step' }], 100_000);
      const event = scene.next(engine, (e) => e.stopId !== 0n || e.type === EventType.ProcDead);
      if (event.type === EventType.ProcDead) {
        expect(event.code).toBe(3 << 8);
        break;
      }
      expect(event.type).toBe(EventType.Step);
      if (++steps < 50) continue;
      engine.resume([{ pid, tid: pid, kind: 'cont' }]);
      expect(scene.next(engine, EventType.ProcDead).code).toBe(3 << 8);
      break;
    }
    expect(engine.inferiors.size).toBe(0);
  });
});
