import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { GdbConsole } from '../../../src/cli/demo/gdb-console';
import { command, root } from '../../gdb/support/needs';
import { PATIENCE } from '../../support/patience';
import { repositoryRoot } from '../../support/root';
import { program, Victim } from './programs';
import { NTRACE } from './scene';

/** A tool that is at work on a process while something else is, too. */
export interface Companion {
  /** Does it go on seeing what the process does? Waits until it has, and throws if it does not. */
  sees(): Promise<void>;
  /** Lets the process go. */
  end(): Promise<void>;
}

export interface CompanionKind {
  name: string;
  /** "" if it can run here, else why not. */
  missing(): string;
  /** No machine of ours can run it: nobody has seen what comes out. */
  unproven?: true;
  /** The program to run instead of the actor: a copy of it. */
  copy?: () => string;
  /** It starts the process itself. */
  starts?: (args: string[]) => Promise<{ victim: Victim; companion: Companion }>;
  joins?: (victim: Victim) => Promise<Companion>;
}

const TRACING = '/sys/kernel/tracing';

async function until(what: string, ready: () => boolean): Promise<void> {
  for (const limit = Date.now() + 30_000 * PATIENCE; !ready();) {
    if (Date.now() > limit) throw new Error(`${what}: waited in vain`);
    await new Promise((done) => setTimeout(done, 20));
  }
}

/** A program that writes a line to its output for what it sees. */
class Writer implements Companion {
  private text = '';

  private constructor(
    private readonly child: ChildProcess,
    private readonly file: string | undefined,
    private readonly line: RegExp,
  ) {
    const take = (data: Buffer): void => void (this.text += data.toString());
    child.stdout?.on('data', take);
    child.stderr?.on('data', take);
  }

  /** file: where the lines go; undefined: its standard output and error. */
  static async start(
    argv: readonly string[],
    line: RegExp,
    file: string | undefined,
    ready: RegExp,
  ): Promise<Writer> {
    const [name = '', ...args] = argv;
    const child = spawn(name, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    const writer = new Writer(child, file, line);
    await until(`${name} on the process`, () => {
      if (child.exitCode !== null) throw new Error(`${name} ended:\n${writer.text}`);
      return ready.test(writer.text);
    });
    return writer;
  }

  static of(child: ChildProcess, file: string, line: RegExp): Writer {
    return new Writer(child, file, line);
  }

  async sees(): Promise<void> {
    const count = (): number => this.lines().filter((line) => this.line.test(line)).length;
    const before = count();
    await until(`a line ${this.line} of ${this.child.spawnfile}`, () => count() > before + 1);
  }

  /** ^C, at which it lets go. */
  async end(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const closed = once(this.child, 'close');
    this.child.kill('SIGINT');
    await closed;
  }

  private lines(): string[] {
    const text = this.file === undefined ? this.text : fs.readFileSync(this.file, 'latin1');
    return text.split('\n');
  }
}

/** gdb as it is without us: with ptrace, or through gdbserver. */
class NativeGdb implements Companion {
  private constructor(
    private readonly gdb: GdbConsole,
    private readonly pid: number,
    private readonly server?: ChildProcess,
  ) {}

  static async join(victim: Victim): Promise<NativeGdb> {
    const gdb = await GdbConsole.start(program('actor'));
    const text = await gdb.send(`attach ${victim.pid}`);
    if (!/Attaching to program/.test(text)) throw new Error(`gdb -p: ${text}`);
    return new NativeGdb(gdb, victim.pid).go();
  }

  static async throughServer(victim: Victim): Promise<NativeGdb> {
    const args = ['--once', '--attach', '127.0.0.1:0', String(victim.pid)];
    const server = spawn('gdbserver', args, { stdio: ['ignore', 'ignore', 'pipe'] });
    let text = '';
    server.stderr.on('data', (data: Buffer) => (text += data.toString()));
    await until('gdbserver', () => /port \d+/.test(text));
    const gdb = await GdbConsole.start(program('actor'));
    await gdb.send(`target remote :${/port (\d+)/.exec(text)?.[1]}`);
    return new NativeGdb(gdb, victim.pid, server).go();
  }

  async sees(): Promise<void> {
    const text = await this.gdb.interrupt();
    if (!/received signal SIGINT/.test(text)) throw new Error(`^C in the native gdb: ${text}`);
    await this.gdb.send('tbreak act');
    const hit = await this.gdb.send('continue');
    if (!/Temporary breakpoint \d+, act/.test(hit)) throw new Error(`the native gdb: ${hit}`);
    await this.continues();
  }

  async end(): Promise<void> {
    await this.gdb.vanish();
    if (this.server?.exitCode === null && this.server.signalCode === null) {
      const exit = once(this.server, 'exit');
      this.server.kill('SIGTERM');
      await exit;
    }
  }

