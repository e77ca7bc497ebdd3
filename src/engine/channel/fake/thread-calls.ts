// Attach, detach, thread lists, resume and stop.
import {
  AttachFlag,
  Action,
  Refusal,
  ReleaseMode,
  StopFlag,
  ThreadFlag,
  ThreadState,
} from '../enums';
import { EventType } from '../event';
import {
  ATTACH,
  DETACH,
  RESUME,
  RESUME_ENTRY,
  STOP,
  STOP_ENTRY,
  THREAD,
  THREADS,
} from '../records';
import type { FakeContext } from './context';
import { Errno } from './context';
import type { Attachment, FakeThread } from './process';
import { postStop } from './reports';

const SIGKILL = 9;

export function attach(context: FakeContext, record: Buffer): number {
  const { engine, machine } = context;
  const pid = record.readInt32LE(ATTACH.at.pid);
  const flags = record.readUInt32LE(ATTACH.at.flags);
  const release = record.readUInt32LE(ATTACH.at.release);
  const known = AttachFlag.Stop | AttachFlag.Owned;
  if ((flags & ~known) !== 0 || release > ReleaseMode.Stop) return -Errno.EINVAL;
  const refuse = (reason: Refusal, errno: number): number => {
    record.writeUInt32LE(reason, ATTACH.at.reason);
    return -errno;
  };
  const target = machine.processes.get(pid);
  if (target === undefined) return refuse(Refusal.Gone, Errno.ESRCH);
  if (engine.attachments.has(pid)) return refuse(Refusal.Attached, Errno.EEXIST);
  const sets = { ...engine.defaults };
  const own: Attachment = { engine, process: target, release, sets, threadSets: new Map() };
  engine.attachments.set(pid, own);
  target.attachments.push(own);
  if ((flags & AttachFlag.Stop) !== 0) {
    for (const thread of target.threads.values()) hold(own, thread);
  }
  record.writeUInt32LE(target.threads.size, ATTACH.at.threads);
  record.writeBigUInt64LE(target.threads.get(pid)?.cookie ?? 0n, ATTACH.at.cookie);
  return 0;
}

function hold(own: Attachment, thread: FakeThread): void {
  if (!thread.holds.has(own)) {
    thread.holds.set(own, own.engine.newHold(EventType.Stopped, false));
  }
}

export function detach(context: FakeContext, record: Buffer): number {
  const own = context.engine.attachments.get(record.readInt32LE(DETACH.at.pid));
  if (own === undefined) return -Errno.ESRCH;
  const release = record.readUInt32LE(DETACH.at.release);
  const signo = record.readInt32LE(DETACH.at.signo);
  if (release > ReleaseMode.Stop || signo < 0 || signo > 64) return -Errno.EINVAL;
  const thread = own.process.threads.get(record.readInt32LE(DETACH.at.tid));
  if (thread?.current !== undefined) thread.current.signo = signo;
  letGo(context, own, release);
  return 0;
}

/** Takes an engine off a process, breakpoints and holds included. */
export function letGo(context: FakeContext, own: Attachment, release: number): void {
  const { process } = own;
  for (const site of process.sites) site.owners.delete(own);
  process.sites = process.sites.filter((site) => site.owners.size > 0);
  for (const thread of process.threads.values()) {
    thread.holds.delete(own);
    const others = thread.steps.filter((step) => step.attachment !== own);
    thread.steps.splice(0, thread.steps.length, ...others);
    for (const passage of thread.passages) passage.left = passage.left.filter((a) => a !== own);
  }
  process.attachments.splice(process.attachments.indexOf(own), 1);
  own.engine.attachments.delete(process.pid);
  own.engine.forget(process.pid);
  if (release === ReleaseMode.Kill) context.machine.die(process, SIGKILL);
}

const BRIEF = 1; // NTRACE_THREADS_BRIEF

