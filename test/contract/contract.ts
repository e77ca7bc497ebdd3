// The same rows on every provider. Never in a worker thread: ptrace answers the main thread alone.
import { PATIENCE } from '../support/patience';
import { chosenProviders, Scene, type ProviderName } from '../support/scene';
import { switchOff, without } from '../support/without';
import { SKIPS } from './skips';

export type Row = (
  name: string,
  run: (scene: Scene) => void,
  options?: { timeoutMs?: number },
) => void;

const TIMEOUT_MS = 30_000;

function skipped(provider: ProviderName, title: string): string | undefined {
  return SKIPS.find((skip) => skip.provider === provider && skip.row === title)?.reason;
}

/** A mechanism behind the ABI that one provider alone has, and what the others do instead. */
export interface Own {
  family: string;
  provider: ProviderName;
  elsewhere: string;
}

/** Families that are defined later, once for each feature that is off: defineWithout(). */
const later: (() => void)[] | undefined =
  process.env['NTRACE_TEST_OFF'] === undefined ? undefined : [];
/** One row in so many runs without a feature, each time another one. */
const SHARE = Number(process.env['NTRACE_TEST_SHARE'] ?? 1);
let turn = 0;
let off: string | undefined;

/** All rows (or a share of them) without a feature; reload() takes it away before the first one. */
export function defineWithout(feature: string, reload: () => void): void {
  describe(`without ${feature}`, () => {
    beforeAll(reload);
    turn++;
    off = feature;
    for (const define of later ?? []) define();
    off = undefined;
  });
}

/** Defines a family of rows; each gets a scene of its own. */
export function contract(what: string | Own, define: (row: Row) => void): void {
  if (later === undefined) defineFamily(what, define);
  else later.push(() => defineFamily(what, define));
}

function defineFamily(what: string | Own, define: (row: Row) => void): void {
  const feature = off;
  let rows = turn;
  const own = typeof what === 'string' ? undefined : what;
  const family = typeof what === 'string' ? what : what.family;
  for (const provider of chosenProviders()) {
    describe(`${family} (${provider})`, () => {
      if (own !== undefined && own.provider !== provider) {
        test.skip(`all of them [${own.elsewhere}]`, () => undefined);
        return;
      }
      define((name, run, options) => {
        const reason = skipped(provider, `${family}: ${name}`);
        if (reason !== undefined) {
          test.skip(`${name} [${reason}]`, () => undefined);
          return;
        }
        if (rows++ % SHARE !== 0) return;
        const body = (): void => {
          switchOff(feature);
          const scene = new Scene(provider);
          try {
            run(scene);
          } catch (error) {
            // what went wrong first is what counts
            try {
              scene.close();
            } catch (after) {
              console.error(`and cleaning up: ${String(after)}`);
            }
            if (without()?.excuses(error) === true) return;
            throw error;
          }
          scene.close();
        };
        test(name, body, (options?.timeoutMs ?? TIMEOUT_MS) * PATIENCE);
      });
    });
  }
}
