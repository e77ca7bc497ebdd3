import { native } from '../../native';

const DOLLAR = 0x24;
const HASH = 0x23;
const PERCENT = 0x25;
const ESCAPE = 0x7d;
/** # $ + - are no counts: who listens only for them would take them for what they are elsewhere. */
const NO_COUNT = new Set([HASH, DOLLAR, 0x2b, 0x2d]);
const DIGITS = '0123456789abcdef';

/** Where a finished frame goes. */
export type FrameSink = (buf: Buffer, offset: number, length: number) => void;

/**
 * Builds one outgoing frame in a buffer it keeps: '$' or '%', content, '#', checksum. Payload is
 * encoded natively and never becomes a string. (GDB manual, "Overview".)
 */
export class PacketWriter {
  private buf = Buffer.allocUnsafeSlow(65536);
  private at = 0;
  private start = 0;
  private readonly pair = new Int32Array(2);
  /** Use run-length encoding (slow lines only: it costs more than it saves on a socket). */
  runLength = false;

  constructor(private readonly sink: FrameSink) {}

  /** Forgets an unfinished frame and begins a new one. */
  begin(notification = false): this {
    this.at = 0;
    this.buf[this.at++] = notification ? PERCENT : DOLLAR;
    this.start = this.at;
    return this;
  }
  /** Bytes of content so far. */
  get length(): number {
    return this.at - this.start;
  }
  private room(more: number): void {
    if (this.at + more + 4 <= this.buf.length) return;
    const bigger = Buffer.allocUnsafeSlow(Math.max(this.buf.length * 2, this.at + more + 4));
    this.buf.copy(bigger, 0, 0, this.at);
    this.buf = bigger;
  }
  /** Plain text without # $ } *. */
  ascii(text: string): this {
    this.room(text.length);
    if (text.length < 24)
      for (let i = 0; i < text.length; i++) this.buf[this.at++] = text.charCodeAt(i);
    else this.at += this.buf.write(text, this.at, 'latin1');
    return this;
  }
  /** Two hex digits for each byte. */
  hex(src: Uint8Array, offset = 0, length: number = src.length - offset): this {
    this.room(2 * length);
    this.at = native.hexEncode(this.buf, this.at, src, offset, length);
    return this;
  }
  /** Escaped bytes, all of them. */
  binary(src: Uint8Array, offset = 0, length: number = src.length - offset): this {
    this.room(2 * length);
    native.escape(this.buf, this.at, this.buf.length - 4, src, offset, length, this.pair);
    this.at = this.pair[1]!;
    return this;
  }
  /** The low bytes of a value as hex digits in memory order, little endian. */
  littleEndian(value: bigint, bytes: number): this {
    this.room(16);
    let low = Number(value & 0xffffffffn);
    let high = Number((value >> 32n) & 0xffffffffn);
    for (let i = 0; i < bytes && i < 4; i++, low >>>= 8) this.byte(low & 0xff);
    for (let i = 4; i < bytes; i++, high >>>= 8) this.byte(high & 0xff);
    return this;
  }
  private byte(value: number): void {
    this.buf[this.at++] = DIGITS.charCodeAt(value >> 4);
    this.buf[this.at++] = DIGITS.charCodeAt(value & 15);
  }
  /** Checksum and out. The buffer keeps the frame until the next begin() (for a nack). */
  end(): void {
    if (this.runLength) this.compress();
    const sum = native.checksum(this.buf, this.start, this.at - this.start);
    this.buf[this.at++] = HASH;
    this.byte(sum);
    this.sink(this.buf, 0, this.at);
  }
  /** Sends the last frame again, for a client that answered '-'. */
  again(): void {
    if (this.at > 0) this.sink(this.buf, 0, this.at);
  }

  /**
   * Runs of 4 to 98 equal characters become char '*' count. Escapes stay out of runs: clients differ
   * in whether they repeat the byte as it was sent or as it is meant.
   */
  private compress(): void {
    const { buf, start, at } = this;
    let to = start;
    for (let from = start; from < at;) {
      const char = buf[from]!;
      let run = 1;
      while (run < 98 && from + run < at && buf[from + run] === char) run++;
      let extra = run - 1;
      if (extra < 3 || char === ESCAPE) {
        buf[to++] = char;
        from++;
        if (char === ESCAPE && from < at) buf[to++] = buf[from++]!;
        continue;
      }
      while (NO_COUNT.has(extra + 29)) extra--;
      buf[to++] = char;
      buf[to++] = 0x2a;
      buf[to++] = extra + 29;
      from += extra + 1;
    }
    this.at = to;
  }
}
