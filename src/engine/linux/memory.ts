/** Memory of a process, as the engine or a test gives it. */
export interface MemoryReader {
  /** The bytes at addr: fewer than length where memory ends; throws where none can be read. */
  read(addr: bigint, length: number): Buffer;
}

const PAGE = 4096;
const MAX_PAGES = 4096; // 16 MiB: a walk through garbage ends there

/**
 * Typed reads over a MemoryReader, each page fetched once. For one walk through a stopped process:
 * what is cached is not read again. Reads of unreadable memory give undefined, not an exception.
 */
export class Memory {
  private readonly pages = new Map<bigint, Buffer>();

  constructor(
    private readonly reader: MemoryReader,
    readonly wordSize: 4 | 8,
  ) {}

  /** All the bytes, or undefined. */
  bytes(addr: bigint, length: number): Buffer | undefined {
    const parts: Buffer[] = [];
    for (let left = length; left > 0;) {
      const part = this.upToPageEnd(addr);
      if (part.length === 0) return undefined;
      const taken = part.subarray(0, left);
      parts.push(taken);
      left -= taken.length;
      addr += BigInt(taken.length);
    }
    return parts.length === 1 ? parts[0] : Buffer.concat(parts);
  }

  u32(addr: bigint): number | undefined {
    return this.bytes(addr, 4)?.readUInt32LE(0);
  }

  /** An unsigned long or a pointer. */
  word(addr: bigint): bigint | undefined {
    const raw = this.bytes(addr, this.wordSize);
    return raw && wordAt(raw, 0, this.wordSize);
  }

  /** A NUL-terminated string; what is readable of it if it runs into a hole or past max bytes. */
  string(addr: bigint, max = 4096): Buffer {
    const parts: Buffer[] = [];
    for (let left = max; left > 0;) {
      const part = this.upToPageEnd(addr).subarray(0, left);
      const nul = part.indexOf(0);
      parts.push(nul >= 0 ? part.subarray(0, nul) : part);
      if (nul >= 0 || part.length === 0) break;
      left -= part.length;
      addr += BigInt(part.length);
    }
    return Buffer.concat(parts);
  }

  private upToPageEnd(addr: bigint): Buffer {
    const mask = this.wordSize === 4 ? 0xffff_ffffn : 0xffff_ffff_ffff_ffffn;
    const wrapped = addr & mask;
    const number = wrapped / BigInt(PAGE);
    let page = this.pages.get(number);
    if (page === undefined) {
      page = this.pages.size < MAX_PAGES ? this.fetch(number * BigInt(PAGE)) : Buffer.alloc(0);
      this.pages.set(number, page);
    }
    return page.subarray(Number(wrapped % BigInt(PAGE)));
  }

  private fetch(addr: bigint): Buffer {
    try {
      return this.reader.read(addr, PAGE);
    } catch {
      return Buffer.alloc(0);
    }
  }
}

/** An unsigned little-endian word of a buffer. */
export function wordAt(raw: Buffer, offset: number, wordSize: 4 | 8): bigint {
  return wordSize === 8 ? raw.readBigUInt64LE(offset) : BigInt(raw.readUInt32LE(offset));
}
