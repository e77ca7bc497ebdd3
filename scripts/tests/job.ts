// A piece of the tests that runs as a process of its own, beside others, and has a time limit.
import { spawn, type ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseLines, REPORT, type Line } from './lines';

export interface Job {
  name: string;
  command: string;
  args: string[];
  env: Record<string, string>;
  /** After which it is ended, and has failed. */
  seconds: number;
  /** It tells of its tests (see lines.ts); else its exit code is all there is. */
  tells: boolean;
}

export interface Outcome {
  job: Job;
  passed: number;
  failures: { name: string; message: string }[];
  /** Each with its reason. */
  skipped: string[];
  files: { file: string; seconds: number }[];
  slowest: { name: string; seconds: number }[];
  seconds: number;
  /** What it wrote. */
  output: string;
}

/** Between asking a process to end and ending it. */
const GRACE_MS = 5000;
const OUTPUT_LIMIT = 4 << 20;
/** By which a job that tells nothing else says that it could not be done here, and why. */
const SKIP_CODE = 77;
/** What is shown of the output of a job that tells nothing else. */
const TAIL_LINES = 25;

/** A job that was begun. */
export class Run {
  readonly outcome: Promise<Outcome>;
  private readonly child: ChildProcess;
  private readonly began = Date.now();
  private readonly scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'ntrace-test-'));
  private readonly report = path.join(this.scratch, 'lines');
  private output = '';
  private cut = '';
  private gone = false;

  constructor(
    private readonly job: Job,
    cwd: string,
  ) {
    fs.writeFileSync(this.report, '');
    // it goes with us, should we be killed
    const [command = '', ...args] = ['setpriv', '--pdeathsig', 'TERM', job.command, ...job.args];
    this.child = spawn(command, args, {
      cwd,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...job.env, [REPORT]: this.report },
      detached: true, // a group of its own, to be ended as one
    });
    const take = (data: Buffer): void => {
      this.output = (this.output + data.toString()).slice(-OUTPUT_LIMIT);
    };
    this.child.stdout?.on('data', take);
    this.child.stderr?.on('data', take);
    const timer = setTimeout(() => this.end(`not done after ${job.seconds} s`), job.seconds * 1000);
    this.outcome = this.exit().then((how) => {
      clearTimeout(timer);
      return this.judge(how);
    });
  }

  /** Ends it before its time. */
  end(why: string): void {
    if (this.cut !== '') return;
    this.cut = why;
    this.kill('SIGTERM');
    setTimeout(() => this.kill('SIGKILL'), GRACE_MS).unref();
  }

  private kill(signal: NodeJS.Signals): void {
    const { pid } = this.child;
    try {
      // a number whose owner is gone may be another one's
      if (pid !== undefined && !this.gone) process.kill(-pid, signal);
    } catch {
      // the group is gone
    }
  }

  /** Its exit code, its signal, or why it did not start. What it left behind goes with it. */
  private exit(): Promise<string> {
    return new Promise((resolve) => {
      this.child.on('error', ({ message }) => resolve(message));
      this.child.on('exit', (code, signal) => {
        this.kill('SIGKILL');
        this.gone = true;
        // its output is there when it is, unless somebody who got away keeps it open
        const timer = setTimeout(done, GRACE_MS);
        this.child.on('close', done);
        function done(): void {
          clearTimeout(timer);
          resolve(signal ?? `exit code ${code}`);
        }
      });
    });
  }

  private judge(how: string): Outcome {
    const lines = parseLines(fs.readFileSync(this.report, 'utf8'));
    fs.rmSync(this.scratch, { recursive: true, force: true });
    const outcome = sumUp(this.job, lines);
    outcome.seconds = (Date.now() - this.began) / 1000;
    outcome.output = this.output;
    const fail = (message: string): void => {
      outcome.failures.push({ name: this.job.name, message });
    };
    if (this.cut !== '') fail(`${this.cut}${unfinished(lines)}`);
    else if (!this.job.tells) {
      if (how === 'exit code 0') outcome.passed++;
      else if (how === `exit code ${SKIP_CODE}`)
        outcome.skipped.push(`${this.job.name} [${tail(this.output)}]`);
      else fail(`${how}\n${tail(this.output)}`);
    } else if (lines.at(-1)?.kind !== 'end')
      fail(`it ended with ${how} before it was done${unfinished(lines)}\n${tail(this.output)}`);
    return outcome;
  }
}

function tail(text: string): string {
  return text.trimEnd().split('\n').slice(-TAIL_LINES).join('\n');
}

/** The test that was running when it was cut off. */
function unfinished(lines: readonly Line[]): string {
  const begun = new Set<string>();
  for (const line of lines)
    if (line.kind === 'start') begun.add(line.name);
    else if (line.kind === 'test') begun.delete(line.name);
  return begun.size === 0 ? '' : `, in the middle of: ${[...begun].join('; ')}`;
}

function sumUp(job: Job, lines: readonly Line[]): Outcome {
  const outcome: Outcome = {
    ...{ job, passed: 0, failures: [], skipped: [], files: [], slowest: [] },
    ...{ seconds: 0, output: '' },
  };
  // a name may be there twice, in two files
  const late = lines.flatMap((line) => (line.kind === 'skip' ? [line] : []));
  for (const line of lines)
    if (line.kind === 'test') {
      const skip = late.findIndex(({ name }) => name === line.name);
      if (!line.passed) outcome.failures.push(line);
      else if (skip < 0) outcome.passed++;
      else outcome.skipped.push(`${line.name} [${late.splice(skip, 1)[0]?.reason}]`);
      outcome.slowest.push({ name: line.name, seconds: line.ms / 1000 });
    } else if (line.kind === 'file') {
      outcome.files.push({ file: line.file, seconds: line.ms / 1000 });
      outcome.skipped.push(...line.skipped);
      if (line.error !== '') outcome.failures.push({ name: line.file, message: line.error });
    }
  return outcome;
}

/** What was never begun, and why. */
export function notRun(job: Job, why: string): Outcome {
  return { ...sumUp(job, []), failures: [{ name: job.name, message: `not run: ${why}` }] };
}
