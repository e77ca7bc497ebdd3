import fs from 'node:fs';

const QUEUE_LIMIT = 64 * 1024; // bytes kept for a reader that is slow
const RETRY_MS = 50;

/**
 * Messages for people, on standard error, that never hold the server up: a terminal or pipe nobody
 * reads fills after some kilobytes, and a blocked write would stop the inferior's events as well.
 *
 * O_NONBLOCK belongs to the open file, which we share with the inferior and the shell, so terminals
 * and pipes are opened anew for it. Files never block. Sockets cannot be opened anew; they are
 * written as they are.
 */
export class Messages {
  private readonly fd: number;
  private queued: Buffer = Buffer.alloc(0);
  private retry: NodeJS.Timeout | undefined;

  constructor(target = 2) {
    this.fd = reopen(target);
  }

  /** One line, without its newline. Lost if the reader leaves more than 64 KB unread. */
  say(line: string): void {
    this.write(`${line}\n`);
  }

  write(text: string): void {
    const bytes = Buffer.from(text);
    if (this.queued.length + bytes.length <= QUEUE_LIMIT || this.queued.length === 0)
      this.queued = this.queued.length === 0 ? bytes : Buffer.concat([this.queued, bytes]);
    this.flush();
  }

  /** Writes what fits now of what is queued. */
  flush(): void {
    clearTimeout(this.retry);
    while (this.queued.length > 0) {
      try {
        this.queued = this.queued.subarray(fs.writeSync(this.fd, this.queued));
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code === 'EINTR') continue;
        if (code === 'EAGAIN') this.retry = setTimeout(() => this.flush(), RETRY_MS).unref();
        else this.queued = Buffer.alloc(0); // the reader is gone for good
        return;
      }
    }
  }
}

function reopen(target: number): number {
  try {
    const kind = fs.fstatSync(target).mode & fs.constants.S_IFMT;
    if (kind !== fs.constants.S_IFCHR && kind !== fs.constants.S_IFIFO) return target;
    const flags = fs.constants.O_WRONLY | fs.constants.O_NONBLOCK | fs.constants.O_NOCTTY;
    return fs.openSync(`/proc/self/fd/${target}`, flags);
  } catch {
    return target; // closed, or a terminal of somebody else
  }
}
