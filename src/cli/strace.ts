import { abis } from '../strace/abi';
import { Constants } from '../strace/constants';
import { Session, type Ending } from '../strace/session';
import { loadTables } from '../strace/tables';
import { version } from '../rsp/version';
import { Parser, Usage } from './strace-options';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';

const DUMPS = new Set([
  'SIGQUIT',
  'SIGILL',
  'SIGTRAP',
  'SIGABRT',
  'SIGBUS',
  'SIGFPE',
  'SIGSEGV',
  'SIGXCPU',
  'SIGXFSZ',
  'SIGSYS',
]);

/** The whole of `ntrace strace`: never throws, ends the process as the program it ran ended. */
export async function main(argv: readonly string[]): Promise<void> {
  let ending: Ending;
  try {
    const tables = loadTables();
    const constants = new Constants(tables);
    const options = new Parser(Object.values(abis(tables)), constants).parse(argv);
    ending = await new Session(options, tables, constants).run();
  } catch (error) {
    if (error instanceof Usage && error.code === 0) {
      const text = error.message || `ntrace strace ${version()}, in the format of strace 6.1\n`;
      fs.writeSync(1, text);
      process.exit(0);
    }
    const hint = error instanceof Usage ? "\nTry 'ntrace strace -h' for more information." : '';
    fs.writeSync(2, `strace: ${(error as Error).message}${hint}\n`);
    process.exit(1);
  }
  if (ending.signal !== 0) dieOf(ending.signal);
  process.exit(ending.status);
}

/** Ends this process by the signal that ended the program. */
function dieOf(signo: number): void {
  const name = Object.entries(os.constants.signals).find(([, number]) => number === signo)?.[0];
  if (name !== undefined) {
    const signal = name as NodeJS.Signals;
    const unused = (): void => undefined;
    if (DUMPS.has(name)) {
      // the program's core file is of interest, ours is not
      spawnSync('prlimit', ['--core=0', '--pid', String(process.pid)], { stdio: 'ignore' });
    }
    try {
      if (name !== 'SIGKILL') {
        process.on(signal, unused); // libuv takes the signal over and, left alone, resets it
        process.removeAllListeners(signal);
      }
      process.kill(process.pid, signal);
    } catch {
      // a signal Node does not know: its shell status says as much
    }
  }
  process.exit(128 + signo);
}
