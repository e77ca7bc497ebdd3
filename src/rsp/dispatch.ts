import { Args } from './args';
import { DEFERRED, WRITTEN, type Packet } from './packet';
import { errnoOf, errorReply } from './reply';
import type { Session } from './session';

const LETTER_MIN = 0x41;

/** The word a packet begins with: letters after q, Q, v, j and _, one character otherwise. */
function wordEnd(buf: Buffer, start: number, end: number): number {
  const first = buf[start]!;
  let at = start + 1;
  if (first === 0x71 || first === 0x51 || first === 0x76 || first === 0x6a || first === 0x5f)
    while (at < end && buf[at]! >= LETTER_MIN) at++;
  return at;
}

/** Finds the entry for a packet's bytes and runs it; every failure becomes an error reply. */
export class Dispatcher {
  /** By the first word; the longest match first. */
  private readonly words = new Map<string, Packet[]>();
  /** The same for words of one character, by its code. */
  private readonly letters: (Packet[] | undefined)[] = [];

  constructor(readonly packets: readonly Packet[]) {
    for (const entry of packets) {
      const match = Buffer.from(entry.match, 'latin1');
      const word = entry.match.slice(0, wordEnd(match, 0, match.length));
      const same = this.words.get(word) ?? [];
      same.push(entry);
      same.sort((a, b) => b.match.length - a.match.length);
      this.words.set(word, same);
    }
    for (let code = 0; code < 256; code++)
      this.letters.push(this.words.get(String.fromCharCode(code)));
  }

  find(buf: Buffer, start: number, end: number): Packet | undefined {
    if (start >= end) return undefined;
    const wordAt = wordEnd(buf, start, end);
    const same =
      wordAt === start + 1
        ? this.letters[buf[start]!]
        : this.words.get(buf.toString('latin1', start, wordAt));
    if (!same) return undefined;
    const length = end - start;
    for (const entry of same) {
      const { match } = entry;
      if (match.length > length || (entry.exact && match.length !== length)) continue;
      let at = wordAt - start;
      while (at < match.length && buf[start + at] === match.charCodeAt(at)) at++;
      if (at === match.length) return entry;
    }
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
