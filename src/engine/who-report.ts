import type { Engine } from './engine-api';
import { heldFor, reasonText } from './who';

/** One thread that is held. */
export interface HoldReport {
  tid: number;
  why: string;
  /** So long already. */
  seconds: number;
}

/** What one engine has to do with one process. */
export interface ProcessReport {
  pid: number;
  /** Attached for so long; undefined where the provider does not say. */
  seconds: number | undefined;
  holds: HoldReport[];
}

/** One engine, as `ntrace ps` shows it; plain data, for JSON. */
export interface EngineReport {
  provider: string;
  /** Unique on this machine (kernel), or in its server's process. */
  id: string;
  label: string;
  observer: boolean;
  /** Of the process that opened it. */
  server: number;
  uid: number;
  processes: ProcessReport[];
}

/** What the engines of this process hold. */
export function reportEngines(engines: Iterable<Engine>): EngineReport[] {
  return [...engines].map((engine) => {
    const processes: ProcessReport[] = [];
    let label = '';
    for (const pid of engine.inferiors.keys()) {
      const own = engine.who(pid).filter(({ engineId }) => engineId === engine.engineId);
      label = own[0]?.label ?? label;
      processes.push({
        pid,
        seconds: own.filter(({ tid }) => tid === 0).map(heldFor)[0],
        holds: own
          .filter(({ tid }) => tid !== 0)
          .map((hold) => ({
            tid: hold.tid,
            why: reasonText(hold.why),
            seconds: heldFor(hold) ?? 0,
          })),
      });
    }
    return {
      provider: engine.provider,
      id: String(engine.engineId),
      label: engine.label || label,
      observer: engine.observer,
      server: process.pid,
      uid: process.geteuid?.() ?? 0,
      processes,
    };
  });
}

/**
 * The engines of the kernel provider, from the text of /proc/ntrace/engines: a line an engine,
 * indented ones for its processes and the threads it holds.
 */
export function parseKernelEngines(text: string): EngineReport[] {
  const engines: EngineReport[] = [];
  for (const line of text.split('\n')) {
    const engine =
      /^engine (\d+): (.*), opened by process (\d+) of user (\d+)(, an observer)?,/.exec(line);
    if (engine) {
      const [, id = '', label = '', server, uid, observer] = engine;
      engines.push({
        ...{ provider: 'kernel', id, label, observer: observer !== undefined },
        ...{ server: Number(server), uid: Number(uid), processes: [] },
      });
      continue;
    }
    const process = /^ {2}process (\d+):/.exec(line);
    const owner = engines.at(-1);
    if (process && owner)
      owner.processes.push({ pid: Number(process[1]), seconds: undefined, holds: [] });
    const thread = /^ {4}thread (\d+): held by (.+) for ([\d.]+) s/.exec(line);
    const of = owner?.processes.at(-1);
    if (thread && of)
      of.holds.push({ tid: Number(thread[1]), why: thread[2]!, seconds: Number(thread[3]) });
  }
  return engines;
}
