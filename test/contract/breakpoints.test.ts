import fs from 'node:fs';
import { Call } from '../../src/engine/channel/calls';
import { EventType } from '../../src/engine/channel/event';
import { BREAK, BREAK_STATS, MEM, MEMVEC } from '../../src/engine/channel/records';
import type { Engine } from '../../src/engine/engine';
import { E } from '../support/errno';
import { field, record } from '../support/raw';
import type { Scene } from '../support/scene';
import type { Subject } from '../support/subject';
import { contract } from './contract';

const cont = (engine: Engine): number => engine.resume([{ pid: -1, tid: -1, kind: 'cont' }]);

function bytes(engine: Engine, pid: number, addr: bigint, length = 8): Buffer {
  const out = Buffer.alloc(length);
  expect(engine.readMemory(pid, addr, out, 0, length)).toBe(length);
  return out;
}

/** What is really there, by NTRACE_MEM_RAW. */
function rawBytes(engine: Engine, pid: number, addr: bigint, length = 8): Buffer {
  const out = Buffer.alloc(length);
  const { channel } = engine;
  const vec = record(MEMVEC, { addr, len: length, buf: channel.addressOf(out) });
  const mem = record(MEM, { pid, flags: 1, vecs: channel.addressOf(vec), count: 1 });
  expect(channel.call(Call.ReadMem, mem)).toBe(0);
  expect(Number(field(MEMVEC, vec, 'done'))).toBe(length);
  return out;
}

function stopped(scene: Scene, name: string, label = 'contract'): [Engine, Subject, bigint] {
  const engine = scene.engine(label);
  const subject = scene.start(name);
  engine.attach(subject.pid, { stop: true });
  return [engine, subject, subject.address('function')];
}

