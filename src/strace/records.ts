import type { Channel } from '../engine/channel/channel';
import { EVENT } from '../engine/channel/records';
import { long, RecordView, word } from '../engine/channel/record-view';
import { failure } from '../engine/errors';

const CAPACITY = 1024 * EVENT.size; // bytes read at once
const TYPE = EVENT.at.type / 2;
const FLAGS = EVENT.at.flags / 2;
const TIME = word(EVENT.at.time_ns);
const TID = word(EVENT.at.tid);
const PID = word(EVENT.at.tgid);
const STOP_ID = long(EVENT.at.stop_id);
const SIGNO = word(EVENT.at.signo);
const CODE = word(EVENT.at.code);
const CHILD = word(EVENT.at.child);
const PC = long(EVENT.at.pc);
const SP = long(EVENT.at.sp);
const ADDR = long(EVENT.at.addr);
const NR = word(EVENT.at.nr);
const ARGS = long(EVENT.at.args);
const ARG_COUNT = 6;

/**
 * A batch of event records and a place in it: fields are read where they lie, no object is made for
 * an event. next() goes on to the following record; fill() reads a new batch.
 */
export class Records {
  private readonly view = new RecordView(CAPACITY);
  private readonly u16 = new Uint16Array(this.view.bytes.buffer);
  private at = 0;
  private end = 0;
  private size = 0;

  constructor(private readonly channel: Channel) {}

  /** False: there is nothing to read. */
  fill(): boolean {
    const got = this.channel.readEvents(this.view.bytes);
    if (got < 0) throw failure(got, 'read events');
    this.at = 0;
    this.size = 0;
    this.end = got;
    return got > 0;
  }

  next(): boolean {
    this.at += this.size;
    if (this.at >= this.end) return false;
    this.size = this.view.u32[word(this.at)]!;
    return true;
  }

  get type(): number {
    return this.u16[this.at / 2 + TYPE]!;
  }
  get flags(): number {
    return this.u16[this.at / 2 + FLAGS]!;
  }
  /** Nanoseconds of CLOCK_MONOTONIC; exact for the first hundred days after a boot. */
  get time(): number {
    return this.u32(TIME) + this.u32(TIME + 1) * 2 ** 32;
  }
  get tid(): number {
    return this.i32(TID);
  }
  get pid(): number {
    return this.i32(PID);
  }
  get stopId(): bigint {
    return this.u64(STOP_ID);
  }
  get signo(): number {
    return this.i32(SIGNO);
  }
  get code(): number {
    return this.i32(CODE);
  }
  get child(): number {
    return this.i32(CHILD);
  }
  get pc(): bigint {
    return this.u64(PC);
  }
  get sp(): bigint {
    return this.u64(SP);
  }
  get addr(): bigint {
    return this.u64(ADDR);
  }
  get nr(): number {
    return this.i32(NR);
  }
  /** Result of a call. */
  get value(): bigint {
    return this.u64(ARGS);
  }

  copyArgs(to: BigUint64Array): void {
    const from = long(this.at) + ARGS;
    for (let i = 0; i < ARG_COUNT; i++) to[i] = this.view.u64[from + i]!;
  }

  private i32(field: number): number {
    return this.view.i32[word(this.at) + field]!;
  }
  private u32(field: number): number {
    return this.view.u32[word(this.at) + field]!;
  }
  private u64(field: number): bigint {
    return this.view.u64[long(this.at) + field]!;
  }
}
