import { EventType } from './channel/event';
import type { Holder } from './engine-api';

const NS = 1e9;
const MINUTE = 60;
const HOUR = 3600;

/** What a hold is for, in a user's words; by enum ntrace_event_type. */
const REASONS: Readonly<Record<number, string>> = {
  0: 'attached',
  [EventType.Stopped]: 'stopped by its client',
  [EventType.Step]: 'single step',
  [EventType.Break]: 'breakpoint',
  [EventType.HwBreak]: 'hardware breakpoint',
  [EventType.Watch]: 'watchpoint',
  [EventType.Signal]: 'signal',
  [EventType.SyscallEntry]: 'system call entry',
  [EventType.SyscallExit]: 'system call return',
  [EventType.JobStop]: 'job-control stop',
  [EventType.Error]: 'a condition that could not be decided',
  [EventType.NewThread]: 'new thread',
  [EventType.Fork]: 'fork',
  [EventType.Vfork]: 'vfork',
  [EventType.VforkDone]: 'end of a vfork',
  [EventType.Exec]: 'exec',
  [EventType.Exiting]: 'exit',
  [EventType.Child]: 'new process',
};

/** "breakpoint"; why: Holder.why. */
export function reasonText(why: number): string {
  return REASONS[why] ?? `event ${why}`;
}

/** "0.4 s", "12 s", "3 min 5 s", "2 h 10 min". */
export function ageText(seconds: number): string {
  if (seconds < 10) return `${Math.max(0, seconds).toFixed(1)} s`;
  const whole = Math.floor(seconds);
  if (whole < MINUTE) return `${whole} s`;
  if (whole < HOUR) return `${Math.floor(whole / MINUTE)} min ${whole % MINUTE} s`;
  return `${Math.floor(whole / HOUR)} h ${Math.floor((whole % HOUR) / MINUTE)} min`;
}

/** Seconds since it holds or is attached; undefined where the provider does not say. */
export function heldFor({ sinceNs }: Pick<Holder, 'sinceNs'>): number | undefined {
  // the clock of hrtime is CLOCK_MONOTONIC, as the provider's
  return sinceNs === 0n ? undefined : Number(process.hrtime.bigint() - sinceNs) / NS;
}

/** "engine 2 (gdb 127.0.0.1:5123)". */
export function engineText({ engineId, label }: Pick<Holder, 'engineId' | 'label'>): string {
  return `engine ${engineId} (${label || 'no label'})`;
}

/** "engine 2 (gdb 127.0.0.1:5123): breakpoint, 12 s". */
export function holderText(holder: Holder): string {
  const age = heldFor(holder);
  const reason = reasonText(holder.why);
  return `${engineText(holder)}: ${age === undefined ? reason : `${reason}, ${ageText(age)}`}`;
}

/** "held by engine 2 (...): breakpoint, 12 s; engine 3 ..."; '' for nobody. */
export function heldText(holders: readonly Holder[]): string {
  const holding = holders.filter(({ tid }) => tid !== 0);
  return holding.length === 0 ? '' : `held by ${holding.map(holderText).join('; ')}`;
}
