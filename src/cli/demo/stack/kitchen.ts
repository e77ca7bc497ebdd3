import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { PACKAGE_ROOT } from '../../package-root';

export const SOURCE = 'demo/kitchen.c';
const THREADS = 3;

/** The program everybody is on. */
export class Kitchen {
  private readonly ended: Promise<unknown>;

  private constructor(
    readonly file: string,
    private readonly child: ChildProcess,
  ) {
    this.ended = once(child, 'exit');
  }

  /** Compiles and starts it; both cooks are at work on return. */
  static async open(dir: string): Promise<Kitchen> {
    const file = path.join(dir, 'kitchen');
    const source = path.join(PACKAGE_ROOT, SOURCE);
    execFileSync('gcc', ['-g', '-O0', '-pthread', '-o', file, source]);
    const kitchen = new Kitchen(file, spawn(file, [path.join(dir, 'book')], { stdio: 'ignore' }));
    await once(kitchen.child, 'spawn');
    while (fs.readdirSync(`/proc/${kitchen.pid}/task`).length < THREADS)
      await new Promise((done) => setImmediate(done));
    return kitchen;
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** Who traces it, as it sees it itself; 0: nobody. */
  get tracer(): number {
    const status = fs.readFileSync(`/proc/${this.pid}/status`, 'utf8');
    return Number(/^TracerPid:\s*(\d+)$/m.exec(status)?.[1]);
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** Its exit code, or the signal that ended it. */
  async end(): Promise<number | string | null> {
    if (this.child.exitCode === null && this.child.signalCode === null) await this.ended;
    return this.child.exitCode ?? this.child.signalCode;
  }

  /** Whatever happened before: it is gone afterwards. */
  async close(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.end();
  }
}
