import { readFileSync } from 'node:fs';

export const SCHED_OTHER = 0;
export const SCHED_RR = 2;
const POLICY = 41; // proc(5), /proc/pid/stat

/** By what rule the first thread of a process gets processors: a number of sched(7). */
export function policy(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[POLICY - 3]);
}
