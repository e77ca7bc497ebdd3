import { procText } from './process';

/** Where a thread that nobody stopped stands. */
export interface Blocked {
  /** The system call it waits in; -1: it waits for something else (a page, a signal stop). */
  nr: number;
  pc: bigint;
  sp: bigint;
}

/**
 * Where a thread is blocked, by /proc/PID/task/TID/syscall (proc(5)): it is not disturbed to tell.
 * undefined for a thread that runs, is gone, or that we may not trace.
 */
export function blockedAt(pid: number, tid: number): Blocked | undefined {
  const words = procText(`/proc/${pid}/task/${tid}/syscall`)?.trim().split(' ') ?? [];
  // "NR ARG... SP PC", "-1 SP PC", or "running"
  if (words.length < 3) return undefined;
  const [sp, pc] = words.slice(-2);
  if (!/^0x[0-9a-f]+$/.test(sp!) || !/^0x[0-9a-f]+$/.test(pc!)) return undefined;
  return { nr: Number(words[0]), pc: BigInt(pc!), sp: BigInt(sp!) };
}
