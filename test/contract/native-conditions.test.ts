// Conditions that the program decides itself, on its way through a jump that stands for the
// breakpoint. NTRACE_STORM_MS says how long the storm is (usually 3 s).
import fs from 'node:fs';
import { Call } from '../../src/engine/channel/calls';
import { EventType, type EngineEvent } from '../../src/engine/channel/event';
import { BREAK, BREAK_STATS, CODE, UNBREAK } from '../../src/engine/channel/records';
import type { Engine } from '../../src/engine/engine';
import type { Scene } from '../support/scene';
import type { Subject } from '../support/subject';
import { field, record } from '../support/raw';
import { contract, type Own } from './contract';

const MS = Number(process.env['NTRACE_STORM_MS'] ?? 3000);
const END = 0x27;
const RDI = 14; // words of NT_PRSTATUS
const RSP = 19;
const JUMP = 0xe9;
const NT_PRSTATUS = 1;
const NEVER = Buffer.from([0x22, 0, END]);

function const64(value: bigint): number[] {
  const out = Buffer.alloc(8);
  out.writeBigUInt64BE(BigInt.asUintN(64, value));
  return [0x25, ...out];
}
const register = (word: number, value: bigint): Buffer =>
  Buffer.from([0x26, 0, word, ...const64(value), 0x13, END]);
/** *addr == value; with "!": the opposite. */
const equals = (addr: bigint, value: bigint, not = ''): Buffer =>
  Buffer.from([...const64(addr), 0x1a, ...const64(value), 0x13, ...(not ? [0x0e] : []), END]);

const cont = (engine: Engine): number => engine.resume([{ pid: -1, tid: -1, kind: 'cont' }]);

function insert(engine: Engine, pid: number, addr: bigint, code: Buffer): bigint {
  const { channel } = engine;
  const codes = record(CODE, { bytes: channel.addressOf(code), len: code.length });
  const call = record(BREAK, {
    ...{ pid, type: 0, addr, len: 1, conditions: channel.addressOf(codes), nconditions: 1 },
  });
  expect(channel.call(Call.Break, call)).toBe(0);
  return field(BREAK, call, 'id');
}

const remove = (engine: Engine, id: bigint): void =>
  expect(engine.channel.call(Call.Unbreak, record(UNBREAK, { id }))).toBe(0);

const COUNTS = ['hits', 'evaluated', 'true_hits', 'false_hits', 'errors', 'native'] as const;
type Counts = Record<(typeof COUNTS)[number], bigint>;

function counts(engine: Engine, id: bigint): Counts {
  const stats = record(BREAK_STATS, { id });
  expect(engine.channel.call(Call.BreakStats, stats)).toBe(0);
  return Object.fromEntries(
    COUNTS.map((name) => [name, field(BREAK_STATS, stats, name)]),
  ) as Counts;
}

function word(engine: Engine, event: EngineEvent, which: number): bigint {
  const thread = engine.inferiors.get(event.pid)!.threads.get(event.tid)!;
  return engine.regset(thread, NT_PRSTATUS)!.readBigUInt64LE(which * 8);
}

/** Others decide where the trap happens; what conditions have to do is in the other families. */
const OWN: Own = {
  family: 'native conditions',
  provider: 'embedded',
  elsewhere: 'it compiles nothing into the program: conditions are decided where the trap happens',
};

/** Is a jump at the place, instead of a breakpoint? */
const isNative = (subject: Subject, site: bigint): boolean => subject.memory(site, 1)[0] === JUMP;

function begin(scene: Scene, mode = '', name = 'native'): [Engine, Subject] {
  const engine = scene.engine();
  const subject = scene.start(name, mode === '' ? [] : [mode]);
  engine.attach(subject.pid, { stop: true });
  engine.set(subject.pid, { signalStop: 0n });
  return [engine, subject];
}

/** A condition at a place, run until the program decides it. */
function decided(
  scene: Scene,
  engine: Engine,
  subject: Subject,
  site: bigint,
  code = NEVER,
): bigint {
  const id = insert(engine, subject.pid, site, code);
  cont(engine);
  scene.until('the program decides itself', () => counts(engine, id).native > 0n, subject);
  return id;
}

function halt(engine: Engine, subject: Subject): void {
  expect(engine.stop([{ pid: subject.pid, tid: -1 }], { wait: true })).toBe(true);
}

