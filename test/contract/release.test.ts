import { EventType } from '../../src/engine/channel/event';
import { contract } from './contract';

contract('release', (row) => {
  row("another engine's holds are let go; its breakpoints stay", (scene) => {
    const stuck = scene.engine('stuck');
    const helper = scene.engine('helper');
    const subject = scene.start('calls');
    const { pid } = subject;
    stuck.attach(pid, { stop: true });
    const site = subject.address('function');
    stuck.insertBreakpoint(pid, 0, site, 1);
    // who is not attached has nothing to say
    expect(helper.release(stuck.engineId, 0)).toBe(0);
    helper.attach(pid);
    expect(helper.release(stuck.engineId, pid)).toBe(1);
    stuck.resync();
    const hit = scene.next(stuck, EventType.Break);
    expect(hit.pid).toBe(pid);
    expect(helper.release(stuck.engineId, 0)).toBe(1);
    stuck.resync();
    scene.next(stuck, EventType.Break);
    // with the breakpoint it might be held again by now
    stuck.removeBreakpoint(pid, 0, site, 1);
    expect(helper.release(stuck.engineId, 0)).toBe(1);
    expect(helper.release(stuck.engineId, 0)).toBe(0);
    stuck.resync();
    stuck.detach(pid);
    helper.detach(pid);
    scene.grows(subject, 'counter');
  });

  row('signal 0 only asks whether it is there', (scene) => {
    const engine = scene.engine();
    const subject = scene.start('spin');
    engine.attach(subject.pid);
    expect(() => engine.signal(subject.pid, 0, 0)).not.toThrow();
    scene.grows(subject, 'counter');
  });
});
