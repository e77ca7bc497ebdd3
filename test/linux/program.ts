import type { ChildProcess } from 'node:child_process';
import { execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import readline from 'node:readline';
import type { MemoryReader } from '../../src/engine/linux/memory';
import { processStatus } from '../../src/engine/linux/process';
import { PATIENCE } from '../support/patience';

/** A running test program that wrote its lines, then "ready", and waits for its input to end. */
export interface Running {
  pid: number;
  lines: string[];
  /** Lets it end; resolves when it is reaped. */
  stop(): Promise<void>;
}

/** Small programs compiled in a directory of their own. */
export class Workshop {
  readonly dir = fs.mkdtempSync(path.join(os.tmpdir(), 'ntrace-linux-'));
  private readonly running = new Set<Running>();

  path(name: string): string {
    return path.join(this.dir, name);
  }

  /** gcc; returns the path of what it made. */
  compile(name: string, source: string, ...flags: string[]): string {
    const file = this.path(`${name}.c`);
    fs.writeFileSync(file, source);
    execFileSync('gcc', [file, '-o', this.path(name), ...flags]);
    return this.path(name);
  }

  async start(file: string, ...args: string[]): Promise<Running> {
    const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    const lines: string[] = [];
    const failed = new Promise<never>((_, reject) => child.once('error', reject));
    const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
    await Promise.race([this.untilReady(child, lines), failed]);
    const running: Running = {
      pid: child.pid!,
      lines,
      stop: async () => {
        this.running.delete(running);
        child.stdin!.end();
        await ended;
      },
    };
    this.running.add(running);
    return running;
  }

  /** Ends what runs and removes the directory. */
  async close(): Promise<void> {
    for (const running of [...this.running]) await running.stop();
    fs.rmSync(this.dir, { recursive: true });
  }

  private async untilReady(child: ChildProcess, lines: string[]): Promise<void> {
    for await (const line of readline.createInterface({ input: child.stdout! })) {
      if (line === 'ready') return;
      lines.push(line);
    }
    throw new Error(`the program ended before it was ready, after: ${lines.join('; ')}`);
  }
}

/** Waits until the leader of a process sleeps: what no event tells. */
export async function asleep(pid: number): Promise<void> {
  for (const limit = Date.now() + 20_000 * PATIENCE; processStatus(pid)?.state !== 'S';) {
    if (Date.now() > limit) throw new Error(`process ${pid} does not sleep`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

/** Memory of a child of ours through /proc. */
export function procMemory(pid: number): MemoryReader {
  return {
    read(addr, length) {
      const fd = fs.openSync(`/proc/${pid}/mem`, 'r');
      try {
        const buf = Buffer.alloc(length);
        return buf.subarray(0, fs.readSync(fd, buf, 0, length, addr));
      } finally {
        fs.closeSync(fd);
      }
    },
  };
}

/** What gdbserver answers to a qXfer read of a running process; undefined without gdbserver. */
export function askGdbserver(pid: number, object: string): string | undefined {
  if (!fs.existsSync('/usr/bin/gdbserver')) return undefined;
  const text = execFileSync(
    'gdb',
    [
      ...['-nx', '-batch', '-ex', 'set sysroot /', '-ex', 'set auto-solib-add off'],
      ...['-ex', `target remote | gdbserver --once --attach - ${pid}`],
      ...['-ex', `maint packet qXfer:${object}:0,fffff`, '-ex', 'detach'],
    ],
    { encoding: 'latin1', stdio: ['ignore', 'pipe', 'ignore'] },
  );
  const reply = /^received: "l(.*)"$/m.exec(text)?.[1];
  if (reply === undefined) throw new Error(`gdbserver gave no ${object}: ${text}`);
  // gdb shows bytes that are not printable in hex, and binary escapes as they are
  return reply
    .replace(/\\x([0-9a-f]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)))
    .replace(/\}(.)/gs, (_, c: string) => String.fromCharCode(c.charCodeAt(0) ^ 0x20));
}
