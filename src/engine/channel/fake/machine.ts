import { EventFlag, Break, Follow } from '../enums';
import { EventType } from '../event';
import { FakeHeap } from './heap';
import { FakeProcess, PRSTATUS, SIGINFO_SIZE } from './process';
import type { Attachment, FakeThread, PendingSignal, Site } from './process';
import type { FakeProgram, Kernel } from './program';
import { lifeBit, postNote, postStop, wanted, wantsSyscall } from './reports';

const SIGKILL = 9;
const SIGSEGV = 11;
const IGNORED = new Set([17, 18, 19, 20, 21, 22, 23, 28]);
const SI_USER = 0;
const SEGV_MAPERR = 1;

/** A machine with processes that run only when someone waits: every run is the same. */
export class FakeMachine implements Kernel {
  readonly heap = new FakeHeap();
  readonly processes = new Map<number, FakeProcess>();
  readonly programs = new Map<string, FakeProgram>();
  private nextId = 1000;
  private nextEngine = 1n;
  private ticks = 0n;
  private cursor = 0;

  constructor(programs: readonly FakeProgram[]) {
    for (const program of programs) this.programs.set(program.name, program);
  }

  engineId(): bigint {
    return this.nextEngine++;
  }

  now(): bigint {
    return ++this.ticks;
  }

  /** A process that runs already, as one to attach to. */
  start(program: FakeProgram, parent = 1): FakeProcess {
    const process = new FakeProcess(this.nextId, program, parent);
    this.nextId += 100;
    this.processes.set(process.pid, process);
    process.newThread(process.pid);
    return process;
  }

  /** Runs instructions, thread by thread, until there is nothing to run, or done() says so. */
  run(budget: number, done: () => boolean): void {
    while (budget > 0 && !done()) {
      const threads = [...this.processes.values()].flatMap((p) => [...p.threads.values()]);
      if (threads.length === 0) return;
      let progress = false;
      for (let i = 0; i < threads.length && budget > 0; i++) {
        const thread = threads[this.cursor++ % threads.length];
        if (thread === undefined || !this.advance(thread)) continue;
        progress = true;
        budget--;
        if (done()) return;
      }
      if (!progress) return;
    }
  }

  // ---- what instructions do -------------------------------------------------

  load(thread: FakeThread, addr: bigint): bigint {
    return thread.process.bytes(addr, 8)?.readBigUInt64LE() ?? 0n;
  }

  store(thread: FakeThread, addr: bigint, ...words: bigint[]): void {
    const { process } = thread;
    const length = 8 * words.length;
    const bytes = process.bytes(addr, length);
    if (bytes === undefined || bytes.length < length) {
      this.raise(thread, SIGSEGV, SEGV_MAPERR, addr);
      return;
    }
    words.forEach((word, i) => bytes.writeBigUInt64LE(word, 8 * i));
    const end = addr + BigInt(length);
    const touched = process.sites.filter(
      ({ type, addr: start, len }) =>
        type >= Break.WatchWrite &&
        type !== Break.WatchRead &&
        addr < start + BigInt(len) &&
        end > start,
    );
    if (touched.length > 0) this.reportWatches(thread, touched);
  }

  block(thread: FakeThread): void {
    thread.blocked = true;
  }

  raise(thread: FakeThread, signo: number, code: number, addr: bigint): void {
    this.queueSignal(thread, signo, code, addr, 0, code > 0);
  }

  exitThread(thread: FakeThread, status: number): void {
    this.exiting(thread, status, () => {
      if (thread.process.threads.size === 1) this.die(thread.process, status);
      else this.bury(thread, status);
    });
  }

  exitProcess(thread: FakeThread, status: number): void {
    this.exiting(thread, status, () => this.die(thread.process, status));
  }

  clone(thread: FakeThread, entry: bigint): FakeThread {
    const { process } = thread;
    const child = process.newThread(process.pid + process.started);
    child.pc = entry;
    this.life(child, EventType.NewThread, thread.tid);
    return child;
  }

  fork(thread: FakeThread, vfork: boolean): number {
    const { process } = thread;
    const child = this.start(process.program, process.pid);
    child.segments = process.segments.map((s) => ({ ...s, bytes: Buffer.from(s.bytes) }));
    child.handlers = new Map(process.handlers);
    const leader = child.threads.get(child.pid) as FakeThread;
    thread.regs.copy(leader.regs);
    leader.result = 0n;
    const follow = vfork ? Follow.Vfork : Follow.Fork;
    for (const parent of process.attachments) {
      if ((parent.sets.follow & follow) === 0) continue;
      const own = { ...parent, process: child, sets: { ...parent.sets }, threadSets: new Map() };
      parent.engine.attachments.set(child.pid, own);
      child.attachments.push(own);
      postStop(own, leader, EventType.Child, { child: process.pid });
    }
    if (vfork) {
      thread.vforkChild = child.pid;
      child.vforkParent = thread;
    }
    this.life(thread, vfork ? EventType.Vfork : EventType.Fork, child.pid);
    return child.pid;
  }

