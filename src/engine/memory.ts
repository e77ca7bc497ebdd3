import type { Addresses } from './addresses';
import { Call } from './channel/calls';
import type { Channel } from './channel/channel';
import { MEM, MEMVEC } from './channel/records';
import { Errno, failure } from './errors';

/** Moves bytes between a process and our buffers, without copies on the way. */
export class MemoryAccess {
  private readonly head = Buffer.alloc(MEM.size);
  private readonly vec = Buffer.alloc(MEMVEC.size);

  constructor(
    private readonly channel: Channel,
    private readonly addresses: Addresses,
  ) {
    this.head.writeBigUInt64LE(channel.addressOf(this.vec), MEM.at.vecs);
    this.head.writeUInt32LE(1, MEM.at.count);
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
    head.writeInt32LE(pid, MEM.at.pid);
    head.writeUInt32LE(0, MEM.at.flags);
    vec.writeBigUInt64LE(addr, MEMVEC.at.addr);
    vec.writeBigUInt64LE(BigInt(length), MEMVEC.at.len);
    vec.writeBigUInt64LE(this.addresses.of(buf) + BigInt(offset), MEMVEC.at.buf);
    vec.writeBigUInt64LE(0n, MEMVEC.at.done);
    vec.writeInt32LE(0, MEMVEC.at.error);
    const result = this.channel.call(call, head);
    const done = Number(vec.readBigUInt64LE(MEMVEC.at.done));
    if (done > 0) return done;
    const error = result < 0 ? result : vec.readInt32LE(MEMVEC.at.error);
    const verb = call === Call.ReadMem ? 'read' : 'write';
    throw failure(
      error === 0 ? Errno.EFAULT : error,
      `${verb} ${length} bytes at 0x${addr.toString(16)} of process ${pid}`,
    );
  }
}
