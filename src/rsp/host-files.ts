import fs from 'node:fs';
import { native } from '../native';

/** A failed file operation; errnoName is the host's ("ENOENT"). */
export class FileError extends Error {
  constructor(readonly errnoName: string) {
    super(errnoName);
  }
}

const O_PATH = 0o10000000; // fcntl.h; Node has no name for it
const MAX_FILES = 1024;
const MAX_OFFSET = 2n ** 63n - 1n;

/** Errors of Node's fs and negative results of the addon, as FileError. */
function checked<T>(operation: () => T): T {
  try {
    return operation();
  } catch (error) {
    if (error instanceof FileError) throw error;
    const code = (error as NodeJS.ErrnoException).code;
    // Node refuses offsets and lengths itself, as ERR_OUT_OF_RANGE
    throw new FileError(code === undefined || code.startsWith('ERR_') ? 'EINVAL' : code);
  }
}
function positive(result: number): number {
  if (result < 0) throw new FileError(native.errnoName(-result));
  return result;
}

/**
 * The files one connection has open (vFile packets): numbers of a table of its own, never raw
 * descriptors, so that a client reaches nothing else the server has open. Names are looked up as
 * the process of setProcess() sees them, its root directory and mounts. Methods throw FileError.
 */
export class HostFiles {
  private readonly table: (number | undefined)[] = [];
  private pid = 0;
  private buffer = Buffer.alloc(0);

  /** At least so many bytes, used again by every call. */
  scratch(length: number): Buffer {
    if (this.buffer.length < length) this.buffer = Buffer.allocUnsafeSlow(length);
    return this.buffer;
  }

  /** Whose root directory and mounts later names mean; 0: the server's. */
  setProcess(pid: number): void {
    this.pid = pid;
  }

  /** Flags and mode are the host's. Returns the number of the file in this table. */
  open(path: string, flags: number, mode: number): number {
    let file = this.table.indexOf(undefined);
    if (file < 0) file = this.table.length;
    if (file >= MAX_FILES) throw new FileError('EMFILE');
    this.table[file] = positive(native.openInRoot(this.pid, path, flags, mode));
    return file;
  }
  close(file: number): void {
    const fd = this.descriptor(file);
    this.table[file] = undefined;
    checked(() => fs.closeSync(fd));
  }
  /** Bytes read to out; 0 at the end of the file. Works on /proc/PID/mem. */
  read(file: number, out: Buffer, length: number, offset: bigint): number {
    const fd = this.descriptor(file);
    if (offset > MAX_OFFSET - BigInt(length)) throw new FileError('EINVAL');
    return length === 0 ? 0 : checked(() => fs.readSync(fd, out, 0, length, offset));
  }
  /** Bytes written. */
  write(file: number, data: Buffer, offset: bigint): number {
    const fd = this.descriptor(file);
    // Node's writes take no offset beyond 2^53; no file is that long, except memory
    if (offset > BigInt(Number.MAX_SAFE_INTEGER)) throw new FileError('EINVAL');
    return checked(() => fs.writeSync(fd, data, 0, data.length, Number(offset)));
  }
  fstat(file: number): fs.BigIntStats {
    const fd = this.descriptor(file);
    return checked(() => fs.fstatSync(fd, { bigint: true }));
  }
  stat(path: string): fs.BigIntStats {
    return this.statNamed(path, O_PATH);
  }
  /** As stat, of a symbolic link itself. */
  lstat(path: string): fs.BigIntStats {
    return this.statNamed(path, O_PATH | fs.constants.O_NOFOLLOW);
  }
  unlink(path: string): void {
    positive(native.unlinkInRoot(this.pid, path));
  }
  readlink(path: string): Uint8Array {
    const target = native.readlinkInRoot(this.pid, path);
    if (typeof target === 'number') throw new FileError(native.errnoName(-target));
    return target;
  }
  closeAll(): void {
    for (const fd of this.table) {
      try {
        if (fd !== undefined) fs.closeSync(fd);
      } catch {
        // a late write error of a file nobody reads any more
      }
    }
    this.table.length = 0;
    this.pid = 0;
  }

  private descriptor(file: number): number {
    const fd = this.table[file];
    if (fd === undefined) throw new FileError('EBADF');
    return fd;
  }
  private statNamed(path: string, flags: number): fs.BigIntStats {
    // O_PATH: nothing is opened, so no permission to read is needed
    const fd = positive(native.openInRoot(this.pid, path, flags, 0));
    try {
      return checked(() => fs.fstatSync(fd, { bigint: true }));
    } finally {
      fs.closeSync(fd);
    }
  }
}
