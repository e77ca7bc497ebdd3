import { native, type Reactor } from '../native';
import { Addresses } from '../engine/addresses';
import { NT_SIGINFO } from '../engine/channel/enums';
import { EventFlag } from '../engine/channel/enums';
import { EventType } from '../engine/channel/event';
import type { Engine } from '../engine/engine-api';
import { failure } from '../engine/errors';
import { RegisterAccess } from '../engine/registers';
import { Resumption } from '../engine/resumption';
import { Thread } from '../engine/thread';
import type { Abi } from './abi';
import { demultiplex } from './multiplexed';
import type { Options } from './options';
import type { Printer } from './printer';
import { Records } from './records';
import { putSets, wishes } from './sets';
import type { Signature, Signatures } from './signature';
import { siginfo } from './siginfo';
import { signalName } from './signals';
import type { Summary } from './summary';
import type { Threads } from './threads';
import type { Tracee } from './tracee';

const WAIT_US = 2000; // for the next event, before the output is flushed
const IDLE_MS = 500;
const FAILED = 1 << 8; // wait status of strace's own child that cannot execute
const BETWEEN_LOOKS_MS = 100; // while events come without a pause

/** What a tracer works with. */
export interface Parts {
  engine: Engine;
  reactor: Reactor;
  options: Options;
  printer: Printer;
  threads: Threads;
  summary: Summary | undefined;
  /** By the interface's name. */
  signatures: (abi: Abi) => Signatures;
  /** A message about processes that come and go; printed unless -q. */
  tell: (message: string, quietFrom: number) => void;
  /** Writes out what the sinks hold; lazy ones only when nothing happens. */
  flush: (all: boolean) => void;
}

/**
 * The loop: takes the events of the engine in batches, prints, and lets go of who was held in one
 * call for each batch.
 */
export class Tracer {
  private readonly records: Records;
  private readonly resumption: Resumption;
  private readonly registers: RegisterAccess;
  private held = 0;
  private released = false;
  /** Number of the signal that ends us, once there was one. */
  interrupted = 0;
  /** Wait statuses of processes that ended. */
  readonly statuses = new Map<number, number>();

  constructor(private readonly parts: Parts) {
    const { channel } = parts.engine;
    this.records = new Records(channel);
    this.resumption = new Resumption(channel);
    this.registers = new RegisterAccess(channel, new Addresses(channel), failure);
  }

  /** Until everybody is gone, or a signal ends us. */
  run(): void {
    const { records, resumption, parts } = this;
    let looked = performance.now();
    while (parts.threads.size > 0) {
      if (!records.fill()) {
        parts.flush(true);
        parts.reactor.turn(IDLE_MS);
        if (this.look()) return;
        continue;
      }
      this.held = 0;
      resumption.begin();
      while (records.next()) this.dispatch();
      if (this.held > 0) {
        parts.flush(false);
        resumption.send(WAIT_US);
      }
      if (performance.now() - looked > BETWEEN_LOOKS_MS) {
        parts.reactor.turn(0);
        if (this.look()) return;
        looked = performance.now();
      }
    }
  }

  private look(): boolean {
    this.interrupted = this.parts.reactor.takeSignal();
    return this.interrupted !== 0;
  }

  private dispatch(): void {
    const { records, parts } = this;
    const { type, tid, pid } = records;
    switch (type) {
      case EventType.Lost:
        parts.tell(`${records.addr} events were lost: the recorder was full`, Infinity);
        return;
      case EventType.Child:
      case EventType.NewThread:
        this.appeared(type === EventType.Child ? pid : records.child);
        break;
      case EventType.ProcDead:
        this.processDied();
        return;
      default: {
        const t = parts.threads.get(tid);
        if (t !== undefined) this.threadEvent(t, type);
        else if (type === EventType.Exec && records.child !== tid) this.threadExec();
      }
    }
    this.release(type === EventType.Signal ? records.signo : 0);
  }

