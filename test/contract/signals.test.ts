import { EventFlag, NT_SIGINFO } from '../../src/engine/channel/enums';
import { EventType } from '../../src/engine/channel/event';
import type { Engine } from '../../src/engine/engine';
import type { Scene } from '../support/scene';
import { processState, type Subject } from '../support/subject';
import { contract } from './contract';

const SIGUSR1 = 10;
const SIGSEGV = 11;
const SIGUSR2 = 12;
const SI_VALUE = 24; // offset of si_value in siginfo_t, siginfo.h

function attached(scene: Scene, args: string[] = []): [Engine, Subject] {
  const engine = scene.engine();
  const subject = scene.start('signals', args);
  engine.attach(subject.pid);
  return [engine, subject];
}

const cont = (engine: Engine, signo = 0): number => {
  const [pid] = engine.inferiors.keys();
  if (pid === undefined) throw new Error('nothing is attached');
  return engine.resume([{ pid, tid: pid, kind: 'cont', signo }]);
};

contract('signals', (row) => {
  row('stop, then passed on', (scene) => {
    const [engine, subject] = attached(scene);
    engine.signal(subject.pid, 0, SIGUSR1);
    const event = scene.next(engine, EventType.Signal);
    expect(event).toMatchObject({ tid: subject.pid, signo: SIGUSR1, original: SIGUSR1 });
    expect(event.flags & EventFlag.Fault).toBe(0);
    expect(subject.read('handled')).toBe(0n);
    cont(engine, SIGUSR1);
    scene.until('it is handled', () => subject.read('handled') === 1n);
  });

  row('a step with the signal ends at the first instruction of its handler', (scene) => {
    const [engine, subject] = attached(scene);
    const { pid } = subject;
    const step = (signo: number): bigint => {
      engine.resume([{ pid, tid: pid, kind: 'step', signo }]);
      return scene.next(engine, ({ stopId }) => stopId !== 0n).pc;
    };
    const [usr1, usr2] = [subject.address('handler'), subject.address('handler2')];
    // from the stop of the signal, passed on and changed
    for (const [signo, handler, count] of [
      [SIGUSR1, usr1, 'handled'],
      [SIGUSR2, usr2, 'handled2'],
    ] as const) {
      engine.signal(pid, pid, SIGUSR1);
      scene.next(engine, EventType.Signal);
      expect(step(signo)).toBe(handler);
      cont(engine);
      scene.until('it is handled', () => subject.read(count) === 1n);
    }
    scene.grows(subject, 'counter');
    // from another stop, with a signal of the debugger's own; and from within the handler
    engine.stop([{ pid, tid: -1 }], { wait: true });
    expect(step(SIGUSR1)).toBe(usr1);
    expect(step(SIGUSR2)).toBe(usr2);
    cont(engine);
    scene.until('all are handled', () => subject.read('handled2') === 2n);
    scene.until('all are handled', () => subject.read('handled') === 2n);
    expect(scene.drain(engine)).toEqual([]);
  });

  row('one that stops nobody stops a thread that steps, where it is asked to', (scene) => {
    const [engine, subject] = attached(scene);
    const { pid } = subject;
    engine.set(pid, { signalStop: 0n, signalStep: 1n << BigInt(SIGUSR1 - 1) });
    engine.stop([{ pid, tid: -1 }], { wait: true });
    engine.signal(pid, pid, SIGUSR1);
    engine.resume([{ pid, tid: pid, kind: 'step' }]);
    const told = scene.next(engine, ({ type }) =>
      [EventType.Signal, EventType.Step].includes(type),
    );
    expect(told).toMatchObject({ type: EventType.Signal, signo: SIGUSR1 });
    cont(engine, SIGUSR1);
    scene.until('it is handled', () => subject.read('handled') === 1n);
    // it runs: nobody is asked
    engine.signal(pid, pid, SIGUSR1);
    scene.until('it is handled again', () => subject.read('handled') === 2n);
    expect(scene.drain(engine).filter(({ type }) => type === EventType.Signal)).toEqual([]);
  });

  row('discarded', (scene) => {
    const [engine, subject] = attached(scene);
    engine.signal(subject.pid, subject.pid, SIGUSR1);
    scene.next(engine, EventType.Signal);
    cont(engine, 0);
    scene.grows(subject, 'counter');
    expect(subject.read('handled')).toBe(0n);
  });

  row('changed into another', (scene) => {
    const [engine, subject] = attached(scene);
    engine.signal(subject.pid, 0, SIGUSR1);
    scene.next(engine, EventType.Signal);
    cont(engine, SIGUSR2);
    scene.until('it is handled', () => subject.read('handled2') === 1n);
    expect(subject.read('handled')).toBe(0n);
  });

  row('two engines in series: the second sees what the first made of it', (scene) => {
    const [first, subject] = attached(scene);
    const second = scene.engine('second');
    second.attach(subject.pid);
    first.signal(subject.pid, 0, SIGUSR1);
    scene.next(first, EventType.Signal);
    expect(scene.drain(second)).toEqual([]);
    cont(first, SIGUSR2);
    const event = scene.next(second, EventType.Signal);
    expect([event.signo, event.original]).toEqual([SIGUSR2, SIGUSR1]);
    expect(event.flags & EventFlag.Changed).not.toBe(0);
    cont(second, SIGUSR1);
    scene.until('it is handled', () => subject.read('handled') === 1n);
    expect(subject.read('handled2')).toBe(0n);
    // discarded by the first, the second never sees it
    first.signal(subject.pid, 0, SIGUSR1);
    scene.next(first, EventType.Signal);
    cont(first, 0);
    scene.grows(subject, 'counter');
    expect(scene.drain(second)).toEqual([]);
    expect(subject.read('handled')).toBe(1n);
  });

  row('what is not in the set passes unseen, or leaves a note', (scene) => {
    const [engine, subject] = attached(scene);
    const bit = (signo: number): bigint => 1n << BigInt(signo - 1);
    engine.set(subject.pid, { signalStop: 0n, signalNote: bit(SIGUSR2) });
    engine.signal(subject.pid, 0, SIGUSR1);
    scene.until('it is handled', () => subject.read('handled') === 1n);
    expect(scene.drain(engine)).toEqual([]);
    engine.signal(subject.pid, 0, SIGUSR2);
    const note = scene.next(engine, EventType.Signal);
    expect([note.signo, note.stopId]).toEqual([SIGUSR2, 0n]);
    scene.until('it is handled', () => subject.read('handled2') === 1n);
  });

  row('siginfo is read', (scene) => {
    const [engine, subject] = attached(scene);
    engine.signal(subject.pid, 0, SIGUSR1);
    const event = scene.next(engine, EventType.Signal);
    const thread = engine.inferiors.get(subject.pid)?.threads.get(event.tid);
    const info = thread === undefined ? undefined : engine.regset(thread, NT_SIGINFO);
    expect(info?.length).toBe(128);
    expect(info?.readInt32LE(0)).toBe(SIGUSR1);
    expect(info?.readInt32LE(8)).toBe(event.code);
  });

  row('the signal that is delivered carries a changed siginfo', (scene) => {
    const [engine, subject] = attached(scene);
    engine.signal(subject.pid, 0, SIGUSR1);
    const event = scene.next(engine, EventType.Signal);
    const thread = engine.inferiors.get(subject.pid)?.threads.get(event.tid);
    const info = thread === undefined ? undefined : engine.regset(thread, NT_SIGINFO);
    if (thread === undefined || info === undefined) throw new Error('there is no siginfo');
    info.writeBigUInt64LE(0x1122334455n, SI_VALUE);
    engine.putRegset(thread, NT_SIGINFO, info);
    cont(engine, SIGUSR1);
    scene.until('it is handled', () => subject.read('handled') === 1n);
    expect(subject.read('value')).toBe(0x1122334455n);
  });

  row('a fault stops with its address and ends the process if passed on', (scene) => {
    const engine = scene.engine();
    const [{ pid }, subject] = scene.launch(engine, 'fault');
    cont(engine);
    const event = scene.next(engine, EventType.Signal);
    expect(event).toMatchObject({ signo: SIGSEGV, addr: 0x10n });
    expect(event.flags & EventFlag.Fault).not.toBe(0);
    expect(event.code).toBe(1); // SEGV_MAPERR
    if (scene.real) expect(event.pc).toBe(subject.address('bad'));
    cont(engine, SIGSEGV);
    const dead = scene.next(engine, EventType.ProcDead);
    expect([dead.pid, dead.code & 0x7f]).toEqual([pid, SIGSEGV]);
  });

  row('a sleeping thread is not disturbed by a stop and a resume', (scene) => {
    const [engine, subject] = attached(scene, ['wait']);
    const { pid } = subject;
    scene.until('it sleeps', () => processState(pid) === 'S');
    const before = subject.read('counter');
    for (let i = 0; i < 20; i++) {
      engine.stop([{ pid, tid: -1 }], { wait: true });
      engine.resume([{ pid, tid: -1, kind: 'cont' }]);
    }
    scene.until('it sleeps', () => processState(pid) === 'S');
    expect(subject.read('counter')).toBe(before);
    engine.signal(pid, 0, SIGUSR1);
    scene.next(engine, EventType.Signal);
    cont(engine, SIGUSR1);
    scene.until('it woke up', () => subject.read('counter') === before + 1n);
  });

  row('signal 0 asks whether it is there, and sends nothing', (scene) => {
    const [engine, subject] = attached(scene);
    const { pid } = subject;
    engine.signal(pid, 0, 0);
    engine.signal(pid, pid, 0);
    expect(() => engine.signal(pid, 99999999, 0)).toThrow(/No such process/);
    engine.signal(pid, 0, SIGUSR1);
    expect(scene.next(engine, EventType.Signal).signo).toBe(SIGUSR1);
    cont(engine, SIGUSR1);
    scene.until('it is handled', () => subject.read('handled') === 1n);
  });

  row('detach with a signal delivers it', (scene) => {
    const [engine, subject] = attached(scene);
    const { pid } = subject;
    engine.signal(pid, 0, SIGUSR1);
    scene.next(engine, EventType.Signal);
    engine.detach(pid, { tid: pid, signo: SIGUSR2 });
    scene.until('it is handled', () => subject.read('handled2') === 1n);
    expect(subject.read('handled')).toBe(0n);
  });
});
