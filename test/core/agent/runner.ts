// Builds the C side of the tests with sanitizers and talks to it.
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { repositoryRoot } from '../../support/root';

const CORE = path.join(repositoryRoot, 'kernel/core');
const OUTPUT = path.join(repositoryRoot, 'build/programs');

/** enum nt_agent_error */
export const E = {
  LENGTH: -1,
  HEIGHT: -2,
  VARIABLE: -3,
  FORBIDDEN: -4,
  EMPTY: -10,
  OPCODE: -11,
  UNSUPPORTED: -12,
  TRUNCATED: -13,
  OPERAND: -14,
  JUMP: -15,
  NO_END: -16,
  UNDERFLOW: -17,
  OVERFLOW: -18,
  NO_RESULT: -19,
  REGISTER: -20,
  FORMAT: -21,
  BUDGET: -30,
  DIVIDE: -31,
  MEMORY: -32,
  STATE: -33,
  SINK: -34,
} as const;

export interface Verdict {
  error: number;
  at: number;
  instructions: number;
  reachable: number;
  maxDepth: number;
  endDepth: number;
  uses: number;
}

export interface Outcome {
  error: number;
  at: number;
  /** unsigned, 64 bits */
  value: string;
  /** callbacks that leave a trace: name and two arguments; print: text in hex */
  calls: [name: string, first: string, second: string][];
}

/** Sources of the expressions, every one of them. */
export function agentSources(): string[] {
  return fs
    .readdirSync(CORE)
    .filter((file) => /^agent.*\.c$/.test(file))
    .map((file) => path.join(CORE, file));
}

function compiled(): string {
  const binary = path.join(OUTPUT, 'agent-run');
  const sources = [path.join(repositoryRoot, 'test/core/agent/run.c'), ...agentSources()];
  const headers = fs.readdirSync(CORE).filter((file) => file.endsWith('.h'));
  const newest = Math.max(
    ...[...sources, ...headers.map((file) => path.join(CORE, file))].map(
      (file) => fs.statSync(file).mtimeMs,
    ),
  );
  if (fs.existsSync(binary) && fs.statSync(binary).mtimeMs > newest) return binary;
  fs.mkdirSync(OUTPUT, { recursive: true });
  // two test files may build at once: the finished program takes its place in one step
  const fresh = `${binary}.${process.pid}`;
  execFileSync('gcc', [
    ...['-std=gnu11', '-g', '-O1', '-Wall', '-Wextra', '-Werror'],
    ...['-fsanitize=address,undefined', '-fno-sanitize-recover=all'],
    ...['-I', CORE, '-o', fresh, ...sources],
  ]);
  fs.renameSync(fresh, binary);
  return binary;
}

/** Hands lines of commands to run.c; its answers, in order. */
export function run<T>(lines: readonly string[]): T[] {
  const { stdout, stderr, status } = spawnSync(compiled(), {
    input: `${lines.join('\n')}\n`,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  if (status !== 0) throw new Error(`agent-run ended with ${status}: ${stderr}`);
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T);
}

/** What a printf put out. */
export function printed(outcome: Outcome): string {
  return outcome.calls
    .filter(([name]) => name === 'print')
    .map(([, text]) => Buffer.from(text, 'hex').toString('latin1'))
    .join('');
}
