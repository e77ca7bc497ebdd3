// Breakpoints, sets, signals and who holds what.
import { Break, SetValid } from '../enums';
import { BREAK, BREAK_STATS, HOLDER, SETS, SIGNAL, SYSCALL_WORDS, UNBREAK, WHO } from '../records';
import { Errno, type FakeContext } from './context';
import type { Attachment, FakeSets, FakeThread, Site } from './process';

export const DEBUG_REGISTERS = 4;

function debugRegisters(sites: readonly Site[]): number {
  return sites.filter((site) => site.type !== Break.Software).length;
}

export function insert(context: FakeContext, record: Buffer): number {
  const own = context.engine.attachments.get(record.readInt32LE(BREAK.at.pid));
  const type = record.readUInt32LE(BREAK.at.type);
  const addr = record.readBigUInt64LE(BREAK.at.addr);
  const len = record.readUInt32LE(BREAK.at.len);
  if (type > Break.WatchAccess || record.readUInt32LE(BREAK.at.flags) !== 0) return -Errno.EINVAL;
  if (context.engine.observer) return -Errno.EROFS;
  if (own === undefined) return -Errno.ESRCH;
  const counts = record.readUInt32LE(BREAK.at.nconditions) + record.readUInt32LE(BREAK.at.nactions);
  if (counts > 0 || type === Break.WatchRead) return -Errno.EOPNOTSUPP;
  if (type > Break.Hardware && (len === 0 || len > 8)) return -Errno.EINVAL;
  if (own.process.bytes(addr, 1) === undefined) return -Errno.EFAULT;
  const { sites } = own.process;
  let site = sites.find((s) => s.type === type && s.addr === addr && s.len === len);
  if (site === undefined) {
    if (type !== Break.Software && debugRegisters(sites) === DEBUG_REGISTERS) {
      return -Errno.ENOSPC;
    }
    site = { type, addr, len, owners: new Map() };
    sites.push(site);
  }
  let owner = site.owners.get(own);
  if (owner === undefined) {
    owner = { id: context.engine.nextBreak(), hits: 0n };
    site.owners.set(own, owner);
  }
  record.writeUInt32LE(owner.id, BREAK.at.id);
  record.writeUInt32LE(site.owners.size, BREAK.at.owners);
  return 0;
}

function owned(context: FakeContext, id: number): [Attachment, Site, bigint] | undefined {
  for (const own of context.named(-1)) {
    for (const site of own.process.sites) {
      const owner = site.owners.get(own);
      if (owner?.id === id) return [own, site, owner.hits];
    }
  }
  return undefined;
}

export function remove(context: FakeContext, record: Buffer): number {
  if (record.readUInt32LE(UNBREAK.at.reserved) !== 0) return -Errno.EINVAL;
  const found = owned(context, record.readUInt32LE(UNBREAK.at.id));
  if (found === undefined) return -Errno.ESRCH;
  const [own, site] = found;
  site.owners.delete(own);
  if (site.owners.size === 0) own.process.sites = own.process.sites.filter((s) => s !== site);
  return 0;
}

export function statistics(context: FakeContext, record: Buffer): number {
  const found = owned(context, record.readUInt32LE(BREAK_STATS.at.id));
  if (found === undefined) return -Errno.ESRCH;
  record.writeUInt32LE(found[1].owners.size, BREAK_STATS.at.owners);
  record.writeBigUInt64LE(found[2], BREAK_STATS.at.hits);
  return 0;
}

function apply(record: Buffer, sets: FakeSets, valid: number): void {
  const word = (at: number): bigint => record.readBigUInt64LE(at);
  const words = (at: number): Buffer => Buffer.from(record.subarray(at, at + 8 * SYSCALL_WORDS));
  if ((valid & SetValid.Signals) !== 0) {
    sets.signalStop = word(SETS.at.signal_stop);
    sets.signalNote = word(SETS.at.signal_note);
    sets.faultStop = word(SETS.at.fault_stop);
    sets.signalStep = word(SETS.at.signal_step);
  }
  if ((valid & SetValid.Life) !== 0) {
    sets.lifeStop = word(SETS.at.life_stop);
    sets.lifeNote = word(SETS.at.life_note);
  }
  if ((valid & SetValid.Follow) !== 0) sets.follow = record.readUInt32LE(SETS.at.follow);
  if ((valid & SetValid.Syscalls) !== 0) {
    sets.entryStop = words(SETS.at.entry_stop);
    sets.exitStop = words(SETS.at.exit_stop);
    sets.entryNote = words(SETS.at.entry_note);
    sets.exitNote = words(SETS.at.exit_note);
  }
}

