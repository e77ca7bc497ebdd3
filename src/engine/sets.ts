import { Follow, SetValid } from './channel/enums';
import { EventType } from './channel/event';
import { SETS, SYSCALL_WORDS } from './channel/records';
import type { EventTypeList, Sets } from './engine-api';

const ALL_SIGNALS = 0xffff_ffff_ffff_ffffn;

function lifeBits(types: EventTypeList): bigint {
  let bits = 0n;
  for (const type of types) {
    if (type >= EventType.NewThread) bits |= 1n << BigInt(type - EventType.NewThread);
  }
  return bits;
}

// Without these notes our maps of inferiors and threads would be wrong.
const BOOKKEEPING = lifeBits([
  EventType.NewThread,
  EventType.Exec,
  EventType.Dead,
  EventType.ProcDead,
]);

function bitmap(numbers: number[] | 'all'): BigUint64Array {
  const words = new BigUint64Array(SYSCALL_WORDS);
  if (numbers === 'all') return words.fill(ALL_SIGNALS);
  for (const nr of numbers) {
    if (nr < 0 || nr >= SYSCALL_WORDS * 64) continue;
    const word = nr >>> 6;
    words[word] = (words[word] ?? 0n) | (1n << BigInt(nr & 63));
  }
  return words;
}

/** All sets in force for one process, or the defaults for later ones. */
export class SetState {
  private signalStop = ALL_SIGNALS;
  private signalNote = 0n;
  private faultStop = ALL_SIGNALS;
  private signalStep = 0n;
  private lifeStop = 0n;
  private lifeNote = lifeBits([EventType.Exec, EventType.ProcDead]);
  private follow = 0;
  private entryStop = bitmap([]);
  private exitStop = bitmap([]);
  private entryNote = bitmap([]);
  private exitNote = bitmap([]);

  clone(): SetState {
    return Object.assign(new SetState(), this);
  }

  /** Takes over what is given; returns the groups that changed (SetValid bits). */
  merge(sets: Sets): number {
    let valid = 0;
    if (sets.signalStop !== undefined) this.signalStop = sets.signalStop;
    if (sets.signalNote !== undefined) this.signalNote = sets.signalNote;
    if (sets.faultStop !== undefined) this.faultStop = sets.faultStop;
    if (sets.signalStep !== undefined) this.signalStep = sets.signalStep;
    const { signalStop, signalNote, faultStop, signalStep } = sets;
    if ([signalStop, signalNote, faultStop, signalStep].some((set) => set !== undefined)) {
      valid |= SetValid.Signals;
    }
    if (sets.lifeStop !== undefined) this.lifeStop = lifeBits(sets.lifeStop);
    if (sets.lifeNote !== undefined) this.lifeNote = lifeBits(sets.lifeNote);
    if (sets.lifeStop !== undefined || sets.lifeNote !== undefined) valid |= SetValid.Life;
    if (sets.followFork !== undefined) this.flag(Follow.Fork, sets.followFork);
    if (sets.followVfork !== undefined) this.flag(Follow.Vfork, sets.followVfork);
    if (sets.followFork !== undefined || sets.followVfork !== undefined) valid |= SetValid.Follow;
    const { entryStop, exitStop, entryNote, exitNote } = sets;
    if (entryStop !== undefined) this.entryStop = bitmap(entryStop);
    if (exitStop !== undefined) this.exitStop = bitmap(exitStop);
    if (entryNote !== undefined) this.entryNote = bitmap(entryNote);
    if (exitNote !== undefined) this.exitNote = bitmap(exitNote);
    if ([entryStop, exitStop, entryNote, exitNote].some((set) => set !== undefined)) {
      valid |= SetValid.Syscalls;
    }
    return valid;
  }

  /** An observer holds nobody: it starts without the default stops. */
  dropStops(): void {
    this.signalStop = 0n;
    this.faultStop = 0n;
    this.signalStep = 0n;
  }

  /** Writes a struct ntrace_sets. valid: SetValid bits. */
  encode(record: Buffer, pid: number, valid: number): void {
    record.fill(0);
    record.writeInt32LE(pid, SETS.at.pid);
    record.writeUInt32LE(valid, SETS.at.valid);
    record.writeUInt32LE(this.follow, SETS.at.follow);
    record.writeBigUInt64LE(this.signalStop, SETS.at.signal_stop);
    record.writeBigUInt64LE(this.signalNote, SETS.at.signal_note);
    record.writeBigUInt64LE(this.faultStop, SETS.at.fault_stop);
    record.writeBigUInt64LE(this.signalStep, SETS.at.signal_step);
    record.writeBigUInt64LE(this.lifeStop, SETS.at.life_stop);
    record.writeBigUInt64LE((this.lifeNote | BOOKKEEPING) & ~this.lifeStop, SETS.at.life_note);
    for (const [words, at] of [
      [this.entryStop, SETS.at.entry_stop],
      [this.exitStop, SETS.at.exit_stop],
      [this.entryNote, SETS.at.entry_note],
      [this.exitNote, SETS.at.exit_note],
    ] as const) {
      words.forEach((word, i) => record.writeBigUInt64LE(word, at + 8 * i));
    }
  }

  private flag(bit: number, on: boolean): void {
    this.follow = on ? this.follow | bit : this.follow & ~bit;
  }
}

export const ALL_SETS = SetValid.Signals | SetValid.Life | SetValid.Syscalls | SetValid.Follow;
