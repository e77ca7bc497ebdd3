import { VARIABLES } from '../../engine/channel/enums';
import type { Args } from '../args';
import { packet, type Packet } from '../packet';
import { ReplyError } from '../reply';
import { PACKET_SIZE, type Session } from '../session';
import { bytecode, traceActions } from '../trace-actions';
import { FrameStream, saveTrace } from '../trace-file';
import { definitionPieces, hex64, statusText, variablePiece } from '../trace-listing';
import type { FrameTest, Notes, SelectedFrame, TraceRun } from '../trace-run';
import { gSizeFor } from './registers';

const EINVAL = 22;
const NUMBER_MAX = 0xffffffff;
const DEFAULT_SIZE = 5 << 20;

const run = (session: Session): TraceRun => session.target.trace;

interface Place {
  number: number;
  addr: bigint;
}
const place = (a: Args): Place => ({ number: a.num(NUMBER_MAX), addr: a.lit(':').big() });

/** "QTDP:n:addr:E:step:pass[:Fn][:Xlen,bytes][-]": a definition begins. */
function define(session: Session, a: Args): boolean {
  const where = place(a);
  const enabled = a.lit(':').take('E');
  if (!enabled) a.lit('D');
  const step = a.lit(':').num(NUMBER_MAX);
  const pass = a.lit(':').big();
  let fast: number | undefined;
  let condition: Buffer | undefined;
  while (a.take(':')) {
    if (a.take('F')) fast = a.num(NUMBER_MAX);
    else if (a.take('X')) condition = bytecode(a);
    else a.fail('F or X: static tracepoints need an agent inside the program');
  }
  const more = a.take('-');
  a.close();
  const { pid } = session.inferior();
  run(session).add({
    pid,
    ...where,
    enabled,
    step,
    pass,
    fast,
    condition,
    actions: [],
    taken: false,
    sources: [],
  });
  return more;
}
/** "QTDP:-n:addr:[S]action...[-]": actions of one that was begun. */
function amend(session: Session, a: Args): boolean {
  const where = place(a);
  const definition = run(session).get(where.number, where.addr);
  a.lit(':');
  definition.actions.push(...traceActions(a, session.inferior().arch, definition.actions));
  const more = a.take('-');
  a.close();
  return more;
}

/** Which frame QTFrame asks for: a test of frames, or an index; undefined: none. */
function wanted(a: Args): FrameTest | number | undefined {
  if (a.take('-')) {
    a.lit('1').close();
    return undefined;
  }
  const start = a.at;
  const kind = a.until(':');
  if (!a.take(':')) {
    a.at = start;
    const index = a.num(NUMBER_MAX);
    a.close();
    return index === NUMBER_MAX ? undefined : index;
  }
  if (kind === 'tdp') {
    const number = a.num(NUMBER_MAX);
    return (head) => head.number === number;
  }
  const lo = a.big();
  if (kind === 'pc') return (head) => head.pc === lo;
  const hi = a.lit(':').big();
  if (kind === 'range') return (head) => lo <= head.pc && head.pc <= hi;
  if (kind === 'outside') return (head) => head.pc < lo || head.pc > hi;
  return a.fail('pc, tdp, range, outside or a number');
}
function selected(frame: SelectedFrame | undefined): string {
  return frame ? `F${frame.index.toString(16)}T${frame.head.number.toString(16)}` : 'F-1';
}

/** The next piece of a listing; "l" when there is none. */
function next(session: Session): string {
  return run(session).listing.shift() ?? 'l';
}

const isNote = (word: string): word is keyof Notes =>
  word === 'user' || word === 'notes' || word === 'tstop';

const capability = 'tracepoints';

