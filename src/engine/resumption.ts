import { Call } from './channel/calls';
import type { Channel } from './channel/channel';
import { Action, RESUME_GRACE, StopFlag } from './channel/enums';
import { RESUME, RESUME_ENTRY, STOP, STOP_ENTRY } from './channel/records';
import { long, RecordView, word } from './channel/record-view';
import type { ResumeAction, ThreadRef } from './engine-api';
import { failure } from './errors';

const ACTIONS: Record<ResumeAction['kind'], Action> = {
  cont: Action.Cont,
  step: Action.Step,
  range: Action.Range,
  stay: Action.Stay,
};

// Fields of a resume entry, in 32-bit and 64-bit words, and its size in each.
const WORDS = word(RESUME_ENTRY.size);
const LONGS = long(RESUME_ENTRY.size);
const PID = word(RESUME_ENTRY.at.pid);
const TID = word(RESUME_ENTRY.at.tid);
const ACTION = word(RESUME_ENTRY.at.action);
const SIGNO = word(RESUME_ENTRY.at.signo);
const STOP_ID = long(RESUME_ENTRY.at.stop_id);
const LO = long(RESUME_ENTRY.at.lo);
const HI = long(RESUME_ENTRY.at.hi);
const ERROR = word(RESUME_ENTRY.at.error);
const HELD = word(RESUME_ENTRY.at.held);

// A vfork parent stops only when its child lets it go; nobody wants to wait for that.
const STOP_TIMEOUT_US = 2_000_000;

/** Encodes batches of resumes and stops into buffers that are allocated once. */
export class Resumption {
  private readonly resumeHead = new RecordView(RESUME.size);
  private readonly stopHead = Buffer.alloc(STOP.size);
  private resumeEntries: RecordView;
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
    let entries = this.resumeEntries;
    const index = this.count++;
    if (index * RESUME_ENTRY.size === entries.bytes.length) {
      const old = entries;
      entries = this.resumeEntries = this.newResumeEntries(this.count * 2);
      old.bytes.copy(entries.bytes);
    }
    const { i32, u64 } = entries;
    const at = index * WORDS;
    i32[at + PID] = pid;
    i32[at + TID] = tid;
    i32[at + ACTION] = ACTIONS[kind];
    i32[at + SIGNO] = signo;
    i32[at + ERROR] = 0;
    i32[at + HELD] = 0;
    const longs = index * LONGS;
    u64[longs + STOP_ID] = stopId;
    u64[longs + LO] = lo;
    u64[longs + HI] = hi;
  }

  /** Returns how many entries succeeded. */
  send(waitUs: number, grace = false): number {
    const head = this.resumeHead;
    head.u32[word(RESUME.at.flags)] = grace ? RESUME_GRACE : 0;
    head.u32[word(RESUME.at.count)] = this.count;
    head.u32[word(RESUME.at.wait_us)] = waitUs;
    const result = this.channel.call(Call.Resume, head.bytes);
    if (result < 0) throw failure(result, 'resume');
    return head.u32[word(RESUME.at.done)]!;
  }

  /** Positive errno of an entry, after send(). */
  error(index: number): number {
    return this.resumeEntries.i32[index * WORDS + ERROR]!;
  }

  /** Threads of an entry that others still hold, after send(). */
  held(index: number): number {
    return this.resumeEntries.u32[index * WORDS + HELD]!;
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

  private newResumeEntries(count: number): RecordView {
    const entries = new RecordView(count * RESUME_ENTRY.size);
    this.resumeHead.u64[long(RESUME.at.entries)] = this.channel.addressOf(entries.bytes);
    return entries;
  }

  private newStopEntries(count: number): Buffer {
    const buf = Buffer.alloc(count * STOP_ENTRY.size);
    this.stopHead.writeBigUInt64LE(this.channel.addressOf(buf), STOP.at.entries);
    return buf;
  }
}