  private release(signo: number): void {
    const { records } = this;
    const gone = this.released; // whose event it is was let go altogether
    this.released = false;
    if (records.stopId === 0n || gone) return;
    this.held++;
    this.resumption.add(records.pid, records.tid, 'cont', signo, records.stopId, 0n, 0n);
  }

  private threadEvent(t: Tracee, type: number): void {
    switch (type) {
      case EventType.SyscallEntry:
        this.entry(t);
        break;
      case EventType.SyscallExit:
        this.exit(t);
        break;
      case EventType.Signal:
        this.signal(t);
        break;
      case EventType.JobStop:
        if (!t.hidden && this.prints) {
          const name = signalName(t.call.env.constants, this.records.signo);
          this.parts.printer.line(t, `--- stopped by ${name} ---`, this.records.time);
        }
        break;
      case EventType.Exec:
        this.executed(t);
        break;
      case EventType.Exiting:
        this.parts.printer.leave(t, this.records.time);
        break;
      case EventType.Dead:
        // a leader that ended before its threads has no status yet: it has the process's
        if (t.tid !== t.pid) this.died(t, this.records.code);
        break;
      case EventType.Detached:
        this.parts.threads.remove(t);
        break;
      default:
    }
  }

  private get prints(): boolean {
    return this.parts.options.summary !== 'only';
  }

  private entry(t: Tracee): void {
    const { records, parts } = this;
    const { nr, time } = records;
    const compat = records.stopId !== 0n && (records.flags & EventFlag.Compat) !== 0;
    const abi = compat ? parts.threads.abis.i386 : parts.threads.abiOf(t.pid);
    if (t.hidden) {
      if (nr !== abi.numbers.execve) return;
      t.hidden = false;
      if (!parts.options.record) putSets(parts.engine.channel, t.pid, this.wishes(abi));
    }
    const { call } = t;
    const before = t.signature;
    records.copyArgs(call.args);
    call.begin(nr, abi);
    call.sp = records.sp;
    t.pointer = records.pc;
    t.enteredAt = time;
    const signature = this.signatureOf(t, nr, abi);
    if (before !== undefined && signature.name === 'restart_syscall')
      call.interrupted = before.name;
    t.signature = signature;
    t.wanted = this.isWanted(call.nr, signature.name, abi);
    if (t.wanted && this.prints) parts.printer.enter(t, time);
  }

  private exit(t: Tracee): void {
    const { records, parts } = this;
    const { signature, call } = t;
    if (t.hidden || signature === undefined || !t.wanted) return;
    t.wanted = false;
    call.finish(records.value);
    const { time } = records;
    const nanos = time - t.enteredAt;
    parts.summary?.add(signature.name, nanos, call.failed);
    if (t.printed && this.suits(call.failed)) parts.printer.exit(t, time, nanos);
    t.held = undefined;
    t.printed = false;
    if (signature.name === 'execve' && call.failed && parts.threads.launched === t.pid) {
      this.refuse(t, -Number(call.errno));
    }
  }

  /** The program we were to start cannot be executed. */
  private refuse(t: Tracee, errno: number): void {
    const { threads, flush, tell } = this.parts;
    if (threads.started) return;
    threads.refused = t.hidden = true; // what the child does before it gives up is ours
    flush(true);
    tell(`exec: ${native.errnoText(errno)}`, Infinity);
  }

  /** Behind socketcall and ipc stands another call with arguments of its own. */
  private signatureOf(t: Tracee, nr: number, abi: Abi): Signature {
    const signatures = this.parts.signatures(abi);
    const name = abi.word === 4 ? demultiplex(t.call) : undefined;
    return name === undefined ? signatures.of(nr) : signatures.named(name);
  }

  private isWanted(nr: number, name: string, abi: Abi): boolean {
    const { filter } = this.parts.options;
    return filter.wantsAllCalls || filter.wants(nr, abi, name);
  }

  private suits(failed: boolean): boolean {
    const { statuses } = this.parts.options;
    return statuses === undefined || statuses.has(failed ? 'failed' : 'successful');
  }

