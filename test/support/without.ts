// A feature of the provider that is switched off while rows of the contract run. Each row passes, or it
// asked for what is off and did not get it: a call said EOPNOTSUPP, the row looked at the feature's bit,
// or it waited for an event that cannot come. Whatever else fails, fails.
import { EventType, type EngineEvent } from '../../src/engine/channel/event';
import type { Channel } from '../../src/engine/channel/channel';
import { Errno } from '../../src/engine/errors';
import type { Engine } from '../../src/engine/engine';

/** What has been waited for in vain so long will not come. */
export const IN_VAIN_MS = 5000;

/** The events that come of a feature; of others none do. */
const EVENTS: ReadonlyMap<string, readonly EventType[]> = new Map([
  ['step', [EventType.Step]],
  ['range_step', [EventType.Step]],
  ['break', [EventType.Break]],
  ['hwbreak', [EventType.HwBreak]],
  ['watch', [EventType.Watch]],
  ['signals', [EventType.Signal, EventType.JobStop]],
  ['signals_fatal', [EventType.Signal]],
  ['syscall_entry', [EventType.SyscallEntry]],
  ['syscall_exit', [EventType.SyscallExit]],
  ['fork', [EventType.Fork, EventType.Vfork, EventType.VforkDone, EventType.Child]],
  ['follow', [EventType.Child]],
  ['newthread', [EventType.NewThread]],
  ['exec', [EventType.Exec]],
  ['exiting', [EventType.Exiting]],
  ['dead', [EventType.Dead]],
  ['tracepoints', [EventType.TraceStopped]],
  ['actions', [EventType.Print]],
]);

export class Without {
  asked = false;

  constructor(readonly feature: string) {}

  /** The channel, with an eye on what it refuses. */
  watch(channel: Channel): Channel {
    const call = channel.call.bind(channel);
    channel.call = (request, record) => {
      const result = call(request, record);
      this.asked ||= result === -Errno.EOPNOTSUPP;
      return result;
    };
    return channel;
  }

  /** ... and on whether the feature's bit is looked at. */
  watchEngine(engine: Engine): Engine {
    const has = engine.has.bind(engine);
    engine.has = (feature) => {
      this.asked ||= feature === this.feature;
      return has(feature);
    };
    return engine;
  }

  waitsFor(wanted: EventType | ((event: EngineEvent) => boolean)): void {
    const of = EVENTS.get(this.feature) ?? [];
    this.asked ||= typeof wanted === 'function' ? of.length > 0 : of.includes(wanted);
  }

  /** Is this failure that of a row that asked for what is off? */
  excuses(error: unknown): boolean {
    return this.asked || (error as { errno?: number }).errno === Errno.EOPNOTSUPP;
  }
}

let current: Without | undefined;

/** The feature that is off for the row that runs, if one is. */
export function without(): Without | undefined {
  return current;
}

export function switchOff(feature: string | undefined): void {
  current = feature === undefined ? undefined : new Without(feature);
}
