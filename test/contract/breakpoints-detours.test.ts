// Breakpoints that are passed while they stay, on an instruction that runs in memory of ours.
import fs from 'node:fs';
import { EventType, type EngineEvent } from '../../src/engine/channel/event';
import type { Engine } from '../../src/engine/engine';
import type { Scene } from '../support/scene';
import type { Subject } from '../support/subject';
import { contract } from './contract';

const NEVER = Buffer.from([0x22, 0, 0x27]);
const cont = (engine: Engine): number => engine.resume([{ pid: -1, tid: -1, kind: 'cont' }]);

function begin(scene: Scene, mode = '', name = 'detours'): [Engine, Subject, bigint] {
  const engine = scene.engine();
  const subject = scene.start(name, mode === '' ? [] : [mode], 'rounds');
  engine.attach(subject.pid, { stop: true });
  return [engine, subject, subject.address('site')];
}

/** Executable memory without a file, but for the kernel's own. */
const areas = (pid: number): string[] =>
  fs
    .readFileSync(`/proc/${pid}/maps`, 'latin1')
    .split('\n')
    .filter((line) => / r.x. /.test(line) && / 0 *($|\[anon)/.test(line));

/** Runs on for some rounds past a condition that never holds. */
function passes(scene: Scene, engine: Engine, subject: Subject, site: bigint, rounds = 500n): void {
  engine.insertBreakpoint(subject.pid, 0, site, 1, { conditions: [NEVER] });
  const before = subject.read('rounds');
  cont(engine);
  scene.until('it goes round', () => subject.read('rounds') > before + rounds, subject);
  expect(subject.read('wrong')).toBe(0n);
  expect(engine.stop([{ pid: subject.pid, tid: -1 }], { wait: true })).toBe(true);
  const { hits } = engine.breakpointStats()[0]!;
  const done = subject.read('rounds') - before;
  // the stop may have come between the instruction and the count
  expect(hits - done).toBeGreaterThanOrEqual(-1n);
  expect(hits - done).toBeLessThanOrEqual(1n);
}

contract('breakpoints', (row) => {
  row('our memory in the program is there while it is needed, and goes with us', (scene) => {
    const [engine, subject, site] = begin(scene);
    const { pid } = subject;
    expect(areas(pid)).toEqual([]);
    passes(scene, engine, subject, site);
    expect(areas(pid)).toHaveLength(1);
    // armed all the time
    expect(subject.memory(site, 1)).not.toEqual(subject.text(site, 1));
    engine.detach(pid);
    scene.grows(subject, 'rounds');
    expect(areas(pid)).toEqual([]);
    expect(subject.read('wrong')).toBe(0n);
  });

  row('steps and stops between: the program is never seen elsewhere', (scene) => {
    const [engine, subject, site] = begin(scene);
    const { pid } = subject;
    engine.insertBreakpoint(pid, 0, site, 1);
    for (let i = 0; i < 20; i++) {
      cont(engine);
      expect(scene.next(engine, EventType.Break).pc).toBe(site);
      const before = subject.read('counter');
      engine.resume([{ pid, tid: pid, kind: 'step' }]);
      expect(scene.next(engine, EventType.Step).pc).toBe(subject.address('elsewhere') - 1n);
      expect(subject.read('counter')).toBe(before + 1n);
    }
    engine.insertBreakpoint(pid, 0, site, 1, { conditions: [NEVER] });
    for (let i = 0; i < 50; i++) {
      cont(engine);
      scene.grows(subject, 'rounds');
      engine.interrupt([{ pid, tid: pid }]);
      const { pc } = scene.next(engine, EventType.Stopped);
      const ours = areas(pid).filter((line) => {
        const [from, to] = line.split(/[- ]/, 2).map((word) => BigInt(`0x${word || '0'}`));
        return pc >= from! && pc < to!;
      });
      expect(ours).toEqual([]);
    }
    expect(subject.read('wrong')).toBe(0n);
  });

  row('code that is written anew is run anew', (scene) => {
    const [engine, subject, site] = begin(scene);
    const { pid } = subject;
    passes(scene, engine, subject, site, 50n);
    const length = Number(subject.address('elsewhere') - site);
    const code = subject.text(subject.address('elsewhere'), length);
    // rip-relative: what it counts depends on where it is
    code.writeInt32LE(code.readInt32LE(4) + length, 4);
    engine.writeMemory(pid, site, code, 0, length);
    const [counter, other] = [subject.read('counter'), subject.read('other')];
    cont(engine);
    scene.until('the new code counts', () => subject.read('other') > other + 50n, subject);
    expect(subject.read('counter') - counter).toBeLessThanOrEqual(1n);
    expect(subject.read('wrong')).toBe(0n);
  });

  row('a program that unmaps our memory', (scene) => {
    const [engine, subject, site] = begin(scene, 'unmap');
    passes(scene, engine, subject, site);
    expect(subject.read('unmapped')).toBe(1n);
    expect(areas(subject.pid)).toEqual([]);
  });

  row('a program with a system call filter', (scene) => {
    const [engine, subject, site] = begin(scene, 'seccomp');
    passes(scene, engine, subject, site, 100n);
  });

  row('a program with a system call filter: nothing is called in it', (scene) => {
    const [engine, subject, site] = begin(scene, 'seccomp');
    passes(scene, engine, subject, site, 1n);
    expect(areas(subject.pid)).toEqual([]);
  });

  row('a 32-bit program', (scene) => {
    const [engine, subject, site] = begin(scene, '', 'detours32');
    passes(scene, engine, subject, site);
    expect(areas(subject.pid)).toHaveLength(1);
    engine.detach(subject.pid);
    scene.grows(subject, 'rounds');
    expect(areas(subject.pid)).toEqual([]);
    expect(subject.read('wrong')).toBe(0n);
  });

  row('children of a program with our memory', (scene) => {
    const [engine, subject, site] = begin(scene, 'fork');
    engine.set(subject.pid, { signalStop: 0n });
    passes(scene, engine, subject, site, 100n);
    expect(subject.read('children')).toBeGreaterThan(5n);
  });

  row('children that are followed have breakpoints of their own', (scene) => {
    const [engine, subject, site] = begin(scene, 'fork');
    engine.set(subject.pid, { signalStop: 0n, followFork: true });
    engine.insertBreakpoint(subject.pid, 0, site, 1, { conditions: [NEVER] });
    let early: EngineEvent | undefined;
    for (let i = 0; i < 3; i++) {
      engine.resume([{ pid: subject.pid, tid: -1, kind: 'cont' }]);
      const { pid } = early ?? scene.next(engine, EventType.Child);
      engine.insertBreakpoint(pid, 0, site, 1, { conditions: [NEVER] });
      engine.resume([{ pid, tid: -1, kind: 'cont' }]);
      // the parent may be quick: its next child is told before the end of this one, or after
      early = undefined;
      const look = (e: EngineEvent): boolean => {
        if (e.type === EventType.Child) early = e;
        return e.type === EventType.ProcDead && e.pid === pid;
      };
      expect(scene.next(engine, look).code).toBe(42 << 8);
      expect(engine.stop([{ pid: subject.pid, tid: -1 }], { wait: true })).toBe(true);
      scene.drain(engine).forEach(look);
    }
    expect(subject.read('wrong')).toBe(0n);
  });
});
