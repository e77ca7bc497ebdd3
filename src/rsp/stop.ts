import { EventType, type EngineEvent } from '../engine/channel/event';

const SIGINT = 2;
const SIGTRAP = 5;

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
      /** The thread that it has made, which is held. */
      clone?: number;
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

/** What an event is to the client, if it is a stop; a stop that was asked for is SIGINT after ^C. */
export function stopOf(event: EngineEvent, interrupting: boolean): Stop | undefined {
  const { pid, tid, code } = event;
  const thread = (signo: number): Stop => ({ kind: 'thread', pid, tid, signo, event });
  switch (event.type) {
    case EventType.ProcDead:
      return (code & 0x7f) === 0
        ? { kind: 'exited', pid, code: (code >> 8) & 0xff }
        : { kind: 'signaled', pid, signo: code & 0x7f };
    case EventType.Dead:
      return { kind: 'thread-exited', pid, tid, code: (code >> 8) & 0xff };
    case EventType.Detached:
      return { kind: 'exited', pid, code: 0 };
    case EventType.Child:
      return undefined;
    default:
  }
  if (event.stopId === 0n) return undefined;
  switch (event.type) {
    case EventType.Signal:
    case EventType.JobStop:
      return thread(event.signo);
    case EventType.Stopped:
      return thread(interrupting ? SIGINT : 0);
    default:
      return thread(SIGTRAP);
  }
}
