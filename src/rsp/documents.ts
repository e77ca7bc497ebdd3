import type { Args } from './args';
import { packet, WRITTEN, type Packet } from './packet';
import { PACKET_SIZE, type Session } from './session';

/** Most bytes of one piece: even escaped they fit a packet. */
const MAX_PIECE = (PACKET_SIZE >> 1) - 1;
/** Documents of reads that were begun and never finished; the oldest goes first. */
const MAX_UNFINISHED = 8;

/** Something a client reads in pieces by qXfer (GDB manual, "General Query Packets"). */
export interface DocumentSource {
  object: string;
  annex: string;
  summary: string;
  /** More for qSupported than qXfer:OBJECT:read+. */
  features?: string;
  /** An engine feature it needs. */
  capability?: string;
  /** stopped: it is there without a process, too. */
  when: 'stopped' | 'inferior';
  /** The whole document; undefined: no such annex. Throws EngineError or ReplyError. */
  produce(session: Session, annex: string): Buffer | string | undefined;
}

interface ReadArgs {
  annex: string;
  offset: number;
  length: number;
}

function readArgs(args: Args): ReadArgs {
  const annex = args.until(':');
  const offset = args.lit(':').num();
  const length = args.lit(',').num();
  args.close();
  return { annex, offset, length };
}

/**
 * The document as it was at offset 0: it is kept until it was read to its end, so that the pieces
 * are of one moment.
 */
function fetch(session: Session, source: DocumentSource, args: ReadArgs): Buffer | undefined {
  const key = `${source.object}:${args.annex}`;
  const kept = args.offset > 0 ? session.documents.get(key) : undefined;
  if (kept) return kept;
  const made = source.produce(session, args.annex);
  return typeof made === 'string' ? Buffer.from(made) : made;
}

function keep({ documents }: Session, key: string, document: Buffer): void {
  documents.set(key, document);
  if (documents.size <= MAX_UNFINISHED) return;
  for (const oldest of documents.keys()) {
    documents.delete(oldest);
    return;
  }
}

/** The packet that reads a document: m and data when there is more, l and data at its end. */
export function readPacket(source: DocumentSource): Packet {
  const match = `qXfer:${source.object}:read:`;
  const more = source.features === undefined ? '' : `;${source.features}`;
  return packet<ReadArgs>({
    match,
    syntax: `${match}${source.annex}:OFFSET,LENGTH`,
    summary: source.summary,
    when: source.when,
    ...(source.capability === undefined ? {} : { capability: source.capability }),
    feature: `qXfer:${source.object}:read+${more}`,
    args: readArgs,
    run(session, args) {
      const document = fetch(session, source, args);
      if (document === undefined) return 'E00';
      const offset = Math.min(args.offset, document.length);
      const rest = document.subarray(offset);
      const count = Math.min(args.length, rest.length, MAX_PIECE);
      const last = count === rest.length;
      const key = `${source.object}:${args.annex}`;
      if (last) session.documents.delete(key);
      else keep(session, key, document);
      session.out
        .begin()
        .ascii(last ? 'l' : 'm')
        .binary(rest, 0, count)
        .end();
      return WRITTEN;
    },
  });
}
