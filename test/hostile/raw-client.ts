import { once } from 'node:events';
import net from 'node:net';
import { PATIENCE } from '../support/patience';

const PATIENCE_MS = 20_000 * PATIENCE;

/** "$content#sum"; the content is escaped already. */
export function packed(content: string | Buffer): Buffer {
  const body = typeof content === 'string' ? Buffer.from(content, 'latin1') : content;
  let sum = 0;
  for (const byte of body) sum += byte;
  const tail = `#${(sum & 0xff).toString(16).padStart(2, '0')}`;
  return Buffer.concat([Buffer.from('$'), body, Buffer.from(tail)]);
}

/** A client that keeps no rule: it sends bytes, and reads them or not. */
export class RawClient {
  /** What came and was not taken; kept only while `keeps`. */
  input = '';
  received = 0;
  keeps = true;
  /** The server closed its side. */
  ended = false;
  private wake: () => void = () => undefined;

  private constructor(private readonly socket: net.Socket) {
    socket.setNoDelay(true);
    socket.on('data', (data) => {
      this.received += data.length;
      if (this.keeps) this.input += data.toString('latin1');
      this.wake();
    });
    for (const event of ['end', 'error', 'close'])
      socket.on(event, () => {
        this.ended = true;
        this.wake();
      });
  }
  static async connect(port: number): Promise<RawClient> {
    const socket = net.connect({ host: '127.0.0.1', port, allowHalfOpen: true });
    await once(socket, 'connect');
    return new RawClient(socket);
  }
  /** As connect(), without acknowledgements from here on. */
  static async quiet(port: number): Promise<RawClient> {
    const client = await RawClient.connect(port);
    await client.ask('QStartNoAckMode');
    client.send('+');
    return client;
  }

  send(bytes: Buffer | string): void {
    this.socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
  }
  packet(content: string | Buffer): void {
    this.send(packed(content));
  }
  /** Sends a packet and waits for the next one that comes: its content. */
  async ask(content: string | Buffer): Promise<string> {
    this.packet(content);
    return this.reply();
  }
  /** The content of the next packet, not unescaped; acks are passed over. */
  async reply(): Promise<string> {
    const match = await this.until(/\$([^#]*)#../s);
    return match[1]!;
  }
  /** Waits for input that matches, and takes it and what stands before it. */
  async until(pattern: RegExp): Promise<RegExpExecArray> {
    let match: RegExpExecArray | null = null;
    await this.wait(() => (match = pattern.exec(this.input)) !== null, String(pattern));
    const found = match as unknown as RegExpExecArray;
    this.input = this.input.slice(found.index + found[0].length);
    return found;
  }
  /** Waits until so many bytes came altogether. */
  async bytes(count: number): Promise<void> {
    await this.wait(() => this.received >= count, `${count} bytes`);
  }
  async end(): Promise<void> {
    await this.wait(() => this.ended, 'end of the connection');
  }

  /** Reads no more. */
  stopReading(): void {
    this.socket.pause();
  }
  readOn(): void {
    this.socket.resume();
  }
  /** Bytes the server has not taken yet. */
  get unsent(): number {
    return this.socket.writableLength;
  }
  /** Closes its sending side only. */
  halfClose(): void {
    this.socket.end();
  }
  /** Gone in an orderly way, as when its process dies. */
  vanish(): void {
    this.socket.destroy();
  }
  /** Gone with a reset, as when its machine forgot the connection. */
  reset(): void {
    this.socket.resetAndDestroy();
  }

  private async wait(ready: () => boolean, what: string): Promise<void> {
    const limit = Date.now() + PATIENCE_MS;
    while (!ready()) {
      const left = limit - Date.now();
      if (left <= 0 || (this.ended && what !== 'end of the connection'))
        throw new Error(`no ${what}; so far: ${this.input.slice(-2000)}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.wake = (): void => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }
}
