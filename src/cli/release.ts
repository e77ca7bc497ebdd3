import type { CommandModule, InferredOptionTypes, Options } from 'yargs';
import { askRelease, situation } from '../engine/who-client';
import type { EngineReport } from '../engine/who-report';
import { engineName } from './ps';

const OPTIONS = {
  tid: { type: 'number', default: 0, describe: 'this thread only' },
} satisfies Record<string, Options>;

interface ReleaseArgs extends InferredOptionTypes<typeof OPTIONS> {
  engine: string;
}

/** The engine a user means: its whole name, or its number where only one has it. Throws Error. */
export function findEngine(engines: readonly EngineReport[], wanted: string): EngineReport {
  const exact = engines.find((engine) => engineName(engine) === wanted);
  if (exact) return exact;
  const same = engines.filter(({ id }) => id === wanted);
  const [only] = same;
  if (!only) throw new Error(`there is no engine "${wanted}"; ntrace ps lists them`);
  if (same.length > 1)
    throw new Error(`several engines are number ${wanted}: ${same.map(engineName).join(', ')}`);
  return only;
}

async function release(engine: EngineReport, tid: number): Promise<number> {
  if (engine.provider !== 'kernel') return askRelease(engine.server, engine.id, tid);
  // needs the addon: not for those who only ask a server
  const { releaseHolds } = await import('../engine/who-release.js');
  const pids = engine.processes.map(({ pid }) => pid);
  return releaseHolds('kernel', BigInt(engine.id), pids, tid);
}

async function handler({ engine: wanted, tid }: ReleaseArgs): Promise<void> {
  if (!Number.isInteger(tid) || tid < 0) throw new Error('--tid takes a thread id');
  const { engines } = await situation();
  const engine = findEngine(engines, String(wanted));
  const count = await release(engine, tid);
  const what = count === 1 ? '1 thread' : `${count} threads`;
  process.stdout.write(`engine ${engineName(engine)} (${engine.label}) let ${what} go\n`);
  if (count === 0) process.exitCode = 1;
}

export const command: CommandModule<object, ReleaseArgs> = {
  command: 'release <engine>',
  describe: 'let go what a stuck engine holds; its breakpoints stay',
  builder: (yargs) =>
    yargs.positional('engine', { type: 'string', demandOption: true }).options(OPTIONS),
  handler,
};