export function listThreads(context: FakeContext, record: Buffer): number {
  const pid = record.readInt32LE(THREADS.at.pid);
  if ((record.readUInt32LE(THREADS.at.flags) & ~BRIEF) !== 0) return -Errno.EINVAL;
  const attachments = context.named(pid === 0 ? -1 : pid);
  if (pid !== 0 && attachments.length === 0) return -Errno.ESRCH;
  const capacity = record.readUInt32LE(THREADS.at.capacity);
  const out = context.bytes(record.readBigUInt64LE(THREADS.at.buf), capacity * THREAD.size);
  if (capacity > 0 && out === undefined) return -Errno.EFAULT;
  let count = 0;
  for (const own of attachments) {
    for (const thread of own.process.threads.values()) {
      if (count < capacity && out !== undefined) encodeThread(out, count, own, thread);
      count++;
    }
  }
  record.writeUInt32LE(count, THREADS.at.count);
  return 0;
}

function encodeThread(out: Buffer, index: number, own: Attachment, thread: FakeThread): void {
  const at = index * THREAD.size;
  const mine = thread.holds.get(own);
  let flags = 0;
  if (mine !== undefined) flags |= ThreadFlag.Held;
  if (thread.holds.size > (mine === undefined ? 0 : 1)) flags |= ThreadFlag.HeldByOther;
  if (thread.tid === thread.process.pid) flags |= ThreadFlag.Leader;
  if (thread.steps.length > 0) flags |= ThreadFlag.Stepping;
  if (thread.vforkChild !== undefined) flags |= ThreadFlag.Vfork;
  const state = thread.holds.size > 0 ? ThreadState.Stopped : ThreadState.Running;
  out.writeInt32LE(thread.tid, at + THREAD.at.tid);
  out.writeInt32LE(thread.process.pid, at + THREAD.at.tgid);
  out.writeBigUInt64LE(thread.cookie, at + THREAD.at.cookie);
  out.writeBigUInt64LE(mine?.stopId ?? 0n, at + THREAD.at.stop_id);
  out.writeUInt32LE(state, at + THREAD.at.state);
  out.writeUInt32LE(flags, at + THREAD.at.flags);
  out.writeInt32LE(0, at + THREAD.at.core);
  out.writeUInt32LE(0, at + THREAD.at.reserved);
  out.fill(0, at + THREAD.at.comm, at + THREAD.size);
}

/** Entries of a batch in order; each wildcard takes the threads no earlier entry named. */
function eachEntry(
  context: FakeContext,
  batch: { entries: Buffer; size: number; count: number },
  visit: (entry: Buffer, threads: [Attachment, FakeThread][], wildcard: boolean) => number,
): number {
  const named = new Set<FakeThread>();
  let done = 0;
  for (let i = 0; i < batch.count; i++) {
    const entry = batch.entries.subarray(i * batch.size, (i + 1) * batch.size);
    const [pid, tid] = [entry.readInt32LE(0), entry.readInt32LE(4)];
    const threads: [Attachment, FakeThread][] = [];
    for (const own of context.named(pid)) {
      for (const thread of own.process.threads.values()) {
        if (tid > 0 ? thread.tid !== tid : named.has(thread)) continue;
        threads.push([own, thread]);
        named.add(thread);
      }
    }
    const malformed = pid === 0 || pid < -1 || tid === 0 || tid < -1 || (pid === -1 && tid > 0);
    const missing = threads.length === 0 && (tid > 0 || (pid > 0 && !context.named(pid).length));
    const error = malformed ? Errno.EINVAL : missing ? Errno.ESRCH : visit(entry, threads, tid < 0);
    entry.writeInt32LE(
      error,
      batch.size === STOP_ENTRY.size ? STOP_ENTRY.at.error : RESUME_ENTRY.at.error,
    );
    if (error === 0) done++;
  }
  return done;
}

