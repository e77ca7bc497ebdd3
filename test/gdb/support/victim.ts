import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';

/** A program that others are to attach to, which said "ready": every thread is where it will be. */
export async function startReady(file: string, ...args: string[]): Promise<ChildProcess> {
  // a group of its own: gdbserver's ^C goes to a group
  const { env } = process; // what a test has put there, too
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'ignore'], detached: true, env });
  const ended = once(child, 'exit').then(([code, signal]) => {
    throw new Error(`${file} ended with ${code ?? signal} before it was ready`);
  });
  await Promise.race([once(child.stdout, 'data'), ended]);
  ended.catch(() => undefined); // from here on its end is not ours to judge
  child.stdout.resume();
  return child;
}

/** It was not ended, by itself or a signal, as far as the kernel knows. */
export function running(child: ChildProcess): boolean {
  return child.exitCode === null && child.signalCode === null;
}
