import type { ArchDescriptor } from './arch/descriptor';
import type { Thread } from './thread';

/** One debugged process of an engine. */
export class Inferior {
  /** By tid, in order of appearance; the leader (tid == pid) is first while it lives. */
  readonly threads = new Map<number, Thread>();
  /** Wait status once it is gone. */
  exitStatus: number | undefined;

  constructor(
    readonly pid: number,
    /** Started by us (killed with us) rather than attached. */
    readonly launched: boolean,
    /** Registers, target description and limits of what it runs now; replaced at exec. */
    public arch: ArchDescriptor,
  ) {}
}

/** Clients number threads as they are listed: not as the news of them came. */
export function oldestFirst({ pid, threads }: Inferior): Thread[] {
  const age = ({ tid }: Thread): number => (tid === pid ? 0 : tid);
  return [...threads.values()].sort((a, b) => age(a) - age(b));
}
