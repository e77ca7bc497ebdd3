import { Call } from '../../src/engine/channel/calls';
import type { Layout } from '../../src/engine/channel/layout';
import * as r from '../../src/engine/channel/records';
import type { Engine } from '../../src/engine/engine';
import { E } from '../support/errno';
import { field, record } from '../support/raw';
import type { Scene } from '../support/scene';
import type { Subject } from '../support/subject';
import { contract } from './contract';

function attached(scene: Scene): [Engine, Subject] {
  const engine = scene.engine();
  const subject = scene.start('spin');
  engine.attach(subject.pid, { stop: true });
  return [engine, subject];
}

/** errno of a call, positive. */
function answer<N extends string>(
  engine: Engine,
  call: number,
  layout: Layout<N>,
  values: Partial<Record<N, number | bigint>>,
): number {
  return -engine.channel.call(call, record(layout, values));
}

const NOWHERE = 0x10n; // nobody has the first page

contract('malformed', (row) => {
  row('unknown flags and reserved fields are EINVAL', (scene) => {
    const [engine, { pid }] = attached(scene);
    const other = scene.start('spin');
    expect(answer(engine, Call.Attach, r.ATTACH, { pid: other.pid, flags: 0x80 })).toBe(E.EINVAL);
    expect(answer(engine, Call.Attach, r.ATTACH, { pid: other.pid, release: 9 })).toBe(E.EINVAL);
    expect(answer(engine, Call.Detach, r.DETACH, { pid, release: 9 })).toBe(E.EINVAL);
    expect(answer(engine, Call.Threads, r.THREADS, { pid, flags: 0x80 })).toBe(E.EINVAL);
    expect(answer(engine, Call.Resume, r.RESUME, { flags: 0x80 })).toBe(E.EINVAL);
    expect(answer(engine, Call.Stop, r.STOP, { flags: 0x80 })).toBe(E.EINVAL);
    expect(answer(engine, Call.ReadMem, r.MEM, { pid, flags: 0x80 })).toBe(E.EINVAL);
    expect(answer(engine, Call.WriteMem, r.MEM, { pid, flags: 1 })).toBe(E.EINVAL);
    const place = { pid, addr: other.address('site'), len: 1 };
    expect(answer(engine, Call.Break, r.BREAK, { ...place, type: 9 })).toBe(E.EINVAL);
    expect(answer(engine, Call.Break, r.BREAK, { ...place, flags: 0x80 })).toBe(E.EINVAL);
    expect(answer(engine, Call.Unbreak, r.UNBREAK, { id: 1, reserved: 1 })).toBe(E.EINVAL);
    expect(answer(engine, Call.Sets, r.SETS, { pid, valid: 0x80 })).toBe(E.EINVAL);
    expect(answer(engine, Call.Sets, r.SETS, { pid, valid: 8, follow: 0x80 })).toBe(E.EINVAL);
    expect(answer(engine, Call.Signal, r.SIGNAL, { pid, signo: 1000 })).toBe(E.EINVAL);
    expect(answer(engine, Call.Signal, r.SIGNAL, { pid, signo: -1 })).toBe(E.EINVAL);
    expect(answer(engine, Call.Signal, r.SIGNAL, { pid, reserved: 1 })).toBe(E.EINVAL);
  });

  row('a count past the limit is EINVAL', (scene) => {
    const [engine, { pid }] = attached(scene);
    const count = 0xffff_ffff;
    expect(answer(engine, Call.Resume, r.RESUME, { count })).toBe(E.EINVAL);
    expect(answer(engine, Call.Stop, r.STOP, { count })).toBe(E.EINVAL);
    expect(answer(engine, Call.GetRegs, r.REGS, { count })).toBe(E.EINVAL);
    expect(answer(engine, Call.SetRegs, r.REGS, { count })).toBe(E.EINVAL);
    expect(answer(engine, Call.ReadMem, r.MEM, { pid, count })).toBe(E.EINVAL);
    expect(answer(engine, Call.WriteMem, r.MEM, { pid, count })).toBe(E.EINVAL);
  });

  row('null pointers are EFAULT', (scene) => {
    const [engine, { pid }] = attached(scene);
    const count = 1;
    expect(answer(engine, Call.Resume, r.RESUME, { count, entries: 0n })).toBe(E.EFAULT);
    expect(answer(engine, Call.Stop, r.STOP, { count, entries: 0n })).toBe(E.EFAULT);
    expect(answer(engine, Call.GetRegs, r.REGS, { count, entries: 0n })).toBe(E.EFAULT);
    expect(answer(engine, Call.ReadMem, r.MEM, { pid, count, vecs: 0n })).toBe(E.EFAULT);
    const list = { pid, capacity: 4, buf: 0n };
    expect(answer(engine, Call.Threads, r.THREADS, list)).toBe(E.EFAULT);
    expect(answer(engine, Call.Who, r.WHO, list)).toBe(E.EFAULT);
    const vec = record(r.MEMVEC, { addr: 0x401000n, len: 16, buf: 0n });
    const mem = record(r.MEM, { pid, count, vecs: engine.channel.addressOf(vec) });
    expect(engine.channel.call(Call.ReadMem, mem)).toBe(0);
    expect(field(r.MEMVEC, vec, 'error')).toBe(BigInt(E.EFAULT));
  });

  row('pointers to nowhere are EFAULT', (scene) => {
    const [engine, { pid }] = attached(scene);
    const count = 1;
    expect(answer(engine, Call.Resume, r.RESUME, { count, entries: NOWHERE })).toBe(E.EFAULT);
    expect(answer(engine, Call.Stop, r.STOP, { count, entries: NOWHERE })).toBe(E.EFAULT);
    expect(answer(engine, Call.GetRegs, r.REGS, { count, entries: NOWHERE })).toBe(E.EFAULT);
    expect(answer(engine, Call.ReadMem, r.MEM, { pid, count, vecs: NOWHERE })).toBe(E.EFAULT);
    const list = { pid, capacity: 4, buf: NOWHERE };
    expect(answer(engine, Call.Threads, r.THREADS, list)).toBe(E.EFAULT);
    expect(answer(engine, Call.Who, r.WHO, list)).toBe(E.EFAULT);
    const vec = record(r.MEMVEC, { addr: 0x401000n, len: 16, buf: NOWHERE });
    const mem = record(r.MEM, { pid, count, vecs: engine.channel.addressOf(vec) });
    expect(engine.channel.call(Call.ReadMem, mem)).toBe(0);
    expect(field(r.MEMVEC, vec, 'error')).toBe(BigInt(E.EFAULT));
  });

  row('a batch of nothing is nothing', (scene) => {
    const [engine, { pid }] = attached(scene);
    expect(answer(engine, Call.Resume, r.RESUME, {})).toBe(-0);
    expect(answer(engine, Call.Stop, r.STOP, {})).toBe(-0);
    expect(answer(engine, Call.GetRegs, r.REGS, {})).toBe(-0);
    expect(answer(engine, Call.ReadMem, r.MEM, { pid })).toBe(-0);
    const threads = record(r.THREADS, { pid });
    expect(engine.channel.call(Call.Threads, threads)).toBe(0);
    expect(field(r.THREADS, threads, 'count')).toBe(1n);
  });

  row('entries that name nothing are refused', (scene) => {
    const [engine] = attached(scene);
    const { channel } = engine;
    for (const [pid, tid] of [
      [0, 0],
      [-2, -1],
      [-1, 5],
    ] as const) {
      const entry = record(r.RESUME_ENTRY, { pid, tid, action: 1 });
      const head = record(r.RESUME, { entries: channel.addressOf(entry), count: 1 });
      expect(channel.call(Call.Resume, head)).toBe(0);
      expect([E.EINVAL, E.ESRCH]).toContain(Number(field(r.RESUME_ENTRY, entry, 'error')));
      expect(field(r.RESUME, head, 'done')).toBe(0n);
    }
  });

  row('a buffer too small for one event is EMSGSIZE', (scene) => {
    const [engine] = attached(scene);
    expect(engine.channel.readEvents(Buffer.alloc(r.EVENT.size - 1))).toBe(-E.EMSGSIZE);
  });

  row('breakpoints nobody has are ESRCH or EINVAL', (scene) => {
    const [engine] = attached(scene);
    for (const id of [0, 12345]) {
      const errors = [E.ESRCH, E.EINVAL];
      expect(errors).toContain(answer(engine, Call.Unbreak, r.UNBREAK, { id }));
      expect(errors).toContain(answer(engine, Call.BreakStats, r.BREAK_STATS, { id }));
    }
  });

  row('random records do no harm', (scene) => {
    const [engine, subject] = attached(scene);
    const layouts = [r.THREADS, r.RESUME, r.STOP, r.REGS, r.REGS, r.MEM, r.MEM, r.BREAK, r.UNBREAK];
    let seed = 12345;
    const random = (): number => (seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff);
    const calls = [
      Call.Threads,
      Call.Resume,
      Call.Stop,
      Call.GetRegs,
      Call.SetRegs,
      Call.ReadMem,
      Call.WriteMem,
      Call.Break,
      Call.Unbreak,
    ];
    for (let i = 0; i < 5000; i++) {
      const which = random() % layouts.length;
      const layout = layouts[which] as Layout;
      const buf = Buffer.alloc(layout.size);
      for (let at = 0; at < buf.length; at += 2) buf.writeUInt16LE((random() >>> 8) & 0xffff, at);
      // no pointers: what they lead to is tested by those who have an address space of their own
      for (const name of ['entries', 'vecs', 'buf', 'conditions', 'actions']) {
        const at = (layout.at as Record<string, number>)[name];
        if (at !== undefined) buf.writeBigUInt64LE(0n, at);
      }
      if (random() % 2 === 0) buf.writeInt32LE(subject.pid, 0);
      const result = engine.channel.call(calls[which] as number, buf);
      expect(result).toBeLessThanOrEqual(0);
      expect(result).toBeGreaterThan(-4096);
    }
    engine.detach(subject.pid);
    scene.grows(subject, 'counter');
  });
});
