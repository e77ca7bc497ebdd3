import type { Addresses } from './addresses';
import { Call } from './channel/calls';
import type { Channel } from './channel/channel';
import { REGS, REGSET } from './channel/records';
import { long, RecordView, word } from './channel/record-view';
import { Errno, type EngineError } from './errors';
import type { Thread } from './thread';

const TID = word(REGSET.at.tid);
const NOTE = word(REGSET.at.note);
const STOP_ID = long(REGSET.at.stop_id);
const BUF = long(REGSET.at.buf);
const LEN = word(REGSET.at.len);
const GOT = word(REGSET.at.got);
const ERROR = word(REGSET.at.error);

// What providers answer where a machine, a thread or a stop has no such set.
const ABSENT: readonly number[] = [
  Errno.EINVAL,
  Errno.ENODEV,
  Errno.EIO,
  Errno.ENODATA,
  Errno.EOPNOTSUPP,
];

/** Raw regsets, read at most once per stop. */
export class RegisterAccess {
  private readonly head = new RecordView(REGS.size);
  private readonly entry = new RecordView(REGSET.size);
  /** Bytes of a set; 0: this machine has none. Threads of both word sizes have their own. */
  private readonly sizes = new Map<number, number>();
  /** Buffers of a thread, used again at its next stop. */
  private readonly buffers = new WeakMap<Thread, Map<number, Buffer>>();

  constructor(
    private readonly channel: Channel,
    private readonly addresses: Addresses,
    private readonly refused: (errno: number, what: string, thread: Thread) => EngineError,
  ) {
    this.head.u64[long(REGS.at.entries)] = channel.addressOf(this.entry.bytes);
    this.head.u32[word(REGS.at.count)] = 1;
  }

  read(thread: Thread, note: number): Buffer | undefined {
    const cached = thread.regsets.get(note);
    if (cached !== undefined) return cached;
    let buf = this.bufferOf(thread, note);
    if (buf === undefined) {
      const size = this.sizeOf(thread, note);
      if (size === 0) return undefined;
      buf = this.newBuffer(thread, note, size);
    }
    const error = this.transfer(Call.GetRegs, thread, note, buf, buf.length);
    if (error !== 0) {
      if (ABSENT.includes(error)) return undefined;
      throw this.refused(error, 'read registers', thread);
    }
    const got = this.entry.u32[GOT]!;
    if (got < buf.length) buf = this.shrink(thread, note, buf, got);
    // what others hold for an observer may run on unseen
    if (thread.state === 'held') thread.regsets.set(note, buf);
    return buf;
  }

  write(thread: Thread, note: number, data: Buffer): void {
    const error = this.transfer(Call.SetRegs, thread, note, data, data.length);
    if (error !== 0) {
      thread.regsets.delete(note);
      throw this.refused(error, 'write registers', thread);
    }
    const cached = thread.regsets.get(note);
    if (cached === data) return;
    if (cached !== undefined && cached.length === data.length) data.copy(cached);
    else thread.regsets.delete(note);
  }

  /** After an exec sets may have other sizes. */
  forget(thread: Thread): void {
    this.buffers.delete(thread);
    this.sizes.clear();
  }

  private bufferOf(thread: Thread, note: number): Buffer | undefined {
    return this.buffers.get(thread)?.get(note);
  }

  private newBuffer(thread: Thread, note: number, size: number): Buffer {
    let own = this.buffers.get(thread);
    if (own === undefined) {
      own = new Map();
      this.buffers.set(thread, own);
    }
    const buf = Buffer.alloc(size);
    own.set(note, buf);
    return buf;
  }

  // A 32-bit thread's set is shorter than the size we learned from a 64-bit one.
  private shrink(thread: Thread, note: number, buf: Buffer, got: number): Buffer {
    const short = this.newBuffer(thread, note, got);
    buf.copy(short, 0, 0, got);
    return short;
  }

  private sizeOf(thread: Thread, note: number): number {
    const known = this.sizes.get(note);
    if (known !== undefined) return known;
    const error = this.transfer(Call.GetRegs, thread, note, undefined, 0);
    if (error !== 0 && !ABSENT.includes(error)) {
      throw this.refused(error, 'read registers', thread);
    }
    const size = error === 0 ? this.entry.u32[GOT]! : 0;
    if (size > 0) this.sizes.set(note, size);
    return size;
  }

  /** Positive errno, 0 for success. */
  private transfer(
    call: number,
    thread: Thread,
    note: number,
    buf: Buffer | undefined,
    length: number,
  ): number {
    const { entry } = this;
    entry.i32[TID] = thread.tid;
    entry.u32[NOTE] = note;
    entry.u64[STOP_ID] = thread.stopId;
    entry.u64[BUF] = buf === undefined ? 0n : this.addresses.of(buf);
    entry.u32[LEN] = length;
    entry.i32[ERROR] = 0;
    const result = this.channel.call(call, this.head.bytes);
    return result < 0 ? -result : entry.i32[ERROR]!;
  }
}
