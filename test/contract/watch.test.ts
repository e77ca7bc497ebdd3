import { EventType, type EngineEvent } from '../../src/engine/channel/event';
import type { Engine } from '../../src/engine/engine';
import { contract } from './contract';

const WRITE = 2;
const ACCESS = 4;
const cont = (engine: Engine): number => engine.resume([{ pid: -1, tid: -1, kind: 'cont' }]);

contract('watch', (row) => {
  row('a write stops behind it, with the address', (scene) => {
    const engine = scene.engine();
    const subject = scene.start('spin');
    const { pid } = subject;
    engine.attach(pid, { stop: true });
    const word = subject.address('counter');
    engine.insertBreakpoint(pid, WRITE, word, 8);
    let before = subject.read('counter');
    for (let i = 0; i < 5; i++) {
      cont(engine);
      const event = scene.next(engine, EventType.Watch);
      expect([event.addr, event.pc]).toEqual([word, subject.address('site')]);
      expect(subject.read('counter')).toBe(before + 1n);
      before = subject.read('counter');
    }
    engine.removeBreakpoint(pid, WRITE, word, 8);
    cont(engine);
    scene.grows(subject, 'counter');
    expect(scene.drain(engine)).toEqual([]);
  });

  row('access watchpoints see writes too', (scene) => {
    const engine = scene.engine();
    const subject = scene.start('spin');
    engine.attach(subject.pid, { stop: true });
    const word = subject.address('counter');
    engine.insertBreakpoint(subject.pid, ACCESS, word, 4);
    cont(engine);
    expect(scene.next(engine, EventType.Watch).addr).toBe(word);
  });

  row('only the owner is told', (scene) => {
    const [owner, other] = [scene.engine('owner'), scene.engine('other')];
    const subject = scene.start('spin');
    owner.attach(subject.pid, { stop: true });
    other.attach(subject.pid);
    owner.insertBreakpoint(subject.pid, WRITE, subject.address('counter'), 8);
    for (let i = 0; i < 3; i++) {
      cont(owner);
      scene.next(owner, EventType.Watch);
    }
    expect(scene.drain(other)).toEqual([]);
  });

  row('every write in every thread, the ones born later too', (scene) => {
    const engine = scene.engine();
    const subject = scene.start('watched', [], 'place');
    const { pid } = subject;
    engine.attach(pid, { stop: true });
    const word = subject.address('words') + 8n;
    engine.insertBreakpoint(pid, WRITE, word, 8);
    subject.write('go', 1n);
    const hits: EngineEvent[] = [];
    const values = new Set<bigint>();
    cont(engine);
    for (;;) {
      const event = scene.next(engine, (e) => e.stopId !== 0n || e.type === EventType.ProcDead);
      if (event.type === EventType.ProcDead) {
        expect(event.code).toBe(0);
        break;
      }
      expect([event.type, event.addr]).toEqual([EventType.Watch, word]);
      hits.push(event);
      values.add(subject.read('words', 1));
      engine.resume([{ pid, tid: event.tid, kind: 'cont' }]);
    }
    expect(hits.length).toBe(15);
    expect(new Set(hits.map((event) => event.tid)).size).toBe(3);
    expect([...values].sort((a, b) => Number(a - b))).toEqual(
      [1n, 2n, 3n].flatMap((n) => [0n, 1n, 2n, 3n, 4n].map((i) => n * 100n + i)),
    );
  });

  row('the fifth debug register is refused with the holder', (scene) => {
    const [greedy, late] = [scene.engine('the greedy one'), scene.engine('late')];
    const subject = scene.start('threads', ['2']);
    const { pid } = subject;
    greedy.attach(pid, { stop: true });
    late.attach(pid, { stop: true });
    const words = subject.address('counts');
    for (let i = 0n; i < 4n; i++) greedy.insertBreakpoint(pid, WRITE, words + 8n * (i + 8n), 8);
    expect(() => late.insertBreakpoint(pid, WRITE, words + 512n, 8)).toThrow(
      expect.objectContaining({
        code: 'ENOSPC',
        message: expect.stringContaining('"the greedy one"') as string,
      }),
    );
    // a place of another is shared, a free one is free
    late.insertBreakpoint(pid, WRITE, words + 64n, 8);
    greedy.removeBreakpoint(pid, WRITE, words + 72n, 8);
    late.insertBreakpoint(pid, WRITE, words + 512n, 8);
  });
});
