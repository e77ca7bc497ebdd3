import fs from 'node:fs';
import { FEATURES } from '../engine/channel/enums';
import type { Holder } from '../engine/engine';
import { ageText, heldFor, reasonText } from '../engine/who';
import { breakpointTable } from './breakpoint-table';
import { heldElsewhere } from './holders';
import type { MonitorCommand } from './monitor-command';
import type { Session } from './session';
import { table } from './table';
import { version } from './version';

const MIB = 1 << 20;

function holderRow(pid: number, own: bigint, holder: Holder): string[] {
  const age = heldFor(holder);
  return [
    String(pid),
    holder.tid === 0 ? 'all' : String(holder.tid),
    String(holder.engineId),
    `${holder.label || 'no label'}${holder.engineId === own ? ' (you)' : ''}`,
    String(holder.pid),
    String(holder.uid),
    holder.tid === 0 ? 'attached' : `holds: ${reasonText(holder.why)}`,
    age === undefined ? '' : ageText(age),
  ];
}

function who({ engine }: Session): string {
  if (engine.inferiors.size === 0) return 'No process is being debugged.\n';
  const rows = [];
  for (const pid of engine.inferiors.keys())
    for (const holder of engine.who(pid)) rows.push(holderRow(pid, engine.engineId, holder));
  if (rows.length === 0) return 'Nobody is attached.\n';
  const head = ['process', 'thread', 'engine', 'client', 'by pid', 'uid', 'what', 'since'];
  return table([head, ...rows]);
}

function threads({ engine }: Session): string {
  const rows: string[][] = [];
  for (const inferior of engine.inferiors.values()) {
    const listed = engine.listThreads(inferior.pid);
    const elsewhere = heldElsewhere(engine, inferior.pid, listed);
    for (const { pid, tid, core, name } of listed) {
      const state = inferior.threads.get(tid)?.state ?? 'unknown';
      const others = elsewhere.get(tid);
      const core_ = core < 0 ? '?' : String(core);
      const also = others === undefined ? state : `${state}; ${others}`;
      rows.push([String(pid), String(tid), core_, name || '?', also]);
    }
  }
  if (rows.length === 0) return 'No process is being debugged.\n';
  return table([['process', 'thread', 'core', 'name', 'state'], ...rows]);
}

function stats({ engine, target }: Session): string {
  let all = 0;
  let held = 0;
  for (const inferior of engine.inferiors.values())
    for (const thread of inferior.threads.values()) {
      all++;
      if (thread.state === 'held') held++;
    }
  const usage = process.resourceUsage();
  const server = table([
    ['processes', String(engine.inferiors.size)],
    ['threads', `${all} (${held} held)`],
    ['stops not told yet', String(target.queue.length)],
    ['server up', `${process.uptime().toFixed(1)} s`],
    ['server cpu', `${((usage.userCPUTime + usage.systemCPUTime) / 1e6).toFixed(2)} s`],
    ['server memory', `${(process.memoryUsage.rss() / MIB).toFixed(0)} MiB`],
    ['server files open', String(fs.readdirSync('/proc/self/fd').length)],
  ]);
  return server + breakpointTable(engine.breakpointStats());
}

function capabilities({ engine }: Session): string {
  const list = (wanted: boolean): string =>
    FEATURES.filter((name) => engine.has(name) === wanted).join(' ') || 'none';
  return table([
    ['provider', engine.provider],
    ['has', list(true)],
    ['has not', list(false)],
  ]);
}

/** Most failures shown. */
const SHOWN = 5;

function why({ refusals }: Session): string {
  if (refusals.size === 0) return 'Nothing was refused.\n';
  const latest = [...refusals].reverse().slice(0, SHOWN);
  return latest.map(([match, text]) => `${match.replace(/\W+$/, '')}: ${text}\n`).join('');
}

function versions({ engine }: Session): string {
  return `ntrace ${version()}, ${engine.provider} engine ${engine.engineId}, Linux ${kernel()}\n`;
}
function kernel(): string {
  return fs.readFileSync('/proc/sys/kernel/osrelease', 'latin1').trim();
}

/** What ntrace tells beyond gdbserver. */
export const reportCommands: readonly MonitorCommand[] = [
  {
    pattern: /^why$/,
    usage: 'why',
    help: ['Show why the latest commands failed, the last one first'],
    run: why,
  },
  {
    pattern: /^who$/,
    usage: 'who',
    help: ['Show which engines are attached, which threads they hold, why and since when'],
    run: who,
  },
  {
    pattern: /^threads$/,
    usage: 'threads',
    help: ['Show every thread, the core it ran on, and whether it is held'],
    run: threads,
  },
  {
    pattern: /^stats$/,
    usage: 'stats',
    help: ['Show what the server holds and uses'],
    run: stats,
  },
  {
    pattern: /^capabilities$/,
    usage: 'capabilities',
    help: ['Show what the engine below the server can do'],
    run: capabilities,
  },
  {
    pattern: /^version$/,
    usage: 'version',
    help: ['Show the versions of the server and of its engine'],
    run: versions,
  },
];