/** Memory of ours in the program. */
const areas = (pid: number): string[] =>
  fs
    .readFileSync(`/proc/${pid}/maps`, 'latin1')
    .split('\n')
    .filter((line) => / r.x. /.test(line) && / 0 *($|\[anon)/.test(line));

/** All of the text that is patched anywhere here. */
const text = (subject: Subject): Buffer => subject.memory(subject.address('long_form'), 512);

const SHAPES = [
  ...['site_long', 'site_two', 'site_three', 'site_branch', 'site_call', 'site_flags', 'site_red'],
  'site_memory',
];

contract(OWN, (row) => {
  row(
    'four threads in a storm of signals: every shape is counted once, whoever decides',
    (scene) => {
      const engine = scene.engine();
      const [{ pid }, subject] = scene.launch(engine, 'native', [String(MS)]);
      engine.set(pid, { signalStop: 0n });
      const places = [...SHAPES, 'site_ended'];
      const ids = places.map((site) => insert(engine, pid, subject.address(site), NEVER));
      cont(engine);
      const deadline = Date.now() + MS + 60_000;
      while (subject.read('finished') < 5n) {
        expect(engine.events().filter((e) => e.stopId !== 0n)).toEqual([]);
        if (Date.now() > deadline) throw new Error('a thread is lost');
        engine.wait(20);
        // more of them would end the window there; each time up to four threads jump
        if (subject.read('calls') > 0n && subject.read('middles') < 40n)
          subject.write('jump_in', 1n);
      }
      const calls = subject.read('calls');
      expect(calls).toBeGreaterThan(1000n);
      expect(subject.read('wrong')).toBe(0n);
      expect(subject.read('received')).toBe(subject.read('sent'));
      expect(subject.read('middles')).toBeGreaterThan(0n);
      const told = ids.map((id, i) => {
        const { hits, false_hits, evaluated, errors, native } = counts(engine, id);
        return [places[i], hits, false_hits, evaluated, errors, native > calls / 2n];
      });
      expect(told).toEqual(
        places.map((place) => {
          // called by call_form() too
          const hits = place === 'site_long' ? 2n * calls : calls;
          return [place, hits, hits, hits, 0n, place !== 'site_ended'];
        }),
      );
    },
    { timeoutMs: MS + 90_000 },
  );

  row('the one true hit is told at its place, with its registers', (scene) => {
    const [engine, subject] = begin(scene);
    for (const shape of ['site_two', 'site_long', 'site_three']) {
      const site = subject.address(shape);
      const wanted = subject.read('counter') + 300_000n;
      const id = insert(engine, subject.pid, site, register(RDI, wanted));
      const before = subject.read('counter');
      cont(engine);
      const event = scene.next(engine, EventType.Break);
      expect([event.pc, word(engine, event, RDI)]).toEqual([site, wanted]);
      expect(word(engine, event, RSP)).toBe(event.sp);
      expect(subject.read('counter')).toBe(wanted - 1n);
      const { hits, true_hits, false_hits, native } = counts(engine, id);
      const rounds = (shape === 'site_long' ? 2n : 1n) * (wanted - before);
      // the first one may have come before, a call in between has no such register
      expect(rounds - hits).toBeLessThanOrEqual(2n);
      expect([true_hits, false_hits]).toEqual([1n, hits - 1n]);
      expect(native).toBeGreaterThan(hits - 2000n);
      expect(isNative(subject, site)).toBe(true);
      remove(engine, id);
      expect(subject.memory(site, 16)).toEqual(subject.text(site, 16));
    }
    expect(subject.read('wrong')).toBe(0n);
  });

  row('a pad ends before what it jumps to begins: a stop tells them apart', (scene) => {
    const [engine, subject] = begin(scene);
    const site = subject.address('site_two');
    // lea 128(%rsp), %rsp; jmp
    const leaving = Buffer.from([0x48, 0x8d, 0xa4, 0x24, 0x80, 0, 0, 0, JUMP]);
    const target = (jump: bigint): bigint =>
      jump + 5n + BigInt(subject.memory(jump + 1n, 4).readInt32LE());
    // of many lengths: what lies behind one is aligned
    for (let length = 0; length < 32; length++) {
      const code = Buffer.from([
        ...Array<number[]>(length).fill([0x22, 1, 0x12, 0x29]).flat(),
        ...NEVER,
      ]);
      const id = decided(scene, engine, subject, site, code);
      halt(engine, subject);
      const pad = target(site);
      const at = subject.memory(pad, 1024).indexOf(leaving);
      expect(at).toBeGreaterThan(0);
      const pass = target(pad + BigInt(at + leaving.length - 1));
      expect([length, subject.memory(pass - 1n, 1)[0]]).toEqual([length, 0]);
      remove(engine, id);
    }
    expect(subject.read('wrong')).toBe(0n);
  });

  row('a jump to where an instruction inside begins goes on there', (scene) => {
    const [engine, subject] = begin(scene);
    const site = subject.address('site_two');
    const id = decided(scene, engine, subject, site);
    for (let i = 0; i < 40; i++) {
      const before = subject.read('middles');
      subject.write('jump_in', 1n);
      scene.until('it jumps in', () => subject.read('middles') > before, subject);
    }
    expect(isNative(subject, site)).toBe(true);
    // one that many jump into would cost more than it saves
    const before = subject.read('middles');
    scene.until(
      'the breakpoint is one again',
      () => {
        subject.write('jump_in', 1n);
        return !isNative(subject, site);
      },
      subject,
    );
    expect(subject.read('middles') - before).toBeGreaterThan(10n);
    scene.grows(subject, 'counter');
    halt(engine, subject);
    expect(isNative(subject, site)).toBe(false);
    expect(subject.read('wrong')).toBe(0n);
    const { hits, false_hits, errors } = counts(engine, id);
    expect([false_hits, errors]).toEqual([hits, 0n]);
  });

  row(
    'a condition on memory: what cannot be read there is told, and decided by the client',
    (scene) => {
      const [engine, subject] = begin(scene);
      const site = subject.address('site_long');
      const pointer = const64(subject.address('pointer'));
      // *pointer == 7
      const code = Buffer.from([...pointer, 0x1a, 0x1a, ...const64(7n), 0x13, END]);
      const id = decided(scene, engine, subject, site, code);
      const before = counts(engine, id);
      expect([before.errors, before.true_hits]).toEqual([0n, 0n]);
      subject.write('pointer', 8n);
      expect(scene.next(engine, EventType.Break).pc).toBe(site);
      let now = counts(engine, id);
      expect([now.errors, now.true_hits, now.hits - now.false_hits]).toEqual([1n, 1n, 1n]);
      subject.write('pointer', subject.address('variable'));
      cont(engine);
      scene.grows(subject, 'counter');
      expect(scene.drain(engine).filter((e) => e.type === EventType.Break)).toEqual([]);
      subject.write('variable', 7n);
      expect(scene.next(engine, EventType.Break).pc).toBe(site);
      now = counts(engine, id);
      expect([now.errors, now.true_hits, now.hits - now.false_hits]).toEqual([1n, 2n, 2n]);
      // such an address has no page at all
      engine.insertBreakpoint(subject.pid, 0, site, 1, { conditions: [NEVER] });
    },
  );

  row('a condition sees the program without anything of ours', (scene) => {
    const [engine, subject] = begin(scene);
    const site = subject.address('site_long');
    const original = subject.text(site, 16);
    const elsewhere = subject.address('site_two');
    decided(scene, engine, subject, elsewhere);
    halt(engine, subject);
    // its own text, that of a window elsewhere, its last byte
    const same = [
      equals(site, original.readBigUInt64LE(), '!'),
      equals(elsewhere, subject.text(elsewhere, 8).readBigUInt64LE(), '!'),
      equals(elsewhere + 4n, subject.text(elsewhere + 4n, 8).readBigUInt64LE(), '!'),
      equals(elsewhere - 7n, subject.text(elsewhere - 7n, 8).readBigUInt64LE(), '!'),
    ];
    for (const code of same) {
      const id = insert(engine, subject.pid, site, code);
      const { hits } = counts(engine, id);
      cont(engine);
      scene.until('it is passed', () => counts(engine, id).hits > hits + 2000n, subject);
      halt(engine, subject);
      expect(scene.drain(engine).filter((e) => e.type === EventType.Break)).toEqual([]);
      remove(engine, id);
    }
    expect(isNative(subject, elsewhere)).toBe(true);
    expect(subject.read('wrong')).toBe(0n);
  });

  row('memory is read without it, and code written there is run', (scene) => {
    const [engine, subject] = begin(scene);
    const { pid } = subject;
    const site = subject.address('site_two');
    decided(scene, engine, subject, site);
    halt(engine, subject);
    for (let from = -6n; from < 8n; from++)
      for (const length of [1, 4, 8, 20]) {
        const bytes = Buffer.alloc(length);
        expect(engine.readMemory(pid, site + from, bytes, 0, length)).toBe(length);
        expect([from, bytes]).toEqual([from, subject.text(site + from, length)]);
      }
    // add $2 becomes add $1 and, with what it counted before, is wrong once a round
    engine.writeMemory(pid, site + 6n, Buffer.from([1]), 0, 1);
    expect(isNative(subject, site)).toBe(false);
    const wrong = subject.read('wrong');
    cont(engine);
    scene.until('the new code is decided', () => isNative(subject, site), subject);
    scene.grows(subject, 'counter');
    halt(engine, subject);
    expect(subject.read('wrong') - wrong).toBeGreaterThan(100n);
    engine.writeMemory(pid, site + 6n, Buffer.from([2]), 0, 1);
    engine.detach(pid);
    scene.grows(subject, 'counter');
    const after = subject.read('wrong');
    scene.grows(subject, 'counter');
    expect(subject.read('wrong')).toBe(after);
    expect(text(subject)).toEqual(subject.text(subject.address('long_form'), 512));
  });

  row('stops at any time: the program is never seen elsewhere, and steps are its own', (scene) => {
    const [engine, subject] = begin(scene);
    const { pid } = subject;
    const sites = SHAPES.map((shape) => subject.address(shape));
    for (const site of sites) insert(engine, pid, site, NEVER);
    cont(engine);
    scene.until('all are native', () => sites.every((site) => isNative(subject, site)), subject);
    const ours = areas(pid).map((line) =>
      line
        .split(' ')[0]!
        .split('-')
        .map((address) => BigInt(`0x${address}`)),
    );
    expect(ours.length).toBeGreaterThan(0);
    for (let i = 0; i < 200; i++) {
      scene.grows(subject, 'counter');
      engine.interrupt([{ pid, tid: pid }]);
      let { pc } = scene.next(engine, EventType.Stopped);
      for (let step = 0; step < 12; step++) {
        expect(ours.filter(([from, to]) => pc >= from! && pc < to!)).toEqual([]);
        engine.resume([{ pid, tid: pid, kind: 'step' }]);
        ({ pc } = scene.next(engine, EventType.Step));
      }
      cont(engine);
    }
    scene.grows(subject, 'counter');
    expect(subject.read('wrong')).toBe(0n);
  });

  row('steps through the instructions of a window', (scene) => {
    const [engine, subject] = begin(scene);
    const { pid } = subject;
    const site = subject.address('site_three');
    const entered = insert(engine, pid, site, NEVER);
    cont(engine);
    scene.until('it is native', () => isNative(subject, site), subject);
    halt(engine, subject);
    const other = scene.engine('other');
    other.attach(pid, { stop: true });
    other.set(pid, { signalStop: 0n });
    // stops right in front of it
    other.insertBreakpoint(pid, 0, subject.address('site_two_middle'), 1);
    cont(engine);
    cont(other);
    scene.next(other, EventType.Break);
    const { hits } = counts(engine, entered);
    const seen: bigint[] = [];
    for (let i = 0; i < 40 && seen.at(-1) !== site + 8n; i++) {
      other.resume([{ pid, tid: pid, kind: 'step' }]);
      seen.push(scene.next(other, EventType.Step).pc);
    }
    expect(seen.slice(-4)).toEqual([site, site + 2n, site + 3n, site + 8n]);
    expect(isNative(subject, site)).toBe(true);
    expect(counts(engine, entered).hits).toBe(hits + 1n);
    expect(subject.read('wrong')).toBe(0n);
  });

  row("another engine's breakpoints inside and at the place hit every time", (scene) => {
    const [engine, subject] = begin(scene);
    const { pid } = subject;
    const site = subject.address('site_two');
    const middle = subject.address('site_two_middle');
    const id = decided(scene, engine, subject, site);
    const other = scene.engine('other');
    other.attach(pid, { stop: true });
    other.set(pid, { signalStop: 0n });
    for (const place of [middle, site]) {
      other.insertBreakpoint(pid, 0, place, 1);
      expect(isNative(subject, site)).toBe(false);
      for (let i = 0; i < 5; i++) {
        const before = subject.read('counter');
        cont(other);
        expect(scene.next(other, EventType.Break).pc).toBe(place);
        // what was under way, and then one in each round
        if (i > 0) expect(subject.read('counter') - before).toBe(1n);
      }
      other.removeBreakpoint(pid, 0, place, 1);
    }
    // with a condition of its own both are decided there
    const second = insert(other, pid, site, register(RDI, subject.read('counter') + 100_000n));
    cont(other);
    scene.until('it is native', () => isNative(subject, site), subject);
    expect(scene.next(other, EventType.Break).pc).toBe(site);
    const [first, own] = [counts(engine, id), counts(other, second)];
    expect([first.true_hits, own.true_hits]).toEqual([0n, 1n]);
    expect(own.hits - own.native).toBeLessThan(2000n);
    other.detach(pid);
    scene.until('it is native', () => isNative(subject, site), subject);
    scene.grows(subject, 'counter');
    halt(engine, subject);
    expect(counts(engine, id).false_hits).toBe(counts(engine, id).hits);
    expect(subject.read('wrong')).toBe(0n);
  });

  row('who detaches or goes leaves the text as it was, and no memory', (scene) => {
    for (const way of ['detach', 'close']) {
      const [engine, subject] = begin(scene);
      const { pid } = subject;
      const sites = SHAPES.map((shape) => subject.address(shape));
      for (const site of sites) insert(engine, pid, site, NEVER);
      cont(engine);
      scene.until('all are native', () => sites.every((site) => isNative(subject, site)), subject);
      expect(areas(pid).length).toBeGreaterThan(0);
      if (way === 'detach') engine.detach(pid);
      else engine.channel.close();
      const original = subject.text(subject.address('long_form'), 512);
      expect([way, text(subject)]).toEqual([way, original]);
      expect([way, areas(pid)]).toEqual([way, []]);
      scene.grows(subject, 'counter');
      expect([way, subject.read('wrong')]).toEqual([way, 0n]);
    }
  });

  row('children by fork and vfork have the text as it was', (scene) => {
    for (const mode of ['fork', 'vfork']) {
      const [engine, subject] = begin(scene, mode);
      const site = subject.address('site_two');
      const id = decided(scene, engine, subject, site);
      const { native } = counts(engine, id);
      const before = subject.read('children');
      scene.until('children come', () => subject.read('children') >= before + 5n, subject);
      halt(engine, subject);
      expect([mode, subject.read('wrong')]).toEqual([mode, 0n]);
      const now = counts(engine, id);
      expect(now.native).toBeGreaterThan(native);
      expect([mode, now.false_hits, now.errors]).toEqual([mode, now.hits, 0n]);
    }
  });

  row('another program in its place knows nothing of it', (scene) => {
    const [engine, subject] = begin(scene, 'exec');
    engine.set(subject.pid, { signalStop: 0n, lifeStop: [EventType.Exec] });
    decided(scene, engine, subject, subject.address('site_two'));
    subject.write('wanted', 1n);
    scene.next(engine, EventType.Exec);
    expect(areas(subject.pid)).toEqual([]);
    cont(engine);
    scene.until('it runs', () => subject.read('counter') > 1000n, subject);
    expect(text(subject)).toEqual(subject.text(subject.address('long_form'), 512));
    // and all over again
    decided(scene, engine, subject, subject.address('site_two'));
    scene.grows(subject, 'counter');
    expect(subject.read('wrong')).toBe(0n);
  });

  row('a program that unmaps it runs on, and hits are decided by us', (scene) => {
    const [engine, subject] = begin(scene, 'unmap');
    const site = subject.address('site_two');
    const id = decided(scene, engine, subject, site);
    subject.write('wanted', 1n);
    scene.until('it is gone', () => subject.read('finished') > 0n, subject);
    scene.until('it is a breakpoint again', () => !isNative(subject, site), subject);
    const { hits } = counts(engine, id);
    scene.until('it is passed', () => counts(engine, id).hits > hits + 1000n, subject);
    expect(isNative(subject, site)).toBe(false);
    expect(subject.read('wrong')).toBe(0n);
  });

  row('text that is unmapped and mapped again is the program’s', (scene) => {
    const [engine, subject] = begin(scene, 'map');
    const { pid } = subject;
    const site = subject.read('copy');
    const here = subject.address('site_two');
    decided(scene, engine, subject, here);
    for (let i = 1n; i <= 3n; i++) {
      engine.insertBreakpoint(pid, 0, site, 1, { conditions: [NEVER] });
      cont(engine);
      scene.until('the copy is native', () => isNative(subject, site), subject);
      expect(isNative(subject, here)).toBe(true);
      subject.write('wanted', 1n);
      scene.until('it is mapped anew', () => subject.read('copies') > i, subject);
      expect(subject.memory(site, 16)).toEqual(subject.text(here, 16));
      scene.grows(subject, 'counter');
      halt(engine, subject);
      const bytes = Buffer.alloc(16);
      expect(engine.readMemory(pid, site, bytes, 0, 16)).toBe(16);
      expect(bytes).toEqual(subject.text(here, 16));
      if (i === 2n) engine.removeBreakpoint(pid, 0, site, 1);
      expect(subject.memory(site, 16)).toEqual(subject.text(here, 16));
    }
    engine.detach(pid);
    scene.grows(subject, 'counter');
    expect(subject.memory(site, 16)).toEqual(subject.text(here, 16));
    expect(subject.read('wrong')).toBe(0n);
  });

  row(
    'a program with a system call filter, in Go or with restartable sequences keeps its breakpoint',
    (scene) => {
      for (const [mode, name] of [
        ['seccomp', 'native'],
        ['', 'noted'],
        ['', 'restartable'],
      ]) {
        const [engine, subject] = begin(scene, mode, name);
        const site = subject.address('site_two');
        const id = insert(engine, subject.pid, site, NEVER);
        cont(engine);
        scene.until('it is passed', () => counts(engine, id).hits > 2000n, subject);
        expect([name, counts(engine, id).native, areas(subject.pid)]).toEqual([name, 0n, []]);
        expect(subject.read('wrong')).toBe(0n);
      }
    },
  );

  row('what cannot be compiled, or does more than decide, keeps its breakpoint', (scene) => {
    const [engine, subject] = begin(scene);
    const { pid } = subject;
    const site = subject.address('site_two');
    const before = (): bigint => engine.breakpointStats()[0]!.hits;
    const kept = [
      // a loop that ends at once, a deep stack, a segment register, an action
      { conditions: [Buffer.from([0x21, 0, 6, 0x22, 0, END, 0x21, 0, 3])] },
      { conditions: [Buffer.from([...Array<number[]>(40).fill([0x22, 0]).flat(), END])] },
      { conditions: [Buffer.from([0x26, 0, 17, 0x22, 0, 0x13, END])] },
      { conditions: [NEVER], actions: [NEVER] },
    ];
    for (const options of kept) {
      engine.insertBreakpoint(pid, 0, site, 1, options);
      const hits = before();
      cont(engine);
      scene.until('it is passed', () => before() > hits + 2000n, subject);
      halt(engine, subject);
      expect(isNative(subject, site)).toBe(false);
    }
    expect(engine.breakpointStats()[0]!.native).toBe(0n);
    expect(subject.read('wrong')).toBe(0n);
  });

  row('a watchpoint sees the writes of the program alone', (scene) => {
    const [engine, subject] = begin(scene);
    const site = subject.address('site_long');
    decided(scene, engine, subject, site);
    halt(engine, subject);
    engine.insertBreakpoint(subject.pid, 2, subject.address('counter'), 8);
    expect(isNative(subject, site)).toBe(false);
    for (let i = 0; i < 3; i++) {
      const before = subject.read('counter');
      cont(engine);
      scene.next(engine, EventType.Watch);
      expect(subject.read('counter') - before).toBeLessThanOrEqual(1n);
    }
    engine.removeBreakpoint(subject.pid, 2, subject.address('counter'), 8);
    expect(subject.read('wrong')).toBe(0n);
  });

  row('taken out and put back at each stop, as gdb does, it takes no more memory', (scene) => {
    const [engine, subject] = begin(scene);
    const site = subject.address('site_two');
    let before: string[] | undefined;
    for (let i = 0; i < 20; i++) {
      engine.insertBreakpoint(subject.pid, 0, site, 1, { conditions: [NEVER] });
      cont(engine);
      const native = (): bigint => engine.breakpointStats()[0]!.native;
      const past = native();
      scene.until('the program decides itself', () => native() > past, subject);
      halt(engine, subject);
      engine.removeBreakpoint(subject.pid, 0, site, 1);
      expect(subject.memory(site, 16)).toEqual(subject.text(site, 16));
      before ??= areas(subject.pid);
      expect(areas(subject.pid)).toEqual(before);
    }
    const [stats] = engine.breakpointStats();
    expect(stats!.falseHits).toBe(stats!.hits);
    expect(subject.read('wrong')).toBe(0n);
  });
});
