import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { running, startReady } from '../../gdb/support/victim';
import { compiled } from '../../support/compile';
import { repositoryRoot } from '../../support/root';

const SOURCES = path.join(repositoryRoot, 'test/stack/programs');
const OUTPUT = path.join(repositoryRoot, 'build/programs/stack');

/** Compiles test/stack/programs/NAME.c unless it is up to date; the path of the program. */
export function program(name: string): string {
  const source = path.join(SOURCES, `${name}.c`);
  const binary = path.join(OUTPUT, name);
  return compiled(binary, source, ['-g', '-O0', '-pthread']);
}

/** A program that others are to attach to. */
export class Victim {
  private readonly ended: Promise<unknown>;

  private constructor(readonly child: ChildProcess) {
    this.ended = once(child, 'exit');
  }

  /** Starts it, and waits until all its threads are where they will be. */
  static async start(name: string, ...args: string[]): Promise<Victim> {
    return new Victim(await startReady(program(name), ...args));
  }
  get pid(): number {
    return this.child.pid!;
  }
  get running(): boolean {
    return running(this.child);
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
