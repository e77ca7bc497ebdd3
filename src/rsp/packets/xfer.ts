import { readAuxv } from '../../engine/linux/auxv';
import { execFile } from '../../engine/linux/exec-file';
import { librariesSvr4 } from '../../engine/linux/libraries';
import { osdata } from '../../engine/linux/osdata';
import { engineReader } from '../../engine/linux/tls';
import { readPacket, type DocumentSource } from '../documents';
import type { Packet } from '../packet';
import { ReplyError } from '../reply';
import type { Session } from '../session';
import { readSiginfo, siginfoWrite } from '../siginfo-object';
import { threadsDocument } from '../threads-document';
import { frameInfo } from '../trace-frame';

const EIO = 5;
const ESRCH = 3;
const NO_ANNEX = '';

function auxv(session: Session): Buffer {
  const { pid } = session.inferior();
  try {
    return readAuxv(pid);
  } catch (error) {
    const { errno, message } = error as NodeJS.ErrnoException;
    throw new ReplyError(-(errno ?? -EIO), message);
  }
}
function executable(pid: number): string {
  const path = execFile(pid);
  if (path === undefined)
    throw new ReplyError(ESRCH, `process ${pid} runs no file that can be seen: /proc/${pid}/exe`);
  return path;
}
function libraries(session: Session, annex: string): string {
  const { pid, arch } = session.inferior();
  const list = librariesSvr4(pid, arch.wordSize, engineReader(session.engine, pid), annex);
  if (list === undefined) throw new ReplyError(ESRCH, `process ${pid} has no dynamic linker`);
  return list;
}

/** Every object a client may read; documents.ts does the conversation. */
const sources: readonly DocumentSource[] = [
  {
    object: 'auxv',
    annex: NO_ANNEX,
    summary: 'The auxiliary vector of the process.',
    when: 'inferior',
    produce: (session, annex) => (annex === NO_ANNEX ? auxv(session) : undefined),
  },
  {
    object: 'exec-file',
    annex: '[PID]',
    summary: 'The path of the executable a process runs.',
    when: 'stopped',
    produce(session, annex) {
      if (annex === NO_ANNEX) return executable(session.inferior().pid);
      return /^[0-9a-fA-F]{1,8}$/.test(annex) ? executable(parseInt(annex, 16)) : undefined;
    },
  },
  {
    object: 'features',
    annex: 'target.xml',
    summary: 'The target description: architecture and registers.',
    when: 'inferior',
    produce: (session, annex) =>
      annex === 'target.xml' ? session.inferior().arch.targetXml : undefined,
  },
  {
    object: 'libraries-svr4',
    annex: '[start=ADDR;prev=ADDR;lmid=ADDR;]',
    summary: "Shared libraries from the dynamic linker's list, or the part the annex names.",
    when: 'inferior',
    features: 'augmented-libraries-svr4-read+',
    produce: (session, annex) => libraries(session, annex),
  },
  {
    object: 'siginfo',
    annex: NO_ANNEX,
    summary: 'The siginfo_t of the signal the general thread stopped for.',
    when: 'inferior',
    produce: (session, annex) => (annex === NO_ANNEX ? readSiginfo(session) : undefined),
  },
  {
    object: 'threads',
    annex: NO_ANNEX,
    summary: 'All threads with name, core and pthread_t.',
    when: 'stopped',
    produce: (session, annex) => (annex === NO_ANNEX ? threadsDocument(session) : undefined),
  },
  {
    object: 'traceframe-info',
    annex: NO_ANNEX,
    summary: 'Which memory and trace state variables the selected frame has.',
    when: 'inferior',
    capability: 'tracepoints',
    produce(session, annex) {
      const { frame } = session.target.trace;
      return annex === NO_ANNEX && frame ? frameInfo(frame) : undefined;
    },
  },
  {
    object: 'osdata',
    annex: '[processes|threads|...]',
    summary: 'Tables of the operating system; without an annex the table of tables.',
    when: 'stopped',
    produce: (_session, annex) => osdata(annex),
  },
];

/** Whole objects of the target, read in pieces. */
export const xfer: Packet[] = [...sources.map(readPacket), siginfoWrite];
