import type { Filter } from './filter';
import type { Style } from './call';

export type Status = 'successful' | 'failed' | 'unfinished' | 'unavailable' | 'detached';

/** Everything the command line decides. */
export interface Options {
  provider: 'auto' | 'kernel' | 'embedded';
  /** PROG ARGS; empty: only attached processes. */
  program: string[];
  pids: number[];
  follow: boolean;
  /** -ff: a file for each thread. */
  separate: boolean;
  /** -o */
  output: string | undefined;
  append: boolean;
  filter: Filter;
  /** -e status=: results that are printed; undefined: all. */
  statuses: ReadonlySet<Status> | undefined;
  /** -c: 'only', -C: 'also' */
  summary: 'no' | 'only' | 'also';
  sort: string;
  /** -w is accepted; times are always wall-clock times. */
  /** -t 1, -tt 2, -ttt 3 */
  timestamps: 0 | 1 | 2 | 3;
  /** -r */
  relative: boolean;
  /** -T */
  durations: boolean;
  /** -q, -qq, -qqq */
  quiet: number;
  /** -i */
  pointer: boolean;
  /** -n */
  numbers: boolean;
  /** -a */
  column: number;
  /** -u */
  user: string | undefined;
  /** -E VAR=value, or VAR to remove it */
  environment: string[];
  /** -b execve */
  detachOnExec: boolean;
  /** Never stop anybody: notes only. */
  record: boolean;
  style: Style;
}
