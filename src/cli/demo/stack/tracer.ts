import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';

const PATIENCE_MS = 60_000 * Number(process.env['NTRACE_TEST_PATIENCE'] ?? 1);

/** strace, or what stands in for it: a program that prints a line for what it sees. */
export class Tracer {
  readonly lines: string[] = [];
  private shown = 0;
  private rest = '';
  private readonly waiters = new Set<() => void>();
  private readonly ended: Promise<unknown>;

  private constructor(
    readonly name: string,
    private readonly child: ChildProcess,
  ) {
    this.ended = once(child, 'close');
    child.on('close', () => this.wake());
    child.stderr!.on('data', (data: Buffer) => {
      const parts = (this.rest + data.toString()).split('\n');
      this.rest = parts.pop() ?? '';
      this.lines.push(...parts);
      this.wake();
    });
  }

  static start(name: string, command: string, args: readonly string[]): Tracer {
    return new Tracer(name, spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'] }));
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** Waits for so many more lines that match; false if they do not come. */
  async sees(pattern: RegExp, more = 1): Promise<boolean> {
    const from = this.lines.length;
    return this.until(
      () => this.lines.slice(from).filter((line) => pattern.test(line)).length >= more,
    );
  }

  /** Waits for a line that matches, of now or of before; false if none comes. */
  async has(pattern: RegExp): Promise<boolean> {
    return this.until(() => this.lines.some((line) => pattern.test(line)));
  }

  /** Lines since the last time. */
  take(): string[] {
    const lines = this.lines.slice(this.shown);
    this.shown = this.lines.length;
    return lines;
  }

  /** Waits for its own end: it has nobody left to trace. */
  async end(): Promise<boolean> {
    const gone = await this.until(() => this.gone);
    if (!gone) this.child.kill('SIGKILL');
    await this.ended;
    return gone;
  }

  /** Whatever happened before: it is gone afterwards. */
  async close(): Promise<void> {
    if (!this.gone) this.child.kill('SIGKILL');
    await this.ended;
  }

  private get gone(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  private wake(): void {
    for (const waiter of this.waiters) waiter();
    this.waiters.clear();
  }

  private async until(ready: () => boolean): Promise<boolean> {
    const limit = Date.now() + PATIENCE_MS;
    while (!ready()) {
      const left = limit - Date.now();
      if (left <= 0 || this.gone) return ready();
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.waiters.add(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
    return true;
  }
}
