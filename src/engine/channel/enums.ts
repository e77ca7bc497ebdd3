// The header's enums and flags; EventType is in event.ts.

/** enum ntrace_feature: bit numbers, in the header's order and without its prefix. */
export const FEATURES = [
  'attach',
  'soft_stop',
  'hard_stop',
  'step',
  'range_step',
  'regsets',
  'memory',
  'break',
  'hwbreak',
  'watch',
  'watch_read',
  'signals',
  'signals_fatal',
  'syscall_entry',
  'syscall_exit',
  'syscall_change',
  'fork',
  'follow',
  'newthread',
  'exec',
  'exiting',
  'dead',
  'record',
  'conditions',
  'actions',
  'tracepoints',
  'out_of_line',
  'yield',
  'stack',
  'who',
  'release',
  'leave_stopped',
  'attach_thread',
  'grace',
] as const;
export type Feature = (typeof FEATURES)[number];

export const HELLO_OBSERVER = 0x1;
export const RESUME_GRACE = 0x1;

export enum AttachFlag {
  Stop = 0x1,
  Thread = 0x2,
  Owned = 0x4,
}

export enum ReleaseMode {
  Resume = 0,
  Kill = 1,
  Stop = 2,
}

export enum Refusal {
  None = 0,
  Gone = 1,
  Zombie = 2,
  Kernel = 3,
  Self = 4,
  Traced = 5,
  Creds = 6,
  Yama = 7,
  Lsm = 8,
  Attached = 9,
  NotLeader = 10,
  Exec = 11,
}

export enum ThreadState {
  Running = 1,
  Stopped = 2,
  Stopping = 3,
  Exiting = 4,
}

export enum ThreadFlag {
  Held = 0x1,
  HeldByOther = 0x2,
  Leader = 0x4,
  Stepping = 0x8,
  Vfork = 0x10,
}

export enum Action {
  Cont = 1,
  Step = 2,
  Range = 3,
  Stay = 4,
}

export enum StopFlag {
  Soft = 0x1,
  Wait = 0x2,
  Quiet = 0x4,
}

/** NT_SIGINFO: the siginfo of a signal stop, read and written as a regset. */
export const NT_SIGINFO = 0x53494749;

export const MEM_RAW = 0x1;

export enum Break {
  Software = 0,
  Hardware = 1,
  WatchWrite = 2,
  WatchRead = 3,
  WatchAccess = 4,
}

export enum SetValid {
  Signals = 0x1,
  Life = 0x2,
  Syscalls = 0x4,
  Follow = 0x8,
}

export enum Follow {
  Fork = 0x1,
  Vfork = 0x2,
}

export enum EventFlag {
  Fault = 0x1,
  Changed = 0x2,
  FromUser = 0x4,
  Compat = 0x8,
}

export const TP_ENABLED = 0x1;

export enum CollectType {
  Regs = 1,
  Memory = 2,
  Code = 3,
}

export const COLLECT_STEP = 0x1;
/** In place of a register number: the address is one. */
export const COLLECT_ABSOLUTE = 0xffffffff;

export enum TraceCommand {
  Clear = 1,
  Start = 2,
  Stop = 3,
  Status = 4,
  Setup = 5,
}

export const TRACE_CIRCULAR = 0x1;

export enum TraceReason {
  NeverRan = 0,
  Stopped = 1,
  Full = 2,
  Passed = 3,
  Error = 4,
}

export enum BlockType {
  Regs = 1,
  Memory = 2,
  Variable = 3,
}

export const VARIABLE_SET = 0x1;
/** State variables have lower numbers. */
export const VARIABLES = 1024;
/** The built-in one: microseconds of CLOCK_MONOTONIC. */
export const VARIABLE_TIMESTAMP = 1;
