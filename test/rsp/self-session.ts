import fs from 'node:fs';
import { x86_64 } from '../../src/engine/arch';
import type { BreakpointStats, Engine, Holder } from '../../src/engine/engine';
import { EngineError } from '../../src/engine/errors';
import { Inferior } from '../../src/engine/inferior';
import { Thread } from '../../src/engine/thread';
import { native } from '../../src/native';
import type { SessionOptions } from '../../src/rsp/session';
import { Client } from './client';

export { hex } from './client';

const EFAULT = 14;

/** What the test decides about the one process there is: ourselves. */
export class SelfState {
  readonly regsets = new Map<number, Buffer>();
  holders: Holder[] = [];
  breakpoints: BreakpointStats[] = [];
  readonly features = new Set(['attach', 'memory', 'regsets']);
  readonly inferior = new Inferior(process.pid, false, x86_64());
  readonly inferiors = new Map([[process.pid, this.inferior]]);

  constructor() {
    const thread = new Thread(process.pid, process.pid);
    thread.state = 'held';
    this.inferior.threads.set(thread.tid, thread);
  }
}

/**
 * A client of a session whose only inferior is this very process, held: its memory, files and
 * threads are real, its registers are what the test says.
 */
export class SelfSession extends Client {
  constructor(
    settings: Partial<SessionOptions> = {},
    readonly state = new SelfState(),
  ) {
    super(selfEngine(state), settings);
  }
  get inferior(): Inferior {
    return this.state.inferior;
  }
  get inferiors(): Map<number, Inferior> {
    return this.state.inferiors;
  }
}

function selfEngine(state: SelfState): Engine {
  const engine: Partial<Engine> = {
    inferiors: state.inferiors,
    provider: 'test',
    engineId: 7n,
    pageSize: native.getpagesize(),
    has: (feature) => state.features.has(feature),
    set: () => undefined,
    who: () => state.holders,
    breakpointStats: () => state.breakpoints,
    listThreads: (pid) => [{ tid: pid, pid, core: 3, heldByOther: false, name: comm(), state: 2 }],
    regset: (_thread, note) => state.regsets.get(note),
    putRegset: (_thread, note, data) => void state.regsets.set(note, Buffer.from(data)),
    readMemory: (_pid, addr, out, offset, length) => readOurs(addr, out, offset, length),
  };
  return engine as Engine;
}

function comm(): string {
  return fs.readFileSync('/proc/self/comm', 'utf8').replace(/\n$/, '');
}

function readOurs(addr: bigint, out: Buffer, offset: number, length: number): number {
  const fd = fs.openSync('/proc/self/mem', 'r');
  try {
    return fs.readSync(fd, out, offset, length, addr);
  } catch {
    throw new EngineError(EFAULT, 'EFAULT', `0x${addr.toString(16)} cannot be read`);
  } finally {
    fs.closeSync(fd);
  }
}
