import type { Engine } from '../../src/engine/engine';
import { native } from '../../src/native';
import { Dispatcher } from '../../src/rsp/dispatch';
import { allPackets } from '../../src/rsp/packets';
import { Session, type SessionOptions } from '../../src/rsp/session';
import { Target } from '../../src/rsp/target';
import { PATIENCE } from '../support/patience';

const LIMIT_MS = 20_000 * PATIENCE;

/** A client of a session without a socket: packets in, contents of frames out. */
export class Client {
  readonly target: Target;
  readonly session: Session;
  shutdowns = 0;
  private sent: Buffer[] = [];

  constructor(
    readonly engine: Engine,
    settings: Partial<SessionOptions> = {},
  ) {
    this.target = new Target(
      engine,
      {
        program: [],
        wrapper: [],
        noRandomize: true,
        startupWithShell: false,
        cwd: undefined,
        environment: new Map(),
      },
      () => undefined,
    );
    this.target.shutdown = () => void this.shutdowns++;
    const send = (buf: Buffer, offset: number, length: number): void => {
      this.sent.push(Buffer.from(buf.subarray(offset, offset + length)));
    };
    this.session = new Session(
      this.target,
      { send, slow: false, choked: false, peer: 'test' },
      new Dispatcher(allPackets()),
      { disabled: new Set(), onEnd: () => undefined, ...settings },
    );
    this.session.noAck = true;
  }

  /** Bytes as they come from the line; the contents of all frames they bring at once. */
  raw(bytes: Buffer): Buffer[] {
    this.sent = [];
    const { framer } = this.session;
    for (let from = 0; from < bytes.length;) {
      const at = framer.space();
      const taken = bytes.copy(framer.buf, at, from);
      framer.filled(taken);
      from += taken;
      this.session.process();
    }
    return this.sent.map(decode);
  }
  /** Sends one packet (escaping it). */
  all(content: string | Buffer): Buffer[] {
    return this.raw(encode(typeof content === 'string' ? Buffer.from(content, 'latin1') : content));
  }
  /** The one reply, as latin1 text. */
  ask(content: string | Buffer): string {
    const replies = this.all(content);
    if (replies.length !== 1) throw new Error(`${replies.length} replies`);
    return replies[0]!.toString('latin1');
  }
  /** Waits for the stop reply an all-stop resume earned; what came until then. */
  settle(): Buffer[] {
    this.sent = [];
    const deadline = Date.now() + LIMIT_MS;
    while (this.target.waiting) {
      if (Date.now() > deadline) throw new Error('no stop reply came');
      this.engine.wait(20);
      this.target.pump();
    }
    this.session.process();
    return this.sent.map(decode);
  }
  /** Waits for a notification of the server's; its content. */
  notified(): string {
    this.sent = [];
    const deadline = Date.now() + LIMIT_MS;
    while (this.sent.length === 0) {
      if (Date.now() > deadline) throw new Error('no notification came');
      this.engine.wait(20);
      this.target.pump();
    }
    return decode(this.sent[0]!).toString('latin1');
  }
}

function encode(content: Buffer): Buffer {
  const body = Buffer.alloc(2 * content.length);
  const out = new Int32Array(2);
  native.escape(body, 0, body.length, content, 0, content.length, out);
  const length = out[1]!;
  const sum = native.checksum(body, 0, length).toString(16).padStart(2, '0');
  return Buffer.concat([Buffer.from('$'), body.subarray(0, length), Buffer.from(`#${sum}`)]);
}

/** A frame's content, unescaped; its checksum must be right. */
function decode(frame: Buffer): Buffer {
  const body = Buffer.from(frame.subarray(1, -3));
  const sum = parseInt(frame.toString('latin1', frame.length - 2), 16);
  if (native.checksum(body, 0, body.length) !== sum)
    throw new Error(`bad frame: ${frame.toString('latin1')}`);
  return body.subarray(0, native.unescape(body, 0, body.length));
}

export const hex = (text: string): string => Buffer.from(text).toString('hex');
