import { native } from '../../native';

/** What the byte stream held next. A packet's bytes are framer.buf[start, end), unescaped. */
export type Token = 'none' | 'ack' | 'nack' | 'interrupt' | 'packet' | 'bad';

const PLUS = 0x2b;
const MINUS = 0x2d;
const ETX = 0x03;
const DOLLAR = 0x24;
const HASH = 0x23;

const digit = (char: number): number =>
  char >= 0x30 && char <= 0x39
    ? char - 0x30
    : char >= 0x61 && char <= 0x66
      ? char - 0x57
      : char >= 0x41 && char <= 0x46
        ? char - 0x37
        : -1;

/**
 * Cuts a byte stream into packets, acknowledgements and interrupts (GDB manual, "Overview" and
 * "Interrupts"). The stream is read straight into buf at space(); nothing is copied. Memory is
 * bounded by limit, the longest packet accepted; a longer one is skipped and tells 'bad'.
 */
export class Framer {
  buf: Buffer;
  /** The packet of the last next() that told 'packet'. */
  start = 0;
  end = 0;
  private head = 0; // first byte not consumed
  private tail = 0; // first byte free
  private scanned = 0; // no '#' in [head, scanned)
  private skipping = false; // inside a packet that is too long

  constructor(readonly limit: number) {
    this.buf = Buffer.allocUnsafeSlow(Math.min(limit + 64, 65536));
  }

  /** Offset where to read more bytes to; buf.length - space() are free, never 0. */
  space(): number {
    if (this.head === this.tail) this.head = this.tail = this.scanned = 0;
    if (this.buf.length - this.tail < 4096) {
      if (this.head > 0) {
        this.buf.copyWithin(0, this.head, this.tail);
        this.tail -= this.head;
        this.scanned = Math.max(0, this.scanned - this.head);
        this.head = 0;
      }
      if (this.buf.length - this.tail < 4096) {
        const grown = Buffer.allocUnsafeSlow(Math.min(this.buf.length * 4, this.limit * 2 + 65536));
        this.buf.copy(grown, 0, 0, this.tail);
        this.buf = grown;
      }
    }
    return this.tail;
  }
  /** So many bytes were read to space(). */
  filled(count: number): void {
    this.tail += count;
  }
  /** While packets must wait: takes an interrupt that stands before the next packet. */
  takeInterrupt(): boolean {
    while (this.head < this.tail && !this.skipping && this.buf[this.head] !== DOLLAR)
      if (this.buf[this.head++] === ETX) return true;
    return false;
  }
  /** Whole packets wait, more than a client has reason to send ahead: nothing more may be read. */
  get crowded(): boolean {
    return this.tail - this.head > this.limit + 4096;
  }

  /** acked: the client waits for a '+', so copies of a packet are the same one, sent again. */
  next(acked = false): Token {
    for (;;) {
      if (this.head >= this.tail) return 'none';
      const char = this.buf[this.head]!;
      if (char === DOLLAR || this.skipping) return this.packet(acked);
      this.head++;
      if (char === PLUS) return 'ack';
      if (char === MINUS) return 'nack';
      if (char === ETX) return 'interrupt';
      // anything else between packets is noise
    }
  }

  /** Passes over further copies of the packet that begins at from and was just consumed. */
  private skipCopies(from: number): void {
    const length = this.head - from;
    while (
      this.tail - this.head >= length &&
      this.buf.compare(this.buf, this.head, this.head + length, from, from + length) === 0
    )
      this.head += length;
    this.scanned = this.head;
  }

  private packet(acked: boolean): Token {
    const from = Math.max(this.scanned, this.head);
    const hash = this.buf.indexOf(HASH, from);
    if (hash < 0 || hash + 2 >= this.tail) {
      this.scanned = hash >= 0 && hash < this.tail ? hash : this.tail;
      if (this.skipping || this.tail - this.head > this.limit + 4) {
        // keep only what a '#' with its two digits may still need
        this.skipping = true;
        this.head = this.scanned;
      }
      return 'none';
    }
    let start = this.head + 1;
    this.head = this.scanned = hash + 3;
    if (this.skipping || hash - start > this.limit) {
      this.skipping = false;
      return 'bad';
    }
    const high = digit(this.buf[hash + 1]!);
    const low = digit(this.buf[hash + 2]!);
    if (high < 0 || low < 0) {
      this.head = this.scanned = hash + 1;
      return 'bad';
    }
    const sum = high * 16 + low;
    if (native.checksum(this.buf, start, hash - start) !== sum) {
      // a packet that was cut off in the middle, followed by a whole one?
      const again = this.buf.lastIndexOf(DOLLAR, hash);
      if (again < start || native.checksum(this.buf, again + 1, hash - again - 1) !== sum)
        return 'bad';
      start = again + 1;
    }
    if (acked) this.skipCopies(start - 1);
    this.start = start;
    this.end = start + native.unescape(this.buf, start, hash - start);
    return 'packet';
  }
}
