// Addresses for buffers, so that the fake takes the same records as the real providers.
const REGION = 1n << 36n; // bytes of address space for one ArrayBuffer

/** Gives out addresses of ArrayBuffers and finds the bytes behind them again. */
export class FakeHeap {
  private readonly bases = new WeakMap<ArrayBufferLike, bigint>();
  private readonly buffers = new Map<bigint, WeakRef<ArrayBufferLike>>();
  private next = 1n;

  addressOf(buf: Uint8Array): bigint {
    let base = this.bases.get(buf.buffer);
    if (base === undefined) {
      base = this.next++;
      this.bases.set(buf.buffer, base);
      this.buffers.set(base, new WeakRef(buf.buffer));
    }
    return base * REGION + BigInt(buf.byteOffset);
  }

  /** The bytes at an address; undefined: EFAULT. */
  bytes(address: bigint, length: number): Buffer | undefined {
    const buffer = this.buffers.get(address / REGION)?.deref();
    const offset = Number(address % REGION);
    if (buffer === undefined || offset + length > buffer.byteLength) return undefined;
    return Buffer.from(buffer, offset, length);
  }
}
