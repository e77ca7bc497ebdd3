import type { ResumeAction } from '../../engine/engine';
import type { Args } from '../args';
import { linuxSignal, signalSet } from '../gdb-signals';
import { DEFERRED, packet, type Packet, type Reply } from '../packet';
import { ReplyError } from '../reply';
import type { Session } from '../session';

const EINVAL = 22;
const ESRCH = 3;

type Asked = { verb: 'resume'; action: ResumeAction } | { verb: 'stop'; pid: number; tid: number };

function linux(gdb: number): number {
  if (gdb === 0) return 0;
  const signo = linuxSignal(gdb);
  if (signo === undefined)
    throw new ReplyError(EINVAL, `Linux has no signal for gdb's number ${gdb}`);
  return signo;
}

/** One action of a vCont: "c", "C05", "s", "S05", "t", "rLO,HI", each with ":thread-id" or none. */
function action(a: Args): Asked {
  const verb = String.fromCharCode(a.buf[a.at++] ?? 0);
  let signo: number | undefined;
  let lo: bigint | undefined;
  let hi: bigint | undefined;
  if (verb === 'C' || verb === 'S') signo = linux(a.num());
  else if (verb === 'r') {
    lo = a.big();
    hi = a.lit(',').big();
  } else if (!'cst'.includes(verb)) a.fail('an action of vCont?');
  const named = a.take(':') ? a.thread() : { pid: -1, tid: -1 };
  const pid = named.pid === 0 ? -1 : named.pid;
  const tid = named.tid === 0 ? -1 : named.tid;
  if (verb === 't') return { verb: 'stop', pid, tid };
  const kind = verb === 'r' ? 'range' : verb === 's' || verb === 'S' ? 'step' : 'cont';
  return {
    verb: 'resume',
    action: {
      pid,
      tid,
      kind,
      ...(signo === undefined ? {} : { signo }),
      ...(lo === undefined || hi === undefined ? {} : { lo, hi }),
    },
  };
}

/** A thread named without its process gets its process. */
function complete<T extends { pid: number; tid: number }>(session: Session, ref: T): T {
  if (ref.tid <= 0 || ref.pid > 0) return ref;
  const thread = session.find({ pid: 0, tid: ref.tid });
  return { ...ref, pid: thread?.pid ?? ref.tid };
}

function resume(session: Session, asked: readonly Asked[]): Reply {
  const resumes: ResumeAction[] = [];
  const stops: { pid: number; tid: number }[] = [];
  for (const one of asked)
    if (one.verb === 'stop') stops.push(complete(session, { pid: one.pid, tid: one.tid }));
    else resumes.push(complete(session, one.action));
  // the end of the last process may be still to be told
  const over = session.engine.inferiors.size === 0 && session.target.queue.length === 0;
  if (over && !session.nonStop)
    throw new ReplyError(ESRCH, 'no process is being debugged: use run or attach');
  if (stops.length > 0 && session.nonStop) session.target.stopThreads(stops);
  if (session.nonStop) {
    if (resumes.length > 0) session.target.resume(resumes);
    return 'OK';
  }
  if (resumes.length === 0) throw new ReplyError(EINVAL, 't is for non-stop mode');
  session.target.resume(resumes);
  return DEFERRED;
}

/** c, C, s, S: the control thread alone steps, all others run. */
function plain(
  session: Session,
  kind: 'cont' | 'step',
  signo: number | undefined,
  pc: bigint | undefined,
): Reply {
  const thread = session.find(session.control) ?? session.thread();
  if (pc !== undefined) {
    const { arch } = session.engine.inferiors.get(thread.pid)!;
    const value = Buffer.alloc(8);
    value.writeBigUInt64LE(pc);
    const regset = (note: number): Buffer | undefined => session.engine.regset(thread, note);
    for (const note of arch.setRegister(arch.pc, value.subarray(0, arch.pc.size), regset))
      session.engine.putRegset(thread, note, regset(note)!);
  }
  const actions: ResumeAction[] = [
    { pid: thread.pid, tid: thread.tid, kind, ...(signo === undefined ? {} : { signo }) },
  ];
  if (session.control.tid <= 0) actions.push({ pid: thread.pid, tid: -1, kind: 'cont' });
  session.target.resume(actions);
  return session.nonStop ? 'OK' : DEFERRED;
}
const address = (a: Args): bigint | undefined => (a.done ? undefined : a.big());
const signalAndAddress = (a: Args): { signo: number; pc: bigint | undefined } => {
  const signo = linux(a.num());
  return { signo, pc: a.take(';') ? a.big() : undefined };
};

