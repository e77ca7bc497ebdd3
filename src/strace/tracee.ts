import type { Abi } from './abi';
import type { Call, Surroundings } from './call';
import { Call as CallRecord } from './call';
import type { Signature } from './signature';
import type { Sink } from './sink';

/** One traced thread. */
export class Tracee {
  readonly call: Call;
  /** Of the call it is in; undefined between calls. */
  signature: Signature | undefined;
  /** The call is one of those to be printed. */
  wanted = false;
  /** Its entry is printed, or waits in "held" for the result to decide. */
  printed = false;
  held: string | undefined;
  /** Its line was cut short by another thread's. */
  unfinished = false;
  /** Where the exit goes on with the arguments. */
  position = 0;
  /** Columns of its line so far. */
  column = 0;
  /** Nanoseconds of CLOCK_MONOTONIC. */
  enteredAt = 0;
  /** Before the first exec of a program we started: nobody's business. */
  hidden = false;
  ended = false;
  /** Where its program stands; undefined once it ended. */
  pointer: bigint | undefined = 0n;

  constructor(
    public tid: number,
    readonly pid: number,
    env: Surroundings,
    abi: Abi,
    readonly sink: Sink,
  ) {
    this.call = new CallRecord(env, pid, abi);
  }
}
