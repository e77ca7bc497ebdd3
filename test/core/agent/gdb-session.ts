// A gdb that reads its commands from a pipe, on the subject under gdbserver.
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { PATIENCE } from '../../support/patience';
import { repositoryRoot } from '../../support/root';

const SOURCE = path.join(repositoryRoot, 'test/core/agent/subject.c');
const OUTPUT = path.join(repositoryRoot, 'build/programs');

function subject(): string {
  const binary = path.join(OUTPUT, 'agent-subject');
  fs.mkdirSync(OUTPUT, { recursive: true });
  execFileSync('gcc', ['-g', '-O0', '-o', binary, SOURCE]);
  return binary;
}

/** The line of the subject with that remark. */
export function lineOf(remark: string): number {
  const lines = fs.readFileSync(SOURCE, 'utf8').split('\n');
  return lines.findIndex((line) => line.includes(`/* ${remark} */`)) + 1;
}

/**
 * What gdb answers to each command, from the first stop at "stop" on. Errors are
 * part of the answer. The process is killed at the end.
 */
export function session(commands: readonly string[]): string[] {
  const program = subject();
  const script = [
    ...['set prompt', 'set confirm off', 'set pagination off', 'set width 0'],
    // the libraries' own files would be fetched through the connection
    ...['set sysroot /', 'set auto-solib-add off', 'set print sevenbit-strings on'],
    `target remote | gdbserver --once - ${program}`,
    ...[`tbreak ${lineOf('stop')}`, 'continue'],
    ...commands.flatMap((command, i) => [`echo \\n@@${i}@@\\n`, command]),
    ...['echo \\n@@end@@\\n', 'kill', 'quit', ''],
  ].join('\n');
  const { stdout } = spawnSync('sh', ['-c', `exec gdb -q -nx ${program} 2>&1`], {
    input: script,
    encoding: 'utf8',
    timeout: 100_000 * PATIENCE,
    maxBuffer: 1 << 28,
    env: { PATH: process.env.PATH, LC_ALL: 'C' },
  });
  const answers = stdout.split(/^@@\w+@@$/m).slice(1, -1);
  if (answers.length !== commands.length) throw new Error(`gdb got lost: ${stdout.slice(-2000)}`);
  return answers.map((answer) => answer.trim());
}
