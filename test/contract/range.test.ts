import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import { EventType } from '../../src/engine/channel/event';
import type { Engine } from '../../src/engine/engine';
import type { Scene } from '../support/scene';
import type { Subject } from '../support/subject';
import { contract } from './contract';

const NT_PRSTATUS = 1;
const RCX = 88; // in struct user_regs_struct
const SIGUSR1 = 10;

/** %rcx of the leader: rounds still to go. */
function rounds(engine: Engine, pid: number, set?: bigint): bigint {
  const thread = engine.inferiors.get(pid)?.threads.get(pid);
  const regs = thread && engine.regset(thread, NT_PRSTATUS);
  if (!thread || !regs) throw new Error('the leader is gone');
  if (set !== undefined) {
    regs.writeBigUInt64LE(set, RCX);
    engine.putRegset(thread, NT_PRSTATUS, regs);
  }
  return regs.readBigUInt64LE(RCX);
}

/** The leader is held at the beginning of its line; what the range of the line is. */
function atLine(scene: Scene, threads = '1'): [Engine, Subject, { lo: bigint; hi: bigint }] {
  const engine = scene.engine();
  const subject = scene.start('rounds', [threads]);
  const { pid } = subject;
  scene.until('all are there', () => subject.read('counter') === BigInt(threads), subject);
  engine.attach(pid, { stop: true });
  const lo = subject.address('begin');
  engine.insertBreakpoint(pid, 0, lo, 1);
  engine.resume([{ pid, tid: pid, kind: 'cont' }]);
  scene.next(engine, (e) => e.type === EventType.Break && e.tid === pid);
  engine.removeBreakpoint(pid, 0, lo, 1);
  return [engine, subject, { lo, hi: subject.address('end') }];
}

function textIsClean(subject: Subject): void {
  const from = subject.address('line');
  const length = Number(subject.address('end') - from) + 1;
  expect(subject.memory(from, length)).toEqual(subject.text(from, length));
}

/** It waits for its processor, which another one takes: what it does takes its time. */
function slow(scene: Scene, subject: Subject): void {
  const allowed = fs.readFileSync('/proc/self/status', 'utf8');
  const [cpu = '0'] = /^Cpus_allowed_list:\t(\d+)/m.exec(allowed)?.slice(1) ?? [];
  os.setPriority(subject.pid, 10);
  for (const { pid } of [subject, scene.start('spin')])
    execFileSync('taskset', ['-pc', cpu, String(pid)]);
}

