import { openEmbedded } from '../../src/engine/channel/embedded';
import { openEngine } from '../../src/engine/engine';
import { defaultProgram } from '../../src/rsp/program';
import { Target } from '../../src/rsp/target';
import { RealSubject } from '../support/subject';

const SIGUSR1 = 10;
const SIGTRAP = 5;
/** Mostly a few are enough. */
const ATTEMPTS = 3000;

test('a signal that waits for the process at an attach is what it stops for', () => {
  const subject = RealSubject.start('raiser', []);
  const engine = openEngine(openEmbedded(), { label: 'test' });
  try {
    const target = new Target(engine, defaultProgram());
    const seen = new Set<number>();
    for (let i = 0; i < ATTEMPTS && !seen.has(SIGUSR1); i++) {
      const inferior = target.attach(subject.pid);
      const stop = target.firstStop(inferior);
      seen.add(stop.signo);
      expect(stop.tid).toBe(subject.pid);
      expect(inferior.threads.get(stop.tid)?.state).toBe('held');
      expect(target.queue).toEqual([]);
      target.detach(inferior);
    }
    expect(seen).toContain(SIGUSR1);
    for (const signo of seen) expect([SIGUSR1, SIGTRAP]).toContain(signo);
    const before = subject.read('counter');
    subject.pause();
    while (subject.read('counter') === before) subject.pause();
  } finally {
    engine.close();
    subject.end();
  }
});
