import type { Layout } from './layout';
import * as records from './records';

const MAGIC = 0xe7;
const READ_WRITE = 3; // _IOC_READ | _IOC_WRITE

/** _IOWR of asm-generic/ioctl.h: direction, size, type, number. */
function iowr(nr: number, record: Layout): number {
  return ((READ_WRITE << 30) | (record.size << 16) | (MAGIC << 8) | nr) >>> 0;
}

/** NTRACE_IOC_*: the request numbers, with our records' sizes in them. */
export const Call = {
  Hello: iowr(0, records.HELLO),
  Attach: iowr(1, records.ATTACH),
  Detach: iowr(2, records.DETACH),
  Threads: iowr(3, records.THREADS),
  Resume: iowr(4, records.RESUME),
  Stop: iowr(5, records.STOP),
  GetRegs: iowr(6, records.REGS),
  SetRegs: iowr(7, records.REGS),
  ReadMem: iowr(8, records.MEM),
  WriteMem: iowr(9, records.MEM),
  Break: iowr(10, records.BREAK),
  Unbreak: iowr(11, records.UNBREAK),
  BreakStats: iowr(12, records.BREAK_STATS),
  Sets: iowr(13, records.SETS),
  Signal: iowr(14, records.SIGNAL),
  Who: iowr(15, records.WHO),
  Release: iowr(16, records.RELEASE_HOLD),
  Tracepoint: iowr(17, records.TRACEPOINT),
  TraceControl: iowr(18, records.TRACE_CONTROL),
  TraceQuery: iowr(19, records.TRACEPOINT),
  TraceRead: iowr(20, records.TRACE_READ),
  Variable: iowr(21, records.VARIABLE),
} as const;

/** Bytes of the record that a request number announces, its number and its magic. */
export function splitRequest(request: number): { nr: number; size: number; valid: boolean } {
  const valid = request >>> 30 === READ_WRITE && ((request >>> 8) & 0xff) === MAGIC;
  return { nr: request & 0xff, size: (request >>> 16) & 0x3fff, valid };
}
