import { Call } from '../../src/engine/channel/calls';
import { decodeHello } from '../../src/engine/channel/codec';
import { EventType } from '../../src/engine/channel/event';
import { HELLO } from '../../src/engine/channel/records';
import type { Engine } from '../../src/engine/engine';
import { record } from '../support/raw';
import { contract } from './contract';

// x86-64; glibc's fork() is a clone()
const GETPPID = 110;
const CLONE = 56;
const VFORK = 58;

const cont = (engine: Engine): number => engine.resume([{ pid: -1, tid: -1, kind: 'cont' }]);

contract('syscalls', (row) => {
  row('entry and exit stop in turn, with number, arguments and result', (scene) => {
    const engine = scene.engine();
    const subject = scene.start('syscalls');
    engine.attach(subject.pid);
    engine.set(subject.pid, { entryStop: [GETPPID], exitStop: [GETPPID] });
    let previous: EventType | undefined;
    for (let i = 0; i < 10; i++) {
      const event = scene.next(engine, (e) => e.stopId !== 0n);
      expect([EventType.SyscallEntry, EventType.SyscallExit]).toContain(event.type);
      expect(event.nr).toBe(BigInt(GETPPID));
      if (previous !== undefined) expect(event.type).not.toBe(previous);
      previous = event.type;
      if (event.type === EventType.SyscallExit) {
        expect(event.args[0]).toBe(scene.real ? BigInt(process.pid) : 1n);
      } else if (scene.real) expect(event.args).toEqual([11n, 22n, 33n, 44n, 55n, 66n]);
      cont(engine);
    }
    engine.set(subject.pid, { entryStop: [], exitStop: [] });
    scene.until('it runs again', () => {
      if (scene.drain(engine).some((event) => event.stopId !== 0n)) cont(engine);
      return engine.inferiors.get(subject.pid)?.threads.get(subject.pid)?.state === 'running';
    });
    scene.grows(subject, 'counter');
  });

  const births: [string, string, EventType, number][] = [
    ['a fork', 'forker', EventType.Fork, CLONE],
    ['the end of a vfork', 'vforker', EventType.VforkDone, VFORK],
  ];
  for (const [what, program, type, nr] of births)
    row(`asked for at ${what}: the end of that call is told`, (scene) => {
      const engine = scene.engine();
      const [{ pid }] = scene.launch(engine, program);
      engine.set(pid, { lifeStop: [type], signalStop: 0n });
      cont(engine);
      const { child } = scene.next(engine, type);
      engine.set(pid, { lifeStop: [], entryStop: [nr], exitStop: [nr] });
      cont(engine);
      const end = scene.next(engine, (e) => e.stopId !== 0n);
      expect([end.type, end.nr, end.args[0]]).toEqual([
        EventType.SyscallExit,
        BigInt(nr),
        BigInt(child),
      ]);
    });

  row('a system call that is not in the set goes by', (scene) => {
    const engine = scene.engine();
    const subject = scene.start('syscalls');
    engine.attach(subject.pid);
    engine.set(subject.pid, { entryStop: [GETPPID + 1], exitStop: [1] });
    scene.grows(subject, 'counter');
    expect(scene.drain(engine)).toEqual([]);
  });

  row(
    'each engine is told what it asked for of its own, whatever others want and give up',
    (scene) => {
      const [one, two] = [scene.engine(), scene.engine()];
      const [first, second] = [scene.start('syscalls'), scene.start('syscalls')];
      one.attach(first.pid);
      two.attach(second.pid);
      one.set(first.pid, { entryNote: [GETPPID] });
      two.set(second.pid, { entryNote: [GETPPID + 1], exitNote: [GETPPID] });
      const of = (engine: Engine, type: EventType): void => {
        const event = scene.next(engine, (e) => e.nr !== 0n);
        expect([event.type, event.nr]).toEqual([type, BigInt(GETPPID)]);
      };
      of(one, EventType.SyscallEntry);
      of(two, EventType.SyscallExit);
      one.set(first.pid, { entryNote: [] });
      scene.grows(first, 'counter');
      scene.drain(one);
      scene.drain(two);
      scene.grows(first, 'counter');
      // more may have come before than there was room for
      expect(scene.drain(one).filter(({ type }) => type !== EventType.Lost)).toEqual([]);
      of(two, EventType.SyscallExit);
      two.detach(second.pid);
      one.set(first.pid, { exitNote: [GETPPID] });
      of(one, EventType.SyscallExit);
      scene.grows(second, 'counter');
    },
  );

  row('notes leave it running', (scene) => {
    const engine = scene.engine();
    const subject = scene.start('syscalls');
    engine.attach(subject.pid);
    engine.set(subject.pid, { entryNote: 'all', exitNote: [GETPPID] });
    const entry = scene.next(engine, EventType.SyscallEntry);
    const exit = scene.next(engine, EventType.SyscallExit);
    expect([entry.stopId, exit.stopId]).toEqual([0n, 0n]);
    expect(exit.seq).toBeGreaterThan(entry.seq);
    scene.grows(subject, 'counter');
  });

  row('two engines: entry in reverse order of attaching, exit in order', (scene) => {
    const [first, second] = [scene.engine('first'), scene.engine('second')];
    const subject = scene.start('syscalls');
    first.attach(subject.pid, { stop: true });
    second.attach(subject.pid, { stop: true });
    for (const engine of [first, second]) {
      engine.set(subject.pid, { entryStop: [GETPPID], exitStop: [GETPPID] });
    }
    cont(first);
    cont(second);
    // it may have been inside of one: an exit passes first
    let event = scene.next(second, (e) => e.stopId !== 0n);
    if (event.type === EventType.SyscallExit) {
      expect(scene.drain(first)).toEqual([]);
      cont(second);
      event = scene.next(second, EventType.SyscallEntry);
    }
    expect(scene.drain(first)).toEqual([]);
    cont(second);
    scene.next(first, EventType.SyscallEntry);
    expect(scene.drain(second)).toEqual([]);
    cont(first);
    expect(scene.next(first, EventType.SyscallExit).stopId).not.toBe(0n);
    expect(scene.drain(second)).toEqual([]);
    cont(first);
    scene.next(second, EventType.SyscallExit);
  });

  row('records that do not fit are counted and told', (scene) => {
    const engine = scene.engine();
    const subject = scene.start('syscalls');
    engine.attach(subject.pid);
    engine.set(subject.pid, { entryNote: [GETPPID], exitNote: [GETPPID] });
    const hello = record(HELLO, { abi_version: 1 });
    expect(scene.channel().call(Call.Hello, hello)).toBe(0);
    const capacity = decodeHello(hello).eventCapacity;
    // nothing is read while twice as many records come as there is room for
    const before = subject.read('counter');
    while (subject.read('counter') < before + BigInt(capacity)) {
      for (let i = 0; i < 1000; i++) engine.channel.wait(0);
      if (!scene.real) subject.pause();
    }
    let dropped = 0n;
    let kept = 0;
    for (let events = engine.events(); events.length > 0; events = engine.events()) {
      for (const event of events) {
        if (event.type === EventType.Lost) dropped += event.addr;
        else kept++;
      }
      if (dropped > 0n) break;
    }
    expect(dropped).toBeGreaterThan(0n);
    expect(kept).toBeGreaterThanOrEqual(capacity);
    scene.grows(subject, 'counter');
  });
});
