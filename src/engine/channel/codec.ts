// Decoders of what providers answer, built once from the tables.
import type { EngineEvent } from './event';
import { arrayDecoder, decoder } from './layout';
import { EVENT, HELLO, HOLDER, THREAD } from './records';

export interface Hello {
  abiVersion: number;
  features: bigint[];
  provider: string;
  engineId: bigint;
  machine: number;
  pageSize: number;
  eventSize: number;
  threadSize: number;
  maxBatch: number;
  eventCapacity: number;
  hwBreaks: number;
  hwWatches: number;
  hwWatchLen: number;
}

export interface ThreadRecord {
  tid: number;
  pid: number;
  cookie: bigint;
  stopId: bigint;
  state: number; // ThreadState
  flags: number; // ThreadFlag
  core: number;
  comm: string;
}

export interface HolderRecord {
  engineId: bigint;
  sinceNs: bigint;
  pid: number;
  uid: number;
  tid: number;
  why: number;
  label: string;
}

export const decodeHello = decoder<Hello>(HELLO);
export const decodeHolders = arrayDecoder<HolderRecord>(HOLDER);

/** stride: thread_size of the handshake. */
export function threadDecoder(stride: number): (buf: Uint8Array) => ThreadRecord[] {
  return arrayDecoder<ThreadRecord>(THREAD, stride);
}

/** stride: event_size of the handshake. */
export function eventDecoder(stride: number): (buf: Uint8Array) => EngineEvent[] {
  return arrayDecoder<EngineEvent>(EVENT, stride);
}
