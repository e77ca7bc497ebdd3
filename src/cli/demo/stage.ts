import { paint, type Color } from '../paint';

const READING_MS = 700; // for a person at a terminal

/** Prints a story: what it is about, who is told what and answers what, and whether it is so. */
export class Stage {
  /** What a step should have shown and did not. */
  readonly failures: string[] = [];

  /** A chapter and what it is about. */
  async chapter(title: string, text: string): Promise<void> {
    if (process.stdout.isTTY) await new Promise((resolve) => setTimeout(resolve, READING_MS));
    console.log(`\n${paint(`== ${title}`, 'bold', 'yellow')}`);
    console.log(text);
  }

  /** A command and its answer, which is to show something. */
  told(prompt: string, color: Color, command: string, answer: string, shows?: RegExp): void {
    console.log(`${paint(prompt, 'bold', color)} ${paint(command, 'bold')}`);
    for (const line of tidy(answer)) console.log(paint('  | ', color) + line);
    if (shows && !shows.test(answer)) this.fail(`"${command}" did not show ${shows}`);
  }

  /** What somebody else noticed meanwhile. */
  note(who: string, text: string, color: Color = 'magenta'): void {
    console.log(paint(`  * ${who}: ${text}`, color));
  }

  check(what: string, holds: boolean): void {
    console.log(`${holds ? paint('ok  ', 'green') : paint('FAIL', 'red')} ${what}`);
    if (!holds) this.fail(what);
  }

  private fail(what: string): void {
    this.failures.push(what);
  }
}

/** The last line of a story that began then; whether it was as it should be. */
export function verdict(failures: readonly string[], started: number): boolean {
  const seconds = ((Date.now() - started) / 1000).toFixed(1);
  console.log(
    failures.length === 0
      ? `\n${paint('Everything was as it should be', 'bold', 'green')} (${seconds} s).`
      : `\n${paint('Not as it should be:', 'bold', 'red')}\n  ${failures.join('\n  ')}`,
  );
  return failures.length === 0;
}

// gdb's words about files and threads that come and go are not the story
function tidy(answer: string): string[] {
  return answer
    .split('\n')
    .map((line) => line.trimEnd().replace(/ at \S*\/(\w+\.c:)/, ' at $1'))
    .filter(
      (line) =>
        line !== '' &&
        !/^(\[New Thread|\[Switching|Reading |Continuing|\d+\t.*No such file)/.test(line),
    );
}
