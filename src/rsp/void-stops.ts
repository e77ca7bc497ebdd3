import { EventType, type EngineEvent } from '../engine/channel/event';
import type { Engine, ResumeAction } from '../engine/engine';
import type { Placed } from './placed';
import { stopProcess, stopThread, type Stop } from './stop';

const SIGTRAP = 5;

/** What a vCont asks of the thread that a stop is about: the leftmost action that fits. */
export function actionFor(stop: Stop, actions: readonly ResumeAction[]): ResumeAction | undefined {
  const pid = stopProcess(stop);
  const tid = stopThread(stop);
  return actions.find(
    (a) => (a.pid === -1 || a.pid === pid) && (a.tid === -1 || tid === undefined || a.tid === tid),
  );
}

/** May a queued stop be told by this vCont? Its thread has to be among those that go on. */
export function mayTell(stop: Stop, actions: readonly ResumeAction[]): boolean {
  if (stop.kind !== 'thread') return stop.kind !== 'no-resumed';
  const action = actionFor(stop, actions);
  return action !== undefined && action.kind !== 'stay';
}

/**
 * Does nobody want to hear of a queued stop any more, now that its thread is resumed so? The
 * breakpoint is gone, the pc was changed, the step is not waited for.
 */
export function isVoid(
  stop: Stop,
  actions: readonly ResumeAction[],
  engine: Engine,
  placed: Placed,
): boolean {
  if (stop.kind === 'no-resumed') return true;
  if (stop.kind !== 'thread' || !mayTell(stop, actions)) return false;
  const { event, signo } = stop;
  if (event === undefined) return signo === 0 || signo === SIGTRAP;
  switch (event.type) {
    case EventType.Break:
    case EventType.HwBreak:
      return !placed.hasBreakpoint(stop.pid, event.pc) || pcMoved(engine, stop.tid, event);
    case EventType.Step:
      return actionFor(stop, actions)?.kind === 'cont';
    default:
      return event.type === EventType.Stopped;
  }
}

function pcMoved(engine: Engine, tid: number, event: EngineEvent): boolean {
  const inferior = engine.inferiors.get(event.pid);
  const thread = inferior?.threads.get(tid);
  if (inferior === undefined || thread?.state !== 'held') return true;
  const { arch } = inferior;
  const raw = arch.getRegister(arch.pc, (note) => engine.regset(thread, note));
  return (
    raw === undefined ||
    (raw.length === 8 ? raw.readBigUInt64LE() : BigInt(raw.readUInt32LE())) !== event.pc
  );
}