contract('range', (row) => {
  row('a million rounds are one step, and all of them are made', (scene) => {
    const [engine, subject, range] = atLine(scene);
    const { pid } = subject;
    rounds(engine, pid, 1_000_000n);
    const before = subject.read('counts');
    engine.resume([{ pid, tid: pid, kind: 'range', ...range }]);
    const event = scene.next(engine, (e) => e.stopId !== 0n);
    expect([event.type, event.pc]).toEqual([EventType.Step, range.hi]);
    expect(subject.read('counts')).toBe(before + 1_000_000n);
    textIsClean(subject);
  });

  row('other threads pass where it would be left, and nobody hears of it', (scene) => {
    const [engine, subject, range] = atLine(scene, '4');
    const { pid } = subject;
    rounds(engine, pid, 20_000_000n);
    engine.resume([
      { pid, tid: pid, kind: 'range', ...range },
      { pid, tid: -1, kind: 'cont' },
    ]);
    for (const i of [1, 2, 3]) scene.grows(subject, 'counts', i);
    expect(scene.next(engine, (e) => e.stopId !== 0n)).toMatchObject({
      type: EventType.Step,
      tid: pid,
      pc: range.hi,
    });
    expect(rounds(engine, pid)).toBe(0n);
    for (const i of [1, 2, 3]) scene.grows(subject, 'counts', i);
    expect(scene.drain(engine)).toEqual([]);
  });

  row('a breakpoint of another engine inside is hit, and the step goes on', (scene) => {
    const [engine, subject, range] = atLine(scene);
    const { pid } = subject;
    const other = scene.engine('other');
    other.attach(pid);
    // however late the breakpoint comes
    rounds(engine, pid, 1n << 60n);
    engine.resume([{ pid, tid: pid, kind: 'range', ...range }]);
    other.insertBreakpoint(pid, 0, subject.address('inside'), 1);
    let first = 0n;
    for (let hits = 0n; ; hits++) {
      const event = scene.next(other, (e) => e.stopId !== 0n);
      expect([event.type, event.pc]).toEqual([EventType.Break, subject.address('inside')]);
      if (hits === 0n) first = subject.read('counts');
      expect(subject.read('counts')).toBe(first + hits);
      if (hits === 4n) break;
      other.resume([{ pid, tid: pid, kind: 'cont' }]);
    }
    // it stands in the first of these, which is counted already
    rounds(other, pid, 1000n);
    other.close();
    const event = scene.next(engine, (e) => e.stopId !== 0n);
    expect([event.type, event.pc]).toEqual([EventType.Step, range.hi]);
    expect(subject.read('counts')).toBe(first + 4n + 999n);
    textIsClean(subject);
  });

  row('a signal in the middle is told', (scene) => {
    const [engine, subject, range] = atLine(scene);
    const { pid } = subject;
    rounds(engine, pid, 1n << 60n);
    engine.resume([{ pid, tid: pid, kind: 'range', ...range }]);
    scene.grows(subject, 'counts');
    engine.signal(pid, 0, SIGUSR1);
    const event = scene.next(engine, EventType.Signal);
    expect(event.signo).toBe(SIGUSR1);
    expect(event.pc >= range.lo && event.pc < range.hi).toBe(true);
    // discarded, and on it goes to the end
    rounds(engine, pid, 300n);
    engine.resume([{ pid, tid: pid, kind: 'range', signo: 0, ...range }]);
    expect(scene.next(engine, (e) => e.stopId !== 0n)).toMatchObject({
      type: EventType.Step,
      pc: range.hi,
    });
    textIsClean(subject);
  });

  row('a stop in the middle, and the rest afterwards', (scene) => {
    const [engine, subject, range] = atLine(scene, '2');
    const { pid } = subject;
    rounds(engine, pid, 1n << 60n);
    for (let i = 0; i < 20; i++) {
      engine.resume([{ pid, tid: pid, kind: 'range', ...range }]);
      scene.grows(subject, 'counts');
      engine.interrupt([{ pid, tid: pid }]);
      const event = scene.next(engine, EventType.Stopped);
      expect(event.pc >= range.lo && event.pc < range.hi).toBe(true);
    }
    rounds(engine, pid, 500n);
    engine.resume([{ pid, tid: pid, kind: 'range', ...range }]);
    expect(scene.next(engine, EventType.Step).pc).toBe(range.hi);
    expect(rounds(engine, pid)).toBe(0n);
    textIsClean(subject);
  });

  row('a quiet stop in the middle is no end of it, wherever it comes', (scene) => {
    const [engine, subject, range] = atLine(scene);
    const { pid } = subject;
    rounds(engine, pid, 1n << 60n);
    slow(scene, subject);
    for (let i = 0; i < 60; i++) {
      engine.resume([{ pid, tid: pid, kind: 'range', ...range }]);
      engine.wait(0);
      expect(engine.stop([{ pid, tid: pid }], { wait: true, timeoutUs: 60_000_000 })).toBe(true);
      expect([i, scene.drain(engine)]).toEqual([i, []]);
    }
    rounds(engine, pid, 500n);
    engine.resume([{ pid, tid: pid, kind: 'range', ...range }]);
    expect(scene.next(engine, EventType.Step).pc).toBe(range.hi);
    textIsClean(subject);
  });

  row('an engine that goes in the middle leaves nothing behind', (scene) => {
    const [engine, subject, range] = atLine(scene, '4');
    const { pid } = subject;
    rounds(engine, pid, 1n << 60n);
    engine.resume([
      { pid, tid: pid, kind: 'range', ...range },
      { pid, tid: -1, kind: 'cont' },
    ]);
    scene.grows(subject, 'counts');
    engine.close();
    textIsClean(subject);
    for (const i of [0, 1, 2, 3]) scene.grows(subject, 'counts', i);
    expect(subject.alive()).toBe(true);
  });
});
