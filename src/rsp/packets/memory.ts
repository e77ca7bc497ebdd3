import { native } from '../../native';
import type { Args } from '../args';
import { packet, WRITTEN, type Packet } from '../packet';
import { ReplyError } from '../reply';
import { PACKET_SIZE, type Session } from '../session';
import { frameMemory, isConstant } from '../trace-frame';

const EIO = 5;
const EFAULT = 14;
const EINVAL = 22;

interface Range {
  addr: bigint;
  length: number;
}
const range = (a: Args): Range => ({ addr: a.big(), length: a.lit(',').num() });

/** Reads at most what fits a reply of so many characters per byte; throws if nothing is readable. */
function read(
  session: Session,
  { addr, length }: Range,
  perByte: number,
): { buf: Buffer; length: number } {
  const most = Math.min(length, Math.floor((PACKET_SIZE - 16) / perByte));
  const buf = session.scratch(most);
  const { trace } = session.target;
  if (trace.frame) {
    const had = frameMemory(trace.frame, addr, buf, most);
    if (had > 0) return { buf, length: had };
    if (!isConstant(trace, addr, length))
      throw new ReplyError(EFAULT, `the trace frame has no memory at 0x${addr.toString(16)}`);
  }
  const got = session.engine.readMemory(session.inferior().pid, addr, buf, 0, most);
  if (got === 0 && most > 0) throw new ReplyError(EFAULT, `no memory at 0x${addr.toString(16)}`);
  return { buf, length: got };
}

function write(
  session: Session,
  addr: bigint,
  src: Buffer,
  offset: number,
  length: number,
): string {
  if (session.target.trace.frame)
    throw new ReplyError(EIO, 'a trace frame is selected: tfind none goes back to the process');
  if (length === 0) return 'OK';
  const done = session.engine.writeMemory(session.inferior().pid, addr, src, offset, length);
  if (done < length)
    throw new ReplyError(EFAULT, `no memory to write at 0x${(addr + BigInt(done)).toString(16)}`);
  return 'OK';
}

/** m M x X: memory, in hex and in binary. */
export const memory: Packet[] = [
  packet({
    match: 'm',
    syntax: 'm addr,length',
    summary: 'Reads memory, without the bytes of breakpoints; shorter where memory ends.',
    when: 'inferior',
    args: range,
    run(session, where) {
      const { buf, length } = read(session, where, 2);
      session.out.begin().hex(buf, 0, length).end();
      return WRITTEN;
    },
  }),
  packet({
    match: 'x',
    syntax: 'x addr,length',
    summary: "Reads memory in binary: 'b' and the bytes for gdb, bare bytes for LLDB.",
    when: 'inferior',
    feature: 'binary-upload+',
    args: range,
    run(session, where) {
      if (where.length === 0) return session.lldb ? 'OK' : 'b';
      const { buf, length } = read(session, where, 2);
      session.out.begin();
      if (!session.lldb) session.out.ascii('b');
      session.out.binary(buf, 0, length).end();
      return WRITTEN;
    },
  }),
  packet({
    match: 'M',
    syntax: 'M addr,length:XX...',
    summary: 'Writes memory given in hex.',
    when: 'inferior',
    args: (a) => {
      const { addr, length } = range(a);
      a.lit(':');
      return { addr, length, buf: a.buf, at: a.at, digits: a.left };
    },
    run(session, { addr, length, buf, at, digits }) {
      if (digits !== 2 * length)
        throw new ReplyError(EINVAL, `${digits} digits for ${length} bytes`);
      const bytes = session.scratch(length);
      if (native.hexDecode(bytes, 0, buf, at, digits) < 0)
        throw new ReplyError(EINVAL, 'not hex digits');
      return write(session, addr, bytes, 0, length);
    },
  }),
  packet({
    match: 'X',
    syntax: 'X addr,length:bytes',
    summary: 'Writes memory given in binary.',
    when: 'inferior',
    args: (a) => {
      const { addr, length } = range(a);
      a.lit(':');
      return { addr, length, buf: a.buf, at: a.at, have: a.left };
    },
    run(session, { addr, length, buf, at, have }) {
      if (have !== length)
        throw new ReplyError(EINVAL, `${have} bytes where ${length} were announced`);
      return write(session, addr, buf, at, length);
    },
  }),
];