  private async go(): Promise<this> {
    await this.gdb.send('handle SIGUSR1 nostop noprint pass');
    await this.continues();
    return this;
  }

  /** The process runs on return: a ^C can only come behind the continue. */
  private async continues(): Promise<void> {
    const status = `/proc/${this.pid}/status`;
    this.gdb.begin('continue');
    await until('the continue', () => !/^State:\s+t/m.test(fs.readFileSync(status, 'utf8')));
  }
}

/** A uprobe of the kernel's, on the program's file. */
export class Uprobe implements Companion {
  private constructor(private readonly instance: string) {}

  /** So many bytes behind where act() begins. */
  static place(behind = 0): Uprobe {
    const file = program('actor');
    fs.appendFileSync(
      `${TRACING}/uprobe_events`,
      `p:nttest/act ${file}:${offsetOf(file, 'act', behind)}\n`,
    );
    const instance = fs.mkdtempSync(`${TRACING}/instances/nttest-`);
    fs.writeFileSync(`${instance}/events/nttest/act/enable`, '1');
    return new Uprobe(instance);
  }

  async sees(): Promise<void> {
    const before = this.hits();
    await until('hits of the uprobe', () => this.hits() > before + 1);
  }

  end(): Promise<void> {
    if (!fs.existsSync(this.instance)) return Promise.resolve(); // it was before
    fs.writeFileSync(`${this.instance}/events/nttest/act/enable`, '0');
    fs.rmdirSync(this.instance);
    fs.appendFileSync(`${TRACING}/uprobe_events`, '-:nttest/act\n');
    return Promise.resolve();
  }

  private hits(): number {
    const profile = fs.readFileSync(`${TRACING}/uprobe_profile`, 'utf8');
    return Number(/\bact\s+(\d+)/.exec(profile)?.[1] ?? 0);
  }
}

/** A program that perf probes, counted by perf. */
class PerfProbe implements Companion {
  private static readonly EVENT = 'ntperf';
  private gone = false;

  private constructor(private readonly counts: Writer) {}

  static async join(victim: Victim): Promise<PerfProbe> {
    perf('probe', '-q', '-x', COPY, '--add', `${PerfProbe.EVENT}=act`);
    const event = `probe_actor:${PerfProbe.EVENT}`;
    // a line each tenth of a second; perf trace and perf record read all symbols of the kernel first
    const argv = ['perf', 'stat', '-e', event, '-I', '100', '-p', String(victim.pid)];
    const some = new RegExp(`^\\s+[\\d.]+\\s+[1-9][\\d,]*\\s+${event}`);
    return new PerfProbe(await Writer.start(argv, some, undefined, new RegExp(event)));
  }

  sees(): Promise<void> {
    return this.counts.sees();
  }

  async end(): Promise<void> {
    if (this.gone) return;
    this.gone = true;
    await this.counts.end();
    perf('probe', '-q', '--del', `probe_actor:${PerfProbe.EVENT}`);
  }
}

function perf(...args: string[]): void {
  const { status, stderr } = spawnSync('perf', args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`perf ${args.join(' ')}: ${stderr}`);
}

/** rr, which started the process and records it. What it saw is not in the recording alone. */
class Recorder implements Companion {
  private constructor(private readonly victim: Victim) {}

  static async start(args: string[]): Promise<{ victim: Victim; companion: Companion }> {
    const rr = ['rr', 'record', '-o', scratch()];
    const victim = await Victim.startedBy(rr, 'actor', ...args);
    return { victim, companion: new Recorder(victim) };
  }

  /** Why it cannot record here: "" if it can. */
  static missing(): string {
    const devices = '/sys/bus/event_source/devices';
    // of a hybrid one each kind of core has a name of its own
    if (!['cpu', 'cpu_core'].some((name) => fs.existsSync(path.join(devices, name))))
      return 'rr needs hardware counters, this processor has none';
    const { status, stderr } = spawnSync('rr', ['record', '-o', scratch(), 'true'], {
      encoding: 'utf8',
    });
    if (status === 0) return '';
    return `rr cannot record here: ${/^\[FATAL.*?\] *(.*)/m.exec(stderr)?.[1] ?? stderr.trim()}`;
  }

  async sees(): Promise<void> {
    const status = (): string => fs.readFileSync(`/proc/${this.victim.pid}/status`, 'utf8');
    const tracer = /^TracerPid:\s+(\d+)/m.exec(status())?.[1];
    if (Number(tracer) !== this.victim.child.pid)
      throw new Error(`its tracer is ${tracer}, not rr`);
    // it stops for rr at its calls
    const stops = (): number => Number(/^voluntary_ctxt_switches:\s+(\d+)/m.exec(status())?.[1]);
    const before = stops();
    await until('stops for rr', () => stops() > before + 1);
  }

