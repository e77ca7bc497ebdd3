// Decoders of what providers answer, built once from the tables.
import type { EngineEvent } from './event';
import { arrayDecoder, decoder } from './layout';
import { EVENT, FRAME, HELLO, HOLDER, THREAD, TRACE_CONTROL } from './records';

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

export interface TraceStatusRecord {
  flags: number;
  size: bigint;
  free: bigint;
  frames: bigint;
  created: bigint;
  used: bigint;
  startNs: bigint;
  stopNs: bigint;
  running: number;
  reason: number; // TraceReason
  number: number;
  error: number;
}

export interface FrameRecord {
  size: number;
  number: number;
  addr: bigint;
  pc: bigint;
  timeNs: bigint;
  pid: number;
  tid: number;
  step: number;
}

export const decodeTraceStatus = decoder<TraceStatusRecord>(TRACE_CONTROL);
export const decodeFrame = decoder<FrameRecord>(FRAME);
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
