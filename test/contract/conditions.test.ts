import { Call } from '../../src/engine/channel/calls';
import { EventType } from '../../src/engine/channel/event';
import { BREAK, BREAK_STATS, CODE } from '../../src/engine/channel/records';
import type { Engine } from '../../src/engine/engine';
import { E } from '../support/errno';
import { field, record } from '../support/raw';
import { contract } from './contract';

const END = 0x27;
const HARDWARE = 1;
const RIP = 16; // gdb's number in 64bit-core

function const64(value: bigint): number[] {
  const out = Buffer.alloc(8);
  out.writeBigUInt64BE(value);
  return [0x25, ...out];
}
/** *addr == value, as gdb compiles it. */
const equals = (addr: bigint, value: bigint): Buffer =>
  Buffer.from([...const64(addr), 0x1a, ...const64(value), 0x13, END]);
const constant = (value: number): Buffer => Buffer.from([0x22, value, END]);

const cont = (engine: Engine): number => engine.resume([{ pid: -1, tid: -1, kind: 'cont' }]);

contract('conditions', (row) => {
  row('only the hit for which the condition holds is told', (scene) => {
    const engine = scene.engine('contract');
    const subject = scene.start('calls');
    engine.attach(subject.pid, { stop: true });
    const { pid } = subject;
    const site = subject.address('function');
    const counter = subject.address('counter');
    for (let i = 0; i < 3; i++) {
      const wanted = subject.read('counter') + 200n;
      engine.insertBreakpoint(pid, 0, site, 1, { conditions: [equals(counter, wanted)] });
      cont(engine);
      const event = scene.next(engine, EventType.Break);
      expect([event.pc, subject.read('counter')]).toEqual([site, wanted]);
    }
  });

  row('any true condition stops, false ones are counted', (scene) => {
    const engine = scene.engine('contract');
    const subject = scene.start('calls');
    engine.attach(subject.pid, { stop: true });
    const wanted = subject.read('counter') + 100n;
    const site = subject.address('function');
    engine.insertBreakpoint(subject.pid, 0, site, 1, {
      conditions: [constant(0), equals(subject.address('counter'), wanted)],
    });
    cont(engine);
    const event = scene.next(engine, EventType.Break);
    expect(subject.read('counter')).toBe(wanted);
    const stats = record(BREAK_STATS, { id: event.breakId });
    expect(engine.channel.call(Call.BreakStats, stats)).toBe(0);
    const of = (name: 'hits' | 'evaluated' | 'true_hits' | 'false_hits' | 'errors'): number =>
      Number(field(BREAK_STATS, stats, name));
    expect(of('true_hits')).toBe(1);
    expect(of('false_hits')).toBeGreaterThanOrEqual(99);
    expect(of('hits')).toBe(of('true_hits') + of('false_hits'));
    expect(of('evaluated')).toBe(2 * of('hits'));
    expect(of('errors')).toBe(0);
  });

  row('a hardware breakpoint: only the hit for which it holds is told, steps go past', (scene) => {
    const engine = scene.engine('contract');
    const subject = scene.start('calls');
    engine.attach(subject.pid, { stop: true });
    const { pid } = subject;
    const site = subject.address('function');
    const counter = subject.address('counter');
    for (let i = 0; i < 3; i++) {
      const wanted = subject.read('counter') + 50n;
      engine.insertBreakpoint(pid, HARDWARE, site, 1, { conditions: [equals(counter, wanted)] });
      cont(engine);
      const event = scene.next(engine, EventType.HwBreak);
      expect([event.pc, subject.read('counter')]).toEqual([site, wanted]);
    }
    const [stats] = engine.breakpointStats();
    expect(stats).toMatchObject({ trueHits: 3n, errors: 0n, conditional: true });
    expect(stats!.falseHits).toBeGreaterThanOrEqual(147n);
    // one at which it does not hold is no stop, and no step either
    engine.insertBreakpoint(pid, HARDWARE, site, 1, { conditions: [constant(0)] });
    let [arrived, previous] = [0, 0n];
    for (let i = 0; i < 200; i++) {
      engine.resume([{ pid, tid: pid, kind: 'step' }]);
      const event = scene.next(engine, (e) => e.stopId !== 0n);
      expect(event.type).toBe(EventType.Step);
      expect(event.pc).not.toBe(previous); // no instruction of the loop jumps to itself
      arrived += Number(event.pc === site);
      previous = event.pc;
    }
    expect(arrived).toBeGreaterThan(3);
  });

  row('registers are read where the trap happened', (scene) => {
    const engine = scene.engine('contract');
    const subject = scene.start('calls');
    engine.attach(subject.pid, { stop: true });
    const site = subject.address('function');
    engine.insertBreakpoint(subject.pid, 0, site, 1, {
      conditions: [Buffer.from([0x26, 0, RIP, ...const64(site), 0x13, END])],
    });
    cont(engine);
    expect(scene.next(engine, EventType.Break).pc).toBe(site);
  });

  row('one that cannot be decided stops', (scene) => {
    const engine = scene.engine('contract');
    const subject = scene.start('calls');
    engine.attach(subject.pid, { stop: true });
    const site = subject.address('function');
    // unreadable memory, a loop without end, division by zero
    for (const code of [
      equals(8n, 0n),
      Buffer.from([0x21, 0, 0]),
      Buffer.from([0x22, 1, 0x22, 0, 0x05, END]),
    ]) {
      engine.insertBreakpoint(subject.pid, 0, site, 1, { conditions: [code] });
      cont(engine);
      expect(scene.next(engine, EventType.Break).pc).toBe(site);
    }
  });

  row('two engines at one place: each is told by its own condition', (scene) => {
    const [a, b] = [scene.engine('a'), scene.engine('b')];
    const subject = scene.start('calls');
    a.attach(subject.pid, { stop: true });
    b.attach(subject.pid, { stop: true });
    const site = subject.address('function');
    a.insertBreakpoint(subject.pid, 0, site, 1, { conditions: [constant(0)] });
    b.insertBreakpoint(subject.pid, 0, site, 1, { conditions: [constant(1)] });
    cont(a);
    cont(b);
    expect(scene.next(b, EventType.Break).pc).toBe(site);
    expect(a.events().filter((e) => e.type === EventType.Break)).toEqual([]);
  });

  row('state variables are read and set', (scene) => {
    const engine = scene.engine('contract');
    const subject = scene.start('calls');
    engine.attach(subject.pid, { stop: true });
    const site = subject.address('function');
    engine.tracing.setVariable(5, 0n);
    // $5 = $5 + 1; $5 == 10
    const increment = [0x2c, 0, 5, 0x22, 1, 0x02, 0x2d, 0, 5, 0x29];
    const tenth = Buffer.from([...increment, 0x2c, 0, 5, 0x22, 10, 0x13, END]);
    const before = subject.read('counter');
    engine.insertBreakpoint(subject.pid, 0, site, 1, { conditions: [tenth] });
    cont(engine);
    expect(scene.next(engine, EventType.Break).pc).toBe(site);
    expect(engine.tracing.variable(5)).toBe(10n);
    expect(subject.read('counter') - before).toBeGreaterThanOrEqual(9n);
  });

  row('bytecode that is not sound is refused with its offset', (scene) => {
    const engine = scene.engine('contract');
    const subject = scene.start('calls');
    engine.attach(subject.pid, { stop: true });
    const refused = (bytes: number[]): [number, number] => {
      const code = Buffer.from(bytes);
      const { channel } = engine;
      const codes = record(CODE, { bytes: channel.addressOf(code), len: code.length });
      const call = record(BREAK, {
        pid: subject.pid,
        type: 0,
        addr: subject.address('function'),
        len: 1,
        conditions: channel.addressOf(codes),
        nconditions: 1,
      });
      return [channel.call(Call.Break, call), Number(field(CODE, codes, 'error_at'))];
    };
    expect(refused([0x22, 1, 0xff, END])).toEqual([-E.EINVAL, 2]);
    expect(refused([0x02, END])).toEqual([-E.EINVAL, 0]);
    expect(refused([0x22, 1, 0x21, 0, 1])).toEqual([-E.EINVAL, 2]);
    expect(refused([0x22, 1])[0]).toBe(-E.EINVAL);
  });
});
