import type { Engine } from '../engine/engine';
import type { RegisterSpec } from '../engine/arch';
import type { Inferior } from '../engine/inferior';
import { Errno, EngineError } from '../engine/errors';
import { blockedAt } from '../engine/linux/blocked';
import type { Thread } from '../engine/thread';

/**
 * Registers as far as they can be had without stopping a thread. Whole ones of what is stopped, for
 * whomever; of a thread that nobody stopped the program counter and the stack pointer while it is
 * blocked, which is enough for a backtrace. Of one that runs they are 0: without any gdb gives up
 * attaching.
 */
export class Glimpse {
  private constructor(
    private readonly known: ReadonlyMap<RegisterSpec, bigint>,
    /** It stands somewhere. */
    readonly blocked: boolean,
  ) {}

  /** undefined: not an observer, or all of its registers can be read as usual. */
  static of(engine: Engine, thread: Thread, { arch, pid }: Inferior): Glimpse | undefined {
    if (!engine.observer) return undefined;
    try {
      engine.regset(thread, arch.pc.note);
      return undefined;
    } catch (error) {
      if (!(error instanceof EngineError) || error.errno !== Errno.EBUSY) throw error;
    }
    const at = blockedAt(pid, thread.tid);
    const known = new Map([[arch.pc, at?.pc ?? 0n] as const, [arch.sp, at?.sp ?? 0n] as const]);
    return new Glimpse(known, at !== undefined);
  }

  /** Little-endian bytes; undefined where it is not known. */
  register(spec: RegisterSpec): Buffer | undefined {
    const value = this.known.get(spec);
    if (value === undefined) return undefined;
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(value);
    return bytes.subarray(0, spec.size);
  }
}

/** A thread whose place can be told without stopping it; any if there is none. */
export function visibleThread(engine: Engine, inferior: Inferior): number {
  let fallback = inferior.pid;
  for (const thread of inferior.threads.values()) {
    const glimpse = Glimpse.of(engine, thread, inferior);
    if (glimpse === undefined || glimpse.blocked) return thread.tid;
    fallback = thread.tid;
  }
  return fallback;
}

/** Fills g as ArchDescriptor.toG does; tells of each register whether it is available. */
export function readAll(
  engine: Engine,
  thread: Thread,
  inferior: Inferior,
  g: Buffer,
): readonly boolean[] {
  const { arch } = inferior;
  const glimpse = Glimpse.of(engine, thread, inferior);
  if (!glimpse) return arch.toG((note) => engine.regset(thread, note), g, 0);
  return arch.registers.map((spec) => {
    const value = glimpse.register(spec);
    value?.copy(g, spec.gOffset);
    return value !== undefined;
  });
}

/** One register's bytes; undefined where it is unavailable. */
export function readOne(
  engine: Engine,
  thread: Thread,
  inferior: Inferior,
  spec: RegisterSpec,
): Buffer | undefined {
  const glimpse = Glimpse.of(engine, thread, inferior);
  if (glimpse) return glimpse.register(spec);
  return inferior.arch.getRegister(spec, (note) => engine.regset(thread, note));
}
