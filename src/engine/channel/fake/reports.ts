import type { EngineEvent } from '../event';
import { EventType } from '../event';
import { ARGUMENTS, type Attachment, type FakeThread } from './process';

export type EventFields = Partial<
  Pick<
    EngineEvent,
    'flags' | 'signo' | 'code' | 'child' | 'addr' | 'breakId' | 'original' | 'nr' | 'args'
  >
>;

export function lifeBit(type: EventType): bigint {
  return 1n << BigInt(type - EventType.NewThread);
}

function base(thread: FakeThread | number, attachment: Attachment): Partial<EngineEvent> {
  const pid = attachment.process.pid;
  if (typeof thread === 'number') return { tid: thread, pid, core: -1 };
  const { tid, cookie, pc, sp, fp } = thread;
  return { tid, pid, cookie, core: 0, pc, sp, fp };
}

/** A record that holds nobody. */
export function postNote(
  attachment: Attachment,
  thread: FakeThread | number,
  type: EventType,
  fields: EventFields,
): void {
  attachment.engine.post({ type, ...base(thread, attachment), ...fields }, undefined);
}

/** Holds the thread for this engine; a thread it holds already keeps the stop it has. */
export function postStop(
  attachment: Attachment,
  thread: FakeThread,
  type: EventType,
  fields: EventFields,
): boolean {
  if (attachment.engine.observer) {
    postNote(attachment, thread, type, fields);
    return false;
  }
  const own = thread.steps.findIndex((step) => step.attachment === attachment);
  if (own >= 0) thread.steps.splice(own, 1);
  if (thread.holds.has(attachment)) return true;
  const hold = attachment.engine.newHold(type, true);
  thread.holds.set(attachment, hold);
  const event = { type, stopId: hold.stopId, ...base(thread, attachment), ...fields };
  attachment.engine.post(event, hold);
  return true;
}

/** A life-cycle event: stop, note or nothing, as the engine's sets say. True: held. */
export function wanted(
  attachment: Attachment,
  thread: FakeThread,
  type: EventType,
  fields: EventFields,
): boolean {
  const { lifeStop, lifeNote } = attachment.sets;
  if ((lifeStop & lifeBit(type)) !== 0n) return postStop(attachment, thread, type, fields);
  if ((lifeNote & lifeBit(type)) !== 0n) postNote(attachment, thread, type, fields);
  return false;
}

function contains(set: Buffer, nr: bigint): boolean {
  return (((set[Number(nr >> 3n)] ?? 0) >> Number(nr & 7n)) & 1) === 1;
}

/** The same for a system call's entry or exit. */
export function wantsSyscall(
  attachment: Attachment,
  thread: FakeThread,
  type: EventType.SyscallEntry | EventType.SyscallExit,
  fields: EventFields & { nr: bigint },
): boolean {
  const sets = attachment.threadSets.get(thread.tid) ?? attachment.sets;
  const entry = type === EventType.SyscallEntry;
  const args = fields.args ?? ARGUMENTS.map((at) => thread.regs.readBigUInt64LE(at));
  const event = { ...fields, args };
  if (contains(entry ? sets.entryStop : sets.exitStop, fields.nr)) {
    return postStop(attachment, thread, type, event);
  }
  if (contains(entry ? sets.entryNote : sets.exitNote, fields.nr)) {
    postNote(attachment, thread, type, event);
  }
  return false;
}
