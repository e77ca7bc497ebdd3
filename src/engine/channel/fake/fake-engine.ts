import type { EngineEvent } from '../event';
import { EventType } from '../event';
import { EVENT, SYSCALL_WORDS } from '../records';
import type { Attachment, FakeSets, Hold } from './process';

export const EVENT_CAPACITY = 256; // records, before notes are dropped, where nobody asks for more
export const MAX_EVENTS = 2 ** 18;

interface Queued {
  event: Partial<EngineEvent>;
  hold: Hold | undefined;
}

function noSyscalls(): Buffer {
  return Buffer.alloc(SYSCALL_WORDS * 8);
}

/** The header's defaults. */
export function defaultSets(): FakeSets {
  return {
    follow: 0,
    signalStop: 0xffff_ffff_ffff_ffffn,
    signalNote: 0n,
    faultStop: 0xffff_ffff_ffff_ffffn,
    signalStep: 0n,
    lifeStop: 0n,
    lifeNote: 1n << BigInt(EventType.Exec - EventType.NewThread),
    entryStop: noSyscalls(),
    exitStop: noSyscalls(),
    entryNote: noSyscalls(),
    exitNote: noSyscalls(),
  };
}

/** One open engine: its attachments and the events it has not read. */
export class FakeEngine {
  readonly attachments = new Map<number, Attachment>();
  observer = false;
  label = '';
  abi = 0;
  defaults = defaultSets();
  capacity = EVENT_CAPACITY;
  private readonly queue: Queued[] = [];
  private lost = 0n;
  private seq = 0n;
  private nextStop = 1n;
  private nextId = 1;

  constructor(
    readonly id: bigint,
    private readonly clock: () => bigint,
  ) {}

  get readable(): boolean {
    return this.queue.length > 0 || this.lost > 0n;
  }

  get events(): number {
    return this.queue.length;
  }

  nextBreak(): number {
    return this.nextId++;
  }

  newHold(why: number, unread: boolean): Hold {
    return { stopId: this.nextStop++, why, unread, since: this.clock() };
  }

  /** Stops are always kept; of notes the newest are dropped when the ring is full. */
  post(event: Partial<EngineEvent>, hold: Hold | undefined): void {
    const mayDrop = hold === undefined && event.type !== EventType.ProcDead;
    if (mayDrop && this.queue.length >= this.capacity) {
      this.lost++;
      return;
    }
    this.queue.push({ event: { ...event, seq: ++this.seq, timeNs: this.clock() }, hold });
  }

  /** Events of a process nobody asks about any more. */
  forget(pid: number): void {
    const kept = this.queue.filter(({ event }) => event.pid !== pid);
    this.queue.splice(0, this.queue.length, ...kept);
  }

  read(buf: Buffer): number {
    let at = 0;
    while (at + EVENT.size <= buf.length) {
      const next = this.queue.shift();
      if (next === undefined) {
        if (this.lost === 0n) break;
        this.encode(buf, at, { type: EventType.Lost, addr: this.lost, seq: ++this.seq });
        this.lost = 0n;
      } else {
        if (next.hold !== undefined) next.hold.unread = false;
        this.encode(buf, at, next.event);
      }
      at += EVENT.size;
    }
    return at;
  }

  private encode(buf: Buffer, at: number, event: Partial<EngineEvent>): void {
    buf.fill(0, at, at + EVENT.size);
    const field = EVENT.at;
    buf.writeUInt32LE(EVENT.size, at + field.size);
    buf.writeUInt16LE(event.type ?? 0, at + field.type);
    buf.writeUInt16LE(event.flags ?? 0, at + field.flags);
    buf.writeBigUInt64LE(event.seq ?? 0n, at + field.seq);
    buf.writeBigUInt64LE(event.timeNs ?? 0n, at + field.time_ns);
    buf.writeBigUInt64LE(event.cookie ?? 0n, at + field.cookie);
    buf.writeInt32LE(event.tid ?? 0, at + field.tid);
    buf.writeInt32LE(event.pid ?? 0, at + field.tgid);
    buf.writeBigUInt64LE(event.stopId ?? 0n, at + field.stop_id);
    buf.writeInt32LE(event.signo ?? 0, at + field.signo);
    buf.writeInt32LE(event.code ?? 0, at + field.code);
    buf.writeInt32LE(event.child ?? 0, at + field.child);
    buf.writeInt32LE(event.core ?? -1, at + field.core);
    buf.writeBigUInt64LE(event.pc ?? 0n, at + field.pc);
    buf.writeBigUInt64LE(event.sp ?? 0n, at + field.sp);
    buf.writeBigUInt64LE(event.fp ?? 0n, at + field.fp);
    buf.writeBigUInt64LE(event.addr ?? 0n, at + field.addr);
    buf.writeUInt32LE(event.breakId ?? 0, at + field.break_id);
    buf.writeUInt32LE(event.original ?? event.signo ?? 0, at + field.original);
    buf.writeBigUInt64LE(event.nr ?? 0n, at + field.nr);
    event.args?.forEach((arg, i) =>
      buf.writeBigUInt64LE(BigInt.asUintN(64, arg), at + field.args + 8 * i),
    );
  }
}
