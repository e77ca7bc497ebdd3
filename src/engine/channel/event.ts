/** enum ntrace_event_type of kernel/uapi/ntrace.h. */
export enum EventType {
  Stopped = 1,
  Step = 2,
  Break = 3,
  HwBreak = 4,
  Watch = 5,
  Signal = 6,
  SyscallEntry = 7,
  SyscallExit = 8,
  JobStop = 9,
  Error = 10,
  NewThread = 16,
  Fork = 17,
  Vfork = 18,
  VforkDone = 19,
  Exec = 20,
  Exiting = 21,
  Dead = 22,
  ProcDead = 23,
  Child = 24,
  Detached = 32,
  Lost = 33,
  TraceStopped = 34,
  Print = 35,
}

/** A decoded struct ntrace_event; the header tells what each field means for which type. */
export interface EngineEvent {
  type: EventType;
  flags: number;
  seq: bigint;
  timeNs: bigint;
  cookie: bigint;
  tid: number;
  pid: number; // tgid
  stopId: bigint; // 0n: a note, nobody was held
  signo: number;
  code: number;
  child: number;
  core: number;
  pc: bigint;
  sp: bigint;
  fp: bigint;
  addr: bigint;
  breakId: number;
  original: number;
  nr: bigint;
  args: bigint[]; // six
}

/** Of a Watch event: every address that the instruction has touched, each once. */
export function touchedAddresses({ addr, nr, args }: EngineEvent): bigint[] {
  return [addr, ...args.slice(0, Number(nr))];
}