contract('breakpoints', (row) => {
  row('each hit is reported at its own address and passed', (scene) => {
    const [engine, subject, site] = stopped(scene, 'calls');
    const { pid } = subject;
    engine.insertBreakpoint(pid, 0, site, 1);
    let counter: bigint | undefined;
    for (let i = 0; i < 50; i++) {
      cont(engine);
      const event = scene.next(engine, EventType.Break);
      expect([event.pc, event.addr]).toEqual([site, site]);
      expect(event.breakId).not.toBe(0);
      const now = subject.read('counter');
      if (counter !== undefined) expect(now).toBe(counter + 1n);
      counter = now;
    }
  });

  row('where the memory is gone removal says so, and another one does not', (scene) => {
    const engine = scene.engine();
    const subject = scene.start('unmapper', [], 'page');
    const { pid } = subject;
    engine.attach(pid);
    const page = subject.read('page');
    const offset = 0x10n;
    engine.insertBreakpoint(pid, 0, page, 1);
    engine.insertBreakpoint(pid, 0, page + offset, 1);
    engine.removeBreakpoint(pid, 0, page + offset, 1);
    subject.write('go', 1n);
    scene.until('the page is gone', () => subject.read('gone') === 1n, subject);
    expect(() => engine.removeBreakpoint(pid, 0, page, 1)).toThrow(
      expect.objectContaining({ errno: E.EFAULT }) as Error,
    );
    engine.removeBreakpoint(pid, 0, page, 1);
    expect(() => engine.insertBreakpoint(pid, 0, page, 1)).toThrow();
    scene.grows(subject, 'counter');
  });

  row('the same place twice is one breakpoint', (scene) => {
    const [engine, subject, site] = stopped(scene, 'calls');
    const insert = record(BREAK, { pid: subject.pid, type: 0, addr: site, len: 1 });
    expect(engine.channel.call(Call.Break, insert)).toBe(0);
    const id = field(BREAK, insert, 'id');
    expect(id).not.toBe(0n);
    expect(engine.channel.call(Call.Break, insert)).toBe(0);
    expect(field(BREAK, insert, 'id')).toBe(id);
    expect(field(BREAK, insert, 'owners')).toBe(1n);
    engine.insertBreakpoint(subject.pid, 0, site, 1);
    engine.removeBreakpoint(subject.pid, 0, site, 1);
    expect(subject.memory(site, 8)).toEqual(subject.text(site, 8));
    engine.removeBreakpoint(subject.pid, 0, site, 1);
    cont(engine);
    scene.grows(subject, 'counter');
    expect(scene.drain(engine)).toEqual([]);
  });

  row('reads are clean, raw reads are not, writes under a site survive', (scene) => {
    const [engine, subject, site] = stopped(scene, 'calls');
    const { pid } = subject;
    const text = subject.text(site - 4n, 12);
    engine.insertBreakpoint(pid, 0, site, 1);
    expect(bytes(engine, pid, site - 4n, 12)).toEqual(text);
    expect(bytes(engine, pid, site, 1)).toEqual(text.subarray(4, 5));
    expect(rawBytes(engine, pid, site, 1)).not.toEqual(text.subarray(4, 5));
    expect(subject.memory(site, 1)).toEqual(rawBytes(engine, pid, site, 1));
    const patch = Buffer.from([0x66, 0x90]);
    expect(engine.writeMemory(pid, site, patch, 0, 2)).toBe(2);
    expect(bytes(engine, pid, site, 2)).toEqual(patch);
    expect(subject.memory(site, 1)).toEqual(rawBytes(engine, pid, site, 1));
    expect(rawBytes(engine, pid, site, 1)).not.toEqual(patch.subarray(0, 1));
    engine.removeBreakpoint(pid, 0, site, 1);
    expect(subject.memory(site, 2)).toEqual(patch);
    engine.writeMemory(pid, site, text, 4, 2);
  });

  row('two engines share a site; each has its own', (scene) => {
    const [first, subject, site] = stopped(scene, 'calls', 'first');
    const second = scene.engine('second');
    const { pid } = subject;
    second.attach(pid);
    first.insertBreakpoint(pid, 0, site, 1);
    second.insertBreakpoint(pid, 0, site, 1);
    cont(first);
    expect(scene.next(first, EventType.Break).pc).toBe(site);
    expect(scene.next(second, EventType.Break).pc).toBe(site);
    // only now: attached at the site itself, it would meet this one first
    second.insertBreakpoint(pid, 0, site + 1n, 1);
    for (const engine of [first, second]) {
      expect(bytes(engine, pid, site)).toEqual(subject.text(site, 8));
    }
    expect(cont(first)).toBe(1);
    expect(scene.drain(first)).toEqual([]);
    cont(second);
    expect(scene.next(second, EventType.Break).pc).toBe(site + 1n);
    expect(scene.drain(first)).toEqual([]);
    first.removeBreakpoint(pid, 0, site, 1);
    cont(second);
    expect(scene.next(second, EventType.Break).pc).toBe(site);
    expect(scene.drain(first)).toEqual([]);
    second.removeBreakpoint(pid, 0, site, 1);
    second.removeBreakpoint(pid, 0, site + 1n, 1);
    expect(subject.memory(site, 8)).toEqual(subject.text(site, 8));
    cont(second);
    scene.grows(subject, 'counter');
  });

  row('eight threads on one site: every hit counts', (scene) => {
    const engine = scene.engine();
    const [inferior, subject] = scene.launch(engine, 'hammer');
    const { pid } = inferior;
    const site = subject.address('function');
    engine.insertBreakpoint(pid, 0, site, 1);
    const hits = new Map<number, number>();
    cont(engine);
    for (;;) {
      const event = scene.next(engine, (e) => e.stopId !== 0n || e.type === EventType.ProcDead);
      if (event.type === EventType.ProcDead) {
        expect(event.code).toBe(7 << 8);
        break;
      }
      expect([event.type, event.pc]).toEqual([EventType.Break, site]);
      hits.set(event.tid, (hits.get(event.tid) ?? 0) + 1);
      if ([...hits.values()].reduce((a, b) => a + b) === 800) {
        // all have been here: the last one has not counted yet
        expect(subject.read('counter')).toBeLessThan(800n);
      }
      engine.resume([{ pid, tid: event.tid, kind: 'cont' }]);
    }
    expect([...hits.values()]).toEqual(Array(8).fill(100));
  });

  row('eight threads on one site, with a second engine that comes and goes', (scene) => {
    const [first, second] = [scene.engine('first'), scene.engine('second')];
    const [inferior, subject] = scene.launch(first, 'hammer', ['200']);
    const { pid } = inferior;
    const site = subject.address('function');
    first.insertBreakpoint(pid, 0, site, 1);
    let hits = 0;
    let others = 0;
    let exit: number | undefined;
    cont(first);
    const serve = (engine: Engine, count: () => void): void => {
      for (const event of engine.events()) {
        if (event.type === EventType.ProcDead) exit = event.code;
        if (event.stopId === 0n) continue;
        expect([event.type, event.pc]).toEqual([EventType.Break, site]);
        count();
        engine.resume([{ pid, tid: event.tid, kind: 'cont' }]);
      }
    };
    while (exit === undefined) {
      first.wait(100);
      serve(first, () => hits++);
      if (exit !== undefined) break;
      const round = hits % 40;
      const there = second.inferiors.has(pid);
      // near the end it would come to a process that has no memory any more
      if (round < 20 && !there && hits < 1500) {
        second.attach(pid);
        second.insertBreakpoint(pid, 0, site, 1);
      } else if (round >= 20 && there) second.detach(pid);
      serve(second, () => others++);
    }
    expect(exit).toBe(7 << 8);
    expect(hits).toBe(1600);
    expect(others).toBeGreaterThan(0);
  });

  row('all threads stopped at every hit: none is lost, none is told twice', (scene) => {
    const engine = scene.engine();
    const [inferior, subject] = scene.launch(engine, 'hammer');
    const { pid } = inferior;
    engine.insertBreakpoint(pid, 0, subject.address('function'), 1);
    const hits = new Map<number, number>();
    let exit: number | undefined;
    while (exit === undefined) {
      cont(engine);
      scene.until('something stops', () => engine.wait(20), subject);
      if (engine.inferiors.has(pid)) {
        try {
          engine.stop([{ pid, tid: -1 }], { wait: true });
        } catch (error) {
          expect(error).toMatchObject({ code: 'ESRCH' }); // it is over
        }
      }
      for (const event of engine.events()) {
        if (event.type === EventType.ProcDead) exit = event.code;
        if (event.type !== EventType.Break) continue;
        hits.set(event.tid, (hits.get(event.tid) ?? 0) + 1);
      }
    }
    expect(exit).toBe(7 << 8);
    expect([...hits.values()]).toEqual(Array(8).fill(100));
  });

  row('inserted and removed again and again under running threads', (scene) => {
    const engine = scene.engine();
    const [inferior, subject] = scene.launch(engine, 'hammer', ['1000000000000']);
    const { pid } = inferior;
    const site = subject.address('function');
    let exit: number | undefined;
    let hits = 0;
    const goOn = (): void => {
      engine.wait(1);
      for (const event of engine.events()) {
        if (event.type === EventType.ProcDead) exit = event.code;
        if (event.stopId === 0n) continue;
        expect([event.type, event.pc]).toEqual([EventType.Break, site]);
        hits += 1;
        engine.resume([{ pid, tid: event.tid, kind: 'cont' }]);
      }
    };
    cont(engine);
    for (let round = 0; round < 200; round++) {
      engine.insertBreakpoint(pid, 0, site, 1);
      goOn();
      engine.removeBreakpoint(pid, 0, site, 1);
      goOn();
      expect(exit).toBeUndefined();
    }
    expect(hits).toBeGreaterThan(0);
    // enough: they come to their end
    engine.writeMemory(pid, subject.address('times'), Buffer.alloc(8), 0, 8);
    scene.until('it ends', () => (goOn(), exit !== undefined), subject);
    expect(exit).toBe(7 << 8);
  });

  row('hits are counted by owner', (scene) => {
    const [engine, subject, site] = stopped(scene, 'calls');
    const insert = record(BREAK, { pid: subject.pid, type: 0, addr: site, len: 1 });
    expect(engine.channel.call(Call.Break, insert)).toBe(0);
    for (let i = 0; i < 5; i++) {
      cont(engine);
      scene.next(engine, EventType.Break);
    }
    const stats = record(BREAK_STATS, { id: field(BREAK, insert, 'id') });
    expect(engine.channel.call(Call.BreakStats, stats)).toBe(0);
    expect(field(BREAK_STATS, stats, 'hits')).toBe(5n);
    expect(field(BREAK_STATS, stats, 'owners')).toBe(1n);
  });

  row('where nothing is mapped it is EFAULT', (scene) => {
    const [engine, subject] = stopped(scene, 'calls');
    expect(() => engine.insertBreakpoint(subject.pid, 0, 0x10n, 1)).toThrow(
      expect.objectContaining({ errno: E.EFAULT }),
    );
  });

  row('a hardware breakpoint stops at its address and leaves the text alone', (scene) => {
    const [engine, subject, site] = stopped(scene, 'calls');
    const { pid } = subject;
    engine.insertBreakpoint(pid, 1, site, 1);
    expect(subject.memory(site, 8)).toEqual(subject.text(site, 8));
    for (let i = 0; i < 5; i++) {
      cont(engine);
      const event = scene.next(engine, EventType.HwBreak);
      expect(event.pc).toBe(site);
    }
    engine.removeBreakpoint(pid, 1, site, 1);
    cont(engine);
    scene.grows(subject, 'counter');
    expect(scene.drain(engine)).toEqual([]);
  });

  row('detach at a breakpoint goes on behind it, with clean text', (scene) => {
    const [engine, subject, site] = stopped(scene, 'calls');
    engine.insertBreakpoint(subject.pid, 0, site, 1);
    cont(engine);
    scene.next(engine, EventType.Break);
    engine.detach(subject.pid);
    expect(subject.memory(site, 8)).toEqual(subject.text(site, 8));
    scene.grows(subject, 'counter');
  });

  row('the image on disk and in memory are the same after detach', (scene) => {
    const [engine, subject, site] = stopped(scene, 'calls');
    const { pid } = subject;
    for (let i = 0n; i < 8n; i++) engine.insertBreakpoint(pid, 0, site + i, 1);
    cont(engine);
    scene.next(engine, EventType.Break);
    engine.detach(pid);
    const maps = fs.readFileSync(`/proc/${pid}/maps`, 'utf8').split('\n');
    const line = maps.find((l) => /r-xp .*\/calls$/.test(l)) ?? '';
    const [start, end] =
      line
        .split(' ')[0]
        ?.split('-')
        .map((hex) => BigInt(`0x${hex}`)) ?? [];
    expect(start).toBeDefined();
    if (start === undefined || end === undefined) return;
    const length = Number(end - start);
    const memory = subject.memory(start, length);
    const text = subject.text(start, length);
    expect(memory.subarray(0, text.length).equals(text)).toBe(true);
  });

  row('the program’s own trap is its own signal', (scene) => {
    const [engine, subject, site] = stopped(scene, 'calls');
    const { pid } = subject;
    if (!scene.real) engine.signal(pid, pid, 5);
    else engine.writeMemory(pid, site, Buffer.from([0xcc]), 0, 1);
    cont(engine);
    const event = scene.next(engine, (e) => e.stopId !== 0n);
    expect([event.type, event.signo]).toEqual([EventType.Signal, 5]);
    if (scene.real) expect(event.pc).toBe(site + 1n);
  });
});
