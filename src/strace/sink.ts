import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const BATCH = 64 * 1024;

/** Where lines go. Text is gathered and written in one piece; flush() before somebody else writes. */
export class Sink {
  private text = '';

  constructor(
    private readonly fd: number,
    /** Written when a batch is full or nothing happens, not before every resume. */
    readonly lazy: boolean,
  ) {}

  write(text: string): void {
    this.text += text;
    if (this.text.length >= BATCH) this.flush();
  }

  flush(): void {
    if (this.text === '') return;
    let bytes = Buffer.from(this.text, 'latin1');
    this.text = '';
    while (bytes.length > 0) {
      try {
        bytes = bytes.subarray(fs.writeSync(this.fd, bytes));
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code === 'EINTR') continue;
        if (code === 'EAGAIN') {
          // a terminal somebody made nonblocking: wait until it takes more
          Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
          continue;
        }
        if (code === 'EPIPE') return; // nobody reads any more
        throw error;
      }
    }
  }

  /** A file written while it is traced is complete at any pause; directories are not waited for. */
  static file(name: string, append: boolean): Sink {
    return new Sink(fs.openSync(name, append ? 'a' : 'w', 0o666), true);
  }
}

/** A command that reads what we write: -o '|cmd'. */
export class Pipe {
  readonly sink: Sink;
  private readonly child: ChildProcess;
  private readonly fd: number;

  constructor(command: string) {
    const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'ntrace-pipe-'));
    const fifo = path.join(dir, 'fifo');
    try {
      const made = spawnSync('mkfifo', [fifo]);
      if (made.status !== 0) throw new Error(`cannot make a pipe for "${command}"`);
      const script = 'exec <"$1"; shift; eval "$1"';
      this.child = spawn('sh', ['-c', script, 'sh', fifo, command], {
        stdio: ['ignore', 'inherit', 'inherit'],
      });
      this.fd = fs.openSync(fifo, 'w'); // until the shell has opened its end
    } finally {
      fs.rmSync(dir, { recursive: true, force: true });
    }
    this.sink = new Sink(this.fd, false);
  }

  /** Ends the command's input and waits for it. */
  async close(): Promise<void> {
    this.sink.flush();
    fs.closeSync(this.fd);
    if (this.child.exitCode === null && this.child.signalCode === null) {
      await once(this.child, 'close');
    }
  }
}
