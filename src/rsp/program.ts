import { statSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { LaunchSpec } from '../engine/engine';
import { EndedEarly } from '../engine/launch';

/** How programs are started, as the command line and the client's Q packets set it. */
export interface ProgramOptions {
  /** argv of the last program started or named: vRun without a name uses it. */
  program: string[];
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
function locate(name: string): string {
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

/**
 * Arguments are passed as they are: gdbserver quotes each before it hands them to its shell, so a
 * shell in between would change nothing but the count of execs.
 */
export function launchSpec(options: ProgramOptions): LaunchSpec {
  const { program, wrapper } = options;
  const [name = '', ...rest] = program;
  const args = [...wrapper, locate(name), ...rest];
  return {
    file: args[0] ?? '',
    args,
    env: environment(options.environment),
    ...(options.cwd === undefined ? {} : { cwd: expandTilde(options.cwd) }),
    noRandomize: options.noRandomize,
    newGroup: true,
    ...(options.redirected ? { stdio: ['/dev/null', '/dev/stderr', undefined] } : {}),
    execs: wrapper.length > 0 ? 2 : 1,
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
