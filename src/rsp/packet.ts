import type { Args } from './args';
import type { Session } from './session';

/** run() has written its reply to session.out already. */
export const WRITTEN = Symbol('written');
/** No reply now: a stop reply follows (a resume), or none is due. */
export const DEFERRED = Symbol('deferred');

/**
 * A reply: text or binary (escaped on the way out), written already, deferred; '' means "I do not
 * know this packet" (GDB manual, "Overview").
 */
export type Reply = string | Buffer | typeof WRITTEN | typeof DEFERRED;

/** One packet of the protocol: everything about it in one place. */
export interface Packet<A = unknown> {
  /** The bytes it begins with; the longest match among all packets wins. */
  match: string;
  /** Nothing may follow match. */
  exact?: true;
  /** For docs/packets.md: the whole syntax, and what it does in one sentence. */
  syntax: string;
  summary: string;
  /**
   * always: at any time; stopped: not while an all-stop client's inferior runs (only ^C is taken
   * then); inferior: a process must be there as well (else E01).
   */
  when: 'always' | 'stopped' | 'inferior';
  /** An engine feature it needs (Engine.has); without it the packet is unknown. */
  capability?: string;
  /** What qSupported's answer says for it, in this session; undefined: nothing. */
  feature?: string | ((session: Session) => string | undefined);
  /** Earns a stop reply, so an error is the only thing run() may answer at once in all-stop. */
  stopReply?: true;
  /**
   * A user's command of its own: why it failed is said on the server's standard error, and the reply
   * may be E.text whatever the client announced.
   */
  command?: true;
  /** Parses what follows match. Throws PacketSyntaxError (by Args). */
  args?: (args: Args) => A;
  /** Throws EngineError or ReplyError; both become error replies in one place (reply.ts). */
  run(session: Session, args: A): Reply;
}

/** Keeps the argument type between args and run. */
export function packet<A>(entry: Packet<A>): Packet {
  return entry as Packet;
}