/** Trace experiments (GDB manual, "Tracepoint Packets"). */
export const tracepoints: Packet[] = [
  packet({
    match: 'QTinit',
    exact: true,
    syntax: 'QTinit',
    summary: 'Forgets tracepoints, trace state variables and frames.',
    when: 'inferior',
    capability,
    run(session) {
      run(session).initialize();
      return 'OK';
    },
  }),
  packet({
    match: 'QTDP:',
    syntax: 'QTDP:[-]n:addr:...[-]',
    summary: 'Defines a tracepoint, or adds actions: R, M, X, and those of while-stepping.',
    when: 'inferior',
    capability,
    feature:
      'ConditionalTracepoints+;FastTracepoints+;InstallInTrace+;DisconnectedTracing+;tracenz+',
    args: (a) => a,
    run(session, a) {
      const begun = a.take('-');
      const start = a.at;
      const more = begun ? amend(session, a) : define(session, a);
      if (!more) {
        a.at = start;
        const { number, addr } = place(a);
        run(session).commit(run(session).get(number, addr));
      }
      return 'OK';
    },
  }),
  packet({
    match: 'QTDPsrc:',
    syntax: 'QTDPsrc:n:addr:type:start:slen:bytes',
    summary: 'Source text of a tracepoint, kept for clients to come.',
    when: 'inferior',
    capability,
    feature: 'TracepointSource+',
    args: (a) => ({ ...place(a), source: a.lit(':').rest() }),
    run(session, { number, addr, source }) {
      run(session).get(number, addr).sources.push(source);
      return 'OK';
    },
  }),
  packet({
    match: 'QTEnable:',
    syntax: 'QTEnable:n:addr',
    summary: 'Enables a tracepoint, while tracing runs too.',
    when: 'inferior',
    capability,
    feature: 'EnableDisableTracepoints+',
    args: place,
    run(session, { number, addr }) {
      run(session).enable(number, addr, true);
      return 'OK';
    },
  }),
  packet({
    match: 'QTDisable:',
    syntax: 'QTDisable:n:addr',
    summary: 'Disables a tracepoint, while tracing runs too.',
    when: 'inferior',
    capability,
    args: place,
    run(session, { number, addr }) {
      run(session).enable(number, addr, false);
      return 'OK';
    },
  }),
  packet({
    match: 'QTDV:',
    syntax: 'QTDV:n:value:builtin:name',
    summary: 'Defines a trace state variable with its initial value.',
    when: 'stopped',
    capability,
    feature: 'TraceStateVariables+',
    args(a) {
      const number = a.num(VARIABLES - 1);
      const initial = BigInt.asIntN(64, a.lit(':').big());
      const builtin = a.lit(':').num(1) === 1;
      return { number, initial, builtin, name: a.lit(':').hexText() };
    },
    run(session, variable) {
      run(session).define(variable);
      return 'OK';
    },
  }),
  packet({
    match: 'QTro:',
    syntax: 'QTro:start,end:...',
    summary: 'Memory that does not change: read from the process while a frame is selected.',
    when: 'stopped',
    capability,
    args(a) {
      const regions = [];
      do if (!a.done) regions.push({ start: a.big(), end: a.lit(',').big() });
      while (a.take(':'));
      a.close();
      return regions;
    },
    run(session, regions) {
      const { constant } = run(session);
      constant.length = 0;
      constant.push(...regions);
      return 'OK';
    },
  }),
  packet({
    match: 'QTStart',
    exact: true,
    syntax: 'QTStart',
    summary: 'Starts tracing.',
    when: 'inferior',
    capability,
    run(session) {
      run(session).start();
      return 'OK';
    },
  }),
  packet({
    match: 'QTStop',
    exact: true,
    syntax: 'QTStop',
    summary: 'Stops tracing; definitions and frames stay.',
    when: 'stopped',
    capability,
    run(session) {
      run(session).stop();
      return 'OK';
    },
  }),
  packet({
    match: 'QTDisconnected:',
    syntax: 'QTDisconnected:0|1',
    summary: 'Whether tracing goes on when the client is gone.',
    when: 'stopped',
    capability,
    args: (a) => a.num(),
    run(session, on) {
      run(session).disconnected = on !== 0;
      return 'OK';
    },
  }),
  packet({
    match: 'QTBuffer:circular:',
    syntax: 'QTBuffer:circular:0|1',
    summary: 'Whether the oldest frames make room for new ones.',
    when: 'stopped',
    capability,
    args: (a) => a.num(),
    run(session, on) {
      session.engine.tracing.setup(on !== 0);
      return 'OK';
    },
  }),
  packet({
    match: 'QTBuffer:size:',
    syntax: 'QTBuffer:size:bytes|-1',
    summary: 'Size of the trace buffer; -1: 5 MiB.',
    when: 'stopped',
    capability,
    feature: 'QTBuffer:size+',
    args: (a) => (a.take('-') ? undefined : a.num()),
    run(session, size) {
      const { tracing } = session.engine;
      if (size === 0) throw new ReplyError(EINVAL, 'a trace buffer of no bytes holds nothing');
      tracing.setup(tracing.status().circular, size ?? DEFAULT_SIZE);
      return 'OK';
    },
  }),
  packet({
    match: 'QTNotes:',
    syntax: 'QTNotes:[user:text;][notes:text;][tstop:text;]',
    summary: 'Who traces and why, for qTStatus; text in hex.',
    when: 'stopped',
    capability,
    args(a) {
      const notes: Partial<Notes> = {};
      while (!a.done) {
        const word = a.until(':');
        if (!isNote(word)) return a.fail('user, notes or tstop');
        notes[word] = a.lit(':').hexText();
        if (!a.take(';')) a.close();
      }
      return notes;
    },
    run(session, notes) {
      const trace = run(session);
      trace.notes = { ...trace.notes, ...notes };
      return 'OK';
    },
  }),
  packet({
    match: 'qTStatus',
    exact: true,
    syntax: 'qTStatus',
    summary: 'Whether tracing runs, why it stopped, and how full the buffer is.',
    when: 'stopped',
    capability,
    run: (session) => `T${statusText(run(session))}`,
  }),
  packet({
    match: 'qTP:',
    syntax: 'qTP:n:addr',
    summary: 'Hits of a tracepoint and the bytes of its frames.',
    when: 'stopped',
    capability,
    args: place,
    run(session, { number, addr }) {
      const { pid } = run(session).get(number, addr);
      const counts = session.engine.tracing.counts(pid, number, addr);
      return `V${(counts?.hits ?? 0n).toString(16)}:${(counts?.usage ?? 0n).toString(16)}`;
    },
  }),
  packet({
    match: 'qTfP',
    exact: true,
    syntax: 'qTfP',
    summary: 'The first piece of what is defined.',
    when: 'stopped',
    capability,
    run(session) {
      run(session).listing = run(session).definitions.flatMap(definitionPieces);
      return next(session);
    },
  }),
  packet({
    match: 'qTsP',
    exact: true,
    syntax: 'qTsP',
    summary: 'The next piece.',
    when: 'stopped',
    capability,
    run: next,
  }),
  packet({
    match: 'qTfV',
    exact: true,
    syntax: 'qTfV',
    summary: 'The first trace state variable.',
    when: 'stopped',
    capability,
    run(session) {
      // the newest first: gdb turns the list round
      run(session).listing = [...run(session).variables.values()].map(variablePiece).reverse();
      return next(session);
    },
  }),
  packet({
    match: 'qTsV',
    exact: true,
    syntax: 'qTsV',
    summary: 'The next one.',
    when: 'stopped',
    capability,
    run: next,
  }),
  packet({
    match: 'qTV:',
    syntax: 'qTV:n',
    summary: 'Value of a trace state variable, of the selected frame if there is one.',
    when: 'stopped',
    capability,
    args: (a) => a.num(NUMBER_MAX),
    run(session, number) {
      const value = run(session).value(number);
      return value === undefined ? 'U' : `V${hex64(value)}`;
    },
  }),
  packet({
    match: 'qTBuffer:',
    syntax: 'qTBuffer:offset,length',
    summary: 'A piece of the trace buffer, as trace files have it.',
    when: 'inferior',
    capability,
    args: (a) => ({ offset: a.num(), length: a.lit(',').num() }),
    run(session, { offset, length }) {
      const trace = run(session);
      const { arch } = session.inferior();
      trace.stream ??= new FrameStream(session.engine, arch, gSizeFor(session, arch));
      const bytes = trace.stream.read(offset, Math.min(length, (PACKET_SIZE >> 1) - 16));
      if (!bytes) throw new ReplyError(EINVAL, `${offset} is behind the end of the trace buffer`);
      if (bytes.length > 0) return bytes.toString('hex');
      trace.stream = undefined;
      return 'l';
    },
  }),
  packet({
    match: 'QTSave:',
    syntax: 'QTSave:filename',
    summary: 'Writes a trace file where the server runs; the name in hex.',
    when: 'inferior',
    capability,
    command: true,
    args: (a) => a.hexText(),
    run(session, path) {
      const { arch } = session.inferior();
      saveTrace(path, run(session), session.engine, arch, gSizeFor(session, arch));
      return 'OK';
    },
  }),
  packet({
    match: 'QTFrame:',
    syntax: 'QTFrame:n|-1|pc:addr|tdp:n|range:start:end|outside:start:end',
    summary: 'Selects a frame; registers and memory are then those it has.',
    when: 'inferior',
    capability,
    args: wanted,
    run(session, what) {
      const trace = run(session);
      if (what === undefined) {
        trace.select(undefined);
        return 'OK';
      }
      return selected(typeof what === 'number' ? trace.select(what) : trace.search(what));
    },
  }),
  packet({
    match: 'qTMinFTPILen',
    exact: true,
    syntax: 'qTMinFTPILen',
    summary: 'Bytes an instruction needs for a fast tracepoint: any will do.',
    when: 'stopped',
    capability,
    run: () => '1',
  }),
];
