import fs from 'node:fs';
import { EventType } from '../../src/engine/channel/event';
import type { Engine } from '../../src/engine/engine';
import { ending, processState, type Subject } from '../support/subject';
import { contract } from './contract';

const cont = (engine: Engine, pid = -1): number => engine.resume([{ pid, tid: -1, kind: 'cont' }]);

/** undefined: it is at its end already. */
function memoryOf(child: Subject, addr: bigint): Buffer | undefined {
  try {
    return child.memory(addr, 8);
  } catch {
    return undefined;
  }
}

contract('life', (row) => {
  row('an exit is told once, with its wait status', (scene) => {
    const engine = scene.engine();
    const [inferior, subject] = scene.launch(engine, 'exit3');
    cont(engine);
    const dead = scene.next(engine, EventType.ProcDead);
    expect([dead.pid, dead.code]).toEqual([inferior.pid, 3 << 8]);
    expect(inferior.exitStatus).toBe(3 << 8);
    expect(engine.inferiors.size).toBe(0);
    expect(subject.alive()).toBe(false);
    expect(scene.drain(engine)).toEqual([]);
  });

  row('whoever reads of a stop reads of every thread that was born before it', (scene) => {
    const most = 100;
    const engine = scene.engine();
    const [inferior, subject] = scene.launch(engine, 'maker', [String(most)]);
    engine.set(inferior.pid, { lifeNote: [EventType.NewThread] });
    engine.insertBreakpoint(inferior.pid, 0, subject.address('function'), 1);
    for (let made = 1; made <= most; made++) {
      cont(engine);
      scene.next(engine, EventType.Break);
      expect(inferior.threads.size).toBe(made + 1);
    }
  });

  row('both engines are told', (scene) => {
    const [first, second] = [scene.engine('first'), scene.engine('second')];
    const [inferior] = scene.launch(first, 'exit3');
    second.attach(inferior.pid);
    cont(first);
    expect(scene.next(first, EventType.ProcDead).code).toBe(3 << 8);
    expect(scene.next(second, EventType.ProcDead).code).toBe(3 << 8);
  });

  row('held before it exits, its memory is still there', (scene) => {
    const engine = scene.engine();
    const [{ pid }, subject] = scene.launch(engine, 'exit3');
    engine.set(pid, { lifeStop: [EventType.Exiting] });
    cont(engine);
    const event = scene.next(engine, EventType.Exiting);
    expect(event.code).toBe(3 << 8);
    const out = Buffer.alloc(4);
    const text = subject.address('main');
    expect(engine.readMemory(pid, text, out, 0, 4)).toBe(4);
    expect(out).toEqual(subject.text(text, 4));
    cont(engine);
    expect(scene.next(engine, EventType.ProcDead).code).toBe(3 << 8);
  });

  row('killed while it is about to exit', (scene) => {
    const engine = scene.engine();
    const [{ pid }] = scene.launch(engine, 'exit3');
    engine.set(pid, { lifeStop: [EventType.Exiting] });
    cont(engine);
    scene.next(engine, EventType.Exiting);
    engine.kill(pid);
    expect(engine.inferiors.size).toBe(0);
  });

  row('an exec renews the process and takes its breakpoints', (scene) => {
    const engine = scene.engine();
    const [{ pid }, subject] = scene.launch(engine, 'execer', [scene.file('spin')]);
    engine.set(pid, { lifeStop: [EventType.Exec] });
    engine.insertBreakpoint(pid, 0, subject.address('main'), 1);
    engine.resume([{ pid, tid: -1, kind: 'cont' }]);
    let event = scene.next(engine, (e) => e.stopId !== 0n);
    if (event.type === EventType.Break) {
      cont(engine);
      event = scene.next(engine, (e) => e.stopId !== 0n);
    }
    expect([event.type, event.tid, event.child]).toEqual([EventType.Exec, pid, pid]);
    const spin = scene.subject('spin', pid);
    const main = spin.address('main');
    expect(spin.memory(main, 16)).toEqual(spin.text(main, 16));
    engine.insertBreakpoint(pid, 0, spin.address('site'), 1);
    cont(engine);
    expect(scene.next(engine, EventType.Break).pc).toBe(spin.address('site'));
  });

  row('an exec by a thread that is not the leader leaves one thread, the leader', (scene) => {
    const engine = scene.engine();
    const [inferior] = scene.launch(engine, 'execer', [scene.file('spin'), 'thread']);
    const { pid } = inferior;
    engine.set(pid, { lifeStop: [EventType.Exec] });
    cont(engine);
    const event = scene.next(engine, EventType.Exec);
    expect(event.tid).toBe(pid);
    expect(event.child).not.toBe(pid);
    expect([...inferior.threads.keys()]).toEqual([pid]);
    expect(engine.listThreads(pid).map((t) => t.tid)).toEqual([pid]);
    const spin = scene.subject('spin', pid);
    cont(engine);
    scene.grows(spin, 'counter');
    engine.stop([{ pid, tid: -1 }], { wait: true });
  });

  row('a fork that is not followed: the child’s text is clean', (scene) => {
    const engine = scene.engine();
    const [{ pid }, subject] = scene.launch(engine, 'forker');
    // the child executes the function that has the breakpoint: it must not die of it
    engine.insertBreakpoint(pid, 0, subject.address('function'), 1);
    engine.set(pid, { lifeStop: [EventType.Fork] });
    cont(engine);
    const event = scene.next(engine, EventType.Fork);
    expect(event.tid).toBe(pid);
    const child = scene.subject('forker', event.child);
    const site = child.address('function');
    const bytes = memoryOf(child, site);
    if (bytes !== undefined) expect(bytes).toEqual(child.text(site, 8));
    expect([...engine.inferiors.keys()]).toEqual([pid]);
    engine.set(pid, { signalStop: 0n });
    cont(engine);
    if (scene.real) {
      scene.until('the child is reaped', () => subject.read('reaped') === 1n, subject);
      expect(subject.read('status')).toBe(BigInt(5 << 8));
    } else scene.grows(subject, 'counter');
    engine.kill(pid);
  });

  row('a fork that is followed: the child is ours and held', (scene) => {
    const engine = scene.engine();
    const [{ pid }, subject] = scene.launch(engine, 'forker');
    engine.set(pid, { lifeStop: [EventType.Fork], followFork: true, signalStop: 0n });
    cont(engine);
    const events = [scene.next(engine, (e) => e.stopId !== 0n)];
    events.push(scene.next(engine, (e) => e.stopId !== 0n));
    const fork = events.find((event) => event.type === EventType.Fork);
    const born = events.find((event) => event.type === EventType.Child);
    expect(fork?.child).toBe(born?.pid);
    const child = born?.pid ?? 0;
    expect(engine.inferiors.get(child)?.threads.get(child)?.state).toBe('held');
    expect(engine.inferiors.get(child)?.launched).toBe(true);
    const site = subject.address('function');
    engine.insertBreakpoint(child, 0, site, 1);
    cont(engine, pid);
    scene.grows(subject, 'counter');
    cont(engine, child);
    expect(scene.next(engine, EventType.Break)).toMatchObject({ pid: child, pc: site });
    cont(engine, child);
    const dead = scene.next(engine, EventType.ProcDead);
    expect([dead.pid, dead.code]).toEqual([child, 5 << 8]);
    scene.grows(subject, 'counter');
  });

  row(
    'a vfork that is not followed: its child runs over a breakpoint, then the parent',
    (scene) => {
      const engine = scene.engine();
      const [{ pid }, subject] = scene.launch(engine, 'vforker');
      engine.set(pid, { lifeStop: [EventType.Vfork, EventType.VforkDone], signalStop: 0n });
      cont(engine);
      const event = scene.next(engine, EventType.Vfork);
      expect(event.child).toBeGreaterThan(0);
      cont(engine);
      expect(scene.next(engine, EventType.VforkDone).child).toBe(event.child);
      cont(engine);
      if (scene.real) {
        scene.until('the child is reaped', () => subject.read('reaped') === 1n, subject);
        expect(subject.read('status')).toBe(BigInt(5 << 8));
      } else scene.grows(subject, 'counter');
    },
  );

  row('a vfork child does not die of its parent’s breakpoint', (scene) => {
    const engine = scene.engine();
    const [{ pid }, subject] = scene.launch(engine, 'vforker');
    engine.set(pid, { signalStop: 0n });
    const site = subject.address('function');
    engine.insertBreakpoint(pid, 0, site, 1);
    cont(engine);
    if (scene.real) {
      scene.until('the child is reaped', () => subject.read('reaped') === 1n, subject);
      expect(subject.read('status')).toBe(BigInt(5 << 8));
      // the memory was shared: the parent's breakpoint is there again
      expect(subject.memory(site, 1)).not.toEqual(subject.text(site, 1));
    } else scene.grows(subject, 'counter');
  });

  row('a vfork that is followed', (scene) => {
    const engine = scene.engine();
    const [{ pid }, subject] = scene.launch(engine, 'vforker');
    engine.set(pid, { followVfork: true, signalStop: 0n, lifeStop: [EventType.VforkDone] });
    cont(engine);
    const born = scene.next(engine, EventType.Child);
    const child = born.pid;
    cont(engine, child);
    // its death and the return of its parent come in any order
    const both = [EventType.ProcDead, EventType.VforkDone];
    const ends = both.map(() => scene.next(engine, ({ type }) => both.includes(type)));
    expect(ends.find(({ type }) => type === EventType.ProcDead)).toMatchObject({
      pid: child,
      code: 5 << 8,
    });
    expect(ends.find(({ type }) => type === EventType.VforkDone)).toMatchObject({ pid });
    cont(engine, pid);
    scene.grows(subject, 'counter');
  });

  row('a new thread is held before its first instruction', (scene) => {
    const engine = scene.engine();
    const [inferior, subject] = scene.launch(engine, 'threads', ['1']);
    const { pid } = inferior;
    engine.set(pid, { lifeStop: [EventType.NewThread] });
    cont(engine);
    const event = scene.next(engine, EventType.NewThread);
    expect(event.tid).not.toBe(pid);
    expect(event.child).toBe(pid);
    expect(inferior.threads.get(event.tid)?.state).toBe('held');
    for (let i = 0; i < 20; i++) subject.pause();
    expect(subject.read('counter')).toBe(0n);
    engine.resume([{ pid, tid: event.tid, kind: 'cont' }]);
    scene.until('it counts', () => subject.read('counter') === 1n, subject);
  });

  row('threads that come during a stop are held too', (scene) => {
    const engine = scene.engine();
    const subject = scene.start('creator');
    const { pid } = subject;
    const inferior = engine.attach(pid);
    for (let i = 0; i < 50; i++) {
      scene.grows(subject, 'counter');
      expect(engine.stop([{ pid, tid: -1 }], { wait: true })).toBe(true);
      engine.events();
      const states = [...inferior.threads.values()].map((thread) => thread.state);
      expect(states).toEqual(states.map(() => 'held'));
      const tids = fs.readdirSync(`/proc/${pid}/task`).map(Number);
      const listed = engine.listThreads(pid).map((thread) => thread.tid);
      // to the module those that end are past being held, and leave one list before the other
      const passing = (tid: number): boolean => scene.provider === 'kernel' && ending(pid, tid);
      const odd = [...tids, ...listed].filter(
        (tid) => tids.includes(tid) !== listed.includes(tid) && !passing(tid),
      );
      expect(odd).toEqual([]);
      const before = subject.read('counter');
      subject.pause();
      expect(subject.read('counter')).toBe(before);
      cont(engine);
    }
    scene.grows(subject, 'counter');
  });

  row('a death with many threads is told once', (scene) => {
    for (const stop of [true, false]) {
      const engine = scene.engine();
      const subject = scene.start('threads', ['32']);
      scene.until('all are there', () => subject.read('counter') === 32n, subject);
      const { pid } = subject;
      const inferior = engine.attach(pid, { stop });
      expect(inferior.threads.size).toBe(33);
      engine.signal(pid, 0, 9);
      const dead = scene.next(engine, EventType.ProcDead);
      expect([dead.pid, dead.code]).toEqual([pid, 9]);
      expect(inferior.threads.size).toBe(0);
      expect(scene.drain(engine)).toEqual([]);
      engine.close();
    }
  });

  row('a job-control stop is told, and outlives a detach', (scene) => {
    const engine = scene.engine();
    const subject = scene.start('spin');
    const { pid } = subject;
    engine.attach(pid);
    engine.set(pid, { signalStop: 0n });
    process.kill(pid, 'SIGSTOP');
    expect(scene.next(engine, EventType.JobStop).signo).toBe(19);
    engine.detach(pid);
    scene.until('it is stopped', () => processState(pid) === 'T');
    const inferior = engine.attach(pid);
    expect(inferior.threads.size).toBe(1);
    engine.set(pid, { signalStop: 0n });
    process.kill(pid, 'SIGCONT');
    scene.grows(subject, 'counter');
    process.kill(pid, 'SIGSTOP');
    scene.next(engine, EventType.JobStop);
    engine.close();
    scene.until('it is stopped', () => processState(pid) === 'T');
    process.kill(pid, 'SIGCONT');
    scene.grows(subject, 'counter');
  });

  row('killed from outside while it is stopped', (scene) => {
    const engine = scene.engine();
    const subject = scene.start('spin');
    const { pid } = subject;
    engine.attach(pid, { stop: true });
    if (scene.real) process.kill(pid, 'SIGKILL');
    else subject.end();
    expect(scene.next(engine, EventType.ProcDead)).toMatchObject({ pid, code: 9 });
    expect(() => cont(engine, pid)).toThrow(expect.objectContaining({ code: 'ESRCH' }));
  });
});
