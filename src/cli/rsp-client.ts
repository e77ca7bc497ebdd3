import net from 'node:net';
import type { Comm } from './comm';

const ESCAPE = 0x7d;
const STAR = 0x2a;

/** A client of one packet at a time, for people and tests: acknowledges, waits for the reply. */
export class RspClient {
  private socket: net.Socket | undefined;
  private bytes: Buffer = Buffer.alloc(0);
  private wake: (() => void) | undefined;
  private ended: string | undefined;

  constructor(private readonly timeoutMs: number) {}

  /** Rejects with the reason when nobody listens. */
  connect(comm: Comm & { kind: 'tcp' | 'unix' }): Promise<void> {
    const target = comm.kind === 'tcp' ? { host: comm.host, port: comm.port } : { path: comm.path };
    return new Promise((resolve, reject) => {
      const socket = net.connect(target, resolve);
      this.socket = socket;
      socket.setNoDelay(true);
      socket.on('data', (data) => {
        this.bytes = Buffer.concat([this.bytes, data]);
        this.wake?.();
      });
      socket.on('error', (error) => {
        this.ended = error.message;
        reject(new Error(`cannot connect: ${error.message}; is a server listening there?`));
        this.wake?.();
      });
      socket.on('close', () => {
        this.ended ??= 'the server closed the connection';
        this.wake?.();
      });
    });
  }

  /** Sends one packet; resolves to the content of the next one that comes. */
  async request(content: Buffer): Promise<Buffer> {
    this.send(content);
    return this.reply();
  }

  send(content: Buffer): void {
    const escaped: number[] = [];
    for (const byte of content)
      if (byte === 0x23 || byte === 0x24 || byte === ESCAPE || byte === STAR)
        escaped.push(ESCAPE, byte ^ 0x20);
      else escaped.push(byte);
    const sum = escaped.reduce((total, byte) => (total + byte) & 0xff, 0);
    const tail = `#${sum.toString(16).padStart(2, '0')}`;
    this.raw(Buffer.concat([Buffer.from('$'), Buffer.from(escaped), Buffer.from(tail)]));
  }

  /** Bytes as they are: an interrupt, half a packet. */
  raw(bytes: Buffer | string): void {
    this.socket?.write(bytes);
  }

  async reply(): Promise<Buffer> {
    const limit = Date.now() + this.timeoutMs;
    for (;;) {
      const packet = this.take();
      if (packet) return packet;
      if (this.ended !== undefined) throw new Error(this.ended);
      const left = limit - Date.now();
      if (left <= 0) throw new Error(`no reply within ${this.timeoutMs / 1000} s`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.wake = (): void => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  close(): void {
    this.socket?.destroy();
  }

  private take(): Buffer | undefined {
    const start = this.bytes.findIndex((byte) => byte === 0x24 || byte === 0x25);
    const hash = start < 0 ? -1 : this.bytes.indexOf(0x23, start);
    if (hash < 0 || hash + 2 >= this.bytes.length) return undefined;
    const content = expand(this.bytes.subarray(start + 1, hash));
    if (this.bytes[start] === 0x24) this.raw('+');
    this.bytes = this.bytes.subarray(hash + 3);
    return content;
  }
}

// escapes and run lengths (GDB manual, "Overview")
function expand(frame: Buffer): Buffer {
  const out: number[] = [];
  for (let at = 0; at < frame.length; at++) {
    const byte = frame[at] as number;
    if (byte === ESCAPE) out.push((frame[++at] ?? 0) ^ 0x20);
    else if (byte === STAR && out.length > 0) {
      const count = (frame[++at] ?? 29) - 29;
      out.push(...new Array<number>(count).fill(out[out.length - 1] as number));
    } else out.push(byte);
  }
  return Buffer.from(out);
}
