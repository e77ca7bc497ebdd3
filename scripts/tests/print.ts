// What the runner says of its jobs, and of all of them at the end.
import type { Outcome } from './job';

const SLOW_FILES = 15;
const SLOW_TESTS = 10;
/** Of each failure's message, at the end; the whole of it stands where its level ended. */
const MESSAGE_LINES = 30;

const round = (seconds: number): string => `${seconds.toFixed(1)} s`;
// jest colours its messages for a terminal
const plain = (text: string): string => text.replaceAll(/\x1b\[[\d;]*m/g, '');

function counts({ passed, failures, skipped }: Outcome): string {
  return `${passed} passed, ${failures.length} failed, ${skipped.length} skipped`;
}

/** When a job is done: its sum, what it left out, and everything it wrote if something failed. */
export function ended(outcome: Outcome): string {
  const { job, failures, skipped, seconds, output } = outcome;
  const lines = [
    ...skipped.map((name) => `SKIP ${name}`),
    ...(failures.length > 0 ? [plain(output).trimEnd()] : []),
    ...failures.map(({ name }) => `FAIL ${name}`),
    `${failures.length === 0 ? 'PASS' : 'FAIL'} ${job.name}: ${counts(outcome)} (${round(seconds)})`,
  ];
  return lines.filter(Boolean).join('\n');
}

function table(rows: [name: string, seconds: number][], most: number): string[] {
  const sorted = [...rows].sort(([, a], [, b]) => b - a).slice(0, most);
  return sorted.map(([name, seconds]) => `${seconds.toFixed(1).padStart(8)} s  ${name}`);
}

/** Where the time went; then every failure with its message, since a log may be cut off above. */
export function summary(outcomes: readonly Outcome[], seconds: number): string {
  const files = outcomes.flatMap((o) => o.files.map((f): [string, number] => [f.file, f.seconds]));
  const tests = outcomes.flatMap((o) =>
    o.slowest.map((t): [string, number] => [t.name, t.seconds]),
  );
  const lines = [
    '',
    `Time: ${round(seconds)} in all`,
    ...table(
      outcomes.map((o) => [o.job.name, o.seconds]),
      outcomes.length,
    ),
    'Slowest files',
    ...table(files, SLOW_FILES),
    'Slowest tests',
    ...table(tests, SLOW_TESTS),
    '',
    ...outcomes.flatMap((o) => o.failures.map((failure) => described(o.job.name, failure))),
  ];
  return lines.join('\n');
}

function described(job: string, { name, message }: Outcome['failures'][number]): string {
  const lines = plain(message).trim().split('\n');
  const shown = lines.slice(0, MESSAGE_LINES);
  if (lines.length > shown.length) shown.push(`(${lines.length - shown.length} lines more)`);
  return [`FAIL ${job}: ${name}`, ...shown.map((line) => `  ${line}`), ''].join('\n');
}

/** The last line. */
export function closing(outcomes: readonly Outcome[]): string {
  const total = (of: (outcome: Outcome) => number): number =>
    outcomes.reduce((sum, outcome) => sum + of(outcome), 0);
  const passed = total((o) => o.passed);
  const failed = total((o) => o.failures.length);
  return `${passed} passed, ${failed} failed, ${total((o) => o.skipped.length)} skipped`;
}
