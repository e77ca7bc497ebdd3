// A breakpoint whose condition is false in a hot loop, through the real gdb.
import type { GdbConsole } from '../src/cli/demo/gdb-console';
import { compile } from './compile';

const LEVELS = ['O0', 'O2'] as const;
export type Level = (typeof LEVELS)[number];
/** How long the long run is to take. */
const LONG_S = 1;
/** One that took so much of that is long enough; another has so many times the hits. */
const ENOUGH = 0.7;
const GROWTH = 20;
const MOST = 100_000_000;
/** Some servers learn from the first hundreds. */
const LEAST = 1000;

/** Microseconds a hit. */
export interface HitCost {
  /** Up to the hit that was asked for, from the first on. */
  short: number;
  /** In a second or so after that. */
  long: number;
}

export const conditionProgram = (level: Level): string =>
  compile(`condition-${level}`, [`-${level}`, '-g'], ['condition.c']);

export const conditionPrograms = (): [Level, string][] =>
  LEVELS.map((level) => [level, conditionProgram(level)]);

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

/** Of a gdb whose target is at its start. hits: of the short run. */
export async function hitCost(gdb: GdbConsole, hits: number): Promise<HitCost> {
  await gdb.script('tbreak main', 'continue', 'break f');
  const short = await until(gdb, 0, hits);
  // what gdb does before and after is a part of each run, which has to be long beside it
  let [from, more, long] = [hits, hits, short];
  do {
    const most = Math.min(MOST, GROWTH * more);
    more = Math.round(Math.min(most, Math.max(more, (LONG_S * 1e6) / long)));
    long = await until(gdb, from, from + more);
    from += more;
  } while (more < LEAST || (more < MOST && long * more < ENOUGH * LONG_S * 1e6));
  return { short, long };
}