  /** It ends with the process. */
  async end(): Promise<void> {
    await this.victim.end();
  }
}

/** The module that scripts/vm/stap has built for this guest, or why there is none. */
function stapModule(): { file: string; missing: string } {
  const kernel = process.env['NTRACE_VM'];
  if (kernel === undefined) return { file: '', missing: 'SystemTap modules are built for guests' };
  const script = path.join(repositoryRoot, 'scripts/vm/stap');
  const args = ['--there', kernel, program('actor'), 'act', COPY];
  const { status, stdout, stderr } = spawnSync(script, args, { encoding: 'utf8' });
  return status === 0
    ? { file: stdout.trim(), missing: '' }
    : { file: '', missing: stderr.trim().replace(/^vm\/stap: /, '') };
}

/** Where in the file a function begins, or what is so many bytes behind that. */
function offsetOf(file: string, name: string, behind: number): string {
  const { stdout } = spawnSync('nm', [file], { encoding: 'utf8' });
  const address = new RegExp(`^([0-9a-f]+) T ${name}$`, 'm').exec(stdout)?.[1];
  if (address === undefined) throw new Error(`${file} has no ${name}`);
  return `0x${(BigInt(`0x${address}`) + BigInt(behind)).toString(16)}`; // a PIE's text: address and offset are the same
}

/** Where the copy of the actor is that a SystemTap module is built for: see test/vm/suites.ts. */
export const COPY = '/dev/shm/ntrace-test/actor';

/**
 * A copy of the actor that lies on no overlay: of a guest's files SystemTap takes the overlay's own
 * inode, which has no pages, and the kernel refuses its probe.
 */
function copyInMemory(): string {
  const actor = fs.readFileSync(program('actor'));
  if (fs.existsSync(COPY) && fs.readFileSync(COPY).equals(actor)) return COPY;
  fs.mkdirSync(path.dirname(COPY), { recursive: true });
  fs.writeFileSync(`${COPY}.new`, actor, { mode: 0o755 });
  fs.renameSync(`${COPY}.new`, COPY); // the one that was there may run
  return COPY;
}

function scratch(): string {
  return path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'ntrace-companion-')), 'out');
}

export function tracing(): string {
  return root() || (fs.existsSync(`${TRACING}/uprobe_events`) ? '' : 'no tracefs here');
}

export const COMPANION_KINDS: readonly CompanionKind[] = [
  {
    name: 'strace -p',
    missing: () => command('strace'),
    joins: (victim: Victim): Promise<Companion> => {
      const file = scratch();
      const argv = ['strace', '-f', '-o', file, '-p', String(victim.pid)];
      return Writer.start(argv, /getppid\(\) /, file, /attached/);
    },
  },
  {
    name: 'strace that started it',
    missing: () => command('strace'),
    starts: async (args: string[]): Promise<{ victim: Victim; companion: Companion }> => {
      const file = scratch();
      const victim = await Victim.startedBy(['strace', '-f', '-o', file], 'actor', ...args);
      return { victim, companion: Writer.of(victim.child, file, /getppid\(\) /) };
    },
  },
  {
    name: 'ntrace strace -p',
    missing: () => '',
    joins: (victim: Victim): Promise<Companion> => {
      const file = scratch();
      const ours = [NTRACE, 'strace', '--engine=kernel'];
      const argv = [...ours, '-f', '-o', file, '-p', String(victim.pid)];
      return Writer.start(argv, /getppid\(\) /, file, /attached/);
    },
  },
  { name: 'gdb -p', missing: () => command('gdb'), joins: (victim) => NativeGdb.join(victim) },
  {
    name: 'gdbserver --attach',
    missing: () => command('gdbserver'),
    joins: (victim) => NativeGdb.throughServer(victim),
  },
  {
    name: 'a uprobe of tracefs',
    missing: tracing,
    joins: () => Promise.resolve(Uprobe.place()),
  },
  {
    name: 'bpftrace',
    missing: () => command('bpftrace') || tracing(),
    joins: (): Promise<Companion> => {
      const script = `BEGIN { printf("ready\\n"); } uprobe:${program('actor')}:act { printf("act\\n"); }`;
      return Writer.start(['bpftrace', '-e', script], /^act/, undefined, /ready/);
    },
  },
  {
    name: 'perf',
    missing: () => command('perf') || tracing(),
    copy: copyInMemory,
    joins: (victim) => PerfProbe.join(victim),
  },
  {
    name: 'SystemTap',
    missing: () => command('staprun') || tracing() || stapModule().missing,
    copy: copyInMemory,
    joins: () => Writer.start(['staprun', stapModule().file], /^act/, undefined, /^ready/m),
  },
  {
    name: 'rr record',
    unproven: true,
    missing: () => command('rr') || Recorder.missing(),
    starts: (args) => Recorder.start(args),
  },
];
