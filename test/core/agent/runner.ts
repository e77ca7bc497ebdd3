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

const SANITIZED = ['-fsanitize=address,undefined', '-fno-sanitize-recover=all'];
/** Low in memory, so that what programs have elsewhere can lie where they have it. */
const LOW = ['-D_GNU_SOURCE', '-no-pie', '-fno-pie'];

function compiled(name: string, flags: readonly string[]): string {
  const binary = path.join(OUTPUT, `agent-${name}`);
  const sources = [path.join(repositoryRoot, `test/core/agent/${name}.c`), ...agentSources()];
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
    ...flags,
    ...['-I', CORE, '-o', fresh, ...sources],
  ]);
  fs.renameSync(fresh, binary);
  return binary;
}

function answers<T>(binary: string, lines: readonly string[]): T[] {
  const { stdout, stderr, status, signal } = spawnSync(binary, {
    input: `${lines.join('\n')}\n`,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  if (status !== 0)
    throw new Error(`${path.basename(binary)} ended with ${status ?? signal}: ${stderr}`);
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T);
}

/** Hands lines of commands to run.c; its answers, in order. */
export function run<T>(lines: readonly string[]): T[] {
  return answers(compiled('run', SANITIZED), lines);
}

/** What became of a condition as machine code. */
export interface Ran {
  /** false: it has no place there */
  built: boolean;
  result?: 'pass' | 'trap' | 'fault';
  /** instructions at which it was interrupted, and how often that left something behind */
  steps?: number;
  wrong?: number;
  length?: number;
}

/** The same with native.c. */
export function runNative(lines: readonly string[]): Ran[] {
  return answers(compiled('native', LOW), lines);
}

/** A condition that is false when the value of an expression is this. */
export function unlessValue(code: string, value: bigint): string {
  const constant = BigInt.asUintN(64, value).toString(16).padStart(16, '0');
  return `${code.replace(/27$/, '')}25${constant}130e27`;
}

/** What a pad has to make of an expression whose value, or error, is known. */
export function expected({ error, value }: Outcome): string {
  return error === 0 && BigInt(value) === 0n ? 'pass' : 'hit';
}

/** A pad's word for it. */
export function told({ result, wrong }: Ran): string {
  return `${result === 'pass' ? 'pass' : 'hit'}${wrong === 0 ? '' : ` ${wrong} wrong`}`;
}

/** What a printf put out. */
export function printed(outcome: Outcome): string {
  return outcome.calls
    .filter(([name]) => name === 'print')
    .map(([, text]) => Buffer.from(text, 'hex').toString('latin1'))
    .join('');
}
