import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { openChannel } from '../engine/channel/open';
import { openEngine, type Engine } from '../engine/engine';
import { failure } from '../engine/errors';
import { native, type Reactor, type SpawnedChild } from '../native';
import { abis, type Abi } from './abi';
import type { Constants } from './constants';
import { Descriptors } from './descriptors';
import { Memory } from './memory';
import type { Options } from './options';
import { Printer } from './printer';
import { putSets, wishes } from './sets';
import { Signatures } from './signature';
import { Pipe, Sink } from './sink';
import { Summary } from './summary';
import type { Tables } from './tables';
import { Threads } from './threads';
import { Tracer } from './tracer';

const SIGHUP = 1;
const SIGINT = 2;
const SIGQUIT = 3;
const SIGKILL = 9;
const SIGTERM = 15;
const SIGCONT = 18;
const STDERR = 2;
/**
 * Bytes of events that a recorder keeps until they are printed, which takes longer than to make them;
 * then the provider drops what comes, and tells how much.
 */
const MOST_AHEAD = 2 ** 29;
/** Events of a recorder that wait in the provider, for a moment in which the tracer does not run. */
const MOST_IN_PROVIDER = 2 ** 17;

/** How the tracer itself is to end: by a status, or by the signal that ended the program or us. */
export interface Ending {
  status: number;
  signal: number;
}

/** One run of the tracer, from the first attach to the last line. */
export class Session {
  private readonly engine: Engine;
  private readonly reactor: Reactor = new native.Reactor();
  private readonly stderr = new Sink(STDERR, false);
  private readonly sinks = new Set<Sink>([this.stderr]);
  private readonly shared: Sink;
  private readonly pipe: Pipe | undefined;
  private readonly threads: Threads;
  private readonly printer: Printer;
  private readonly tracer: Tracer;
  private readonly summary: Summary | undefined;
  private readonly signatures = new Map<Abi, Signatures>();
  private child: SpawnedChild | undefined;

  constructor(
    private readonly options: Options,
    tables: Tables,
    constants: Constants,
  ) {
    const channel = openChannel(options.provider);
    this.engine = openEngine(channel, {
      label: 'strace',
      observer: options.record,
      events: options.record ? MOST_IN_PROVIDER : 0,
    });
    const ahead = options.record ? channel.readAhead(MOST_AHEAD) : 0;
    if (ahead < 0) throw failure(ahead, 'read events ahead');
    const { output } = options;
    if (output?.startsWith('|') || output?.startsWith('!')) this.pipe = new Pipe(output.slice(1));
    this.shared = this.pipe?.sink ?? this.openShared();
    this.sinks.add(this.shared);
    const memory = new Memory(this.engine);
    const env = { memory, constants, descriptors: new Descriptors(), style: options.style };
    this.threads = new Threads(abis(tables), env, (tid) => this.sinkOf(tid));
    this.printer = new Printer(options, () => this.threads.size > 1);
    this.summary = options.summary === 'no' ? undefined : new Summary();
    this.tracer = new Tracer({
      engine: this.engine,
      reactor: this.reactor,
      options,
      printer: this.printer,
      threads: this.threads,
      summary: this.summary,
      signatures: (abi) => this.signaturesOf(abi),
      tell: (message, quietFrom) => this.tell(message, quietFrom),
      flush: (all) => this.flush(all),
    });
  }

  /** Traces until everybody is gone, or a signal ends us. Throws with the cause and the remedy. */
  async run(): Promise<Ending> {
    const { engine, reactor, options, tracer } = this;
    reactor.addEngine(engine.channel.native!);
    try {
      this.watchSignals();
      this.attachAll();
      if (options.program.length > 0) this.launch();
      tracer.run();
      if (tracer.interrupted !== 0) this.letGo(tracer.interrupted);
    } finally {
      engine.close();
      this.flush(true);
    }
    if (this.summary !== undefined) this.shared.write(this.summary.table(options.sort));
    this.flush(true);
    await this.pipe?.close();
    return this.ending();
  }

  private watchSignals(): void {
    const { options, reactor } = this;
    // "-o FILE PROG": the terminal's signals are the program's alone
    const quiet = options.program.length > 0 && options.output !== undefined;
    reactor.watchSignals([SIGHUP, SIGTERM]);
    if (!quiet) reactor.watchSignals([SIGINT, SIGQUIT]);
    else for (const name of ['SIGINT', 'SIGQUIT', 'SIGTSTP'] as const) ignore(name);
  }

  /** One that cannot be attached does not keep the others from it. */
  private attachAll(): void {
    const { pids, program } = this.options;
    let last: unknown;
    let attached = 0;
    for (const pid of pids) {
      try {
        this.attach(pid);
        attached++;
      } catch (error) {
        if (last !== undefined) this.tell((last as Error).message, Infinity);
        last = error;
      }
    }
    if (last === undefined) return;
    if (attached === 0 && program.length === 0) throw last;
    this.tell((last as Error).message, Infinity);
  }

  /** id: a process, or one thread of one. */
  private attach(id: number): void {
    const { engine, options, threads } = this;
    const pid = processOf(id);
    const inferior = engine.attach(pid, { stop: !options.record });
    const own = [...inferior.threads.keys()];
    for (const tid of options.follow ? own : own.filter((tid) => tid === id)) threads.add(tid, pid);
    this.wish(pid);
    const count = own.length > 1 && options.follow ? ` with ${own.length} threads` : '';
    this.tell(`Process ${id} attached${count}`, 1);
    if (!options.record) engine.resume([{ pid, tid: -1, kind: 'cont' }]);
  }

