import { EngineError } from '../engine/errors';
import type { Engine } from '../engine/engine';

const CHUNK = 1 << 20;
const END = 1n << 64n;
/** gdb waits three times two seconds for a reply. */
export const SCAN_MS = 4000;

/** Why a scan ended: it saw everything, memory that cannot be read, no time left, or enough. */
export type ScanEnd = 'complete' | 'unreadable' | 'late' | 'found';

export interface ScanResult {
  end: ScanEnd;
  /** First address that was not seen. */
  next: bigint;
}

/**
 * Reads memory in pieces and shows each as buf[0, count), which begins at addr; the last `overlap`
 * bytes of a piece are the first of the next. visit() tells whether it has seen enough. Memory is
 * bounded by one piece, time by limitMs.
 */
export function scanMemory(
  engine: Engine,
  pid: number,
  range: { addr: bigint; length: bigint; overlap: number; limitMs?: number },
  visit: (buf: Buffer, count: number, addr: bigint) => boolean,
): ScanResult {
  const stop = range.addr + range.length > END ? END : range.addr + range.length;
  const buf = Buffer.allocUnsafeSlow(
    Number(minimum(BigInt(CHUNK + range.overlap), stop - range.addr)),
  );
  const deadline = performance.now() + (range.limitMs ?? SCAN_MS);
  let kept = 0; // bytes of the piece before
  let next = range.addr;
  while (next < stop) {
    const wanted = Number(minimum(BigInt(buf.length - kept), stop - next));
    const got = readSome(engine, pid, next, buf, kept, wanted);
    const count = kept + got;
    if (got > 0 && visit(buf, count, next - BigInt(kept))) return { end: 'found', next };
    next += BigInt(got);
    if (got < wanted) return { end: 'unreadable', next };
    if (performance.now() > deadline && next < stop) return { end: 'late', next };
    kept = Math.min(range.overlap, count);
    buf.copyWithin(0, count - kept, count);
  }
  return { end: 'complete', next };
}

function minimum(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

function readSome(
  engine: Engine,
  pid: number,
  addr: bigint,
  out: Buffer,
  offset: number,
  length: number,
): number {
  try {
    return engine.readMemory(pid, addr, out, offset, length);
  } catch (error) {
    if (error instanceof EngineError) return 0;
    throw error;
  }
}
