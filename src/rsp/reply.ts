import { EngineError } from '../engine/errors';
import { PacketSyntaxError } from './args';
import type { Packet } from './packet';
import type { Session } from './session';

const ESRCH = 3;
const EROFS = 30;

/** A failure with the errno and the text a user should read. */
export class ReplyError extends Error {
  constructor(
    readonly errno: number,
    message: string,
  ) {
    super(message);
  }
}

/** There is no process to ask about: clients find that out by asking, and need no reason. */
export class NoProcess extends ReplyError {
  constructor() {
    super(ESRCH, 'no process is being debugged: use run or attach');
  }
}

/**
 * The errno of a failure that says what the user asked for or what became of the process; undefined
 * for those that are ours. Files below /proc go with their process, so errors of the system count.
 */
export function errnoOf(error: unknown): number | undefined {
  if (error instanceof EngineError || error instanceof ReplyError) return error.errno;
  if (error instanceof PacketSyntaxError) return 1;
  const { errno, syscall } = error as NodeJS.ErrnoException;
  return syscall !== undefined && errno !== undefined ? -errno : undefined;
}

const hex2 = (n: number): string => (n & 0xff).toString(16).padStart(2, '0');

/**
 * The one place where failures become replies: E NN with two hex digits, or E.text where the client
 * understands text ("error-message+", or a packet whose text replies always were allowed). Clients
 * show a number at most, and gdb before 16 shows nothing of a refused attach: `monitor why` tells.
 */
export function errorReply(session: Session, packet: Packet, error: unknown): string {
  const errno = errnoOf(error) ?? 1;
  const text = (error instanceof Error ? error.message : String(error)).replace(
    /[^\x20-\x7e]/g,
    '?',
  );
  session.log?.('debug', `error reply: ${text}`);
  if (text !== '' && !(error instanceof PacketSyntaxError)) {
    if (!(error instanceof NoProcess)) session.refused(packet.match, text);
    if (packet.command) session.settings.say?.(text);
    // an observer's client is not asked whether it understands: clients show the text of a refused
    // change, whatever they announced, except of a monitor command
    const refused = errno === EROFS && packet.match !== 'qRcmd,';
    if (packet.command || refused || session.client.has('error-message+')) return `E.${text}`;
  }
  return `E${hex2(errno === 0 ? 1 : errno)}`;
}
