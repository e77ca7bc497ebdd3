import path from 'node:path';
import { native } from '../../src/native';

const EACCES = 13;

/** What came to the real machine although it must not; end() takes the fence away. */
export interface Fence {
  readonly tried: readonly string[];
  end(): void;
}

/**
 * Keeps packets from the real machine but for files in a directory: no signal, no program, no
 * engine. The functions are replaced by hand: a mock would remember a million calls.
 */
export function fence(directory: string): Fence {
  const { openInRoot, unlinkInRoot, readlinkInRoot, kill, spawn, openEmbedded } = native;
  const real = { openInRoot, unlinkInRoot, readlinkInRoot, kill, spawn, openEmbedded };
  const tried: string[] = [];
  const inside = (file: string): boolean =>
    path.resolve(file).startsWith(directory + path.sep) && !file.includes('..');
  const forbid = (what: string) => (): never => {
    tried.push(what);
    throw new Error(`a packet came to ${what}`);
  };
  Object.assign(native, {
    openInRoot: (_pid: number, file: string, flags: number, mode: number) =>
      inside(file) ? openInRoot(0, file, flags, mode) : -EACCES,
    unlinkInRoot: (_pid: number, file: string) => (inside(file) ? unlinkInRoot(0, file) : -EACCES),
    readlinkInRoot: (_pid: number, file: string) =>
      inside(file) ? readlinkInRoot(0, file) : -EACCES,
    kill: forbid('kill'),
    spawn: forbid('spawn'),
    openEmbedded: forbid('openEmbedded'),
  });
  return { tried, end: () => void Object.assign(native, real) };
}
