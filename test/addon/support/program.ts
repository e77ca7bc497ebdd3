import { type ChildProcess, spawn, type StdioOptions } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';

/** Path of a compiled program beside this file. */
export function program(name: string): string {
  return path.join(__dirname, `${name}.js`);
}

export interface Started {
  child: ChildProcess;
  /** Its first line. */
  line: string;
  /** Exit code, or the name of the signal. */
  ended: Promise<number | string>;
}

/** Starts Node with these arguments and waits for the first line it prints. */
export async function startNode(args: string[], stdio: StdioOptions = 'pipe'): Promise<Started> {
  const child = spawn(process.execPath, args, { stdio });
  const ended = once(child, 'exit').then(([code, signal]) => (code ?? signal) as number | string);
  child.stderr?.pipe(process.stderr);
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
  const first = once(lines, 'line').then(([line]) => line as string);
  const line = await Promise.race([
    first,
    ended.then((how) => Promise.reject(new Error(`ended with ${how} before its first line`))),
  ]);
  return { child, line, ended };
}

/** Runs a script that has "native" defined, to its end. */
export async function runScript(
  script: string,
): Promise<{ out: string; err: string; how: number | string }> {
  const native = require.resolve('../../../src/native');
  const text = `const { native } = require(${JSON.stringify(native)});\n${script}`;
  const child = spawn(process.execPath, ['-e', text]);
  let out = '';
  let err = '';
  child.stdout.on('data', (data) => (out += data));
  child.stderr.on('data', (data) => (err += data));
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  return { out, err, how: code ?? signal ?? '' };
}
