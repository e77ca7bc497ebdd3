import { paint } from '../paint';
import type { GdbConsole } from './gdb-console';
import type { Call, Observer } from './observer';

const SYSCALLS_SHOWN = 5;
const NAMES_SHOWN = 4;
const HOUSEKEEPING = new Set(['futex', 'rt_sigprocmask', 'rseq', 'set_robust_list', 'mprotect']);
const READING_MS = 700; // for a person at a terminal

/** Prints the story: what we say, what gdb is told and answers, what the observer notes. */
export class Stage {
  /** What a step should have shown and did not. */
  readonly failures: string[] = [];

  constructor(
    private readonly gdb: GdbConsole,
    private readonly observer: Observer,
  ) {}

  /** A chapter and what it is about. */
  async chapter(title: string, text: string): Promise<void> {
    if (process.stdout.isTTY) await new Promise((resolve) => setTimeout(resolve, READING_MS));
    console.log(`\n${paint(`== ${title}`, 'bold', 'yellow')}`);
    console.log(text);
  }

  /** Sends a command to gdb, shows both sides, checks the answer; the answer. */
  async gdbDoes(command: string, shows?: RegExp): Promise<string> {
    const answer = await this.gdb.send(command);
    console.log(`${paint('(gdb)', 'bold', 'cyan')} ${paint(command, 'bold')}`);
    for (const line of tidy(answer)) console.log(paint('  | ', 'cyan') + line);
    this.notes();
    if (shows && !shows.test(answer)) this.fail(`"${command}" did not show ${shows}`);
    return answer;
  }

  /** Shows what the observer has noted since it was asked last. */
  notes(): void {
    const calls = this.observer.take();
    const shown = calls.filter(({ name }) => !HOUSEKEEPING.has(name)).slice(-SYSCALLS_SHOWN);
    const others = calls.filter((call) => !shown.includes(call));
    if (others.length > 0) this.note(summary(others));
    for (const { thread, text } of shown) this.note(`${thread.padEnd(7)} ${text}`);
  }

  check(what: string, holds: boolean): void {
    console.log(`${holds ? paint('ok  ', 'green') : paint('FAIL', 'red')} ${what}`);
    if (!holds) this.fail(what);
  }

  private note(text: string): void {
    console.log(paint(`  * observer: ${text}`, 'magenta'));
  }

  private fail(what: string): void {
    this.failures.push(what);
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

// gdb's words about files and threads that come and go are not the story
function tidy(answer: string): string[] {
  return answer
    .split('\n')
    .map((line) => line.trimEnd().replace(/ at \S*\/(\w+\.c:)/, ' at $1'))
    .filter((line) => line !== '' && !/^(\[New Thread|\[Switching|Reading |Continuing)/.test(line));
}