/** vCont and its older forms, and which signals they are about. */
export const resumes: Packet[] = [
  packet({
    match: 'vCont?',
    exact: true,
    syntax: 'vCont?',
    summary: 'The actions vCont knows.',
    when: 'always',
    feature: (session) => (session.client.has('vContSupported+') ? 'vContSupported+' : undefined),
    run(session) {
      if (session.disabled.has('vCont')) return '';
      const step = session.disabled.has('vConts') ? '' : ';s;S';
      return `vCont;c;C;t${step}${session.engine.has('range_step') ? ';r' : ''}`;
    },
  }),
  packet({
    match: 'vCont;',
    syntax: 'vCont;action[:thread-id];...',
    summary: 'Resumes threads; the leftmost action that matches a thread counts.',
    when: 'always',
    stopReply: true,
    args: (a) => {
      const asked: Asked[] = [];
      do asked.push(action(a));
      while (a.take(';'));
      a.close();
      return asked;
    },
    run: resume,
  }),
  packet({
    match: 'vCtrlC',
    exact: true,
    syntax: 'vCtrlC',
    summary: 'Interrupts, as ^C.',
    when: 'always',
    run(session) {
      session.target.interruptNonStop();
      return 'OK';
    },
  }),
  packet({
    match: 'c',
    syntax: 'c [addr]',
    summary: 'Continues.',
    when: 'inferior',
    stopReply: true,
    args: address,
    run: (session, pc) => plain(session, 'cont', undefined, pc),
  }),
  packet({
    match: 's',
    syntax: 's [addr]',
    summary: 'Steps one instruction.',
    when: 'inferior',
    stopReply: true,
    args: address,
    run: (session, pc) => plain(session, 'step', undefined, pc),
  }),
  packet({
    match: 'C',
    syntax: 'C sig[;addr]',
    summary: 'Continues with a signal.',
    when: 'inferior',
    stopReply: true,
    args: signalAndAddress,
    run: (session, { signo, pc }) => plain(session, 'cont', signo, pc),
  }),
  packet({
    match: 'S',
    syntax: 'S sig[;addr]',
    summary: 'Steps with a signal.',
    when: 'inferior',
    stopReply: true,
    args: signalAndAddress,
    run: (session, { signo, pc }) => plain(session, 'step', signo, pc),
  }),
  packet({
    match: 'QPassSignals:',
    syntax: 'QPassSignals:sig;...',
    summary: 'Signals the program gets without a stop.',
    when: 'always',
    capability: 'signals',
    feature: 'QPassSignals+',
    args: (a) => signalSet(a.rest()),
    run(session, set) {
      session.target.interest.passSignals = set;
      session.target.interest.apply();
      return 'OK';
    },
  }),
  packet({
    match: 'QProgramSignals:',
    syntax: 'QProgramSignals:sig;...',
    summary: 'Signals the program may get when it is detached.',
    when: 'always',
    feature: 'QProgramSignals+',
    args: (a) => signalSet(a.rest()),
    run(session, set) {
      session.target.interest.programSignals = set;
      return 'OK';
    },
  }),
  packet({
    match: 'QCatchSyscalls:',
    syntax: 'QCatchSyscalls:0 | 1[;nr;...]',
    summary: 'Stops at the entry and the return of system calls.',
    when: 'inferior',
    capability: 'syscall_entry',
    feature: 'QCatchSyscalls+',
    args: (a) => {
      if (a.num() === 0) return undefined;
      const numbers: number[] = [];
      while (a.take(';')) numbers.push(a.num());
      return numbers.length === 0 ? ('all' as const) : numbers;
    },
    run(session, numbers) {
      session.target.interest.catchSyscalls(session.inferior().pid, numbers);
      return 'OK';
    },
  }),
];
