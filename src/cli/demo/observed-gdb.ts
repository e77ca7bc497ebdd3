import type { GdbConsole } from './gdb-console';
import type { Call, Observer } from './observer';
import type { Stage } from './stage';

const SYSCALLS_SHOWN = 5;
const NAMES_SHOWN = 4;
const HOUSEKEEPING = new Set(['futex', 'rt_sigprocmask', 'rseq', 'set_robust_list', 'mprotect']);

/** A gdb on the stage, and beside it what the observer noted at each of its steps. */
export class ObservedGdb {
  constructor(
    private readonly stage: Stage,
    private readonly gdb: GdbConsole,
    private readonly observer: Observer,
  ) {}

  /** Sends a command to gdb, shows both sides, checks the answer; the answer. */
  async does(command: string, shows?: RegExp): Promise<string> {
    const answer = await this.gdb.send(command);
    this.stage.told('(gdb)', 'cyan', command, answer, shows);
    this.notes();
    return answer;
  }

  /** Shows what the observer has noted since it was asked last. */
  private notes(): void {
    const calls = this.observer.take();
    const shown = calls.filter(({ name }) => !HOUSEKEEPING.has(name)).slice(-SYSCALLS_SHOWN);
    const others = calls.filter((call) => !shown.includes(call));
    if (others.length > 0) this.stage.note('observer', summary(others));
    for (const { thread, text } of shown)
      this.stage.note('observer', `${thread.padEnd(7)} ${text}`);
  }
}

/** "futex 5, rt_sigprocmask 2". */
function summary(calls: readonly Call[]): string {
  const counts = new Map<string, number>();
  for (const { name } of calls) counts.set(name, (counts.get(name) ?? 0) + 1);
  const sorted = [...counts].sort(([, a], [, b]) => b - a);
  const named = sorted.slice(0, NAMES_SHOWN).map(([name, count]) => `${name} ${count}`);
  return `${named.join(', ')}${sorted.length > NAMES_SHOWN ? ', ...' : ''}`;
}
