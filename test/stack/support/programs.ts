import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { repositoryRoot } from '../../support/root';

const SOURCES = path.join(repositoryRoot, 'test/stack/programs');
const OUTPUT = path.join(repositoryRoot, 'build/programs/stack');

/** Compiles test/stack/programs/NAME.c unless it is up to date; the path of the program. */
export function program(name: string): string {
  const source = path.join(SOURCES, `${name}.c`);
  const binary = path.join(OUTPUT, name);
  fs.mkdirSync(OUTPUT, { recursive: true });
  if (!fs.existsSync(binary) || fs.statSync(binary).mtimeMs < fs.statSync(source).mtimeMs)
    execFileSync('gcc', ['-g', '-O0', '-pthread', '-o', binary, source]);
  return binary;
}

/** A program that others are to attach to. */
export class Victim {
  private readonly ended: Promise<unknown>;

  private constructor(readonly child: ChildProcess) {
    this.ended = once(child, 'exit');
  }

  /** Starts it, and waits until it has all its threads. */
  static async start(name: string, threads: number, ...args: string[]): Promise<Victim> {
    const victim = new Victim(spawn(program(name), args, { stdio: 'ignore' }));
    await once(victim.child, 'spawn');
    const tasks = `/proc/${victim.pid}/task`;
    for (const limit = Date.now() + 20_000; fs.readdirSync(tasks).length < threads;) {
      if (Date.now() > limit) throw new Error(`${name} has no ${threads} threads`);
      await new Promise((done) => setImmediate(done));
    }
    return victim;
  }
  get pid(): number {
    return this.child.pid!;
  }
  get running(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }
  /** Its exit code, or the signal that ended it. */
  async end(): Promise<number | string | null> {
    if (this.running) await this.ended;
    return this.child.exitCode ?? this.child.signalCode;
  }
  kill(): void {
    if (this.running) this.child.kill('SIGKILL');
  }
}
