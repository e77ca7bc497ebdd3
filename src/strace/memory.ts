import type { Engine } from '../engine/engine-api';

const SCRATCH = 256 * 1024;
const CHUNK = 256;

/** Reads a traced process's memory; undefined instead of an exception where there is none. */
export class Memory {
  private readonly scratch = Buffer.alloc(SCRATCH);

  constructor(private readonly engine: Engine) {}

  /** As many of the bytes as there are, in a buffer that the next call overwrites. */
  some(pid: number, addr: bigint, length: number): Buffer | undefined {
    const size = Math.min(length, SCRATCH);
    if (size <= 0) return this.scratch.subarray(0, 0);
    try {
      const got = this.engine.readMemory(pid, addr, this.scratch, 0, size);
      return this.scratch.subarray(0, got);
    } catch {
      return undefined;
    }
  }

  /** All of the bytes, in a buffer of their own, or undefined. */
  exactly(pid: number, addr: bigint, length: number): Buffer | undefined {
    const bytes = this.some(pid, addr, length);
    return bytes === undefined || bytes.length < length ? undefined : Buffer.from(bytes);
  }

  /**
   * A string up to its NUL, at most limit bytes, in a buffer that the next call overwrites;
   * ended: the NUL was found.
   */
  string(pid: number, addr: bigint, limit: number): { bytes: Buffer; ended: boolean } | undefined {
    let size = Math.min(CHUNK, limit + 1);
    for (;;) {
      const bytes = this.some(pid, addr, size);
      if (bytes === undefined) return undefined;
      const end = bytes.indexOf(0);
      if (end >= 0 && end <= limit) return { bytes: bytes.subarray(0, end), ended: true };
      if (bytes.length < size) return undefined; // memory ends before the string does
      if (size > limit) return { bytes: bytes.subarray(0, limit), ended: false };
      size = Math.min(size * 8, limit + 1);
    }
  }
}
