import { packet, type Packet } from '../packet';
import { ReplyError } from '../reply';
import type { Session } from '../session';
import type { Args, ThreadSpec } from '../args';
import type { Thread } from '../../engine/thread';
import { heldElsewhere } from '../holders';
import { THREAD_OPTIONS, type OptionsFor } from '../thread-options';

const ESRCH = 3;
/** Thread ids in one qfThreadInfo reply: far below any packet size. */
const CHUNK = 1024;

function nextIds(session: Session): string {
  const ids = session.threadList.splice(0, CHUNK);
  return ids.length === 0 ? 'l' : `m${ids.join(',')}`;
}

function select(session: Session, which: string, spec: ThreadSpec): string {
  if (which === 'g' || which === 'G') {
    // a live thread, or none named: the general thread decides whose memory is read
    if (spec.tid > 0 && !session.find(spec)) throw new ReplyError(ESRCH, `no thread ${spec.tid}`);
    const any = spec.tid <= 0 ? session.find(spec) : undefined;
    session.general = any ? { pid: any.pid, tid: spec.pid > 0 ? any.tid : 0 } : spec;
    return 'OK';
  }
  session.control = spec;
  return 'OK';
}

/** ";OPTIONS[:thread-id]" once or more; without an id they are for all. */
function optionList(a: Args): OptionsFor[] {
  const list: OptionsFor[] = [];
  do {
    const options = a.lit(';').num(THREAD_OPTIONS);
    list.push({ options, threads: a.take(':') ? a.thread() : { pid: -1, tid: -1 } });
  } while (!a.done);
  return list;
}

function extraInfo({ engine }: Session, { pid, tid }: Thread): string {
  const listed = engine.listThreads(pid).filter((thread) => thread.tid === tid);
  const others = heldElsewhere(engine, pid, listed).get(tid);
  const name = listed[0]?.name ?? '';
  return [name, others].filter(Boolean).join(', ') || `thread ${tid}`;
}

/** Threads: selecting, listing, naming, asking whether they live. */
export const threads: Packet[] = [
  packet({
    match: 'Hg',
    syntax: 'Hg thread-id',
    summary: 'Selects the thread whose registers and memory the next packets mean.',
    when: 'always',
    args: (a) => a.thread(),
    run: (session, spec) => select(session, 'g', spec),
  }),
  packet({
    match: 'Hc',
    syntax: 'Hc thread-id',
    summary: 'Selects the thread that c, s, C and S resume.',
    when: 'always',
    args: (a) => a.thread(),
    run: (session, spec) => select(session, 'c', spec),
  }),
  packet({
    match: 'T',
    syntax: 'T thread-id',
    summary: 'Is this thread alive?',
    when: 'always',
    args: (a) => a.thread(),
    run(session, spec) {
      if (spec.tid > 0 && session.find(spec)) return 'OK';
      throw new ReplyError(1, 'no such thread');
    },
  }),
  packet({
    match: 'qC',
    exact: true,
    syntax: 'qC',
    summary: 'The current thread.',
    when: 'always',
    run(session) {
      if (session.disabled.has('qC')) return '';
      const thread = session.find(session.general);
      if (!thread) throw new ReplyError(1, 'no process is being debugged: use run or attach');
      return `QC${session.threadId(thread.pid, thread.tid)}`;
    },
  }),
  packet({
    match: 'qfThreadInfo',
    exact: true,
    syntax: 'qfThreadInfo',
    summary: 'All threads, first part.',
    when: 'always',
    run(session) {
      if (session.disabled.has('qfThreadInfo')) return '';
      session.threadList = [];
      for (const inferior of session.known())
        for (const { pid, tid } of session.knownThreads(inferior))
          session.threadList.push(session.threadId(pid, tid));
      return nextIds(session);
    },
  }),
  packet({
    match: 'qsThreadInfo',
    exact: true,
    syntax: 'qsThreadInfo',
    summary: 'All threads, the next part.',
    when: 'always',
    run: (session) => (session.disabled.has('qfThreadInfo') ? '' : nextIds(session)),
  }),
  packet({
    match: 'qThreadExtraInfo,',
    syntax: 'qThreadExtraInfo,thread-id',
    summary: 'What a user should know of a thread, hex: its name, and who else holds it.',
    when: 'stopped',
    args: (a) => a.thread(),
    run(session, spec) {
      const thread = session.find(spec);
      if (!thread) throw new ReplyError(ESRCH, `no thread ${spec.tid}`);
      return Buffer.from(extraInfo(session, thread)).toString('hex');
    },
  }),
  packet({
    match: 'QThreadEvents:',
    syntax: 'QThreadEvents:0|1',
    summary: 'Tells the start and the end of every thread.',
    when: 'always',
    capability: 'newthread',
    feature: 'QThreadEvents+',
    args: (a) => a.num(),
    run(session, on) {
      session.target.interest.threadEvents = on === 1;
      session.target.interest.apply();
      return 'OK';
    },
  }),
  packet({
    match: 'QThreadOptions',
    syntax: 'QThreadOptions;options[:thread-id];...',
    summary: 'Tells of the threads that these threads make (1), of their end (2).',
    when: 'always',
    capability: 'newthread',
    feature: `QThreadOptions=${THREAD_OPTIONS.toString(16)}`,
    args: optionList,
    run({ target: { interest } }, list) {
      interest.threadOptions.set(list);
      interest.applyThreadOptions();
      return 'OK';
    },
  }),
];