  private launch(): void {
    const { engine, options, threads } = this;
    const [name = ''] = options.program;
    const file = find(name);
    const env = environment(options.environment);
    const child = engine.channel.spawn({
      file,
      args: options.program,
      ...(env === undefined ? {} : { env }),
      ...(options.user === undefined ? {} : { user: account(options.user) }),
    });
    this.child = child;
    const { pid } = child;
    try {
      engine.attach(pid);
      threads.launched = pid;
      threads.add(pid, pid).hidden = true;
      const abi = threads.abiOf(pid);
      const wanted = wishes(options, abi, this.signaturesOf(abi));
      // until its own program is there, only the call that gets it there is of interest; records
      // come late, so that nothing can be added there
      const execve = [abi.numbers.execve ?? 0];
      const way = { signalStop: 0n, entryStop: execve, entryNote: [], exitStop: [], exitNote: [] };
      if (options.record) {
        const { entryNote } = wanted;
        if (Array.isArray(entryNote)) entryNote.push(...execve);
        putSets(engine.channel, pid, wanted);
      } else {
        putSets(engine.channel, pid, { ...wanted, ...way });
      }
    } catch (error) {
      native.kill(pid, 0, SIGKILL);
      child.reap();
      throw error;
    }
    child.go();
  }

  private wish(pid: number): void {
    const abi = this.threads.abiOf(pid);
    putSets(this.engine.channel, pid, wishes(this.options, abi, this.signaturesOf(abi)));
  }

  /** We end early: the program we started ends with us, others go on. */
  private letGo(signo: number): void {
    const { threads, printer } = this;
    const { launched } = threads;
    if (launched !== 0) {
      native.kill(launched, 0, SIGCONT);
      native.kill(launched, 0, signo);
    }
    for (const t of threads.all()) {
      this.flush(true);
      this.tell(`Process ${t.tid} detached`, 1);
      printer.detach(t);
    }
  }

  private ending(): Ending {
    const { interrupted, statuses } = this.tracer;
    if (interrupted !== 0) return { status: 0, signal: interrupted };
    const status = statuses.get(this.threads.launched) ?? 0;
    const failure = this.child?.failure();
    if (failure !== undefined && failure.errno !== 0) {
      if (failure.step === 'user') {
        const why = native.errnoText(failure.errno);
        this.tell(`cannot become user ${this.options.user}: ${why}; run as root`, Infinity);
      }
      return { status: 1, signal: 0 };
    }
    return { status: (status >> 8) & 0xff, signal: status & 0x7f };
  }

  private signaturesOf(abi: Abi): Signatures {
    let found = this.signatures.get(abi);
    if (found === undefined) {
      found = new Signatures(abi);
      this.signatures.set(abi, found);
    }
    return found;
  }

  private openShared(): Sink {
    const { output, separate, append } = this.options;
    if (output === undefined || separate) return this.stderr;
    return Sink.file(output, append);
  }

  private sinkOf(tid: number): Sink {
    const { output, separate, append } = this.options;
    if (!separate || output === undefined) return this.shared;
    const sink = Sink.file(`${output}.${tid}`, append);
    this.sinks.add(sink);
    return sink;
  }

  private tell(message: string, quietFrom: number): void {
    if (this.options.quiet >= quietFrom) return;
    this.stderr.write(`strace: ${message}\n`);
    this.stderr.flush();
  }

  private flush(all: boolean): void {
    for (const sink of this.sinks) if (all || !sink.lazy) sink.flush();
  }
}

/** Ids of a user, as the system's databases have them. */
function account(name: string): { uid: number; gid: number; groups: number[] } {
  const ids = (option: string): number[] => {
    const { status, stdout } = spawnSync('id', [option, '--', name], { encoding: 'utf8' });
    if (status !== 0) throw new Error(`Cannot find user '${name}'`);
    return stdout.trim().split(' ').map(Number);
  };
  return { uid: ids('-u')[0]!, gid: ids('-g')[0]!, groups: ids('-G') };
}

/** The process of a thread; what is none is left for the attach to complain about. */
function processOf(id: number): number {
  try {
    const status = fs.readFileSync(`/proc/${id}/status`, 'utf8');
    return Number(/^Tgid:\s*(\d+)$/m.exec(status)?.[1] ?? id);
  } catch {
    return id;
  }
}

function ignore(name: NodeJS.Signals): void {
  process.on(name, () => undefined);
}

/** The program's file, looked up in PATH as a shell would. */
function find(name: string): string {
  if (name.includes('/')) return existing(name, name);
  for (const dir of (process.env['PATH'] ?? '').split(':')) {
    const file = path.join(dir === '' ? '.' : dir, name);
    try {
      fs.accessSync(file, fs.constants.X_OK);
      if (fs.statSync(file).isFile()) return file;
    } catch {
      // the next one
    }
  }
  throw new Error(`Can't stat '${name}': No such file or directory`);
}

function existing(file: string, name: string): string {
  try {
    fs.statSync(file);
    return file;
  } catch (error) {
    const { errno = 0 } = error as NodeJS.ErrnoException;
    throw new Error(`Can't stat '${name}': ${native.errnoText(Math.abs(errno))}`);
  }
}

/** Our environment with -E applied; undefined: as it is. */
function environment(changes: readonly string[]): string[] | undefined {
  if (changes.length === 0) return undefined;
  const variables = new Map(Object.entries(process.env) as [string, string][]);
  for (const change of changes) {
    const at = change.indexOf('=');
    if (at < 0) variables.delete(change);
    else variables.set(change.slice(0, at), change.slice(at + 1));
  }
  return [...variables].map(([name, value]) => `${name}=${value}`);
}