  private signal(t: Tracee): void {
    const { records, parts, registers } = this;
    const { signo, time } = records;
    if (t.hidden || !this.prints || !parts.options.filter.wantsSignal(signo)) return;
    const { constants } = t.call.env;
    t.pointer = records.pc;
    let text = `{si_signo=${signalName(constants, signo)}}`;
    if (records.stopId !== 0n) {
      const thread = new Thread(records.pid, records.tid);
      thread.stopId = records.stopId;
      const bytes = registers.read(thread, NT_SIGINFO);
      if (bytes !== undefined) text = siginfo(constants, bytes, t.call.abi);
    }
    parts.printer.line(t, `--- ${signalName(constants, signo)} ${text} ---`, time);
  }

  private executed(t: Tracee): void {
    const { records, parts } = this;
    if (records.child !== t.tid) this.superseded(t, records.child);
    const first = t.pid === parts.threads.launched && !parts.threads.started;
    if (first) parts.threads.started = true;
    else if (parts.options.detachOnExec) return this.detach(t);
    const before = parts.threads.abiOf(t.pid);
    const now = parts.threads.renewAbi(t.pid);
    if (before !== now) {
      if (!parts.options.filter.wantsAllCalls || before.word !== now.word) {
        putSets(parts.engine.channel, t.pid, this.wishes(now));
      }
      parts.tell(`[ Process PID=${t.pid} runs in ${now.bits} bit mode. ]`, 1);
    }
  }

  /** -b execve: a process that executes a program is let go. */
  private detach(t: Tracee): void {
    const { engine, threads, printer, tell } = this.parts;
    this.released = true;
    printer.detach(t);
    for (const one of threads.of(t.pid)) threads.remove(one);
    engine.detach(t.pid);
    tell(`Process ${t.tid} detached`, 1);
  }

  /** A thread that is not the first executed a program: it goes on under the first one's id. */
  private threadExec(): void {
    const { records, parts } = this;
    const former = parts.threads.get(records.child);
    if (former === undefined) return;
    parts.threads.rename(former, records.tid);
    this.executed(former);
  }

  private superseded(leader: Tracee, former: number): void {
    const { parts, records } = this;
    const t = parts.threads.get(former);
    if (t === undefined) return;
    parts.printer.forget(leader);
    parts.printer.line(leader, `+++ superseded by execve in pid ${former} +++`, records.time);
    parts.threads.remove(leader);
    parts.threads.rename(t, leader.tid);
  }

  private wishes(abi: Abi): ReturnType<typeof wishes> {
    return wishes(this.parts.options, abi, this.parts.signatures(abi));
  }

  private appeared(parent: number): void {
    const { records, parts } = this;
    if (!parts.options.follow || parts.threads.get(records.tid) !== undefined) return;
    parts.threads.add(records.tid, records.pid, parent);
    parts.tell(`Process ${records.tid} attached`, 1);
  }

  private died(t: Tracee, status: number): void {
    const { parts, records } = this;
    if (t.ended) return;
    t.ended = true;
    parts.printer.leave(t, records.time);
    t.pointer = undefined;
    const refused = parts.threads.refused && t.pid === parts.threads.launched;
    const shown = this.prints && (refused || !t.hidden);
    const text = shown ? this.ending(t, refused ? FAILED : status) : undefined;
    if (text !== undefined) parts.printer.line(t, text, records.time);
    parts.threads.remove(t);
  }

  private ending(t: Tracee, status: number): string | undefined {
    const { options } = this.parts;
    const signo = status & 0x7f;
    if (signo === 0) {
      return options.quiet > 1 ? undefined : `+++ exited with ${(status >> 8) & 0xff} +++`;
    }
    const core = (status & 0x80) !== 0 ? ' (core dumped)' : '';
    return `+++ killed by ${signalName(t.call.env.constants, signo)}${core} +++`;
  }

  private processDied(): void {
    const { parts, records } = this;
    const { pid, code } = records;
    this.statuses.set(pid, code);
    for (const t of parts.threads.of(pid)) this.died(t, code);
    parts.threads.forget(pid);
  }
}
