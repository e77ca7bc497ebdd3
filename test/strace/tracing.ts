// Runs the real strace and ours on the same program, and makes what they print comparable.
import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { PATIENCE } from '../support/patience';
import { repositoryRoot } from '../support/root';

const PAGE = 4096;

export const OURS = [process.execPath, path.join(repositoryRoot, 'bin/ntrace'), 'strace'];
export const THEIRS = ['strace'];
export const LIMIT_MS = 60_000 * PATIENCE;
const PROGRAMS = path.join(repositoryRoot, 'test/strace/programs');

export interface Outcome {
  status: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export class Bench {
  readonly dir = fs.mkdtempSync(path.join(os.tmpdir(), 'ntrace-strace-'));

  /** Elsewhere: a folder that grows would be seen to. */
  private readonly outputs = fs.mkdtempSync(path.join(os.tmpdir(), 'ntrace-strace-out-'));

  close(): void {
    fs.rmSync(this.outputs, { recursive: true, force: true });
    fs.rmSync(this.dir, { recursive: true, force: true });
  }

  /** A program of test/strace/programs. */
  build(name: string, ...flags: string[]): string {
    const binary = path.join(this.dir, name + flags.join(''));
    const source = path.join(PROGRAMS, `${name}.c`);
    const args = ['-w', '-O1', '-pthread', ...flags, '-o', binary, source, '-lrt'];
    execFileSync('gcc', args);
    return binary;
  }

  /** Addresses are the same in every run, standard input is empty. */
  run(tool: readonly string[], args: readonly string[]): Outcome {
    const [file = '', ...first] = ['setarch', '-R', ...tool];
    const { status, signal, stdout, stderr } = spawnSync(file, [...first, ...args], {
      cwd: this.dir,
      encoding: 'latin1',
      timeout: LIMIT_MS,
      killSignal: 'SIGKILL',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    return { status, signal, stdout, stderr };
  }

  /** Lines of each thread, in the order in which the threads appeared. */
  threads(
    tool: readonly string[],
    args: readonly string[],
  ): { lines: string[][]; outcome: Outcome } {
    const out = fs.mkdtempSync(path.join(this.outputs, 'out-'));
    fs.rmSync(path.join(this.dir, 'work'), { recursive: true, force: true });
    fs.mkdirSync(path.join(this.dir, 'work'));
    const outcome = this.run(tool, ['-ff', '-o', path.join(out, 't'), ...args]);
    const tids = fs
      .readdirSync(out)
      .map((name) => Number(name.slice(2)))
      .sort((a, b) => a - b);
    const names = new Map(tids.map((tid, n) => [String(tid), `TID${n}`]));
    // an id that is also the size of a mapping cannot be told from it
    if (tids.some((tid) => tid % PAGE === 0)) return this.threads(tool, args);
    const lines = tids.map((tid) =>
      fs
        .readFileSync(path.join(out, `t.${tid}`), 'latin1')
        .trimEnd()
        .split('\n'),
    );
    return { lines: lines.map((own) => own.map((line) => comparable(line, names))), outcome };
  }

  start(tool: readonly string[], args: readonly string[]): Running {
    return new Running(tool, args, this.dir);
  }
}

/** A tracer that goes on while the test does something else. */
export class Running {
  readonly child: ChildProcess;
  stderr = '';
  private wake: () => void = () => undefined;

  constructor(tool: readonly string[], args: readonly string[], cwd: string) {
    const [file = '', ...first] = tool;
    this.child = spawn(file, [...first, ...args], { cwd, stdio: ['ignore', 'ignore', 'pipe'] });
    this.child.stderr?.on('data', (data: Buffer) => {
      this.stderr += data.toString('latin1');
      this.wake();
    });
    this.child.on('close', () => this.wake());
  }

  async until(pattern: RegExp): Promise<void> {
    await this.wait(() => pattern.test(this.stderr), String(pattern));
  }

  async end(): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
    await this.wait(() => this.child.exitCode !== null || this.child.signalCode !== null, 'end');
    return { code: this.child.exitCode, signal: this.child.signalCode };
  }

  private async wait(ready: () => boolean, what: string): Promise<void> {
    const deadline = Date.now() + LIMIT_MS;
    while (!ready()) {
      const left = deadline - Date.now();
      if (left <= 0) {
        this.child.kill('SIGKILL');
        throw new Error(`no ${what}; it said:\n${this.stderr}`);
      }
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.wake = (): void => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }
}

/** What differs from one run to the next, by its place: ids, addresses, times, counters. */
const VARYING: [RegExp, string][] = [
  [/0x[0-9a-f]{5,}/g, 'ADDRESS'],
  [
    /\b(si_[us]time|tms_\w+|tv_u?n?sec|uptime|\w+ram|procs|f_bfree|f_bavail|f_ffree)=[^,}\]]*/g,
    '$1=N',
  ],
  [/socket:\[\d+\]/g, 'socket:[N]'],
  [/st_ino=\d+, st_mode=S_IFSOCK/g, 'st_ino=N, st_mode=S_IFSOCK'],
  [/loads=\[[^\]]*\]/g, 'loads=[N]'],
  [/ \/\* \d{4}-\d\d-\d\dT[^*]*\*\//g, ''],
  [/(S_IFSOCK.*), st_ctime=\d+, st_ctime_nsec=\d+/, '$1'],
  [/"(\\x[0-9a-f]{2})+"/g, 'RANDOM'],
  [/^(times\(.*\)|getcpu\(.*\)|kcmp\(.*\)|getppid\(\)|shmget\(.*\)) += .*/, '$1 = N'],
  [/^(getcpu|shmat|shmctl)\([^,]*/, '$1(N'],
  // the soft limit before Node raised it is a guess
  [/^((prlimit64\(0, |u?getrlimit\()RLIMIT_NOFILE, .*)\{.*/, '$1'],
];

function comparable(line: string, names: ReadonlyMap<string, string>): string {
  let text = line.replace(/\b\d+\b/g, (number) => names.get(number) ?? number);
  for (const [pattern, by] of VARYING) text = text.replace(pattern, by);
  return text.replace(/ {2,}= /, ' = ');
}

/**
 * A dying child wakes its parent twice, by SIGCHLD and by what it waits for; which comes first is
 * the scheduler's business. The signal's lines are taken out, to be compared by their number.
 */
export function withoutChildSignals(lines: readonly string[]): string[] {
  return lines
    .filter((line) => !/^--- SIGCHLD|^rt_sigreturn/.test(line))
    .map((line) => (/^wait(4|id)\(.*ERESTART/.test(line) ? '' : line))
    .filter(Boolean);
}

/** Lines common to both in the same order, and how many the longer one has. */
export function common(a: readonly string[], b: readonly string[]): { same: number; of: number } {
  const row = new Array<number>(b.length + 1).fill(0);
  for (const line of a) {
    let before = 0;
    for (let j = 1; j <= b.length; j++) {
      const above = row[j]!;
      row[j] = line === b[j - 1] ? before + 1 : Math.max(above, row[j - 1]!);
      before = above;
    }
  }
  return { same: row[b.length]!, of: Math.max(a.length, b.length) };
}

/** A process that sleeps until it is killed; ended by the caller. */
export function sleeper(): ChildProcess {
  return spawn('sleep', ['1000'], { stdio: 'ignore' });
}

export function tracerOf(pid: number): number {
  const status = fs.readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^TracerPid:\s*(\d+)$/m.exec(status)?.[1]);
}
