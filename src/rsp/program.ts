import { statSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { LaunchSpec } from '../engine/engine';
import { Errno, failure } from '../engine/errors';
import { EndedEarly } from '../engine/launch';
import { plainWords, quoteWords, splitWords } from './shell-words';

/** How programs are started, as the command line and the client's Q packets set it. */
export interface ProgramOptions {
  /** argv of the last program started or named: vRun without a name uses it. */
  program: string[];
  /** Its arguments as one string for a shell to read, instead of those in program. */
  line?: string | undefined;
  wrapper: string[];
  noRandomize: boolean;
  startupWithShell: boolean;
  cwd: string | undefined;
  /** Variables set (string) or removed (undefined) relative to the server's own environment. */
  environment: Map<string, string | undefined>;
  /** They read nothing and write to standard error: the rest is the client's line. */
  redirected?: boolean;
}

/** gdbserver's defaults. */
export function defaultProgram(): ProgramOptions {
  return {
    program: [],
    wrapper: [],
    noRandomize: true,
    startupWithShell: true,
    cwd: undefined,
    environment: new Map(),
  };
}

function environment(changes: ProgramOptions['environment']): string[] {
  const env = new Map(Object.entries(process.env));
  for (const [name, value] of changes)
    if (value === undefined) env.delete(name);
    else env.set(name, value);
  return [...env].map(([name, value]) => `${name}=${value ?? ''}`);
}

/**
 * A file named relative to the server's directory, wherever the program will be started; a bare name
 * that is no file there is left to PATH (gdbserver's rule).
 */
export function locate(name: string): string {
  if (path.isAbsolute(name)) return name;
  if (name.includes('/')) return path.resolve(name);
  try {
    if (statSync(name).isFile()) return path.resolve(name);
  } catch {
    // not here: PATH
  }
  return name;
}

/** "~" and "~/x" as a shell would read them. */
function expandTilde(directory: string): string {
  if (directory !== '~' && !directory.startsWith('~/')) return directory;
  return path.join(process.env.HOME ?? os.homedir(), directory.slice(1));
}

/** The arguments as one string, quoted for a shell. */
export function argumentLine({ line, program }: ProgramOptions): string {
  return line ?? quoteWords(program.slice(1));
}

/**
 * argv, and how many execs it takes until the program is there. Arguments are passed as they are
 * where a shell in between would change nothing but the count of execs: those that are given one by
 * one, which gdbserver quotes before it hands them to its shell, and a line without anything that
 * is special to a shell.
 */
function command({ program, wrapper, line, startupWithShell }: ProgramOptions): {
  args: string[];
  execs: number;
} {
  const [name = '', ...rest] = program;
  const first = [...wrapper, locate(name)];
  const execs = wrapper.length > 0 ? 2 : 1;
  if (line === undefined) return { args: [...first, ...rest], execs };
  const words = startupWithShell ? plainWords(line) : splitWords(line);
  if (words) return { args: [...first, ...words], execs };
  if (!startupWithShell) throw failure(Errno.EINVAL, `find the end of a quote in: ${line}`);
  // the shell that gdb and gdbserver take
  const shell = process.env.SHELL || '/bin/sh';
  return { args: [shell, '-c', `exec ${quoteWords(first)} ${line}`], execs: execs + 1 };
}

export function launchSpec(options: ProgramOptions): LaunchSpec {
  const { args, execs } = command(options);
  return {
    file: args[0] ?? '',
    args,
    env: environment(options.environment),
    ...(options.cwd === undefined ? {} : { cwd: expandTilde(options.cwd) }),
    noRandomize: options.noRandomize,
    newGroup: true,
    ...(options.redirected ? { stdio: ['/dev/null', '/dev/stderr', undefined] } : {}),
    execs,
  };
}

/**
 * What gdbserver says of a program that its system did not execute: its own words where no shell is
 * in between, else the shell's. Nothing where the program was executed and then ended.
 */
export function refusalWords(error: Error, options: ProgramOptions): string[] {
  if (error instanceof EndedEarly) return [];
  const { code, message } = error as NodeJS.ErrnoException;
  const reason = message.replace(/^.*: /, '');
  const [name] = options.program;
  if (!options.startupWithShell) return [`Cannot exec ${name}`, `Error: ${reason}`];
  return [`exec: ${name}: ${code === 'ENOENT' ? 'not found' : `cannot execute: ${reason}`}`];
}
