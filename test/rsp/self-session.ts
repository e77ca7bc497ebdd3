import fs from 'node:fs';
import { x86_64 } from '../../src/engine/arch';
import type { Engine, Holder } from '../../src/engine/engine';
import { EngineError } from '../../src/engine/errors';
import { Inferior } from '../../src/engine/inferior';
import { Thread } from '../../src/engine/thread';
import { native } from '../../src/native';
import { Dispatcher } from '../../src/rsp/dispatch';
import { allPackets } from '../../src/rsp/packets';
import { Session } from '../../src/rsp/session';
import type { SessionOptions } from '../../src/rsp/session';
import { Target } from '../../src/rsp/target';

const EFAULT = 14;

/** What the test decides about the one process there is: ourselves. */
export interface SelfState {
  regsets: Map<number, Buffer>;
  holders: Holder[];
  features: Set<string>;
  shutdowns: number;
  /** Calls of readMemory. */
  reads: number;
}

/**
 * A session whose only inferior is this very process, held: its memory, files and threads are real,
 * its registers are what the test says. Packets go through the framer and the dispatcher.
 */
export class SelfSession {
  readonly state: SelfState = {
    regsets: new Map(),
    holders: [],
    features: new Set(['attach', 'memory', 'regsets']),
    shutdowns: 0,
    reads: 0,
  };
  readonly inferior = new Inferior(process.pid, false, x86_64());
  readonly inferiors = new Map([[process.pid, this.inferior]]);
  readonly thread = new Thread(process.pid, process.pid);
  readonly session: Session;
  private sent: Buffer[] = [];

  constructor(settings: Partial<SessionOptions> = {}) {
    this.thread.state = 'held';
    this.inferior.threads.set(this.thread.tid, this.thread);
    const target = new Target(
      this.engine(),
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
    target.shutdown = () => void this.state.shutdowns++;
    const send = (buf: Buffer, offset: number, length: number): void => {
      this.sent.push(Buffer.from(buf.subarray(offset, offset + length)));
    };
    this.session = new Session(
      target,
      { send, slow: false, peer: 'test' },
      new Dispatcher(allPackets()),
      { disabled: new Set(), onEnd: () => undefined, ...settings },
    );
    this.session.noAck = true;
  }

  private engine(): Engine {
    const engine: Partial<Engine> = {
      inferiors: this.inferiors,
      provider: 'test',
      engineId: 7n,
      pageSize: native.getpagesize(),
      has: (feature) => this.state.features.has(feature),
      set: () => undefined,
      who: () => this.state.holders,
      listThreads: (pid) => [{ tid: pid, pid, core: 3, heldByOther: false, state: 2 }],
      regset: (_thread, note) => this.state.regsets.get(note),
      putRegset: (_thread, note, data) => void this.state.regsets.set(note, Buffer.from(data)),
      readMemory: (_pid, addr, out, offset, length) => this.read(addr, out, offset, length),
    };
    return engine as Engine;
  }
  private read(addr: bigint, out: Buffer, offset: number, length: number): number {
    this.state.reads++;
    const fd = fs.openSync('/proc/self/mem', 'r');
    try {
      return fs.readSync(fd, out, offset, length, addr);
    } catch {
      throw new EngineError(EFAULT, 'EFAULT', `0x${addr.toString(16)} cannot be read`);
    } finally {
      fs.closeSync(fd);
    }
  }

  /** Sends one packet (escaping it) and returns the contents of all frames it brought. */
  all(content: string | Buffer): Buffer[] {
    this.sent = [];
    const { framer } = this.session;
    const frame = encode(typeof content === 'string' ? Buffer.from(content, 'latin1') : content);
    for (let from = 0; from < frame.length;) {
      const at = framer.space();
      const taken = frame.copy(framer.buf, at, from);
      framer.filled(taken);
      from += taken;
      this.session.process();
    }
    return this.sent.map(decode);
  }
  /** The one reply, as latin1 text. */
  ask(content: string | Buffer): string {
    const replies = this.all(content);
    if (replies.length !== 1) throw new Error(`${replies.length} replies`);
    return replies[0]!.toString('latin1');
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
  if (frame[0] !== 0x24 || native.checksum(body, 0, body.length) !== sum)
    throw new Error(`bad frame: ${frame.toString('latin1')}`);
  return body.subarray(0, native.unescape(body, 0, body.length));
}

export const hex = (text: string): string => Buffer.from(text).toString('hex');
