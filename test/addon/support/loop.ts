import { native, type Reactor, type SourceId } from '../../../src/native';

type Handler = (bits: number, source: SourceId) => void;

/** A started reactor with a handler for each source, for tests. */
export class Loop {
  readonly reactor: Reactor = new native.Reactor();
  private readonly handlers = new Map<SourceId, Handler>();

  constructor() {
    this.reactor.start((pairs) => {
      for (let i = 0; i < pairs; i++) {
        const id = this.reactor.ready[2 * i] ?? 0;
        this.handlers.get(id)?.(this.reactor.ready[2 * i + 1] ?? 0, id);
      }
    });
  }

  on(source: SourceId, handler: Handler): SourceId {
    this.handlers.set(source, handler);
    return source;
  }

  /** The bits of the next event of a source that has one of "wanted". */
  next(source: SourceId, wanted = -1): Promise<number> {
    return new Promise((resolve) => {
      this.on(source, (bits) => {
        if (!(bits & wanted)) return;
        this.handlers.delete(source);
        resolve(bits);
      });
    });
  }

  /** The next client of a listener. */
  async client(listener: SourceId): Promise<{ id: SourceId; peer: string; host: string }> {
    for (;;) {
      const client = this.reactor.accept(listener);
      if (client) return client;
      await this.next(listener);
    }
  }

  /** Echoes what a stream says until it ends, then closes it. */
  echo(stream: SourceId): Promise<void> {
    const buf = new Uint8Array(1 << 16);
    return new Promise((resolve) => {
      this.on(stream, () => {
        const got = this.reactor.read(stream, buf, 0, buf.length);
        if (got > 0) this.reactor.write(stream, buf, 0, got);
        if (got !== 0) return;
        this.reactor.close(stream);
        resolve();
      });
    });
  }

  /** What a stream says until it ends. */
  all(stream: SourceId): Promise<string> {
    const buf = new Uint8Array(1 << 16);
    let text = '';
    return new Promise((resolve) => {
      this.on(stream, () => {
        const got = this.reactor.read(stream, buf, 0, buf.length);
        if (got > 0) text += Buffer.from(buf.subarray(0, got)).toString('latin1');
        if (got === 0) resolve(text);
      });
    });
  }

  send(stream: SourceId, text: string): number {
    const bytes = Buffer.from(text, 'latin1');
    return this.reactor.write(stream, bytes, 0, bytes.length);
  }
}
