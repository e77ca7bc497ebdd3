/**
 * One record or array of records, in host byte order, seen as bytes and as words. Words are what hot
 * paths use: a typed array's store is one instruction where a Buffer's method is a call with checks.
 */
export class RecordView {
  readonly bytes: Buffer;
  readonly i32: Int32Array;
  readonly u32: Uint32Array;
  readonly u64: BigUint64Array;

  /** size: bytes, a multiple of 8 as every record of the ABI is. */
  constructor(size: number) {
    const memory = new ArrayBuffer(size);
    this.bytes = Buffer.from(memory);
    this.i32 = new Int32Array(memory);
    this.u32 = new Uint32Array(memory);
    this.u64 = new BigUint64Array(memory);
  }
}

/** Index of a 32-bit field by its byte offset. */
export const word = (offset: number): number => offset / 4;
/** Index of a 64-bit field by its byte offset. */
export const long = (offset: number): number => offset / 8;