  exec(thread: FakeThread, program: FakeProgram): void {
    const { process } = thread;
    for (const other of [...process.threads.values()]) {
      if (other !== thread) this.bury(other, 0);
    }
    const former = thread.tid;
    process.threads.delete(former);
    process.program = program;
    process.sites = [];
    process.handlers.clear();
    process.segments = program.segments.map((s) => ({ ...s, bytes: Buffer.from(s.bytes) }));
    process.started = 0;
    const leader = process.newThread(process.pid);
    thread.dead = true;
    for (const [attachment, hold] of thread.holds) leader.holds.set(attachment, hold);
    this.endVfork(process);
    this.life(leader, EventType.Exec, former);
  }

  // ---- signals and death ----------------------------------------------------

  queueSignal(
    thread: FakeThread,
    signo: number,
    code = SI_USER,
    addr = 0n,
    sender = 1,
    fault = false,
  ): void {
    if (signo === SIGKILL) {
      this.die(thread.process, SIGKILL);
      return;
    }
    const siginfo = Buffer.alloc(SIGINFO_SIZE);
    siginfo.writeInt32LE(signo, 0);
    siginfo.writeInt32LE(code, 8);
    if (fault) siginfo.writeBigUInt64LE(addr, 16);
    else siginfo.writeInt32LE(sender, 16);
    thread.signals.push({ signo, code, addr, sender, fault, siginfo });
    thread.blocked = false;
  }

  /** Everything of it is gone, held or not. */
  die(process: FakeProcess, status: number): void {
    if (process.status !== undefined) return;
    process.status = status;
    for (const thread of [...process.threads.values()]) this.bury(thread, status);
    for (const attachment of process.attachments) {
      postNote(attachment, process.pid, EventType.ProcDead, { code: status });
      attachment.engine.attachments.delete(process.pid);
    }
    process.attachments.length = 0;
    this.processes.delete(process.pid);
    this.endVfork(process);
  }

  // ---- inside ---------------------------------------------------------------

  private bury(thread: FakeThread, status: number): void {
    thread.dead = true;
    thread.holds.clear();
    thread.process.threads.delete(thread.tid);
    for (const attachment of thread.process.attachments) {
      if ((attachment.sets.lifeNote | attachment.sets.lifeStop) & lifeBit(EventType.Dead)) {
        postNote(attachment, thread.tid, EventType.Dead, { code: status });
      }
    }
  }

  private exiting(thread: FakeThread, status: number, done: () => void): void {
    thread.passages.length = 0;
    thread.passages.push({
      left: [...thread.process.attachments],
      offer: (a) => wanted(a, thread, EventType.Exiting, { code: status }),
      done,
    });
  }

  private life(thread: FakeThread, type: EventType, child: number): void {
    thread.passages.push({
      left: [...thread.process.attachments],
      offer: (attachment) => wanted(attachment, thread, type, { child }),
      done: () => undefined,
    });
  }

  private endVfork(child: FakeProcess): void {
    const parent = child.vforkParent;
    if (parent === undefined) return;
    child.vforkParent = undefined;
    parent.vforkChild = undefined;
    this.life(parent, EventType.VforkDone, child.pid);
  }

  /** One step of whatever the thread does next; false: it does nothing now. */
  private advance(thread: FakeThread): boolean {
    if (thread.dead || thread.holds.size > 0 || thread.process.embryo !== undefined) return false;
    const passage = thread.passages.at(-1);
    if (passage !== undefined) {
      const attachment = passage.left.shift();
      if (attachment !== undefined) return passage.offer(attachment) || true;
      thread.passages.splice(thread.passages.indexOf(passage), 1);
      passage.done();
      return true;
    }
    if (thread.vforkChild !== undefined) return false;
    const signal = thread.signals.shift();
    if (signal !== undefined) {
      this.passSignal(thread, signal);
      return true;
    }
    if (thread.blocked) return false;
    this.execute(thread);
    return true;
  }

