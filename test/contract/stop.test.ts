import { Call } from '../../src/engine/channel/calls';
import { Action, ThreadFlag } from '../../src/engine/channel/enums';
import { threadDecoder } from '../../src/engine/channel/codec';
import { EventType } from '../../src/engine/channel/event';
import {
  REGS,
  REGSET,
  RESUME,
  RESUME_ENTRY,
  THREAD,
  THREADS,
} from '../../src/engine/channel/records';
import type { Engine } from '../../src/engine/engine';
import { E } from '../support/errno';
import { field, record, records } from '../support/raw';
import type { Scene } from '../support/scene';
import type { Subject } from '../support/subject';
import { contract } from './contract';

const NT_PRSTATUS = 1;

function stopIdOf(engine: Engine, pid: number, tid: number): bigint {
  const buf = Buffer.alloc(THREAD.size * 64);
  const threads = record(THREADS, {
    pid,
    buf: engine.channel.addressOf(buf),
    capacity: 64,
  });
  expect(engine.channel.call(Call.Threads, threads)).toBe(0);
  const count = Number(field(THREADS, threads, 'count'));
  const list = threadDecoder(THREAD.size)(buf.subarray(0, count * THREAD.size));
  const thread = list.find((t) => t.tid === tid);
  expect(thread?.flags).toBeGreaterThanOrEqual(ThreadFlag.Held);
  return thread?.stopId ?? 0n;
}

/** Errors of the entries of a raw resume. */
function resume(
  engine: Engine,
  rows: { pid: number; tid: number; action?: number; stop_id?: bigint; signo?: number }[],
): { result: number; errors: number[]; done: number } {
  const entries = records(
    RESUME_ENTRY,
    rows.map((r) => ({ action: Action.Cont, ...r })),
  );
  const head = record(RESUME, {
    entries: engine.channel.addressOf(entries),
    count: rows.length,
  });
  const result = engine.channel.call(Call.Resume, head);
  const errors = rows.map((_, i) => Number(field(RESUME_ENTRY, entries, 'error', i)));
  return { result, errors, done: Number(field(RESUME, head, 'done')) };
}

function attachStopped(scene: Scene, name = 'spin'): [Engine, Subject] {
  const engine = scene.engine();
  const subject = scene.start(name);
  engine.attach(subject.pid, { stop: true });
  return [engine, subject];
}

