import { TraceReason } from '../engine/channel/enums';
import { Errno, EngineError } from '../engine/errors';
import { native } from '../native';
import type { TraceStatus } from '../engine/tracepoints-api';
import type { Definition, TraceRun, Variable } from './trace-run';

const EDOM = 33;
const ETIME = 62;

const hex = (n: number | bigint): string => n.toString(16);
/** 64 bits of a signed number. */
export const hex64 = (n: bigint): string => BigInt.asUintN(64, n).toString(16);
const text = (s: string): string => Buffer.from(s, 'utf8').toString('hex');

/** The pieces of a definition, in the words it was given with (GDB manual, "qTfP"). */
export function definitionPieces(d: Definition): string[] {
  const place = `${hex(d.number)}:${hex(d.addr)}`;
  let head = `T${place}:${d.enabled ? 'E' : 'D'}:${hex(d.step)}:${hex(d.pass)}`;
  if (d.fast !== undefined) head += `:F${hex(d.fast)}`;
  if (d.condition) head += `:X${hex(d.condition.length)},${d.condition.toString('hex')}`;
  const actions = (step: boolean): string[] =>
    d.actions
      .filter((action) => action.step === step)
      .map((action) => `${step ? 'S' : 'A'}${place}:${action.text}`);
  const sources = d.sources.map((source) => `Z${place}:${source}`);
  return [head, ...actions(false), ...actions(true), ...sources];
}

/** As qTfV answers it. */
export function variablePiece(v: Variable): string {
  return `${hex(v.number)}:${hex64(v.initial)}:${v.builtin ? 1 : 0}:${text(v.name)}`;
}

/** Why an expression failed, in a user's words. */
function errorText(errno: number): string {
  if (errno === EDOM) return 'divide by zero';
  if (errno === ETIME) return 'expression ran too long';
  if (errno === Errno.EINVAL) return 'invalid expression';
  return native.errnoText(errno);
}

function reason(run: TraceRun, status: TraceStatus): string {
  switch (status.reason) {
    case TraceReason.NeverRan:
      return 'tnotrun:0';
    case TraceReason.Stopped:
      return run.abandoned ? 'tdisconnected:0' : `tstop:${text(run.notes.tstop)}:0`;
    case TraceReason.Full:
      return 'tfull:0';
    case TraceReason.Passed:
      return `tpasscount:${hex(status.number)}`;
    case TraceReason.Error:
      return `terror:${text(errorText(status.error))}:${hex(status.number)}`;
    default:
      throw new EngineError(Errno.EINVAL, 'EINVAL', `unknown stop reason ${status.reason}`);
  }
}

/** The fields of a qTStatus answer, without its T. */
export function statusText(run: TraceRun): string {
  const status = run.status();
  const micros = (ns: bigint): string => hex(ns / 1000n);
  return [
    status.running ? '1' : '0',
    reason(run, status),
    `tframes:${hex(status.frames)}`,
    `tcreated:${hex(status.created)}`,
    `tfree:${hex(status.free)}`,
    `tsize:${hex(status.size)}`,
    `circular:${status.circular ? 1 : 0}`,
    `disconn:${run.disconnected ? 1 : 0}`,
    `starttime:${micros(status.startNs)}`,
    `stoptime:${micros(status.stopNs)}`,
    `username:${text(run.notes.user)}`,
    `notes:${text(run.notes.notes)}:`,
  ].join(';');
}
