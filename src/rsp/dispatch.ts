import { Args } from './args';
import { DEFERRED, WRITTEN, type Packet } from './packet';
import { errnoOf, errorReply } from './reply';
import type { Session } from './session';

const NAME_BYTES = 48;

/** Finds the entry for a packet's bytes and runs it; every failure becomes an error reply. */
export class Dispatcher {
  private readonly buckets = new Map<number, Packet[]>();

  constructor(readonly packets: readonly Packet[]) {
    for (const entry of packets) {
      const key = entry.match.charCodeAt(0);
      const bucket = this.buckets.get(key) ?? [];
      bucket.push(entry);
      this.buckets.set(key, bucket);
    }
    for (const bucket of this.buckets.values())
      bucket.sort((a, b) => b.match.length - a.match.length);
  }

  find(buf: Buffer, start: number, end: number): Packet | undefined {
    const bucket = start < end ? this.buckets.get(buf[start]!) : undefined;
    if (!bucket) return undefined;
    const length = end - start;
    if (bucket.length === 1 && bucket[0]!.match.length === 1)
      return bucket[0]!.exact && length !== 1 ? undefined : bucket[0];
    const name = buf.toString('latin1', start, Math.min(end, start + NAME_BYTES));
    for (const entry of bucket)
      if (name.startsWith(entry.match) && (!entry.exact || entry.match.length === length))
        return entry;
    return undefined;
  }

  run(session: Session, buf: Buffer, start: number, end: number): void {
    const entry = this.find(buf, start, end);
    if (!entry || (entry.capability !== undefined && !session.engine.has(entry.capability))) {
      session.reply('');
      return;
    }
    try {
      if (entry.when === 'inferior') session.inferior();
      const args = new Args(buf, start + entry.match.length, end);
      const reply = entry.run(session, entry.args ? entry.args(args) : undefined);
      if (reply !== WRITTEN && reply !== DEFERRED) session.reply(reply);
    } catch (error) {
      if (errnoOf(error) === undefined)
        session.log?.('error', `${entry.match}: ${(error as Error).stack ?? String(error)}`);
      session.reply(errorReply(session, entry, error));
    }
  }
}