contract('stop', (row) => {
  row('an interrupt gives an event with registers', (scene) => {
    const engine = scene.engine();
    const subject = scene.start('spin');
    const inferior = engine.attach(subject.pid);
    engine.interrupt([{ pid: subject.pid, tid: -1 }]);
    const event = scene.next(engine, EventType.Stopped);
    expect(event.tid).toBe(subject.pid);
    expect(event.stopId).not.toBe(0n);
    const [first, last] = [subject.address('loop'), subject.address('loop') + 16n];
    expect(event.pc).toBeGreaterThanOrEqual(first);
    expect(event.pc).toBeLessThanOrEqual(last);
    const thread = inferior.threads.get(subject.pid);
    expect(thread?.stop).toBe(event);
    if (thread === undefined) return;
    const regs = engine.regset(thread, NT_PRSTATUS);
    expect(regs?.readBigUInt64LE(128)).toBe(event.pc);
    expect(regs?.readBigUInt64LE(152)).toBe(event.sp);
    expect(engine.regset(thread, NT_PRSTATUS)).toBe(regs);
  });

  row('a quiet stop gives none', (scene) => {
    const engine = scene.engine();
    const subject = scene.start('spin');
    engine.attach(subject.pid);
    expect(engine.stop([{ pid: -1, tid: -1 }], { wait: true })).toBe(true);
    expect(scene.drain(engine)).toEqual([]);
    expect(engine.stop([{ pid: -1, tid: -1 }], { wait: true })).toBe(true);
    engine.resume([{ pid: subject.pid, tid: subject.pid, kind: 'cont' }]);
    scene.grows(subject, 'counter');
  });

  row('a stale stop id is ESTALE, for registers and resumes', (scene) => {
    const [engine, subject] = attachStopped(scene);
    const { pid } = subject;
    const old = stopIdOf(engine, pid, pid);
    expect(old).not.toBe(0n);
    engine.resume([{ pid, tid: -1, kind: 'cont' }]);
    engine.stop([{ pid, tid: -1 }], { wait: true });
    const present = stopIdOf(engine, pid, pid);
    expect(present).not.toBe(old);
    expect(resume(engine, [{ pid, tid: pid, stop_id: old }]).errors).toEqual([E.ESTALE]);
    const buf = Buffer.alloc(512);
    const entry = record(REGSET, {
      tid: pid,
      note: NT_PRSTATUS,
      stop_id: old,
      buf: engine.channel.addressOf(buf),
      len: buf.length,
    });
    const regs = record(REGS, { entries: engine.channel.addressOf(entry), count: 1 });
    expect(engine.channel.call(Call.GetRegs, regs)).toBe(0);
    expect(Number(field(REGSET, entry, 'error'))).toBe(E.ESTALE);
    expect(resume(engine, [{ pid, tid: pid, stop_id: present }]).errors).toEqual([0]);
    scene.grows(subject, 'counter');
  });

  row('a running thread is EBUSY', (scene) => {
    const engine = scene.engine();
    const subject = scene.start('spin');
    const { pid } = subject;
    const inferior = engine.attach(pid);
    const thread = inferior.threads.get(pid);
    expect(thread).toBeDefined();
    if (thread === undefined) return;
    expect(() => engine.regset(thread, NT_PRSTATUS)).toThrow(
      expect.objectContaining({ code: 'EBUSY' }),
    );
    expect(resume(engine, [{ pid, tid: pid }])).toEqual({ result: 0, errors: [E.EBUSY], done: 0 });
  });

  row('a batch fails entry by entry', (scene) => {
    const [engine, subject] = attachStopped(scene);
    const { pid } = subject;
    const outcome = resume(engine, [
      { pid, tid: 0x3fff_fff0 },
      { pid: 0x3fff_fff0, tid: -1 },
      { pid, tid: pid, action: 77 },
      { pid, tid: pid, signo: 1000 },
      { pid, tid: pid },
    ]);
    expect(outcome.result).toBe(0);
    expect(outcome.errors.slice(0, 2)).toEqual([E.ESRCH, E.ESRCH]);
    expect(outcome.errors.slice(2, 4)).toEqual([E.EINVAL, E.EINVAL]);
    expect(outcome.done).toBe(outcome.errors.filter((error) => error === 0).length);
    engine.resume([{ pid, tid: -1, kind: 'cont' }]);
    scene.grows(subject, 'counter');
  });

  row('an earlier entry shields a thread from a wildcard', (scene) => {
    const [engine, subject] = attachStopped(scene);
    const { pid } = subject;
    const before = subject.read('counter');
    engine.resume([
      { pid, tid: pid, kind: 'stay' },
      { pid: -1, tid: -1, kind: 'cont' },
    ]);
    for (let i = 0; i < 20; i++) subject.pause();
    expect(subject.read('counter')).toBe(before);
    expect(engine.inferiors.get(pid)?.threads.get(pid)?.state).toBe('held');
    engine.resume([{ pid: -1, tid: -1, kind: 'cont' }]);
    scene.grows(subject, 'counter');
  });

  row('a wildcard passes over a stop that was not read', (scene) => {
    const engine = scene.engine();
    const subject = scene.start('spin');
    engine.attach(subject.pid);
    engine.interrupt([{ pid: -1, tid: -1 }]);
    expect(engine.channel.wait(5000)).toBe(true);
    engine.resume([{ pid: -1, tid: -1, kind: 'cont' }]);
    const before = subject.read('counter');
    for (let i = 0; i < 20; i++) subject.pause();
    expect(subject.read('counter')).toBe(before);
    const [event] = engine.events();
    expect(event?.type).toBe(EventType.Stopped);
    expect(engine.inferiors.get(subject.pid)?.threads.get(subject.pid)?.state).toBe('held');
    engine.resume([{ pid: -1, tid: -1, kind: 'cont' }]);
    scene.grows(subject, 'counter');
  });

  row('a thread runs when no engine holds it; who() names the holder', (scene) => {
    const [first, second] = [scene.engine('the first'), scene.engine('the second')];
    const subject = scene.start('spin');
    const { pid } = subject;
    first.attach(pid, { stop: true });
    second.attach(pid, { stop: true });
    expect(first.resume([{ pid, tid: -1, kind: 'cont' }])).toBe(1);
    const before = subject.read('counter');
    for (let i = 0; i < 20; i++) subject.pause();
    expect(subject.read('counter')).toBe(before);
    const holder = first.who(pid, pid).find((h) => h.tid === pid);
    expect(holder).toMatchObject({ label: 'the second', engineId: second.engineId });
    expect(first.listThreads(pid).map((thread) => thread.heldByOther)).toEqual([true]);
    expect(resume(first, [{ pid, tid: pid }]).errors).toEqual([E.EBUSY]);
    expect(second.resume([{ pid, tid: -1, kind: 'cont' }])).toBe(0);
    scene.grows(subject, 'counter');
  });

  row('asked for while the process exits', (scene) => {
    const engine = scene.engine();
    let stopped = 0;
    for (let i = 0; i < 50; i++) {
      const [inferior] = scene.launch(engine, 'exit3');
      const { pid } = inferior;
      engine.resume([{ pid, tid: -1, kind: 'cont' }]);
      const until = process.hrtime.bigint() + BigInt(i) * 20_000n; // further into it every time
      while (process.hrtime.bigint() < until) continue;
      try {
        if (engine.stop([{ pid, tid: -1 }], { wait: true }) && inferior.threads.size > 0) stopped++;
        engine.resume([{ pid, tid: -1, kind: 'cont' }]);
      } catch (error) {
        expect(error).toMatchObject({ code: 'ESRCH' });
      }
      expect(scene.next(engine, EventType.ProcDead)).toMatchObject({ pid, code: 3 << 8 });
      expect(engine.inferiors.size).toBe(0);
    }
    expect(stopped).toBeGreaterThan(0);
  });

  row('a register write that quotes a stop of before is refused', (scene) => {
    const [engine, subject] = attachStopped(scene);
    const { pid } = subject;
    engine.resume([{ pid, tid: -1, kind: 'cont' }]);
    engine.interrupt([{ pid, tid: -1 }]);
    scene.next(engine, EventType.Stopped);
    const thread = engine.inferiors.get(pid)?.threads.get(pid);
    if (thread === undefined) throw new Error('the leader is gone');
    const regs = Buffer.from(engine.regset(thread, NT_PRSTATUS) ?? []);
    thread.stopId += 1000n;
    expect(() => engine.putRegset(thread, NT_PRSTATUS, regs)).toThrow(
      expect.objectContaining({ code: 'ESTALE' }),
    );
    thread.stopId -= 1000n;
    engine.putRegset(thread, NT_PRSTATUS, regs);
    engine.resume([{ pid, tid: -1, kind: 'cont' }]);
    scene.grows(subject, 'counter');
  });

  row('SIGKILL ends it while two engines hold it', (scene) => {
    const [first, second] = [scene.engine(), scene.engine()];
    const subject = scene.start('spin');
    const { pid } = subject;
    first.attach(pid, { stop: true });
    second.attach(pid, { stop: true });
    first.signal(pid, 0, 9);
    expect(scene.next(first, EventType.ProcDead)).toMatchObject({ pid, code: 9 });
    expect(scene.next(second, EventType.ProcDead)).toMatchObject({ pid, code: 9 });
    expect(subject.alive()).toBe(false);
    expect(first.inferiors.size + second.inferiors.size).toBe(0);
    for (const engine of [first, second]) {
      const dead = scene.drain(engine).filter((event) => event.type === EventType.ProcDead);
      expect(dead).toEqual([]);
      expect(() => engine.stop([{ pid, tid: -1 }])).toThrow(
        expect.objectContaining({ code: 'ESRCH' }),
      );
    }
  });
});
