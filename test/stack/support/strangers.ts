import { spawn } from 'node:child_process';
import { PATIENCE } from '../../support/patience';

/** A tool that traces by ptrace, and knows nothing of engines. */
export interface Stranger {
  name: string;
  /** The command that must be there. */
  command: string;
  args(pid: number): string[];
  /** What it prints once it is attached. */
  attached: RegExp;
  /** What it prints when the kernel refuses. */
  refused: RegExp;
}

export const STRANGERS: readonly Stranger[] = [
  {
    name: 'gdb -p',
    command: 'gdb',
    args: (pid) => ['-nx', '-q', '-iex', 'set debuginfod enabled off', '-p', String(pid)],
    attached: /nanosleep|act \(/,
    refused: /is already traced by process \d+|Operation not permitted/,
  },
  {
    name: 'gdbserver --attach',
    command: 'gdbserver',
    args: (pid) => ['--once', '--attach', '127.0.0.1:0', String(pid)],
    attached: /Listening on port/,
    refused: /is already traced by process \d+|Operation not permitted/,
  },
  {
    name: 'strace -p',
    command: 'strace',
    args: (pid) => ['-o', '/dev/null', '-p', String(pid)],
    attached: /attached/,
    refused: /Operation not permitted/,
  },
];

/** A stranger at work, or turned away. */
export class Running {
  private constructor(
    private readonly child: ReturnType<typeof spawn>,
    /** What it printed until it was attached or refused. */
    readonly text: string,
    readonly attached: boolean,
  ) {}

  static async start(stranger: Stranger, pid: number): Promise<Running> {
    const child = spawn(stranger.command, stranger.args(pid), { stdio: ['pipe', 'pipe', 'pipe'] });
    let text = '';
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`${stranger.name} said:\n${text}`)),
        30_000 * PATIENCE,
      );
      const take = (data: Buffer): void => {
        text += String(data);
        const refused = stranger.refused.test(text);
        if (!refused && !stranger.attached.test(text)) return;
        clearTimeout(timer);
        resolve(new Running(child, text, !refused));
      };
      child.stdout!.on('data', take);
      child.stderr!.on('data', take);
    });
  }
  get pid(): number {
    return this.child.pid!;
  }
  async end(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const closed = new Promise((done) => this.child.once('close', done));
    this.child.kill('SIGKILL');
    await closed;
  }
}
