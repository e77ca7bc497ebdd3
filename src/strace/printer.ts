import { native } from '../native';
import type { Options } from './options';
import type { Sink } from './sink';
import type { Tracee } from './tracee';

const MICRO = 1000; // nanoseconds
const SECOND = 1e9;

/** Errors that never reach a program: linux/errno.h of the kernel itself. */
const RESTARTS = new Map<number, string>([
  [512, 'ERESTARTSYS (To be restarted if SA_RESTART is set)'],
  [513, 'ERESTARTNOINTR (To be restarted)'],
  [514, 'ERESTARTNOHAND (To be restarted if no handler)'],
  [516, 'ERESTART_RESTARTBLOCK (Interrupted by signal)'],
]);

const two = (n: number): string => String(n).padStart(2, '0');
const six = (n: number): string => String(n).padStart(6, '0');

/** "     0.000123" */
function elapsed(nanos: number): string {
  const micros = Math.max(0, Math.floor(nanos / MICRO));
  return `${String(Math.floor(micros / 1e6)).padStart(6)}.${six(micros % 1e6)}`;
}

/** Writes lines as strace does: one thread's line may cut another's short. */
export class Printer {
  /** Whose line is not ended, by where it is written. */
  private readonly open = new Map<Sink, Tracee>();
  private readonly realOffset: number;
  private last: number | undefined;

  constructor(
    private readonly options: Options,
    /** More than one thread is traced: lines name theirs. */
    private readonly many: () => boolean,
  ) {
    this.realOffset = Date.now() * 1e6 - Number(process.hrtime.bigint());
  }

  /** The entry of a call, up to what only its return tells. */
  enter(t: Tracee, time: number): void {
    const { call, signature } = t;
    if (signature === undefined) return;
    call.text = `${signature.name}(`;
    t.position = signature.enter(call);
    t.printed = true;
    if (this.options.statuses !== undefined) t.held = call.text;
    else this.begin(t, call.text, time);
  }

  /** Its return. nanos: how long it took; undefined: it never returns. */
  exit(t: Tracee, time: number, nanos: number | undefined): void {
    const { call, signature } = t;
    if (signature === undefined) return;
    signature.exit(call, t.position);
    if (t.held !== undefined) {
      this.begin(t, t.held, time);
      t.held = undefined;
    }
    this.finish(t, `${call.text})`, this.result(t), time, nanos);
  }

  /** The thread ends inside a call: exit() itself, or one that somebody else cut off. */
  leave(t: Tracee, time: number): void {
    if (!t.printed) return;
    const { held } = t;
    t.held = undefined;
    t.printed = false;
    if (held !== undefined && this.options.statuses?.has('unfinished') !== true) return;
    if (held !== undefined) this.begin(t, held, time);
    const tail = t.call.comma ? ' <unfinished ...>)' : ')';
    this.finish(t, tail, '?', time, undefined);
  }

  /** The tracer goes while the thread is inside a call. */
  detach(t: Tracee): void {
    if (this.open.get(t.sink) !== t) return;
    t.sink.write(' <detached ...>\n');
    this.open.delete(t.sink);
  }

  /** A line of its own: a signal, an end. */
  line(t: Tracee, text: string, time: number): void {
    t.sink.write(`${this.leader(t, time)}${text}\n`);
    this.open.delete(t.sink);
  }

  /** Ends a line that its thread will not end. */
  forget(t: Tracee): void {
    if (this.open.get(t.sink) !== t) return;
    t.sink.write(' <unfinished ...>\n');
    this.open.delete(t.sink);
  }

  private begin(t: Tracee, text: string, time: number): void {
    const head = this.leader(t, time);
    t.unfinished = false; // its own last line, where the return of a call was lost
    t.sink.write(head + text);
    t.column = head.length + text.length;
    this.open.set(t.sink, t);
  }

  private finish(
    t: Tracee,
    text: string,
    result: string,
    time: number,
    nanos: number | undefined,
  ): void {
    const name = t.signature?.name ?? '';
    let line = text;
    let { column } = t;
    if (this.open.get(t.sink) !== t || t.unfinished) {
      line = `${this.leader(t, time)}<... ${name} resumed>${text}`;
      column = 0;
    }
    this.open.delete(t.sink);
    t.unfinished = false;
    const gap = ' '.repeat(Math.max(0, this.options.column - column - line.length));
    const duration =
      this.options.durations && nanos !== undefined
        ? ` <${(Math.floor(nanos / MICRO) / 1e6).toFixed(6)}>`
        : '';
    t.sink.write(`${line}${gap === '' ? ' ' : gap}= ${result}${duration}\n`);
    t.printed = false;
  }

  private result(t: Tracee): string {
    const { call, signature } = t;
    if (call.failed) {
      const errno = Number(-call.errno);
      const restart = RESTARTS.get(errno);
      if (restart !== undefined) return `? ${restart}`;
      return `-1 ${native.errnoName(errno)} (${native.errnoText(errno)})`;
    }
    const remark = call.remark === '' ? '' : ` (${call.remark})`;
    if (call.resultText !== undefined) return call.resultText + remark;
    switch (signature?.result) {
      case 'x':
        return hex(BigInt.asUintN(call.abi.bits, call.result)) + remark;
      case 'o':
        return `0${call.result === 0n ? '' : call.result.toString(8).padStart(2, '0')}${remark}`;
      case 'fd':
        return call.descriptor(Number(call.result)) + remark;
      case 'none':
        return '?';
      default:
        return String(call.result) + remark;
    }
  }

  private leader(t: Tracee, time: number): string {
    const other = this.open.get(t.sink);
    if (other !== undefined) {
      t.sink.write(' <unfinished ...>\n');
      other.unfinished = true;
      this.open.delete(t.sink);
    }
    const { options } = this;
    let text = '';
    if (!options.separate) {
      if (options.output !== undefined && options.follow) text = `${String(t.tid).padEnd(5)} `;
      else if (this.many()) text = `[pid ${String(t.tid).padStart(5)}] `;
    }
    if (options.timestamps > 0) text += this.stamp(time);
    if (options.relative) {
      const since = elapsed(time - (this.last ?? time));
      text += options.timestamps > 0 ? `(+${since}) ` : `${since} `;
      this.last = time;
    }
    if (options.numbers) text += `[${String(t.call.nr).padStart(4)}] `;
    if (options.pointer)
      text += `[${t.pointer?.toString(16).padStart(16, '0') ?? '????????????????'}] `;
    return text;
  }

  private stamp(time: number): string {
    const real = time + this.realOffset;
    const seconds = Math.floor(real / SECOND);
    const micros = six(Math.floor((real % SECOND) / MICRO));
    if (this.options.timestamps === 3) return `${seconds}.${micros} `;
    const date = new Date(seconds * 1000);
    const clock = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':');
    return this.options.timestamps === 2 ? `${clock}.${micros} ` : `${clock} `;
  }
}

function hex(value: bigint): string {
  return value === 0n ? '0' : `0x${value.toString(16)}`;
}
