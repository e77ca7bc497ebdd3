import { fromCompatSiginfo, toCompatSiginfo } from '../engine/linux/siginfo';
import { packet } from './packet';
import { ReplyError } from './reply';
import type { Session } from './session';

/** NT_SIGINFO of the ELF core notes. */
const NT_SIGINFO = 0x53494749;
const EINVAL = 22;
const ENODATA = 61;

function raw(session: Session): Buffer {
  const thread = session.thread();
  const info = session.engine.regset(thread, NT_SIGINFO);
  if (!info) throw new ReplyError(ENODATA, `thread ${thread.tid} is not stopped for a signal`);
  return info;
}

/** siginfo_t in the program's own layout. */
export function readSiginfo(session: Session): Buffer {
  const info = raw(session);
  return session.inferior().arch.wordSize === 4 ? toCompatSiginfo(info) : Buffer.from(info);
}

/** Changes a part of the siginfo_t; the rest stays. */
function writeSiginfo(session: Session, offset: number, data: Buffer): number {
  const changed = readSiginfo(session);
  if (offset + data.length > changed.length)
    throw new ReplyError(EINVAL, `siginfo_t ends after ${changed.length} bytes`);
  data.copy(changed, offset);
  const narrow = session.inferior().arch.wordSize === 4;
  session.engine.putRegset(
    session.thread(),
    NT_SIGINFO,
    narrow ? fromCompatSiginfo(changed, raw(session)) : changed,
  );
  return data.length;
}

export const siginfoWrite = packet<{ offset: number; data: Buffer }>({
  match: 'qXfer:siginfo:write:',
  syntax: 'qXfer:siginfo:write::OFFSET:DATA',
  summary: 'Changes the siginfo_t of the signal the general thread stopped for.',
  when: 'inferior',
  feature: 'qXfer:siginfo:write+',
  args: (args) => {
    args.lit(':');
    const offset = args.num();
    return { offset, data: args.lit(':').bytes() };
  },
  run: (session, { offset, data }) => writeSiginfo(session, offset, data).toString(16),
});
