import type { Engine } from '../../src/engine/engine';
import { Errno, EngineError } from '../../src/engine/errors';
import { SelfSession } from './self-session';

const EBUSY = '10'; // in hex, as E packets have it

/** In non-stop mode, with an engine that fails to stop the one thread. */
function session(errno: number): SelfSession {
  const self = new SelfSession();
  const engine = self.engine as { -readonly [K in keyof Engine]: Engine[K] };
  engine.interrupt = (): never => {
    throw new EngineError(errno, 'E', 'stop the thread');
  };
  self.session.nonStop = true;
  return self;
}
const thread = `p${process.pid.toString(16)}.${process.pid.toString(16)}`;

test('a thread that ended before it could be stopped is no failure: its end is about to be told', () => {
  expect(session(Errno.ESRCH).ask(`vCont;t:${thread}`)).toBe('OK');
});

test('whatever else keeps a thread from being stopped is said', () => {
  expect(session(Errno.EBUSY).ask(`vCont;t:${thread}`)).toMatch(new RegExp(`^E(${EBUSY}|\\.)`));
});
