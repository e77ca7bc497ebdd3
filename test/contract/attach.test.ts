import { execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import { Call } from '../../src/engine/channel/calls';
import { Refusal } from '../../src/engine/channel/enums';
import { ATTACH } from '../../src/engine/channel/records';
import type { Engine } from '../../src/engine/engine';
import { EFFORT } from '../support/effort';
import { E } from '../support/errno';
import { PATIENCE } from '../support/patience';
import { program } from '../support/programs';
import { field, record } from '../support/raw';
import { ended, processState, sleepMs } from '../support/subject';
import { native } from '../../src/native';
import { contract } from './contract';

/** errno, reason and holder of a refused attach. */
function refusal(engine: Engine, pid: number): { errno: number; reason: number; holder: number } {
  const buf = record(ATTACH, { pid });
  const errno = -engine.channel.call(Call.Attach, buf);
  const holder = Number(field(ATTACH, buf, 'holder_pid'));
  return { errno, reason: Number(field(ATTACH, buf, 'reason')), holder };
}

function poll<T>(what: string, probe: () => T | undefined): T {
  for (const limit = Date.now() + 20_000 * PATIENCE; Date.now() < limit;) {
    const found = probe();
    if (found !== undefined) return found;
    sleepMs(1);
  }
  throw new Error(`no ${what}`);
}

contract('attach', (row) => {
  row('a running process goes on running', (scene) => {
    const engine = scene.engine();
    const subject = scene.start('spin');
    const inferior = engine.attach(subject.pid);
    expect(inferior.launched).toBe(false);
    expect([...inferior.threads.values()].map((t) => [t.tid, t.state])).toEqual([
      [subject.pid, 'running'],
    ]);
    scene.grows(subject, 'counter');
  });

  row('with stop every thread is held on return', (scene) => {
    const engine = scene.engine();
    const subject = scene.start('spin');
    const inferior = engine.attach(subject.pid, { stop: true });
    expect([...inferior.threads.values()].map((t) => t.state)).toEqual(['held']);
    const before = subject.read('counter');
    for (let i = 0; i < 20; i++) subject.pause();
    expect(subject.read('counter')).toBe(before);
    expect(engine.resume([{ pid: subject.pid, tid: -1, kind: 'cont' }])).toBe(0);
    scene.grows(subject, 'counter');
  });

  row(
    'threads that are born at that moment are not missed',
    (scene) => {
      const subject = scene.start('chain');
      for (let i = 0; i < 100 * EFFORT; i++) {
        const engine = scene.engine();
        const inferior = engine.attach(subject.pid, { stop: true });
        const there = fs.readdirSync(`/proc/${subject.pid}/task`).map(Number);
        // to the module a thread that sleeps in the kernel is stopped: it may be making another
        // one, which is born held
        const known =
          scene.provider === 'kernel'
            ? engine.listThreads(subject.pid).map(({ tid }) => tid)
            : [...inferior.threads.keys()];
        const missed = there.filter((tid) => !known.includes(tid) && !ended(subject.pid, tid));
        expect(missed).toEqual([]);
        engine.close();
        subject.pause();
      }
      scene.grows(subject, 'counter');
    },
    { timeoutMs: 60_000 },
  );

  row('twice is EEXIST, by another engine it is allowed', (scene) => {
    const [first, second] = [scene.engine('first'), scene.engine('second')];
    const subject = scene.start('spin');
    first.attach(subject.pid);
    expect(refusal(first, subject.pid)).toMatchObject({
      errno: E.EEXIST,
      reason: Refusal.Attached,
    });
    second.attach(subject.pid);
    scene.grows(subject, 'counter');
    expect(
      first
        .who(subject.pid)
        .map((holder) => holder.label)
        .sort(),
    ).toEqual(['first', 'second']);
  });

  row('what is gone is refused with the reason', (scene) => {
    const engine = scene.engine();
    expect(refusal(engine, 0x3fff_fff0)).toMatchObject({ errno: E.ESRCH, reason: Refusal.Gone });
    expect(() => engine.attach(0x3fff_fff0)).toThrow(/there is no such process/);
  });

  row('ourselves are refused with the reason', (scene) => {
    const engine = scene.engine();
    expect(refusal(engine, process.pid)).toMatchObject({ errno: E.EPERM, reason: Refusal.Self });
    expect(() => engine.attach(process.pid)).toThrow(/this server itself/);
  });

  row('a kernel thread is refused with the reason', (scene) => {
    const engine = scene.engine();
    expect(fs.readFileSync('/proc/2/comm', 'utf8')).toBe('kthreadd\n');
    expect(refusal(engine, 2)).toMatchObject({ errno: E.EPERM, reason: Refusal.Kernel });
    expect(() => engine.attach(2)).toThrow(/kernel thread/);
  });

  row('a thread id is refused with the reason', (scene) => {
    const engine = scene.engine();
    const subject = scene.start('threads', ['1']);
    const tids = fs.readdirSync(`/proc/${subject.pid}/task`).map(Number);
    const other = tids.find((tid) => tid !== subject.pid) as number;
    expect(refusal(engine, other)).toMatchObject({ errno: E.ESRCH, reason: Refusal.NotLeader });
    expect(() => engine.attach(other)).toThrow(`a thread of process ${subject.pid}`);
  });

  row('a zombie is refused with the reason', (scene) => {
    const engine = scene.engine();
    const file = program('exit3');
    const child = native.spawn({ file, args: [file] });
    child.go();
    poll('zombie', () => (processState(child.pid) === 'Z' ? true : undefined));
    expect(refusal(engine, child.pid)).toMatchObject({ reason: Refusal.Zombie });
    expect(() => engine.attach(child.pid)).toThrow(/dead and waits for its parent/);
    expect(poll('wait status', () => child.reap())).toBe(3 << 8);
  });

  row('what strace traces is refused with its pid', (scene) => {
    const engine = scene.engine();
    const subject = scene.start('spin');
    const strace = spawn('strace', ['-o', '/dev/null', '-p', String(subject.pid)], {
      stdio: 'ignore',
    });
    try {
      const tracer = (): number | undefined => {
        const status = fs.readFileSync(`/proc/${subject.pid}/status`, 'utf8');
        return Number(/TracerPid:\s*(\d+)/.exec(status)?.[1]) || undefined;
      };
      expect(poll('tracer', tracer)).toBe(strace.pid);
      expect(refusal(engine, subject.pid)).toEqual({
        errno: E.EPERM,
        reason: Refusal.Traced,
        holder: strace.pid,
      });
      expect(() => engine.attach(subject.pid)).toThrow(`strace (pid ${strace.pid}) traces it`);
    } finally {
      strace.kill('SIGKILL');
    }
    poll('end of strace', () => {
      const status = fs.readFileSync(`/proc/${subject.pid}/status`, 'utf8');
      return /TracerPid:\s*0/.exec(status) ?? undefined;
    });
    engine.attach(subject.pid);
    scene.grows(subject, 'counter');
  });

  row('another user’s process is refused with the reason', (scene) => {
    const subject = scene.start('spin');
    // the refusal is asked for by a program of user 65534, which opens an engine of its own
    const helper = `
      const { openEngine } = require(${JSON.stringify(require.resolve('../../src/engine/engine'))});
      const { openChannel } = require(${JSON.stringify(
        require.resolve('../../src/engine/channel/open'),
      )});
      const engine = openEngine(openChannel('${scene.provider}'), { label: 'other user' });
      try { engine.attach(${subject.pid}); console.log('attached'); }
      catch (error) { console.log(error.code + ' ' + error.message); }`;
    const args = ['65534', process.execPath, '-e', helper];
    const text = execFileSync(program('as-user'), args, { encoding: 'utf8' });
    expect(text).toMatch(/^EPERM .*belongs to user 0 and we are user 65534/);
    expect(subject.alive()).toBe(true);
  });

  row('detach of a busy program a hundred times', (scene) => {
    const engine = scene.engine();
    const subject = scene.start('calls');
    const site = subject.address('function');
    for (let i = 0; i < 100; i++) {
      engine.attach(subject.pid, { stop: i % 2 === 0 });
      if (i % 3 === 0) engine.insertBreakpoint(subject.pid, 0, site, 1);
      engine.detach(subject.pid);
      expect(engine.inferiors.size).toBe(0);
    }
    expect(subject.memory(site, 8)).toEqual(subject.text(site, 8));
    scene.grows(subject, 'counter');
    scene.drain(engine);
  });

  row('close without detach leaves it running and its text clean', (scene) => {
    const engine = scene.engine();
    const subject = scene.start('calls');
    const site = subject.address('function');
    engine.attach(subject.pid, { stop: true });
    engine.insertBreakpoint(subject.pid, 0, site, 1);
    expect(subject.memory(site, 1)).not.toEqual(subject.text(site, 1));
    engine.close();
    expect(subject.memory(site, 8)).toEqual(subject.text(site, 8));
    scene.grows(subject, 'counter');
  });

  row('close while it is stopped at a breakpoint lets it go on behind it', (scene) => {
    const engine = scene.engine();
    const subject = scene.start('calls');
    engine.attach(subject.pid, { stop: true });
    engine.insertBreakpoint(subject.pid, 0, subject.address('function'), 1);
    engine.resume([{ pid: -1, tid: -1, kind: 'cont' }]);
    scene.next(engine, (event) => event.breakId !== 0);
    engine.close();
    scene.grows(subject, 'counter');
  });

  row('release mode kill ends it at close', (scene) => {
    const engine = scene.engine();
    const subject = scene.start('spin');
    engine.attach(subject.pid, { release: 'kill' });
    engine.close();
    scene.until('it is dead', () => !subject.alive());
  });

  row('release mode stop leaves it in a job-control stop', (scene) => {
    const engine = scene.engine();
    const subject = scene.start('spin');
    expect(engine.has('leave_stopped')).toBe(true);
    engine.attach(subject.pid, { stop: true });
    engine.detach(subject.pid, { release: 'stop' });
    poll('stop', () => (processState(subject.pid) === 'T' ? true : undefined));
    process.kill(subject.pid, 'SIGCONT');
    scene.grows(subject, 'counter');
  });

  row('operations on what is not attached are ESRCH', (scene) => {
    const engine = scene.engine();
    const subject = scene.start('spin');
    const code = expect.objectContaining({ code: 'ESRCH' });
    const buf = Buffer.alloc(8);
    expect(() => engine.detach(subject.pid)).toThrow(code);
    expect(() => engine.readMemory(subject.pid, 0x401000n, buf, 0, 8)).toThrow(code);
    expect(() => engine.stop([{ pid: subject.pid, tid: -1 }])).toThrow(code);
    expect(() => engine.signal(subject.pid, 0, 10)).toThrow(code);
    expect(() => engine.insertBreakpoint(subject.pid, 0, 0x401000n, 1)).toThrow(code);
  });
});
