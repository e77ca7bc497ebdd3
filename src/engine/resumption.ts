import { Call } from './channel/calls';
import type { Channel } from './channel/channel';
import { Action, StopFlag } from './channel/enums';
import { RESUME, RESUME_ENTRY, STOP, STOP_ENTRY } from './channel/records';
import type { ResumeAction, ThreadRef } from './engine-api';
import { failure } from './errors';

const ACTIONS: Record<ResumeAction['kind'], Action> = {
  cont: Action.Cont,
  step: Action.Step,
  range: Action.Range,
  stay: Action.Stay,
};

// A vfork parent stops only when its child lets it go; nobody wants to wait for that.
const STOP_TIMEOUT_US = 2_000_000;

/** Encodes batches of resumes and stops into buffers that are allocated once. */
export class Resumption {
  private readonly resumeHead = Buffer.alloc(RESUME.size);
  private readonly stopHead = Buffer.alloc(STOP.size);
  private resumeEntries: Buffer;
  private stopEntries: Buffer;
  private count = 0;

  constructor(private readonly channel: Channel) {
    this.resumeEntries = this.newResumeEntries(16);
    this.stopEntries = this.newStopEntries(16);
  }

  begin(): void {
    this.count = 0;
  }

  /** stopId: 0n for "whatever it is". */
  add(
    pid: number,
    tid: number,
    kind: ResumeAction['kind'],
    signo: number,
    stopId: bigint,
    lo: bigint,
    hi: bigint,
  ): void {
    let buf = this.resumeEntries;
    const at = this.count++ * RESUME_ENTRY.size;
    if (at === buf.length) {
      const old = buf;
      buf = this.resumeEntries = this.newResumeEntries(this.count * 2);
      old.copy(buf);
    }
    buf.writeInt32LE(pid, at + RESUME_ENTRY.at.pid);
    buf.writeInt32LE(tid, at + RESUME_ENTRY.at.tid);
    buf.writeUInt32LE(ACTIONS[kind], at + RESUME_ENTRY.at.action);
    buf.writeInt32LE(signo, at + RESUME_ENTRY.at.signo);
    buf.writeBigUInt64LE(stopId, at + RESUME_ENTRY.at.stop_id);
    buf.writeBigUInt64LE(lo, at + RESUME_ENTRY.at.lo);
    buf.writeBigUInt64LE(hi, at + RESUME_ENTRY.at.hi);
    buf.writeInt32LE(0, at + RESUME_ENTRY.at.error);
    buf.writeUInt32LE(0, at + RESUME_ENTRY.at.held);
  }

  /** Returns how many entries succeeded. */
  send(waitUs: number): number {
    const head = this.resumeHead;
    head.writeUInt32LE(this.count, RESUME.at.count);
    head.writeUInt32LE(waitUs, RESUME.at.wait_us);
    const result = this.channel.call(Call.Resume, head);
    if (result < 0) throw failure(result, 'resume');
    return head.readUInt32LE(RESUME.at.done);
  }

  /** Positive errno of an entry, after send(). */
  error(index: number): number {
    return this.resumeEntries.readInt32LE(index * RESUME_ENTRY.size + RESUME_ENTRY.at.error);
  }

  /** Threads of an entry that others still hold, after send(). */
  held(index: number): number {
    return this.resumeEntries.readUInt32LE(index * RESUME_ENTRY.size + RESUME_ENTRY.at.held);
  }

  /** Returns how many threads are not held yet; throws only if no entry succeeds. */
  stop(refs: readonly ThreadRef[], flags: number, timeoutUs = STOP_TIMEOUT_US): number {
    const { stopHead: head } = this;
    const need = refs.length * STOP_ENTRY.size;
    if (this.stopEntries.length < need) this.stopEntries = this.newStopEntries(refs.length * 2);
    const buf = this.stopEntries;
    refs.forEach(({ pid, tid }, i) => {
      buf.writeInt32LE(pid, i * STOP_ENTRY.size + STOP_ENTRY.at.pid);
      buf.writeInt32LE(tid, i * STOP_ENTRY.size + STOP_ENTRY.at.tid);
      buf.writeInt32LE(0, i * STOP_ENTRY.size + STOP_ENTRY.at.error);
    });
    head.writeUInt32LE(refs.length, STOP.at.count);
    head.writeUInt32LE(flags, STOP.at.flags);
    head.writeUInt32LE((flags & StopFlag.Wait) !== 0 ? timeoutUs : 0, STOP.at.timeout_us);
    const result = this.channel.call(Call.Stop, head);
    if (result < 0) throw failure(result, 'stop');
    if (refs.length > 0 && head.readUInt32LE(STOP.at.done) === 0) {
      const first = refs[0];
      const what = first !== undefined && first.tid > 0 ? `thread ${first.tid}` : 'the process';
      throw failure(buf.readInt32LE(STOP_ENTRY.at.error), `stop ${what}`);
    }
    return head.readUInt32LE(STOP.at.pending);
  }

  private newResumeEntries(count: number): Buffer {
    const buf = Buffer.alloc(count * RESUME_ENTRY.size);
    this.resumeHead.writeBigUInt64LE(this.channel.addressOf(buf), RESUME.at.entries);
    return buf;
  }

  private newStopEntries(count: number): Buffer {
    const buf = Buffer.alloc(count * STOP_ENTRY.size);
    this.stopHead.writeBigUInt64LE(this.channel.addressOf(buf), STOP.at.entries);
    return buf;
  }
}
