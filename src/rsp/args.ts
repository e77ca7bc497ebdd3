/** What a packet's text does not say as its syntax wants: becomes E01 with this text. */
export class PacketSyntaxError extends Error {}

const HEX = new Int8Array(256).fill(-1);
for (let i = 0; i < 16; i++) {
  HEX['0123456789abcdef'.charCodeAt(i)] = i;
  HEX['0123456789ABCDEF'.charCodeAt(i)] = i;
}

/** Largest value of pid_t. */
const PID_MAX = 0x7fffffff;

/** A thread as packets name it; -1 all, 0 any. pid 0: the packet named none. */
export interface ThreadSpec {
  pid: number;
  tid: number;
}

/** A cursor over one packet's bytes (unescaped): the words from which argument schemas are made. */
export class Args {
  constructor(
    readonly buf: Buffer,
    public at: number,
    readonly end: number,
  ) {}

  get left(): number {
    return this.end - this.at;
  }
  get done(): boolean {
    return this.at >= this.end;
  }

  fail(wanted: string): never {
    throw new PacketSyntaxError(`expected ${wanted} at byte ${this.at} of the packet`);
  }

  /** Is this character next? Takes it if so. */
  take(char: string): boolean {
    if (this.at < this.end && this.buf[this.at] === char.charCodeAt(0)) {
      this.at++;
      return true;
    }
    return false;
  }
  /** These characters must be next. */
  lit(text: string): this {
    for (let i = 0; i < text.length; i++) if (!this.take(text[i]!)) this.fail(`"${text}"`);
    return this;
  }
  /** Nothing may follow. */
  close(): this {
    if (!this.done) this.fail('the end');
    return this;
  }

  /** Unsigned hex, at most 2^53 - 1; at least one digit. */
  num(most = Number.MAX_SAFE_INTEGER): number {
    const start = this.at;
    let value = 0;
    for (let d; this.at < this.end && (d = HEX[this.buf[this.at]!]!) >= 0; this.at++) {
      value = value * 16 + d;
      if (value > most) this.fail('a smaller number');
    }
    if (this.at === start) this.fail('a hex number');
    return value;
  }
  /** Unsigned hex below 2^64; at least one digit. */
  big(): bigint {
    const start = this.at;
    let high = 0;
    let low = 0; // 32 bits
    for (let d; this.at < this.end && (d = HEX[this.buf[this.at]!]!) >= 0; this.at++) {
      if (high > 0x0fffffff) this.fail('a number of 64 bits');
      high = high * 16 + (low >>> 28);
      low = ((low << 4) | d) >>> 0;
    }
    if (this.at === start) this.fail('a hex number');
    return high === 0 ? BigInt(low) : (BigInt(high) << 32n) | BigInt(low);
  }
  /** A process's or thread's number, as far as the system can have one. */
  pid(): number {
    return this.num(PID_MAX);
  }
  /** The same, or -1 for all. */
  private pidOrAll(): number {
    return this.take('-') ? -this.num(1) : this.pid();
  }
  /** [pPID.]TID, pPID, -1, 0 (GDB manual, "Packets", thread-id). */
  thread(): ThreadSpec {
    if (!this.take('p')) return { pid: 0, tid: this.pidOrAll() };
    const pid = this.pidOrAll();
    return { pid, tid: this.take('.') ? this.pidOrAll() : -1 };
  }
  /** Text up to one of these characters (not taken) or the end. */
  until(stops: string): string {
    const start = this.at;
    while (this.at < this.end && !stops.includes(String.fromCharCode(this.buf[this.at]!)))
      this.at++;
    return this.buf.toString('latin1', start, this.at);
  }
  /** The remaining text. */
  rest(): string {
    const start = this.at;
    this.at = this.end;
    return this.buf.toString('latin1', start, this.end);
  }
  /** The remaining bytes, not copied. */
  bytes(): Buffer {
    const start = this.at;
    this.at = this.end;
    return this.buf.subarray(start, this.end);
  }
  /** Pairs of hex digits up to anything else, as bytes. */
  hexBytes(): Buffer {
    const start = this.at;
    while (this.at < this.end && HEX[this.buf[this.at]!]! >= 0) this.at++;
    if ((this.at - start) % 2) this.fail('an even count of hex digits');
    const out = Buffer.allocUnsafe((this.at - start) / 2);
    for (let i = 0; i < out.length; i++)
      out[i] = HEX[this.buf[start + 2 * i]!]! * 16 + HEX[this.buf[start + 2 * i + 1]!]!;
    return out;
  }
  /** hexBytes as UTF-8 text. */
  hexText(): string {
    return this.hexBytes().toString('utf8');
  }
}
