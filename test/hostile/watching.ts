// What the rest of the system says about a server and its programs.
import fs from 'node:fs';
import { PATIENCE } from '../support/patience';
import { fileBytes, program, symbols } from '../support/programs';

/** The program the servers here debug. */
export const LARGE = program('large');
const table = symbols(LARGE);

export function address(name: string): bigint {
  const addr = table.get(name);
  if (addr === undefined) throw new Error(`${LARGE} has no ${name}`);
  return addr;
}
export const hexAddress = (name: string): string => address(name).toString(16);

export function memory(pid: number, addr: bigint, length: number): Buffer {
  const fd = fs.openSync(`/proc/${pid}/mem`, 'r');
  try {
    const bytes = Buffer.alloc(length);
    fs.readSync(fd, bytes, 0, length, addr);
    return bytes;
  } finally {
    fs.closeSync(fd);
  }
}
/** Is the code of these functions as the executable has it? */
export function pristine(pid: number): boolean {
  return ['function', 'never', 'main'].every((name) =>
    memory(pid, address(name), 8).equals(fileBytes(LARGE, address(name), 8)),
  );
}
export const counter = (pid: number): bigint =>
  memory(pid, address('counter'), 8).readBigUInt64LE();

function status(pid: number, field: string): string | undefined {
  try {
    const text = fs.readFileSync(`/proc/${pid}/status`, 'utf8');
    return new RegExp(`^${field}:\\s+(\\S+)`, 'm').exec(text)?.[1];
  } catch {
    return undefined;
  }
}
export function gone(pid: number): boolean {
  return ['Z', 'X', undefined].includes(status(pid, 'State'));
}
export const stopped = (pid: number): boolean => status(pid, 'State') === 't';
export const tracer = (pid: number): number => Number(status(pid, 'TracerPid'));
/** Resident memory in bytes. */
export const resident = (pid: number): number => Number(status(pid, 'VmRSS')) * 1024;
/** Processor time in clock ticks. */
export function ticks(pid: number): number {
  const fields = fs
    .readFileSync(`/proc/${pid}/stat`, 'latin1')
    .replace(/^.*\) /, '')
    .split(' ');
  return Number(fields[11]) + Number(fields[12]);
}

/** Polls what no event tells; throws when it does not come to pass. */
export async function eventually(what: string, condition: () => boolean): Promise<void> {
  for (const limit = Date.now() + 20_000 * PATIENCE; !condition();) {
    if (Date.now() > limit) throw new Error(`it never came to pass that ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
/** It runs: its counter grows. */
export async function runs(pid: number): Promise<void> {
  const before = counter(pid);
  await eventually('the program counts', () => counter(pid) > before);
}
