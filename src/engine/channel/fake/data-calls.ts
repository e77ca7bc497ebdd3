// Registers and memory.
import { MEM_RAW, NT_SIGINFO } from '../enums';
import { EventType } from '../event';
import { MEM, MEMVEC, REGS, REGSET } from '../records';
import { Errno, type FakeContext } from './context';
import type { Attachment, FakeThread } from './process';

const NT_PRSTATUS = 1;
const BREAKPOINT = 0xcc; // int3

function find(context: FakeContext, tid: number): [Attachment, FakeThread] | undefined {
  for (const own of context.named(-1)) {
    const thread = own.process.threads.get(tid);
    if (thread !== undefined) return [own, thread];
  }
  return undefined;
}

function regset(context: FakeContext, entry: Buffer, write: boolean): number {
  const found = find(context, entry.readInt32LE(REGSET.at.tid));
  if (found === undefined) return Errno.ESRCH;
  const [own, thread] = found;
  const hold = thread.holds.get(own);
  const quoted = entry.readBigUInt64LE(REGSET.at.stop_id);
  if (hold === undefined) return quoted === 0n ? Errno.EBUSY : Errno.ESTALE;
  if (quoted !== 0n && quoted !== hold.stopId) return Errno.ESTALE;
  const note = entry.readUInt32LE(REGSET.at.note);
  let data: Buffer;
  if (note === NT_PRSTATUS) data = thread.regs;
  else if (note !== NT_SIGINFO) return Errno.ENODEV;
  else if (hold.why === EventType.Signal && thread.current !== undefined) {
    data = thread.current.siginfo;
  } else return Errno.EINVAL;
  const length = entry.readUInt32LE(REGSET.at.len);
  entry.writeUInt32LE(length === 0 ? data.length : Math.min(length, data.length), REGSET.at.got);
  if (length === 0) return 0;
  const bytes = context.bytes(entry.readBigUInt64LE(REGSET.at.buf), length);
  if (bytes === undefined) return Errno.EFAULT;
  if (write) {
    const pc = thread.pc;
    bytes.copy(data, 0, 0, Math.min(length, data.length));
    if (thread.pc !== pc) thread.over = undefined;
  } else data.copy(bytes);
  return 0;
}

export function registers(context: FakeContext, record: Buffer, write: boolean): number {
  const count = record.readUInt32LE(REGS.at.count);
  if (context.tooMany(count)) return -Errno.EINVAL;
  if (write && context.engine.observer) return -Errno.EROFS;
  const entries = context.bytes(record.readBigUInt64LE(REGS.at.entries), count * REGSET.size);
  if (entries === undefined && count > 0) return -Errno.EFAULT;
  let done = 0;
  for (let i = 0; i < count && entries !== undefined; i++) {
    const entry = entries.subarray(i * REGSET.size, (i + 1) * REGSET.size);
    const error = regset(context, entry, write);
    entry.writeInt32LE(error, REGSET.at.error);
    if (error === 0) done++;
  }
  record.writeUInt32LE(done, REGS.at.done);
  return 0;
}

function vector(
  context: FakeContext,
  own: Attachment,
  vec: Buffer,
  write: boolean,
  raw: boolean,
): boolean {
  const addr = vec.readBigUInt64LE(MEMVEC.at.addr);
  const length = Number(vec.readBigUInt64LE(MEMVEC.at.len));
  const ours = context.bytes(vec.readBigUInt64LE(MEMVEC.at.buf), length);
  let done = 0;
  while (ours !== undefined && done < length) {
    const theirs = own.process.bytes(addr + BigInt(done), length - done);
    if (theirs === undefined) break;
    if (write) ours.copy(theirs, 0, done, done + theirs.length);
    else theirs.copy(ours, done);
    done += theirs.length;
  }
  if (raw && ours !== undefined) {
    for (const site of own.process.sites) {
      const offset = Number(site.addr - addr);
      if (site.type === 0 && offset >= 0 && offset < done) ours[offset] = BREAKPOINT;
    }
  }
  vec.writeBigUInt64LE(BigInt(done), MEMVEC.at.done);
  vec.writeInt32LE(done < length ? Errno.EFAULT : 0, MEMVEC.at.error);
  return done === length;
}

export function memory(context: FakeContext, record: Buffer, write: boolean): number {
  const own = context.engine.attachments.get(record.readInt32LE(MEM.at.pid));
  const flags = record.readUInt32LE(MEM.at.flags);
  const count = record.readUInt32LE(MEM.at.count);
  if ((flags & ~MEM_RAW) !== 0 || (write && flags !== 0) || context.tooMany(count)) {
    return -Errno.EINVAL;
  }
  if (own === undefined) return -Errno.ESRCH;
  if (write && context.engine.observer) return -Errno.EROFS;
  const vecs = context.bytes(record.readBigUInt64LE(MEM.at.vecs), count * MEMVEC.size);
  if (vecs === undefined && count > 0) return -Errno.EFAULT;
  let done = 0;
  for (let i = 0; i < count && vecs !== undefined; i++) {
    const vec = vecs.subarray(i * MEMVEC.size, (i + 1) * MEMVEC.size);
    if (vector(context, own, vec, write, (flags & MEM_RAW) !== 0)) done++;
  }
  record.writeUInt32LE(done, MEM.at.done);
  return 0;
}