export function resume(context: FakeContext, record: Buffer): number {
  const count = record.readUInt32LE(RESUME.at.count);
  if (record.readUInt32LE(RESUME.at.flags) !== 0 || context.tooMany(count)) return -Errno.EINVAL;
  const size = RESUME_ENTRY.size;
  const entries = context.bytes(record.readBigUInt64LE(RESUME.at.entries), count * size);
  if (entries === undefined && count > 0) return -Errno.EFAULT;
  if (context.engine.observer) return -Errno.EROFS;
  let resumed = 0;
  const batch = { entries: entries ?? Buffer.alloc(0), size, count };
  const done = eachEntry(context, batch, (entry, threads, wildcard) => {
    let held = 0;
    let error = 0;
    for (const [own, thread] of threads) {
      const result = resumeOne(context, own, thread, entry, wildcard);
      if (result === 'resumed') {
        resumed++;
        if (thread.holds.size > 0) held++;
      } else if (!wildcard) error = result;
    }
    entry.writeUInt32LE(held, RESUME_ENTRY.at.held);
    return checkEntry(entry) ?? error;
  });
  record.writeUInt32LE(done, RESUME.at.done);
  record.writeUInt32LE(resumed, RESUME.at.resumed);
  const wait = record.readUInt32LE(RESUME.at.wait_us);
  if (wait > 0) context.machine.run(wait, () => context.engine.readable);
  record.writeUInt32LE(context.engine.events, RESUME.at.events);
  return 0;
}

function checkEntry(entry: Buffer): number | undefined {
  const action = entry.readUInt32LE(RESUME_ENTRY.at.action);
  const signo = entry.readInt32LE(RESUME_ENTRY.at.signo);
  const valid = action >= Action.Cont && action <= Action.Stay && signo >= 0 && signo <= 64;
  return valid ? undefined : Errno.EINVAL;
}

function resumeOne(
  context: FakeContext,
  own: Attachment,
  thread: FakeThread,
  entry: Buffer,
  wildcard: boolean,
): 'resumed' | number {
  const invalid = checkEntry(entry);
  if (invalid !== undefined) return invalid;
  const action = entry.readUInt32LE(RESUME_ENTRY.at.action);
  const signo = entry.readInt32LE(RESUME_ENTRY.at.signo);
  const quoted = entry.readBigUInt64LE(RESUME_ENTRY.at.stop_id);
  if (action === Action.Stay) return 0;
  const mine = thread.holds.get(own);
  if (mine === undefined) return quoted !== 0n ? Errno.ESTALE : Errno.EBUSY;
  if (quoted !== 0n && quoted !== mine.stopId) return Errno.ESTALE;
  if (mine.unread && (wildcard || quoted === 0n)) return Errno.ESTALE;
  thread.holds.delete(own);
  if (action !== Action.Cont) {
    const range = action === Action.Range;
    const lo = range ? entry.readBigUInt64LE(RESUME_ENTRY.at.lo) : 0n;
    const hi = range ? entry.readBigUInt64LE(RESUME_ENTRY.at.hi) : 0n;
    thread.steps.push({ attachment: own, lo, hi });
  }
  if (mine.why === EventType.Signal && thread.current !== undefined) thread.current.signo = signo;
  else if (signo !== 0) context.machine.deliver(thread, signo);
  return 'resumed';
}

export function stop(context: FakeContext, record: Buffer): number {
  const count = record.readUInt32LE(STOP.at.count);
  const flags = record.readUInt32LE(STOP.at.flags);
  const known = StopFlag.Soft | StopFlag.Wait | StopFlag.Quiet;
  if ((flags & ~known) !== 0 || context.tooMany(count)) return -Errno.EINVAL;
  const size = STOP_ENTRY.size;
  const entries = context.bytes(record.readBigUInt64LE(STOP.at.entries), count * size);
  if (entries === undefined && count > 0) return -Errno.EFAULT;
  if (context.engine.observer) return -Errno.EROFS;
  let stopped = 0;
  const batch = { entries: entries ?? Buffer.alloc(0), size, count };
  const done = eachEntry(context, batch, (_, threads) => {
    for (const [own, thread] of threads) {
      if ((flags & StopFlag.Quiet) !== 0) hold(own, thread);
      else postStop(own, thread, EventType.Stopped, {});
      stopped++;
    }
    return 0;
  });
  record.writeUInt32LE(done, STOP.at.done);
  record.writeUInt32LE(stopped, STOP.at.stopped);
  record.writeUInt32LE(0, STOP.at.pending);
  return 0;
}
