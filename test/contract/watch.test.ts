import { EventType, touchedAddresses, type EngineEvent } from '../../src/engine/channel/event';
import type { Engine } from '../../src/engine/engine';
import type { Scene } from '../support/scene';
import { setPc } from '../support/set-pc';
import type { Subject } from '../support/subject';
import { contract } from './contract';

const SOFTWARE = 0;
const HARDWARE = 1;
const WRITE = 2;
const ACCESS = 4;
const cont = (engine: Engine): number => engine.resume([{ pid: -1, tid: -1, kind: 'cont' }]);

/** Both watch the second word of "wide", one of them the first word, too; the process is held. */
function watchWords(subject: Subject, both: Engine, one: Engine): bigint {
  const { pid } = subject;
  const words = subject.address('words');
  for (const engine of [both, one]) engine.attach(pid, { stop: true });
  both.insertBreakpoint(pid, WRITE, words, 8);
  both.insertBreakpoint(pid, WRITE, words + 8n, 8);
  one.insertBreakpoint(pid, WRITE, words + 8n, 8);
  return words;
}

/** An engine is told of them in one stop, and of nothing else. */
function expectTouched(scene: Scene, engine: Engine, addresses: bigint[], pc: bigint): void {
  const event = scene.next(engine, EventType.Watch);
  expect([touchedAddresses(event), event.pc]).toEqual([addresses, pc]);
  expect(event.stopId).not.toBe(0n);
  expect(scene.drain(engine)).toEqual([]);
}

/** Three times on end both words are touched, and each engine is told of what it watches. */
function expectThrice(
  scene: Scene,
  subject: Subject,
  [both, one]: [Engine, Engine],
  behind: string,
  eachTime: () => void = () => undefined,
): void {
  const words = watchWords(subject, both, one);
  for (let i = 0; i < 3; i++) {
    cont(both);
    cont(one);
    expectTouched(scene, both, [words, words + 8n], subject.address(behind));
    expectTouched(scene, one, [words + 8n], subject.address(behind));
    eachTime();
  }
  expect(both.breakpointStats().map((b) => b.hits)).toEqual([3n, 3n]);
}

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

  row('an instruction that touches two watched words tells both', (scene) => {
    const [both, one] = [scene.engine('both'), scene.engine('one')];
    const subject = scene.start('wide');
    expectThrice(scene, subject, [both, one], 'site', () => {
      expect(subject.read('words')).toBe(subject.read('words', 1));
    });
  });

  row('a system call that fills two watched words tells both', (scene) => {
    const [both, one] = [scene.engine('both'), scene.engine('one')];
    const subject = scene.start('wide', ['call']);
    expectThrice(scene, subject, [both, one], 'returned');
  });

  row('a step over an instruction that touches two watched words tells both', (scene) => {
    const [both, one, none] = [scene.engine('both'), scene.engine('one'), scene.engine('none')];
    const subject = scene.start('wide');
    const { pid } = subject;
    const [store, site] = [subject.address('store'), subject.address('site')];
    const words = watchWords(subject, both, one);
    none.attach(pid, { stop: true });
    const expectBothTold = (): void => {
      expectTouched(scene, both, [words, words + 8n], site);
      expectTouched(scene, one, [words + 8n], site);
    };
    // the step of an engine that watches nothing is a step; the others' ends with what they are told
    for (const stepper of [none, both, one]) {
      setPc(both, pid, store);
      for (const engine of [both, one, none]) if (engine !== stepper) cont(engine);
      stepper.resume([{ pid, tid: pid, kind: 'step' }]);
      expectBothTold();
      if (stepper === none) expect(scene.next(none, EventType.Step).pc).toBe(site);
      expect(scene.drain(none)).toEqual([]);
    }
    // over a breakpoint
    both.insertBreakpoint(pid, SOFTWARE, store, 1);
    cont(one);
    cont(both);
    expect(scene.next(both, EventType.Break).pc).toBe(store);
    both.resume([{ pid, tid: pid, kind: 'step' }]);
    expectBothTold();
  });

  row('a watched write and a hardware breakpoint behind it are both told', (scene) => {
    const [watches, breaks] = [scene.engine('watches'), scene.engine('breaks')];
    const engines = [watches, breaks];
    const subject = scene.start('wide');
    const { pid } = subject;
    for (const engine of engines) engine.attach(pid, { stop: true });
    const site = subject.address('site');
    breaks.insertBreakpoint(pid, HARDWARE, site, 1);
    watches.insertBreakpoint(pid, WRITE, subject.address('words'), 8);
    for (let i = 0; i < 3; i++) {
      for (const engine of engines) cont(engine);
      const write = scene.next(watches, EventType.Watch);
      cont(watches); // the processor may have told of both at once, or comes to the breakpoint now
      const hit = scene.next(breaks, EventType.HwBreak);
      expect([write.pc, hit.pc]).toEqual([site, site]);
    }
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
