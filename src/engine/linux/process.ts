import fs from 'node:fs';

// What /proc tells of processes and threads. Everything here answers undefined for what is gone.

/** Text of a /proc file; undefined when it is gone or not for us. */
export function procText(path: string): string | undefined {
  try {
    return fs.readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** Names of a /proc directory that are numbers, ascending. */
export function procNumbers(path: string): number[] {
  try {
    return fs
      .readdirSync(path)
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
      .sort((a, b) => a - b);
  } catch {
    return [];
  }
}

/** Fields of /proc/PID/status that tell what a process is. */
export interface ProcessStatus {
  name: string;
  /** One letter: R S D T t Z X I. */
  state: string;
  tgid: number;
  ppid: number;
  /** 0: nobody. */
  tracerPid: number;
  /** Real and effective. */
  uid: number;
  euid: number;
  gid: number;
  egid: number;
  threads: number;
  /** Its id in each pid namespace it is in, outermost visible first. */
  nsPid: number[];
  /** Signals that wait for it and are not blocked: bit N is signal N + 1. */
  deliverable: bigint;
}

/** tid: a thread of it instead of the process. */
export function processStatus(pid: number, tid?: number): ProcessStatus | undefined {
  const text = procText(
    tid === undefined ? `/proc/${pid}/status` : `/proc/${pid}/task/${tid}/status`,
  );
  if (text === undefined) return undefined;
  const fields = new Map(
    text.split('\n').map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon), line.slice(colon + 1).trim()] as const;
    }),
  );
  const numbers = (name: string): number[] =>
    (fields.get(name) ?? '').split(/\s+/).filter(Boolean).map(Number);
  const number = (name: string, at = 0): number => numbers(name)[at] ?? 0;
  const mask = (name: string): bigint => BigInt(`0x${fields.get(name) ?? '0'}`);
  return {
    name: fields.get('Name') ?? '',
    state: (fields.get('State') ?? '?')[0]!,
    tgid: number('Tgid'),
    ppid: number('PPid'),
    tracerPid: number('TracerPid'),
    uid: number('Uid'),
    euid: number('Uid', 1),
    gid: number('Gid'),
    egid: number('Gid', 1),
    threads: number('Threads'),
    nsPid: numbers('NSpid'),
    deliverable: (mask('SigPnd') | mask('ShdPnd')) & ~mask('SigBlk'),
  };
}

/** Fields of /proc/PID/stat behind the name, which may hold anything; [0] is the state letter. */
function statFields(pid: number, tid?: number): string[] | undefined {
  const text = procText(tid === undefined ? `/proc/${pid}/stat` : `/proc/${pid}/task/${tid}/stat`);
  const end = text?.lastIndexOf(')') ?? -1;
  return text === undefined || end < 0
    ? undefined
    : text
        .slice(end + 2)
        .trim()
        .split(' ');
}

// proc(5) counts fields of stat from 1; the state is field 3
function statNumber(field: number, pid: number, tid?: number): number | undefined {
  const text = statFields(pid, tid)?.[field - 3];
  return text === undefined ? undefined : Number(text);
}

/** The processor a thread ran on last. */
export function threadCore(pid: number, tid: number): number | undefined {
  return statNumber(39, pid, tid);
}

/** Clock ticks after boot: with the pid it names a process for ever. */
export function startTime(pid: number): number | undefined {
  return statNumber(22, pid);
}

export function processGroup(pid: number): number | undefined {
  return statNumber(5, pid);
}

/** Exists, and is neither dead nor a zombie waiting for its parent. */
export function isAlive(pid: number): boolean {
  const state = statFields(pid)?.[0];
  return state !== undefined && state !== 'Z' && state !== 'X';
}

/** A thread's name (at most 15 bytes), as qThreadExtraInfo tells it. */
export function threadName(pid: number, tid: number): string | undefined {
  return procText(`/proc/${pid}/task/${tid}/comm`)?.replace(/\n$/, '');
}

/** Thread ids, ascending; none when the process is gone. */
export function threadIds(pid: number): number[] {
  return procNumbers(`/proc/${pid}/task`);
}

/** argv; empty for kernel threads and zombies. */
export function commandLine(pid: number): string[] | undefined {
  const text = procText(`/proc/${pid}/cmdline`);
  if (text === undefined) return undefined;
  return text === '' ? [] : text.replace(/\0$/, '').split('\0');
}

/** The environment it was started with; undefined also when it is not ours to read. */
export function environment(pid: number): string[] | undefined {
  const text = procText(`/proc/${pid}/environ`);
  if (text === undefined) return undefined;
  return text === '' ? [] : text.replace(/\0$/, '').split('\0');
}
