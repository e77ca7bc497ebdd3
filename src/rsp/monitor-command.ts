import type { Session } from './session';

/** One command a user may type after `monitor`. */
export interface MonitorCommand {
  /** What the whole command must look like. */
  pattern: RegExp;
  /** Line and description for the help text; none: it is another spelling of its neighbour. */
  usage?: string;
  help?: readonly string[];
  /**
   * Returns the text for the user. match[1], match[2]... are the pattern's groups. Throws
   * MonitorUsageError, EngineError or ReplyError.
   */
  run(session: Session, match: RegExpExecArray): string;
  /** What happens once the reply is on its way. */
  then?(session: Session): void;
}

/** A command that is understood, but not what it says: the text, then the help. */
export class MonitorUsageError extends Error {}