export function changeSets(context: FakeContext, record: Buffer): number {
  const pid = record.readInt32LE(SETS.at.pid);
  const tid = record.readInt32LE(SETS.at.tid);
  const valid = record.readUInt32LE(SETS.at.valid);
  if (valid > 0xf || record.readUInt32LE(SETS.at.follow) > 3) return -Errno.EINVAL;
  if (tid !== 0 && valid !== SetValid.Syscalls) return -Errno.EINVAL;
  const { engine } = context;
  if (pid === 0) apply(record, engine.defaults, valid);
  const attachments = context.named(pid === 0 ? -1 : pid);
  if (pid !== 0 && attachments.length === 0) return -Errno.ESRCH;
  for (const own of attachments) {
    if (tid === 0) apply(record, own.sets, valid);
    else if (!own.process.threads.has(tid)) return -Errno.ESRCH;
    else {
      const sets = { ...own.sets };
      apply(record, sets, valid);
      own.threadSets.set(tid, sets);
    }
  }
  return 0;
}

export function sendSignal(context: FakeContext, record: Buffer): number {
  const own = context.engine.attachments.get(record.readInt32LE(SIGNAL.at.pid));
  const tid = record.readInt32LE(SIGNAL.at.tid);
  const signo = record.readInt32LE(SIGNAL.at.signo);
  if (signo < 0 || signo > 64 || record.readUInt32LE(SIGNAL.at.reserved) !== 0) {
    return -Errno.EINVAL;
  }
  if (context.engine.observer) return -Errno.EROFS;
  const thread: FakeThread | undefined =
    tid === 0 ? own?.process.threads.values().next().value : own?.process.threads.get(tid);
  if (thread === undefined) return -Errno.ESRCH;
  if (signo > 0) context.machine.queueSignal(thread, signo);
  return 0;
}

export function who(context: FakeContext, record: Buffer): number {
  const pid = record.readInt32LE(WHO.at.pid);
  const tid = record.readInt32LE(WHO.at.tid);
  const capacity = record.readUInt32LE(WHO.at.capacity);
  const out = context.bytes(record.readBigUInt64LE(WHO.at.buf), capacity * HOLDER.size);
  if (capacity > 0 && out === undefined) return -Errno.EFAULT;
  let count = 0;
  const add = (own: Attachment, held: number, why: number, since: bigint): void => {
    if (count < capacity && out !== undefined) {
      const at = count * HOLDER.size;
      out.fill(0, at, at + HOLDER.size);
      out.writeBigUInt64LE(own.engine.id, at + HOLDER.at.engine_id);
      out.writeBigUInt64LE(since, at + HOLDER.at.since_ns);
      out.writeInt32LE(process.pid, at + HOLDER.at.pid);
      out.writeInt32LE(held, at + HOLDER.at.tid);
      out.writeUInt32LE(why, at + HOLDER.at.why);
      out.write(own.engine.label, at + HOLDER.at.label, 31);
    }
    count++;
  };
  const pids = pid === 0 ? [...context.machine.processes.keys()] : [pid];
  for (const own of pids.flatMap((p) => context.machine.attachmentsOf(p))) {
    if (tid === 0) add(own, 0, 0, 0n);
    for (const thread of own.process.threads.values()) {
      const hold = thread.holds.get(own);
      if (hold === undefined || (tid !== 0 && tid !== thread.tid)) continue;
      add(own, thread.tid, hold.why, hold.since);
    }
  }
  record.writeUInt32LE(count, WHO.at.count);
  return 0;
}
