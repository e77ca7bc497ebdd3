import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { running, startReady } from '../../gdb/support/victim';
import { compiled } from '../../support/compile';
import { PATIENCE } from '../../support/patience';
import { repositoryRoot } from '../../support/root';

const SOURCES = path.join(repositoryRoot, 'test/stack/programs');
const OUTPUT = path.join(repositoryRoot, 'build/programs/stack');

/** Compiles test/stack/programs/NAME.c unless it is up to date; the path of the program. */
export function program(name: string, ...flags: string[]): string {
  if (path.isAbsolute(name)) return name; // it is one already
  const source = path.join(SOURCES, `${name}.c`);
  const binary = path.join(OUTPUT, [name, ...flags].join(''));
  return compiled(binary, source, ['-g', '-O0', '-pthread', ...flags]);
}

/** A program that others are to attach to. */
export class Victim {
  private readonly ended: Promise<unknown>;

  private constructor(
    readonly child: ChildProcess,
    /** The process itself, where the child is a tool that started it. */
    private readonly grandchild?: number,
  ) {
    this.ended = once(child, 'exit');
  }

  /** Starts it by a tool that ends as it ends: "strace -o FILE". */
  static async startedBy(
    tool: readonly string[],
    name: string,
    ...args: string[]
  ): Promise<Victim> {
    const binary = program(name);
    const [command = '', ...options] = tool;
    const child = spawn(command, [...options, binary, ...args], { stdio: 'ignore' });
    await once(child, 'spawn');
    const runs = (pid: string): boolean => {
      try {
        return fs.readlinkSync(`/proc/${pid}/exe`) === binary;
      } catch {
        return false; // strace tries things out in children that end at once
      }
    };
    for (const limit = Date.now() + 20_000 * PATIENCE; ;) {
      const children = fs.readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8');
      const pid = children
        .trim()
        .split(' ')
        .find((one) => one !== '' && runs(one));
      if (pid !== undefined) return new Victim(child, Number(pid));
      if (Date.now() > limit) throw new Error(`${command} started no ${name}`);
      await new Promise((done) => setImmediate(done));
    }
  }

  /** Starts it, and waits until all its threads are where they will be. */
  static async start(name: string, ...args: string[]): Promise<Victim> {
    return new Victim(await startReady(program(name), ...args));
  }
  get pid(): number {
    return this.grandchild ?? this.child.pid!;
  }
  signal(signal: NodeJS.Signals): void {
    process.kill(this.pid, signal);
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
    if (!this.running) return;
    if (this.grandchild !== undefined) process.kill(this.grandchild, 'SIGKILL');
    this.child.kill('SIGKILL');
  }
}
