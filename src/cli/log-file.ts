import fs from 'node:fs';

/** Lines, each with its time in seconds since the start, appended to a file as they come, so that nothing is lost when the process is killed. */
export class LogFile {
  private readonly fd: number;

  /** Throws an Error with .code. */
  constructor(path: string) {
    this.fd = fs.openSync(path, 'a', 0o600);
  }

  line(text: string): void {
    try {
      fs.writeSync(this.fd, `${(performance.now() / 1000).toFixed(6)} ${text}\n`);
    } catch {
      // a full disk must not end a debugging session
    }
  }
}