  private passSignal(thread: FakeThread, signal: PendingSignal): void {
    const original = signal.signo;
    thread.current = signal;
    thread.passages.push({
      left: [...thread.process.attachments],
      offer: (attachment) => {
        if (signal.signo === 0) return false;
        const bit = 1n << BigInt(signal.signo - 1);
        const { signalStop, faultStop, signalNote, signalStep } = attachment.sets;
        const steps = thread.steps.some((step) => step.attachment === attachment);
        const stops = (signal.fault ? faultStop : signalStop) | (steps ? signalStep : 0n);
        const stop = (stops & bit) !== 0n;
        let flags = signal.fault ? EventFlag.Fault : EventFlag.FromUser;
        if (signal.signo !== original) flags |= EventFlag.Changed;
        const { signo, code, addr } = signal;
        const event = { signo, code, addr, flags, original };
        if (stop) return postStop(attachment, thread, EventType.Signal, event);
        if ((signalNote & bit) !== 0n) postNote(attachment, thread, EventType.Signal, event);
        return false;
      },
      done: () => {
        thread.current = undefined;
        this.deliver(thread, signal.signo);
      },
    });
  }

  deliver(thread: FakeThread, signo: number): void {
    if (signo === 0) return;
    const handler = thread.process.handlers.get(signo);
    if (handler !== undefined) {
      thread.frames.push(thread.pc);
      thread.pc = handler;
      thread.blocked = false;
      this.endStep(thread); // at the first instruction of the handler
    } else if (!IGNORED.has(signo)) this.die(thread.process, signo);
  }

  private execute(thread: FakeThread): void {
    const { process, pc } = thread;
    const insn = process.program.code.get(pc);
    if (thread.over !== pc) {
      const hits = process.sites.filter((s) => s.addr === pc && s.type <= Break.Hardware);
      for (const site of hits) {
        const type = site.type === Break.Hardware ? EventType.HwBreak : EventType.Break;
        this.report(thread, site, type, pc);
      }
      if (hits.length > 0) {
        thread.over = pc;
        return;
      }
    }
    thread.over = undefined;
    if (insn === undefined) {
      this.raise(thread, SIGSEGV, SEGV_MAPERR, pc);
      return;
    }
    thread.pc = pc + BigInt(insn.size);
    if (insn.nr === undefined) {
      insn.run(thread, this);
      this.endStep(thread);
    } else this.systemCall(thread, insn.nr, (): bigint => insn.run(thread, this) ?? 0n);
  }

  private systemCall(thread: FakeThread, number: number, run: () => bigint): void {
    const { process } = thread;
    const nr = BigInt(number);
    thread.regs.writeBigUInt64LE(nr, PRSTATUS.origRax);
    thread.result = -38n; // ENOSYS, as the kernel shows at entry
    thread.passages.push({
      left: [...process.attachments].reverse(),
      offer: (a) => wantsSyscall(a, thread, EventType.SyscallEntry, { nr }),
      done: () => {
        const result = run();
        const self = process.threads.get(thread.tid);
        if (self === undefined || thread.dead) return;
        thread.result = result;
        thread.passages.unshift({
          left: [...process.attachments],
          offer: (a) => wantsSyscall(a, thread, EventType.SyscallExit, { nr, args: [result] }),
          done: () => this.endStep(thread),
        });
      },
    });
  }

  private endStep(thread: FakeThread): void {
    for (const step of [...thread.steps]) {
      if (thread.pc >= step.lo && thread.pc < step.hi) continue;
      postStop(step.attachment, thread, EventType.Step, {});
    }
  }

  private report(thread: FakeThread, site: Site, type: EventType, addr: bigint): void {
    for (const [attachment, owner] of site.owners) {
      owner.hits++;
      postStop(attachment, thread, type, { addr, breakId: owner.id });
    }
  }

  /** One event for each engine, with all that was touched of its watchpoints. */
  private reportWatches(thread: FakeThread, touched: readonly Site[]): void {
    for (const attachment of thread.process.attachments) {
      const own = touched.flatMap((site) => {
        const owner = site.owners.get(attachment);
        return owner === undefined ? [] : [{ addr: site.addr, owner }];
      });
      for (const { owner } of own) owner.hits++;
      const [first] = own;
      if (first === undefined) continue;
      const [addr, ...args] = new Set(own.map((place) => place.addr));
      const { id: breakId } = first.owner;
      postStop(attachment, thread, EventType.Watch, {
        ...{ addr: addr!, breakId, nr: BigInt(args.length), args },
      });
    }
  }

  /** Attached or not, for WHO and refusals. */
  attachmentsOf(pid: number): readonly Attachment[] {
    return this.processes.get(pid)?.attachments ?? [];
  }
}
