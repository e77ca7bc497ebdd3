import { Call } from '../../src/engine/channel/calls';
import { TraceReason } from '../../src/engine/channel/enums';
import { EventType } from '../../src/engine/channel/event';
import { CODE, TRACEPOINT } from '../../src/engine/channel/records';
import type { Engine } from '../../src/engine/engine';
import type { Collect, FrameBlock, TracepointSpec } from '../../src/engine/tracepoints-api';
import { E } from '../support/errno';
import { field, record } from '../support/raw';
import type { Scene } from '../support/scene';
import type { Subject } from '../support/subject';
import { contract } from './contract';

const END = 0x27;
const RIP = 16 * 8; // in NT_PRSTATUS
const PRSTATUS = 1;
const EDOM = 33;

function const64(value: bigint): number[] {
  const out = Buffer.alloc(8);
  out.writeBigUInt64BE(value);
  return [0x25, ...out];
}
const bytecode = (...code: number[]): Buffer => Buffer.from([...code, END]);
const cont = (engine: Engine): number => engine.resume([{ pid: -1, tid: -1, kind: 'cont' }]);
const halt = (engine: Engine): boolean => engine.stop([{ pid: -1, tid: -1 }], { wait: true });

/** An attached, stopped program that calls function() for ever. */
function stage(scene: Scene): { engine: Engine; subject: Subject; site: bigint } {
  const engine = scene.engine('contract');
  const subject = scene.start('calls');
  engine.attach(subject.pid, { stop: true });
  return { engine, subject, site: subject.address('function') };
}
function tracepoint(subject: Subject, more: Partial<TracepointSpec> = {}): TracepointSpec {
  return {
    pid: subject.pid,
    number: 1,
    addr: subject.address('function'),
    enabled: true,
    step: 0,
    pass: 0n,
    collect: [counterOf(subject)],
    ...more,
  };
}
/** Collects the variable that counts the calls. */
function counterOf(subject: Subject): Collect {
  const addr = subject.address('counter');
  return { kind: 'memory', step: false, reg: undefined, addr, length: 8 };
}
function run(scene: Scene, engine: Engine, frames: number): void {
  engine.tracing.start();
  cont(engine);
  scene.until(`${frames} frames are there`, () => engine.tracing.status().created >= frames);
  halt(engine);
  engine.tracing.stop();
}
const memory = (blocks: readonly FrameBlock[]): bigint[] =>
  blocks.flatMap((b) => (b.kind === 'memory' ? [b.data.readBigUInt64LE()] : []));

