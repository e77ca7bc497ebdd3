import type { Addresses } from './addresses';
import { Call } from './channel/calls';
import type { Channel } from './channel/channel';
import { MEM, MEMVEC } from './channel/records';
import { long, RecordView, word } from './channel/record-view';
import { Errno, failure } from './errors';

const HEAD_PID = word(MEM.at.pid);
const HEAD_FLAGS = word(MEM.at.flags);
const VEC_ADDR = long(MEMVEC.at.addr);
const VEC_LEN = word(MEMVEC.at.len);
const VEC_BUF = long(MEMVEC.at.buf);
const VEC_DONE = word(MEMVEC.at.done);
const VEC_ERROR = word(MEMVEC.at.error);
const HIGH = 2 ** 32;

/** Moves bytes between a process and our buffers, without copies on the way. */
export class MemoryAccess {
  private readonly head = new RecordView(MEM.size);
  private readonly vec = new RecordView(MEMVEC.size);
  /** The buffer and offset whose address is in vec. */
  private last: Buffer | undefined;
  private lastOffset = 0;

  constructor(
    private readonly channel: Channel,
    private readonly addresses: Addresses,
  ) {
    this.head.u64[long(MEM.at.vecs)] = channel.addressOf(this.vec.bytes);
    this.head.u32[word(MEM.at.count)] = 1;
  }

  read(pid: number, addr: bigint, out: Buffer, offset: number, length: number): number {
    return this.transfer(Call.ReadMem, pid, addr, out, offset, length);
  }

  write(pid: number, addr: bigint, src: Buffer, offset: number, length: number): number {
    return this.transfer(Call.WriteMem, pid, addr, src, offset, length);
  }

  private transfer(
    call: number,
    pid: number,
    addr: bigint,
    buf: Buffer,
    offset: number,
    length: number,
  ): number {
    if (offset < 0 || length < 0 || offset + length > buf.length) {
      throw failure(Errno.EINVAL, `use ${length} bytes at ${offset} of a buffer of ${buf.length}`);
    }
    if (length === 0) return 0;
    const { head, vec } = this;
    head.i32[HEAD_PID] = pid;
    head.u32[HEAD_FLAGS] = 0;
    vec.u64[VEC_ADDR] = addr;
    vec.u32[VEC_LEN] = length >>> 0;
    vec.u32[VEC_LEN + 1] = Math.floor(length / HIGH);
    if (buf !== this.last || offset !== this.lastOffset) {
      vec.u64[VEC_BUF] = this.addresses.of(buf) + BigInt(offset);
      this.last = buf;
      this.lastOffset = offset;
    }
    vec.u32[VEC_DONE] = vec.u32[VEC_DONE + 1] = 0;
    vec.i32[VEC_ERROR] = 0;
    const result = this.channel.call(call, head.bytes);
    const done = vec.u32[VEC_DONE]! + vec.u32[VEC_DONE + 1]! * HIGH;
    if (done > 0) return done;
    const error = result < 0 ? result : vec.i32[VEC_ERROR]!;
    const verb = call === Call.ReadMem ? 'read' : 'write';
    throw failure(
      error === 0 ? Errno.EFAULT : error,
      `${verb} ${length} bytes at 0x${addr.toString(16)} of process ${pid}`,
    );
  }
}
