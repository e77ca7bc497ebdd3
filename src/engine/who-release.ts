import { openChannel, type ProviderName } from './channel/open';
import { openEngine } from './engine';

/**
 * Lets holds of another engine go (tid 0: all of them) and tells how many. Whoever may attach to
 * its processes may do so: an engine of our own attaches to them, undisturbing, and asks. Throws
 * EngineError.
 */
export function releaseHolds(
  provider: ProviderName,
  engineId: bigint,
  pids: Iterable<number>,
  tid: number,
): number {
  const engine = openEngine(openChannel(provider), { label: 'ntrace release' });
  try {
    engine.set(0, { signalStop: 0n, faultStop: 0n, signalStep: 0n, lifeStop: [] });
    for (const pid of pids) engine.attach(pid);
    return engine.release(engineId, tid);
  } finally {
    engine.close();
  }
}