contract('tracepoints', (row) => {
  row('a hit collects registers and memory and runs on', (scene) => {
    const { engine, subject, site } = stage(scene);
    const regs: Collect = { kind: 'regs', step: false, note: PRSTATUS };
    engine.tracing.define(tracepoint(subject, { collect: [regs, counterOf(subject)] }));
    run(scene, engine, 20);
    const { frames, created, reason } = engine.tracing.status();
    expect([frames, reason]).toEqual([created, TraceReason.Stopped]);
    let last: bigint | undefined;
    for (let i = 0; i < frames; i++) {
      const head = engine.tracing.head(i)!;
      expect([head.number, head.addr, head.pc, head.step]).toEqual([1, site, site, 0]);
      expect(head.tid).toBe(subject.pid);
      const blocks = engine.tracing.blocks(i);
      const set = blocks.find((b) => b.kind === 'regs');
      expect(set?.kind === 'regs' && set.data.readBigUInt64LE(RIP)).toBe(site);
      const [value] = memory(blocks);
      if (last !== undefined) expect(value).toBe(last + 1n);
      last = value;
    }
    expect(engine.tracing.head(frames)).toBeUndefined();
    const counts = engine.tracing.counts(subject.pid, 1, site);
    expect(counts?.hits).toBe(BigInt(frames));
    expect(counts?.usage).toBe(engine.tracing.status().used);
    expect(engine.events().filter((e) => e.type === EventType.Break)).toEqual([]);
  });

  row('nothing of it is left in memory, and nothing is collected, after a stop', (scene) => {
    const { engine, subject, site } = stage(scene);
    const bytes = Buffer.alloc(16);
    engine.readMemory(subject.pid, site, bytes, 0, 16);
    const clean = bytes.toString('hex');
    engine.tracing.define(tracepoint(subject));
    engine.tracing.start();
    engine.readMemory(subject.pid, site, bytes, 0, 16);
    expect(bytes.toString('hex')).toBe(clean);
    cont(engine);
    scene.until('there is a frame', () => engine.tracing.status().created > 0);
    engine.tracing.stop();
    const { created } = engine.tracing.status();
    scene.grows(subject, 'counter');
    scene.grows(subject, 'counter');
    expect(engine.tracing.status().created).toBe(created);
  });

  row('only hits whose condition holds are collected', (scene) => {
    const { engine, subject } = stage(scene);
    // counter % 8 == 3
    const addr = subject.address('counter');
    const condition = bytecode(...const64(addr), 0x1a, 0x22, 8, 0x08, 0x22, 3, 0x13);
    engine.tracing.define(tracepoint(subject, { condition }));
    run(scene, engine, 5);
    for (let i = 0; i < 5; i++)
      expect(memory(engine.tracing.blocks(i)).map((n) => n % 8n)).toEqual([3n]);
  });

  row('memory that is not there is left out, the rest is collected', (scene) => {
    const { engine, subject } = stage(scene);
    const nowhere: Collect = { kind: 'memory', step: false, reg: undefined, addr: 8n, length: 64 };
    // trace_quick of what *8 points to: the expression ends there
    const wild: Collect = {
      kind: 'code',
      step: false,
      code: bytecode(0x22, 8, 0x1a, 0x0d, 8, 0x29),
    };
    const collect = [nowhere, wild, counterOf(subject)];
    // a condition that cannot be read counts as true
    const condition = bytecode(0x22, 8, 0x1a);
    engine.tracing.define(tracepoint(subject, { collect, condition }));
    run(scene, engine, 3);
    expect(engine.tracing.status().reason).toBe(TraceReason.Stopped);
    expect(memory(engine.tracing.blocks(0))).toHaveLength(1);
  });

  row('a pass count stops tracing', (scene) => {
    const { engine, subject, site } = stage(scene);
    engine.tracing.define(tracepoint(subject, { number: 7, pass: 3n }));
    engine.tracing.start();
    cont(engine);
    const event = scene.next(engine, EventType.TraceStopped);
    expect([event.code, event.stopId]).toEqual([TraceReason.Passed, 0n]);
    const { frames, reason, number, running } = engine.tracing.status();
    expect([frames, reason, number, running]).toEqual([3, TraceReason.Passed, 7, false]);
    scene.grows(subject, 'counter');
    expect(engine.tracing.counts(subject.pid, 7, site)?.hits).toBe(3n);
  });

  row('a linear buffer that is full stops tracing, with whole frames in it', (scene) => {
    const { engine, subject } = stage(scene);
    engine.tracing.setup(false, 1000);
    engine.tracing.define(tracepoint(subject));
    engine.tracing.start();
    cont(engine);
    expect(scene.next(engine, EventType.TraceStopped).code).toBe(TraceReason.Full);
    const { frames, size, used, free } = engine.tracing.status();
    expect([size, used + free]).toEqual([1000n, 1000n]);
    let bytes = 0;
    for (let i = 0; i < frames; i++) bytes += engine.tracing.head(i)!.size;
    expect(BigInt(bytes)).toBe(used);
  });

  row('a circular buffer keeps the newest frames', (scene) => {
    const { engine, subject } = stage(scene);
    engine.tracing.setup(true, 1000);
    engine.tracing.define(tracepoint(subject));
    run(scene, engine, 100);
    const { frames, created, circular } = engine.tracing.status();
    expect(circular).toBe(true);
    expect(frames).toBeLessThan(created);
    const values = Array.from({ length: frames }, (_, i) => memory(engine.tracing.blocks(i))[0]!);
    values.forEach((value, i) => expect(value).toBe(values[0]! + BigInt(i)));
    const now = subject.read('counter');
    expect(now - values.at(-1)!).toBeLessThanOrEqual(1n);
  });

  row('while-stepping collects after each instruction', (scene) => {
    const { engine, subject, site } = stage(scene);
    const regs: Collect = { kind: 'regs', step: true, note: PRSTATUS };
    engine.tracing.define(
      tracepoint(subject, { step: 3, pass: 2n, collect: [counterOf(subject), regs] }),
    );
    engine.tracing.start();
    cont(engine);
    scene.next(engine, EventType.TraceStopped);
    expect(engine.tracing.status().frames).toBe(8);
    for (let i = 0; i < 8; i++) {
      const head = engine.tracing.head(i)!;
      expect(head.step).toBe(i % 4);
      const set = engine.tracing.blocks(i).find((b) => b.kind === 'regs');
      if (head.step === 0) expect([head.pc, set]).toEqual([site, undefined]);
      else {
        expect(head.pc).toBeGreaterThan(site);
        expect(set?.kind === 'regs' && set.data.readBigUInt64LE(RIP)).toBe(head.pc);
      }
    }
  });

  row('state variables are set, read and collected; the clock runs', (scene) => {
    const { engine, subject } = stage(scene);
    const { tracing } = engine;
    tracing.setVariable(2, 40n);
    // $2 = $2 + 1; tracev $2; tracev $1
    const code = bytecode(0x2c, 0, 2, 0x22, 1, 2, 0x2d, 0, 2, 0x29, 0x2e, 0, 2, 0x2e, 0, 1);
    tracing.define(
      tracepoint(subject, { pass: 3n, collect: [{ kind: 'code', step: false, code }] }),
    );
    tracing.start();
    cont(engine);
    scene.next(engine, EventType.TraceStopped);
    const values = [0, 1, 2].map((i) =>
      tracing.blocks(i).map((b) => (b.kind === 'variable' ? b.value : -1n)),
    );
    expect(values.map(([own]) => own)).toEqual([41n, 42n, 43n]);
    const times = values.map(([, time]) => time!);
    expect(times[0]).toBeLessThanOrEqual(times[1]!);
    expect(times[1]).toBeLessThanOrEqual(times[2]!);
    expect(tracing.variable(2)).toBe(43n);
    expect(tracing.variable(1)).toBeGreaterThanOrEqual(times[2]!);
    tracing.clear();
    expect(tracing.variable(2)).toBeUndefined();
    expect(tracing.status().frames).toBe(0);
  });

  row('an expression that fails stops tracing with the reason', (scene) => {
    const { engine, subject } = stage(scene);
    const condition = bytecode(0x22, 1, 0x22, 0, 0x05);
    engine.tracing.define(tracepoint(subject, { number: 4, condition }));
    engine.tracing.start();
    cont(engine);
    expect(scene.next(engine, EventType.TraceStopped).code).toBe(TraceReason.Error);
    const { number, error, frames } = engine.tracing.status();
    expect([number, error, frames]).toEqual([4, EDOM, 0]);
  });

  row('a breakpoint at the same place: both see every hit', (scene) => {
    const { engine, subject, site } = stage(scene);
    engine.tracing.define(tracepoint(subject));
    engine.tracing.start();
    engine.insertBreakpoint(subject.pid, 0, site, 1);
    for (let i = 1; i <= 4; i++) {
      cont(engine);
      scene.next(engine, EventType.Break);
      expect(engine.tracing.status().created).toBe(i);
    }
    engine.removeBreakpoint(subject.pid, 0, site, 1);
    cont(engine);
    scene.until('it traces on', () => engine.tracing.status().created > 10);
  });

  row('defined, disabled and enabled while tracing runs', (scene) => {
    const { engine, subject } = stage(scene);
    engine.tracing.start();
    cont(engine);
    engine.tracing.define(tracepoint(subject));
    scene.until('it is in force', () => engine.tracing.status().created > 2);
    engine.tracing.define(tracepoint(subject, { enabled: false }));
    const { created } = engine.tracing.status();
    scene.grows(subject, 'counter');
    scene.grows(subject, 'counter');
    expect(engine.tracing.status().created).toBe(created);
    engine.tracing.define(tracepoint(subject));
    scene.until('it is in force again', () => engine.tracing.status().created > created);
  });

  row('two engines trace one place, each for itself', (scene) => {
    const { engine: a, subject } = stage(scene);
    const b = scene.engine('second');
    b.attach(subject.pid, { stop: true });
    a.tracing.define(tracepoint(subject, { number: 1 }));
    b.tracing.define(tracepoint(subject, { number: 2, pass: 2n }));
    a.tracing.start();
    b.tracing.start();
    cont(a);
    cont(b);
    scene.next(b, EventType.TraceStopped);
    const { created } = a.tracing.status();
    scene.until('the first traces on', () => a.tracing.status().created > created + 2);
    expect(b.tracing.status().frames).toBe(2);
    expect(b.tracing.head(0)?.number).toBe(2);
    expect(a.tracing.head(0)?.number).toBe(1);
    b.detach(subject.pid);
    a.detach(subject.pid);
    scene.grows(subject, 'counter');
  });

  row('eight threads at one place: every hit and every step is collected', (scene) => {
    const engine = scene.engine('contract');
    for (const step of [0, 2]) {
      const [inferior, subject] = scene.launch(engine, 'hammer');
      engine.tracing.clear();
      engine.tracing.define(tracepoint(subject, { pid: inferior.pid, step }));
      engine.tracing.start();
      cont(engine);
      const end = scene.next(engine, EventType.ProcDead);
      expect((end.code >> 8) & 0xff).toBe(7);
      // what was collected outlives the process
      const { frames, running } = engine.tracing.status();
      expect([frames, running]).toEqual([800 * (1 + step), true]);
      const hits = new Map<number, number>();
      const steps = new Map<number, number>();
      for (let i = 0; i < frames; i++) {
        const head = engine.tracing.head(i)!;
        const before = steps.get(head.tid);
        if (before !== undefined) expect(head.step).toBe((before + 1) % (1 + step));
        steps.set(head.tid, head.step);
        if (head.step === 0) hits.set(head.tid, (hits.get(head.tid) ?? 0) + 1);
      }
      expect([...hits.values()]).toEqual(Array(8).fill(100));
      engine.tracing.stop();
    }
  });

  row('what is not sound is refused', (scene) => {
    const { engine, subject } = stage(scene);
    const { channel, tracing } = engine;
    const bytes = Buffer.from([0x22, 1, 0xff, END]);
    const code = record(CODE, { bytes: channel.addressOf(bytes), len: bytes.length });
    const call = record(TRACEPOINT, {
      pid: subject.pid,
      number: 1,
      addr: subject.address('function'),
      condition: channel.addressOf(code),
    });
    expect(channel.call(Call.Tracepoint, call)).toBe(-E.EINVAL);
    expect(field(CODE, code, 'error_at')).toBe(2n);
    // a condition may not collect, an action may
    const collecting = bytecode(0x22, 8, 0x22, 8, 0x0c, 0x22, 1);
    expect(() => tracing.define(tracepoint(subject, { condition: collecting }))).toThrow(/permit/);
    expect(() => tracing.define({ ...tracepoint(subject), pid: subject.pid + 100_000 })).toThrow(
      /gone|no such/i,
    );
    expect(tracing.counts(subject.pid, 1, subject.address('function'))).toBeUndefined();
    // no memory there: tracing does not start, and nothing is in force
    tracing.define(tracepoint(subject, { addr: 8n }));
    expect(() => tracing.start()).toThrow(/start tracing/);
    expect(tracing.status().running).toBe(false);
  });
});
