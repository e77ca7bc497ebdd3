import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { PATIENCE } from '../../support/patience';
import { repositoryRoot } from '../../support/root';

/** Another server can be put in its place, to see that a test asks nothing of us alone. */
export const OURS =
  process.env.NTRACE_TEST_SERVER ?? path.join(repositoryRoot, 'bin/ntrace-gdbserver');
const PATIENCE_MS = 20_000 * PATIENCE;
const DRAIN_MS = 300;

/** A server under test, with what it said on standard output and error. */
export class ServerProcess {
  stdout = '';
  stderr = '';
  private readonly ended: Promise<void>;
  private wake: () => void = () => undefined;

  private constructor(readonly child: ChildProcess) {
    child.stdout?.on('data', (data: Buffer) => {
      this.stdout += data.toString();
      this.wake();
    });
    child.stderr?.on('data', (data: Buffer) => {
      this.stderr += data.toString();
      this.wake();
    });
    // what it started may outlive it and keep the pipes open
    const exit = once(child, 'exit').then(() => new Promise((done) => setTimeout(done, DRAIN_MS)));
    this.ended = Promise.race([once(child, 'close'), exit]).then(() => this.wake());
  }

  static start(
    args: readonly string[],
    options: { executable?: string; stdio?: StdioOptions; env?: NodeJS.ProcessEnv } = {},
  ): ServerProcess {
    return new ServerProcess(
      spawn(options.executable ?? OURS, args, {
        stdio: options.stdio ?? ['ignore', 'pipe', 'pipe'],
        env: options.env ?? process.env,
      }),
    );
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  get running(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** Waits until standard error matches, or the server ended; the match, if there is one. */
  async says(pattern: RegExp): Promise<RegExpExecArray | null> {
    const limit = Date.now() + PATIENCE_MS;
    for (;;) {
      const match = pattern.exec(this.stderr);
      if (match || !this.running) return match;
      const left = limit - Date.now();
      if (left <= 0)
        throw new Error(`no ${pattern} within ${PATIENCE_MS / 1000} s; so far:\n${this.stderr}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.wake = (): void => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  /** The port it listens on. */
  async port(): Promise<number> {
    const match = await this.says(/Listening on port (\d+)\n/);
    if (!match) throw new Error(`the server ended:\n${this.stderr}`);
    return Number(match[1]);
  }

  /** Waits for its end: exit code, or the signal's name. */
  async end(): Promise<number | string> {
    const timer = setTimeout(() => this.child.kill('SIGKILL'), PATIENCE_MS);
    await this.ended;
    clearTimeout(timer);
    return this.child.signalCode ?? this.child.exitCode ?? -1;
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | string> {
    if (this.running) this.child.kill(signal);
    return this.end();
  }
}
