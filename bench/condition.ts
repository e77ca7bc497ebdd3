// A breakpoint whose condition is false in a hot loop, through the real gdb.
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { GdbConsole } from '../src/cli/demo/gdb-console';
import type { Values } from './rows';

const ROOT = path.resolve(__dirname, '../..');
const LEVELS = ['O0', 'O2'] as const;
/** Hits of the short run. */
const SHORT = 12345;
/** How long the long run is to take, by the speed of the short one. */
const LONG_S = 1;
const MOST = 100_000_000;

const binary = (level: string): string => path.join(ROOT, `build/bench/condition-${level}`);

export function buildCondition(): void {
  for (const level of LEVELS)
    execFileSync('gcc', [
      `-${level}`,
      '-g',
      '-o',
      binary(level),
      path.join(ROOT, 'bench/condition.c'),
    ]);
}

/** Microseconds a hit, up to the one that is told. */
async function until(gdb: GdbConsole, from: number, to: number): Promise<number> {
  await gdb.send(`condition 2 x == ${to}`);
  const begun = performance.now();
  await gdb.send('continue');
  const took = performance.now() - begun;
  const stopped = await gdb.send('print x');
  if (!stopped.trim().endsWith(`= ${to}`)) throw new Error(`it did not stop at ${to}: ${stopped}`);
  return (took * 1000) / (to - from);
}

/** Runs against a server that a function starts on a program. */
export async function condition(
  values: Values,
  serve: (program: string, use: (port: number) => Promise<void>) => Promise<void>,
): Promise<void> {
  for (const level of LEVELS)
    await serve(binary(level), async (port) => {
      const gdb = await GdbConsole.start(binary(level));
      try {
        await gdb.script(`target remote 127.0.0.1:${port}`, 'tbreak main', 'continue', 'break f');
        const short = await until(gdb, 0, SHORT);
        values.set(`condition-${level}`, short);
        const more = Math.round(Math.min(MOST, Math.max(SHORT, (LONG_S * 1e6) / short)));
        values.set(`condition-${level}-long`, await until(gdb, SHORT, SHORT + more));
      } finally {
        // not every server takes the program with it
        await gdb.send('kill').catch(() => undefined);
        await gdb.vanish();
      }
    });
}
