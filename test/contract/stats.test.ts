import { spawnSync } from 'node:child_process';
import { Call } from '../../src/engine/channel/calls';
import { EventType } from '../../src/engine/channel/event';
import { BREAK, BREAK_STATS, CODE } from '../../src/engine/channel/records';
import type { Engine } from '../../src/engine/engine';
import type { BreakpointStats } from '../../src/engine/engine-api';
import { E } from '../support/errno';
import { PATIENCE } from '../support/patience';
import { field, record } from '../support/raw';
import { contract } from './contract';

const END = 0x27;
const constant = (value: number): Buffer => Buffer.from([0x22, value, END]);
/** Reads where nothing is. */
const failing = Buffer.from([0x22, 8, 0x1a, END]);
const PERSIST = 1;

const cont = (engine: Engine): number => engine.resume([{ pid: -1, tid: -1, kind: 'cont' }]);

contract('stats', (row) => {
  row('hits, conditions, actions and errors are counted', (scene) => {
    const engine = scene.engine();
    const subject = scene.start('calls');
    engine.attach(subject.pid, { stop: true });
    const site = subject.address('function');
    engine.insertBreakpoint(subject.pid, 0, site, 1, {
      conditions: [constant(0), constant(1)],
      actions: [constant(5), failing],
    });
    const before = subject.read('counter');
    cont(engine);
    scene.until('it runs on', () => subject.read('counter') >= before + 50n, subject);
    // an action tells nobody
    expect(scene.drain(engine).filter((e) => e.type === EventType.Break)).toEqual([]);
    engine.stop([{ pid: subject.pid, tid: -1 }], { wait: true });
    // it may be held on its way out of the kernel, which it is not before its actions are done
    const whole = (): boolean => {
      const [{ hits, evaluated, errors }] = engine.breakpointStats() as [BreakpointStats];
      return evaluated === 4n * hits && errors === hits;
    };
    scene.until('the last hit is counted whole', whole, subject);
    const [stats] = engine.breakpointStats();
    const hits = stats!.hits;
    expect(hits).toBeGreaterThanOrEqual(49n);
    expect(hits - (subject.read('counter') - before)).toBeLessThanOrEqual(1n);
    expect(stats).toMatchObject({ addr: site, inserted: true, conditional: true, actions: 2 });
    const { evaluated, trueHits, falseHits, errors, costNs } = stats!;
    expect([evaluated, trueHits, falseHits, errors]).toEqual([4n * hits, hits, 0n, hits]);
    expect(costNs).toBeGreaterThan(0n);
    // counts outlive a removal, as gdb does one at each stop
    engine.removeBreakpoint(subject.pid, 0, site, 1);
    expect(engine.breakpointStats()).toMatchObject([{ hits, inserted: false }]);
    engine.insertBreakpoint(subject.pid, 0, site, 1);
    expect(engine.breakpointStats()).toMatchObject([{ hits, inserted: true, actions: 0 }]);
  });

  row('actions that print are no conditions', (scene) => {
    const engine = scene.engine();
    const subject = scene.start('calls');
    engine.attach(subject.pid, { stop: true });
    const { channel } = engine;
    const code = Buffer.from([0x22, 0, 0x22, 0, 0x34, 0, 0, 2, 0x78, 0, END]); // printf "x"
    const codes = record(CODE, { bytes: channel.addressOf(code), len: code.length });
    const call = (what: 'conditions' | 'actions'): number =>
      channel.call(
        Call.Break,
        record(BREAK, {
          pid: subject.pid,
          len: 1,
          addr: subject.address('function'),
          [what]: channel.addressOf(codes),
          [`n${what}` as 'nactions']: 1,
        }),
      );
    expect(call('conditions')).toBeLessThan(0);
    expect(call('actions')).toBe(0);
  });

  row('a persistent action goes on without its engine', (scene) => {
    const [engine, other] = [scene.engine('first'), scene.engine('second')];
    const subject = scene.start('calls');
    engine.attach(subject.pid, { stop: true });
    const site = subject.address('function');
    engine.insertBreakpoint(subject.pid, 0, site, 1, { actions: [constant(1)], persist: true });
    engine.detach(subject.pid);
    scene.grows(subject, 'counter');
    expect(subject.memory(site, 1)).not.toEqual(subject.text(site, 1));
    // another one that wants the same place takes it over, and leaves nothing behind
    other.attach(subject.pid, { stop: true });
    other.insertBreakpoint(subject.pid, 0, site, 1);
    cont(other);
    expect(scene.next(other, EventType.Break).pc).toBe(site);
    other.removeBreakpoint(subject.pid, 0, site, 1);
    expect(subject.memory(site, 1)).toEqual(subject.text(site, 1));
  });

  row('a process that leaves a persistent action behind ends, and so does the action', (scene) => {
    if (!scene.engine().has('actions')) return; // the process says so, and ends
    const subject = scene.start('calls');
    const site = subject.address('function');
    const helper = `
      const { openEngine } = require(${JSON.stringify(require.resolve('../../src/engine/engine'))});
      const { openChannel } = require(${JSON.stringify(
        require.resolve('../../src/engine/channel/open'),
      )});
      const engine = openEngine(openChannel('${scene.provider}'), { label: 'owner' });
      engine.attach(${subject.pid}, { stop: true });
      engine.insertBreakpoint(${subject.pid}, 0, ${site}n, 1, {
        actions: [Buffer.from([0x22, 1, ${END}])],
        persist: true,
      });
      engine.detach(${subject.pid});
      process.exit(23);`;
    const options = {
      timeout: 60_000 * PATIENCE,
      killSignal: 'SIGKILL',
      encoding: 'utf8',
    } as const;
    const { status, signal, stderr } = spawnSync(process.execPath, ['-e', helper], options);
    expect({ status, signal, stderr }).toEqual({ status: 23, signal: null, stderr: '' });
    expect(subject.memory(site, 1)).toEqual(subject.text(site, 1));
    scene.grows(subject, 'counter');
  });

  row('a breakpoint that is not there has none', (scene) => {
    const engine = scene.engine();
    const subject = scene.start('calls');
    engine.attach(subject.pid, { stop: true });
    const stats = record(BREAK_STATS, { id: 4711 });
    expect(engine.channel.call(Call.BreakStats, stats)).toBe(-E.ESRCH);
    const flagged = record(BREAK, {
      pid: subject.pid,
      len: 1,
      addr: subject.address('function'),
      flags: PERSIST << 1,
    });
    expect(engine.channel.call(Call.Break, flagged)).toBe(-E.EINVAL);
    expect(field(BREAK, flagged, 'id')).toBe(0n);
  });
});
