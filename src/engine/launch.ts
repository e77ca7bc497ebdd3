import type { SpawnedChild } from '../native';
import { native } from '../native';
import { EventType, type EngineEvent } from './channel/event';
import type { Engine, LaunchSpec, Sets } from './engine-api';
import { EngineError, Errno, failure } from './errors';
import type { Inferior } from './inferior';

const LIMIT_MS = 60_000;
const SLICE_MS = 100;

/** What launching needs of an engine beyond its surface. */
export interface Launcher extends Engine {
  /** attach() of a child of ours, which dies with us. */
  adopt(child: SpawnedChild): Inferior;
  /** The next event of this process, taken out of the order of the others. */
  take(pid: number, ms: number): EngineEvent | undefined;
  /** Puts the caller's sets for later processes in force for this one. */
  restoreSets(pid: number): void;
}

// On its way to the program nothing but execs is of interest.
const ON_THE_WAY: Sets = {
  signalStop: 0n,
  signalNote: 0n,
  faultStop: 0n,
  signalStep: 0n,
  lifeStop: [EventType.Exec],
  lifeNote: [],
  followFork: false,
  followVfork: false,
  entryStop: [],
  exitStop: [],
  entryNote: [],
  exitNote: [],
};

const STEPS: Record<string, string> = {
  chdir: 'its working directory cannot be entered',
  stdio: 'its input or output cannot be opened',
  exec: 'it cannot be executed',
};

/** A program, or what was to start it, ended before it got there. */
export class EndedEarly extends EngineError {
  constructor(
    /** As waitpid gives it. */
    readonly waitStatus: number,
    message: string,
  ) {
    super(Errno.ESRCH, 'ESRCH', message);
  }
}

function ended(spec: LaunchSpec, child: SpawnedChild, status: number): EngineError {
  const { errno, step } = child.failure();
  if (errno !== 0) {
    const what = STEPS[step] ?? 'it cannot be started';
    const text = `cannot run ${spec.file}: ${what}: ${native.errnoText(errno)}`;
    return new EngineError(errno, native.errnoName(errno), text);
  }
  const how =
    (status & 0x7f) === 0 ? `exited with status ${status >> 8}` : `died of signal ${status & 0x7f}`;
  return new EndedEarly(
    status,
    `cannot run ${spec.file}: ${spec.args.join(' ')} ${how} before it got to the program`,
  );
}

/** Runs a new process through its execs and holds it at the last one's first instruction. */
export function launch(engine: Launcher, spec: LaunchSpec): Inferior {
  // how else would its first instruction be known
  if (!engine.has('exec'))
    throw failure(Errno.EOPNOTSUPP, `run ${spec.file}, which takes the feature "exec"`);
  const child = spawn(engine, spec);
  const inferior = engine.adopt(child);
  const { pid } = inferior;
  engine.set(pid, ON_THE_WAY);
  child.go();
  const deadline = Date.now() + LIMIT_MS;
  let left = spec.execs ?? 1;
  while (left > 0) {
    const event = engine.take(pid, SLICE_MS);
    if (event?.type === EventType.ProcDead) throw ended(spec, child, event.code);
    if (event?.type === EventType.Exec) left--;
    if (event !== undefined && event.stopId !== 0n && left > 0) {
      engine.resume([{ pid, tid: event.tid, kind: 'cont', signo: event.signo }]);
    }
    if (Date.now() > deadline) {
      engine.kill(pid);
      throw failure(Errno.ETIMEDOUT, `run ${spec.file}: it never reached the program`);
    }
  }
  engine.restoreSets(pid);
  return inferior;
}

function spawn(engine: Engine, spec: LaunchSpec): SpawnedChild {
  try {
    return engine.channel.spawn(spec);
  } catch (error) {
    if (error instanceof EngineError) throw error;
    throw new EngineError(Errno.EAGAIN, 'EAGAIN', `cannot start ${spec.file}: ${String(error)}`);
  }
}

const COLLECT_MS = 2000;

/** Takes the wait status of a child that was just killed, where the provider does not. */
export function collectKilled(child: SpawnedChild | undefined): void {
  const sleeper = new Int32Array(new SharedArrayBuffer(4));
  const deadline = Date.now() + COLLECT_MS;
  while (child !== undefined && child.reap() === undefined && Date.now() < deadline) {
    Atomics.wait(sleeper, 0, 0, 1);
  }
}
