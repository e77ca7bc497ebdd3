import { EventType } from '../../src/engine/channel/event';
import { contract } from './contract';

const SIGUSR1 = 10;

contract('observers', (row) => {
  row('an observer may change nothing', (scene) => {
    const engine = scene.engine('watcher', true);
    const subject = scene.start('spin');
    const { pid } = subject;
    engine.attach(pid);
    const erofs = expect.objectContaining({ code: 'EROFS' });
    expect(() => engine.stop([{ pid, tid: -1 }])).toThrow(erofs);
    expect(() => engine.interrupt([{ pid, tid: -1 }])).toThrow(erofs);
    expect(() => engine.resume([{ pid, tid: -1, kind: 'cont' }])).toThrow(erofs);
    expect(() =>
      engine.writeMemory(pid, subject.address('counter'), Buffer.alloc(8), 0, 8),
    ).toThrow(erofs);
    expect(() => engine.insertBreakpoint(pid, 0, subject.address('site'), 1)).toThrow(erofs);
    expect(() => engine.signal(pid, 0, SIGUSR1)).toThrow(erofs);
    scene.grows(subject, 'counter');
  });

  row('it reads memory and sees signals and system calls as notes', (scene) => {
    const engine = scene.engine('watcher', true);
    const debuggers = scene.engine('debugger');
    const subject = scene.start('signals');
    const { pid } = subject;
    debuggers.attach(pid);
    engine.attach(pid);
    engine.set(pid, { signalNote: 1n << BigInt(SIGUSR1 - 1), exitNote: 'all' });
    const out = Buffer.alloc(8);
    expect(engine.readMemory(pid, subject.address('main'), out, 0, 8)).toBe(8);
    expect(out).toEqual(subject.text(subject.address('main'), 8));
    debuggers.signal(pid, 0, SIGUSR1);
    const stop = scene.next(debuggers, EventType.Signal);
    debuggers.resume([{ pid, tid: stop.tid, kind: 'cont', signo: SIGUSR1 }]);
    const note = scene.next(engine, EventType.Signal);
    expect([note.signo, note.stopId]).toEqual([SIGUSR1, 0n]);
    scene.until('it is handled', () => subject.read('handled') === 1n);
  });

  row('it never holds what it watches', (scene) => {
    const engine = scene.engine('watcher', true);
    const debuggers = scene.engine('debugger');
    const subject = scene.start('calls');
    const { pid } = subject;
    engine.attach(pid);
    debuggers.attach(pid, { stop: true });
    debuggers.insertBreakpoint(pid, 0, subject.address('function'), 1);
    for (let i = 0; i < 20; i++) {
      expect(debuggers.resume([{ pid, tid: -1, kind: 'cont' }])).toBe(0);
      scene.next(debuggers, EventType.Break);
    }
    expect(engine.events().filter((event) => event.stopId !== 0n)).toEqual([]);
    debuggers.detach(pid);
    scene.grows(subject, 'counter');
  });
});
