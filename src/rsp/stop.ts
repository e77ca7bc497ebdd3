import type { EngineEvent } from '../engine/channel/event';

/** One thing to tell the client about a resume: what stop replies are made of. */
export type Stop =
  | {
      kind: 'thread';
      pid: number;
      tid: number;
      /** Linux number; 0 for a stop the client asked for. */
      signo: number;
      /** What happened; undefined for a stop without an event (attach, interrupt). */
      event: EngineEvent | undefined;
    }
  | { kind: 'exited'; pid: number; code: number }
  | { kind: 'signaled'; pid: number; signo: number }
  | { kind: 'thread-exited'; pid: number; tid: number; code: number }
  | { kind: 'no-resumed' };

/** The thread a stop is about, if it is about one. */
export function stopThread(stop: Stop): number | undefined {
  return stop.kind === 'thread' || stop.kind === 'thread-exited' ? stop.tid : undefined;
}
export function stopProcess(stop: Stop): number | undefined {
  return stop.kind === 'no-resumed' ? undefined : stop.pid;
}
