import type { CommandModule, InferredOptionTypes, Options } from 'yargs';
import { Accounts } from '../engine/linux/accounts';
import { processStatus } from '../engine/linux/process';
import { ageText } from '../engine/who';
import { situation, type Situation } from '../engine/who-client';
import type { EngineReport, HoldReport, ProcessReport } from '../engine/who-report';
import { table } from '../rsp/table';

const OPTIONS = {
  watch: { alias: 'w', type: 'boolean', default: false, describe: 'again and again, until ^C' },
  interval: { type: 'number', default: 1, describe: 'seconds between two looks of --watch' },
  json: { type: 'boolean', default: false, describe: 'one JSON document a look' },
} satisfies Record<string, Options>;

type PsArgs = InferredOptionTypes<typeof OPTIONS>;

const HEAD = ['PROCESS', 'THREAD', 'WHAT', 'FOR', 'ENGINE', 'CLIENT', 'SERVER', 'USER'];
/** Most thread ids in one cell. */
const NAMED = 3;

function named(pid: number): string {
  const name = processStatus(pid)?.name;
  return name === undefined ? String(pid) : `${pid} ${name}`;
}

/** As `ntrace release` takes it: those of servers are unique in their process only. */
export function engineName({ provider, id, server }: EngineReport): string {
  return provider === 'kernel' ? id : `${server}/${id}`;
}

function threads(tids: readonly number[]): string {
  const more = tids.length - NAMED;
  return tids.slice(0, NAMED).join(',') + (more > 0 ? `,+${more}` : '');
}

/** Holds for the same reason are one row. */
function reasons({ holds }: ProcessReport): { tids: number[]; why: string; seconds: number }[] {
  const rows = new Map<string, HoldReport[]>();
  for (const hold of holds) rows.set(hold.why, [...(rows.get(hold.why) ?? []), hold]);
  return [...rows].map(([why, same]) => ({
    tids: same.map(({ tid }) => tid),
    why,
    seconds: Math.max(...same.map(({ seconds }) => seconds)),
  }));
}

function rowsOf(engine: EngineReport, accounts: Accounts): string[][] {
  const tail = [
    engineName(engine),
    `${engine.label}${engine.observer ? ' (observes)' : ''}`,
    named(engine.server),
    accounts.user(engine.uid),
  ];
  const rows: string[][] = [];
  for (const process of engine.processes) {
    const { pid, seconds } = process;
    for (const { tids, why, seconds: age } of reasons(process))
      rows.push([named(pid), threads(tids), `holds: ${why}`, ageText(age), ...tail]);
    if (process.holds.length === 0)
      rows.push([
        ...[named(pid), 'all', 'attached', seconds === undefined ? '' : ageText(seconds)],
        ...tail,
      ]);
  }
  if (rows.length === 0) rows.push(['-', '', 'nothing', '', ...tail]);
  return rows;
}

/** What `ntrace ps` prints. */
export function describe({ engines, tracers, silent }: Situation): string {
  const accounts = new Accounts();
  const rows = engines.flatMap((engine) => rowsOf(engine, accounts));
  for (const { pid, uid, tracees } of tracers)
    for (const tracee of tracees)
      rows.push([
        ...[named(tracee), 'all', 'traced by ptrace', ''],
        ...['-', '-', named(pid), accounts.user(uid)],
      ]);
  let text = rows.length === 0 ? 'Nobody traces anything here.\n' : table([HEAD, ...rows]);
  for (const pid of silent) text += `The server ${named(pid)} does not answer.\n`;
  return text;
}

async function look(json: boolean): Promise<string> {
  const now = await situation();
  return json ? `${JSON.stringify(now)}\n` : describe(now);
}

async function handler({ watch, interval, json }: PsArgs): Promise<void> {
  if (!(interval > 0)) throw new Error('--interval takes a number of seconds greater than 0');
  const clear = watch && !json && process.stdout.isTTY ? '\x1b[H\x1b[2J' : '';
  process.stdout.on('error', () => process.exit(0)); // a reader like head went away
  process.stdout.write(clear + (await look(json)));
  if (!watch) return;
  for (;;) {
    await new Promise((done) => setTimeout(done, interval * 1000));
    const text = await look(json);
    process.stdout.write(clear || json ? clear + text : `\n${text}`);
  }
}

export const command: CommandModule<object, PsArgs> = {
  command: 'ps',
  describe: 'who is attached to what, holding what, why and since when',
  builder: OPTIONS,
  handler,
};
