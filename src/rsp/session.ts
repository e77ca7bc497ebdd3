import type { Engine } from '../engine/engine';
import type { Inferior } from '../engine/inferior';
import type { Thread } from '../engine/thread';
import type { Log } from './log';
import type { PacketWriter } from './wire/writer';
import type { ProgramOptions, Target } from './target';

/**
 * One client connection: the phase it is in, what it announced, what it selected. The inferiors and
 * their stops live in the Target, which outlives a connection.
 */
export interface Session {
  readonly target: Target;
  readonly engine: Engine;
  readonly options: ProgramOptions;
  readonly out: PacketWriter;
  readonly log: Log | undefined;
  /** Features of the client's last qSupported, with their sign: "multiprocess+", "xmlRegisters=i386". */
  readonly client: Set<string>;
  readonly multiprocess: boolean;
  readonly extended: boolean;
  readonly nonStop: boolean;

  /** The general thread (Hg), for registers and memory; throws ReplyError when there is none. */
  thread(): Thread;
  /** Its process; throws ReplyError when there is none. */
  inferior(): Inferior;
  /** Its process if there is one. */
  current(): Inferior | undefined;
  /** "pPID.TID" for multiprocess clients, else "TID"; hex. */
  threadId(pid: number, tid: number): string;
  /** Finds a thread by a packet's id (pid 0: any process); undefined if unknown. */
  find(spec: { pid: number; tid: number }): Thread | undefined;
  /** Console text for the user, as an O packet where one is allowed now (monitor commands). */
  console(text: string): void;
}
