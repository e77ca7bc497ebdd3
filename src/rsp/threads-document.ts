import type { ListedThread } from '../engine/engine';
import { EngineError } from '../engine/errors';
import type { Inferior } from '../engine/inferior';
import { escapeXml } from '../engine/linux/xml';
import type { Thread } from '../engine/thread';
import { heldElsewhere } from './holders';
import type { Session } from './session';

/**
 * pthread_t as the bytes the program has in memory, hex: the C libraries of Linux use the thread
 * pointer, and the word it points to is itself. undefined before the library set it up, for threads
 * that run, and for programs that have no such library.
 */
function handle({ engine }: Session, { arch }: Inferior, thread: Thread): string | undefined {
  if (thread.state !== 'held') return undefined;
  const size = arch.wordSize;
  try {
    const pointer = arch.threadPointer((note) => engine.regset(thread, note));
    if (pointer === undefined || pointer === 0n) return undefined;
    const word = Buffer.alloc(size);
    if (engine.readMemory(thread.pid, pointer, word, 0, size) < size) return undefined;
    const self = size === 8 ? word.readBigUInt64LE() : BigInt(word.readUInt32LE());
    return self === pointer ? word.toString('hex') : undefined;
  } catch (error) {
    if (error instanceof EngineError) return undefined;
    throw error;
  }
}

function element(
  session: Session,
  inferior: Inferior,
  thread: Thread,
  listed: ListedThread | undefined,
  others: string | undefined,
): string {
  const { core = -1, name = '' } = listed ?? {};
  let text = `<thread id="${session.threadId(thread.pid, thread.tid)}"`;
  if (core >= 0) text += ` core="${core}"`;
  if (name !== '') text += ` name="${escapeXml(name)}"`;
  const pthread = handle(session, inferior, thread);
  if (pthread !== undefined) text += ` handle="${pthread}"`;
  // gdb shows the content in parentheses behind the name
  return others === undefined ? `${text}/>\n` : `${text}>${escapeXml(others)}</thread>\n`;
}

/** The threads document (GDB manual, "Thread List Format"). */
export function threadsDocument(session: Session): string {
  let text = '<threads>\n';
  // a client of the protocol takes every thread for stopped
  const unstopped = session.engine.observer ? 'not stopped' : undefined;
  for (const inferior of session.known()) {
    const listed = new Map<number, ListedThread>();
    const list = session.engine.listThreads(inferior.pid);
    for (const thread of list) listed.set(thread.tid, thread);
    const elsewhere = heldElsewhere(session.engine, inferior.pid, list);
    for (const thread of session.knownThreads(inferior))
      text += element(
        session,
        inferior,
        thread,
        listed.get(thread.tid),
        elsewhere.get(thread.tid) ?? unstopped,
      );
  }
  return `${text}</threads>\n`;
}
