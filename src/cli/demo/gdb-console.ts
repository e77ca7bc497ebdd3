import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';

const PROMPT = '\x1eprompt\x1e';
// the tests run it in an emulated machine too
const SLOWNESS = Number(process.env['NTRACE_TEST_PATIENCE'] ?? 1);
const PATIENCE_MS = 30_000 * SLOWNESS;
const SET_UP = [
  'set confirm off',
  'set pagination off',
  'set width 0',
  'set debuginfod enabled off',
  'set breakpoint pending off',
  `set remotetimeout ${20 * SLOWNESS}`, // a busy machine
];

/** A real gdb, driven a command at a time through its console. */
export class GdbConsole {
  private output = '';
  private readonly waiters = new Set<() => void>();

  private constructor(private readonly child: ChildProcessWithoutNullStreams) {
    const take = (data: Buffer): void => {
      this.output += data.toString();
      this.wake();
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    child.on('close', () => this.wake());
  }

  /** Starts gdb on a program (or none) without any start-up files. */
  static async start(...args: string[]): Promise<GdbConsole> {
    const ex = SET_UP.flatMap((command) => ['-ex', command]);
    const gdb = new GdbConsole(
      // one stream, so that errors stand where they happened
      spawn('sh', [
        '-c',
        'exec gdb "$@" 2>&1',
        'gdb',
        '-nx',
        '-q',
        ...ex,
        '-ex',
        `set prompt ${PROMPT}`,
        ...args,
      ]),
    );
    await gdb.prompt();
    return gdb;
  }

  /** Runs a command; what gdb printed until its next prompt. */
  async send(command: string): Promise<string> {
    this.child.stdin.write(`${command}\n`);
    return this.prompt();
  }

  /** Runs several; everything they printed. */
  async script(...commands: string[]): Promise<string> {
    let all = '';
    for (const command of commands) all += await this.send(command);
    return all;
  }

  /** Starts a command and does not wait for its prompt. */
  begin(command: string): void {
    this.child.stdin.write(`${command}\n`);
  }

  /** ^C, as a terminal would send it; what gdb printed until its prompt came back. */
  async interrupt(): Promise<string> {
    this.child.kill('SIGINT');
    return this.prompt();
  }

  /** Waits until gdb has printed something that matches; it stays in the output. */
  async until(pattern: RegExp): Promise<void> {
    await this.wait(() => pattern.test(this.output), String(pattern));
  }

  async prompt(): Promise<string> {
    await this.wait(() => this.output.includes(PROMPT), 'prompt');
    const at = this.output.indexOf(PROMPT);
    const text = this.output.slice(0, at);
    this.output = this.output.slice(at + PROMPT.length);
    return text;
  }

  async quit(): Promise<void> {
    if (this.gone) return;
    this.child.stdin.end('quit\n');
    const timer = setTimeout(() => this.child.kill('SIGKILL'), PATIENCE_MS);
    await once(this.child, 'close');
    clearTimeout(timer);
  }

  /** As if the machine it runs on went away. */
  async vanish(): Promise<void> {
    if (this.gone) return;
    this.child.kill('SIGKILL');
    await once(this.child, 'close');
  }

  private wake(): void {
    for (const waiter of this.waiters) waiter();
    this.waiters.clear();
  }

  private get gone(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  private async wait(ready: () => boolean, what: string): Promise<void> {
    const limit = Date.now() + PATIENCE_MS;
    while (!ready()) {
      const left = limit - Date.now();
      if (left <= 0 || this.gone) throw new Error(`gdb gave no ${what}; so far:\n${this.output}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.waiters.add(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }
}
