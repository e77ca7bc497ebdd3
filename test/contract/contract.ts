// The same rows on every provider. Never in a worker thread: ptrace answers the main thread alone.
import { PATIENCE } from '../support/patience';
import { chosenProviders, Scene, type ProviderName } from '../support/scene';
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

/** Defines a family of rows; each gets a scene of its own. */
export function contract(what: string | Own, define: (row: Row) => void): void {
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
        const body = (): void => {
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
            throw error;
          }
          scene.close();
        };
        test(name, body, (options?.timeoutMs ?? TIMEOUT_MS) * PATIENCE);
      });
    });
  }
}
