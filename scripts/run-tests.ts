// Runs the linters and every level of tests, side by side, and sums them in one closing line.
// Arguments choose levels. NTRACE_TEST_LANES says how many run at once (as many as processors),
// NTRACE_TEST_MINUTES when the last one has to be done, NTRACE_TEST_BEGAN (seconds since the epoch)
// since when.
import os from 'node:os';
import path from 'node:path';
import type { Job, Outcome } from './tests/job';
import { Lanes } from './tests/lanes';
import { Planner } from './tests/plan';
import { closing, ended, summary } from './tests/print';

const ROOT = path.resolve(__dirname, '../..');
const MINUTES = Number(process.env['NTRACE_TEST_MINUTES'] ?? 28);
const BEGAN = 1000 * Number(process.env['NTRACE_TEST_BEGAN'] ?? Date.now() / 1000);
const LANES = Number(process.env['NTRACE_TEST_LANES'] ?? os.availableParallelism());
/** The share of the time that guests may begin tests in. */
const VM_SHARE = 0.3;
/** What is chosen by name takes the time it takes. */
const CHOSEN_MS = 12 * 3600_000;

async function main(chosen: string[]): Promise<number> {
  const planner = new Planner(ROOT);
  const all = chosen.length === 0;
  const deadline = all ? BEGAN + MINUTES * 60_000 : Date.now() + CHOSEN_MS;
  const unknown = chosen.filter((name) => !planner.levels().includes(name));
  if (unknown.length > 0) {
    console.error(`there is no level ${unknown.join(', ')}; levels: ${planner.levels().join(' ')}`);
    return 2;
  }
  const left = Math.max(0, (deadline - Date.now()) / 1000);
  const jobs = all ? planner.all(Math.floor(left * VM_SHARE)) : planner.some(chosen);
  const lanes = new Lanes(ROOT, deadline, {
    began: (job: Job) => console.log(`.... ${job.name}`),
    ended: (outcome: Outcome) => console.log(ended(outcome)),
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => lanes.stop(`ended by ${signal}`));
  const outcomes = await lanes.run([planner.programs()], 1);
  outcomes.push(...(await lanes.run(jobs, LANES)));
  console.log(summary(outcomes, (Date.now() - BEGAN) / 1000));
  console.log(closing(outcomes));
  const sound = outcomes.every(({ failures }) => failures.length === 0);
  return sound && outcomes.some(({ passed }) => passed > 0) ? 0 : 1;
}

void main(process.argv.slice(2)).then((code) => (process.exitCode = code));
