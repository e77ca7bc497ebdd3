import { archOfPid } from '../engine/arch';
import type { Abi, Abis } from './abi';
import type { Surroundings } from './call';
import type { Sink } from './sink';
import { Tracee } from './tracee';

const WORD32 = 4;

/** The traced threads and what their processes run. */
export class Threads {
  /** Process we started; 0: none. */
  launched = 0;
  /** Its program runs; it could not be executed. */
  started = false;
  refused = false;
  private readonly byTid = new Map<number, Tracee>();
  private readonly abiByPid = new Map<number, Abi>();

  constructor(
    readonly abis: Abis,
    private readonly env: Surroundings,
    private readonly sinkOf: (tid: number) => Sink,
  ) {}

  get size(): number {
    return this.byTid.size;
  }

  get(tid: number): Tracee | undefined {
    return this.byTid.get(tid);
  }

  all(): Tracee[] {
    return [...this.byTid.values()];
  }

  of(pid: number): Tracee[] {
    return this.all().filter((t) => t.pid === pid);
  }

  /** parent: the process it comes from, whose interface it begins with. */
  add(tid: number, pid: number, parent?: number): Tracee {
    const inherited = parent === undefined ? undefined : this.abiByPid.get(parent);
    if (inherited !== undefined && !this.abiByPid.has(pid)) this.abiByPid.set(pid, inherited);
    const t = new Tracee(tid, pid, this.env, this.abiOf(pid), this.sinkOf(tid));
    this.byTid.set(tid, t);
    return t;
  }

  remove(t: Tracee): void {
    if (this.byTid.get(t.tid) === t) this.byTid.delete(t.tid);
  }

  rename(t: Tracee, tid: number): void {
    this.remove(t);
    t.tid = tid;
    this.byTid.set(tid, t);
  }

  abiOf(pid: number): Abi {
    return this.abiByPid.get(pid) ?? this.renewAbi(pid);
  }

  /** After an exec. */
  renewAbi(pid: number): Abi {
    const abi = archOfPid(pid).wordSize === WORD32 ? this.abis.i386 : this.abis.x86_64;
    this.abiByPid.set(pid, abi);
    return abi;
  }

  forget(pid: number): void {
    this.abiByPid.delete(pid);
  }
}
