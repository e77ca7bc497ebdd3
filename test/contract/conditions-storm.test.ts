// Four threads on conditional breakpoints, in a storm of signals: nothing is missed, nothing counted
// twice. NTRACE_STORM_MS says how long (usually 3 s).
import { Call } from '../../src/engine/channel/calls';
import { EventType } from '../../src/engine/channel/event';
import { BREAK, BREAK_STATS, CODE } from '../../src/engine/channel/records';
import type { Engine } from '../../src/engine/engine';
import { EFFORT } from '../support/effort';
import { PATIENCE } from '../support/patience';
import { field, record } from '../support/raw';
import type { Scene } from '../support/scene';
import type { Subject } from '../support/subject';
import { contract } from './contract';

const MS = Number(process.env['NTRACE_STORM_MS'] ?? 3000 * EFFORT);
/** The longer storm, and how many signals come in it for four threads that are held. */
const HELD_MS = 4000 * PATIENCE;
const WAITING = 5000n;
const RDI = 14; // word of NT_PRSTATUS
/** rdi == -1, in words of the ABI. */
const NEVER = Buffer.from([0x26, 0, RDI, 0x22, 0, 0x22, 1, 0x03, 0x13, 0x27]);

const cont = (engine: Engine): number => engine.resume([{ pid: -1, tid: -1, kind: 'cont' }]);

/** As insertBreakpoint(), but tells the provider's number. */
function insert(engine: Engine, pid: number, addr: bigint, code: Buffer): bigint {
  const { channel } = engine;
  const codes = record(CODE, { bytes: channel.addressOf(code), len: code.length });
  const call = record(BREAK, {
    pid,
    type: 0,
    addr,
    len: 1,
    conditions: channel.addressOf(codes),
    nconditions: 1,
  });
  expect(channel.call(Call.Break, call)).toBe(0);
  return field(BREAK, call, 'id');
}

const SITES = ['site_lock', 'site_push', 'site_call', 'site_syscall', 'site_rep'];

/** The storm with all places counted, up to where it is let go. */
function begin(scene: Scene, ms: number): { engine: Engine; subject: Subject; ids: bigint[] } {
  const engine = scene.engine();
  const [{ pid }, subject] = scene.launch(engine, 'storm', [String(ms)]);
  engine.set(pid, { signalStop: 0n });
  const ids = SITES.map((site) => insert(engine, pid, subject.address(site), NEVER));
  return { engine, subject, ids };
}

/** Waits for its end: every call was counted once, every signal received. */
function end(engine: Engine, subject: Subject, ids: readonly bigint[], deadline: number): void {
  while (subject.read('finished') < 5n) {
    expect(engine.events().filter((e) => e.stopId !== 0n)).toEqual([]);
    if (Date.now() > deadline) throw new Error('a thread is lost');
    engine.wait(20);
  }
  const calls = subject.read('calls');
  // it was a storm; where each hit halts everybody, a busy guest gets no further than some tens
  expect(calls).toBeGreaterThan(20n);
  expect(subject.read('wrong')).toBe(0n);
  expect(subject.read('received')).toBe(subject.read('sent'));
  expect(subject.read('counter')).toBe(calls);
  const counted = ids.map((id, i) => {
    const stats = record(BREAK_STATS, { id });
    expect(engine.channel.call(Call.BreakStats, stats)).toBe(0);
    const of = (name: 'hits' | 'false_hits' | 'errors'): bigint => field(BREAK_STATS, stats, name);
    return [SITES[i], of('hits'), of('false_hits'), of('errors')];
  });
  expect(counted).toEqual(SITES.map((site) => [site, calls, calls, 0n]));
}

contract('conditions', (row) => {
  row(
    'four threads in a storm of signals: every hit is counted once',
    (scene) => {
      const { engine, subject, ids } = begin(scene, MS);
      cont(engine);
      end(engine, subject, ids, Date.now() + MS + 60_000 * PATIENCE);
    },
    { timeoutMs: MS + 90_000 },
  );

  row(
    'a thousand signals wait in front of an instruction: its hit is counted once',
    (scene) => {
      const { engine, subject, ids } = begin(scene, HELD_MS);
      const { pid } = subject;
      const other = scene.engine('other');
      other.attach(pid, { stop: true });
      other.set(pid, { signalStop: 0n });
      const site = subject.address('site_syscall');
      other.insertBreakpoint(pid, 0, site, 1);
      cont(engine);
      cont(other);
      for (let held = 0; held < 4; held++) expect(scene.next(other, EventType.Break).pc).toBe(site);
      const before = subject.read('sent');
      scene.until('signals wait', () => subject.read('sent') >= before + WAITING, subject);
      other.detach(pid);
      end(engine, subject, ids, Date.now() + HELD_MS + 60_000 * PATIENCE);
    },
    { timeoutMs: HELD_MS + 90_000 },
  );
});
