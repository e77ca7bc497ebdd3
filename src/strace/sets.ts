import { Call } from '../engine/channel/calls';
import type { Channel } from '../engine/channel/channel';
import { EventType } from '../engine/channel/event';
import { SETS } from '../engine/channel/records';
import type { Sets } from '../engine/engine-api';
import { failure } from '../engine/errors';
import { SetState } from '../engine/sets';
import type { Abi } from './abi';
import type { Options } from './options';
import type { Signatures } from './signature';

const LIFE = [EventType.NewThread, EventType.Dead, EventType.ProcDead, EventType.Exiting];
const NUMBERS = 512; // bits of a set of system calls

/**
 * What the provider is to tell about a process that runs programs of this interface: the filters
 * stand in its bitmaps, so a call nobody wants never stops or wakes anyone. A thread is held only
 * where its memory has to be read; elsewhere a note is enough.
 */
export function wishes(options: Options, abi: Abi, signatures: Signatures): Sets {
  const { filter, follow, record, summary, style } = options;
  const numbers = filter.numbers(abi);
  const counted = summary === 'only';
  const notes = record || counted;
  const entryStop: number[] = [];
  const exitStop: number[] = [];
  const known = numbers === 'all' ? Array.from({ length: NUMBERS - 1 }, (_, nr) => nr) : numbers;
  for (const nr of notes ? [] : known) {
    const signature = signatures.of(nr);
    if (signature.readsAtEntry || style.descriptors > 0) entryStop.push(nr);
    if (signature.readsAtExit || style.descriptors > 0) exitStop.push(nr);
  }
  const signals = counted ? 0n : filter.signals;
  return {
    signalStop: record ? 0n : signals,
    signalNote: record ? signals : 0n,
    faultStop: record ? 0n : signals,
    lifeStop: record ? [] : [EventType.Exec],
    lifeNote: record ? [...LIFE, EventType.Exec] : LIFE,
    followFork: follow,
    followVfork: follow,
    entryStop,
    exitStop,
    entryNote: numbers === 'all' ? numbers : [...numbers],
    exitNote: numbers === 'all' ? numbers : [...numbers],
  };
}

/** Puts sets in force for one process. */
export function putSets(channel: Channel, pid: number, sets: Sets): void {
  const state = new SetState();
  const valid = state.merge(sets);
  const record = Buffer.alloc(SETS.size);
  state.encode(record, pid, valid);
  const result = channel.call(Call.Sets, record);
  if (result < 0) throw failure(result, `say what is wanted of process ${pid}`);
}
