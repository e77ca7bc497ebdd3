import { Call } from './channel/calls';
import type { Channel } from './channel/channel';
import { threadDecoder, type ThreadRecord } from './channel/codec';
import { THREAD, THREADS } from './channel/records';
import { failure } from './errors';

const BRIEF = 1; // NTRACE_THREADS_BRIEF

/** Lists threads: the buffer grows to the largest process seen. */
export class ThreadLister {
  private readonly record = Buffer.alloc(THREADS.size);
  private readonly decode: (buf: Uint8Array) => ThreadRecord[];
  private buf: Buffer;

  constructor(
    private readonly channel: Channel,
    private readonly stride: number,
  ) {
    this.decode = threadDecoder(stride);
    this.buf = Buffer.alloc(64 * stride);
  }

  /** pid 0: of all attached processes. */
  list(pid: number): ThreadRecord[] {
    return this.decode(this.ask(pid, 0));
  }

  /**
   * What a list of the threads alone takes: flags (ThreadFlag) by tid. Cores would take a file
   * read a thread, and whole records of a thousand threads milliseconds.
   */
  flags(pid: number): Map<number, number> {
    const { buffer, byteOffset, byteLength } = this.ask(pid, BRIEF);
    const view = new DataView(buffer, byteOffset, byteLength);
    const flags = new Map<number, number>();
    for (let at = 0; at < byteLength; at += this.stride) {
      flags.set(
        view.getInt32(at + THREAD.at.tid, true),
        view.getUint32(at + THREAD.at.flags, true),
      );
    }
    return flags;
  }

  private ask(pid: number, flags: number): Buffer {
    for (;;) {
      const { record, stride } = this;
      const capacity = this.buf.length / stride;
      record.writeInt32LE(pid, THREADS.at.pid);
      record.writeUInt32LE(flags, THREADS.at.flags);
      record.writeBigUInt64LE(this.channel.addressOf(this.buf), THREADS.at.buf);
      record.writeUInt32LE(capacity, THREADS.at.capacity);
      const result = this.channel.call(Call.Threads, record);
      if (result < 0) throw failure(result, `list the threads of process ${pid}`);
      const count = record.readUInt32LE(THREADS.at.count);
      if (count <= capacity) return this.buf.subarray(0, count * stride);
      this.buf = Buffer.alloc(count * 2 * stride);
    }
  }
}
