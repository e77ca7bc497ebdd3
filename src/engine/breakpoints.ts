import { Call } from './channel/calls';
import type { Channel } from './channel/channel';
import { BREAK, BREAK_STATS, CODE, UNBREAK } from './channel/records';
import { Errno, EngineError, failure } from './errors';
import { native } from '../native';
import type { BreakpointCode, BreakpointStats, BreakType, Holder } from './engine-api';

const KINDS = ['breakpoint', 'hardware breakpoint', 'watchpoint', 'read watchpoint', 'watchpoint'];

const HARDWARE = 1; // NTRACE_BREAK_HW
const PERSIST = 1; // NTRACE_BREAK_PERSIST
/** Places whose counts are kept after they are removed. */
const REMEMBERED = 1024;
/** What they are called here, and which word of struct ntrace_break_stats they are. */
const COUNTS = (
  [
    ['hits', 'hits'],
    ['evaluated', 'evaluated'],
    ['trueHits', 'true_hits'],
    ['falseHits', 'false_hits'],
    ['errors', 'errors'],
    ['costNs', 'cost_ns'],
    ['native', 'native'],
  ] as const
).map(([name, field]) => [name, BREAK_STATS.at[field] / 8] as const);
const NO_CODE: BreakpointCode = {};

function place(type: BreakType, addr: bigint, length: number): string {
  return `${type}:${length}:${addr.toString(16)}`;
}

/** The breakpoints and watchpoints of one engine: what the provider calls each place. */
export class Breakpoints {
  /** By process, then by place. */
  private readonly ids = new Map<number, Map<string, number>>();
  /** What was counted at each place until it was last removed. */
  private readonly past = new Map<number, Map<string, BreakpointStats>>();
  private readonly counts = new BigUint64Array(BREAK_STATS.size / 8);
  private readonly query = Buffer.from(this.counts.buffer);
  private readonly insertion = Buffer.alloc(BREAK.size);
  /** Kept, as the provider reads it by its address. */
  private readonly passed: Buffer[] = [];
  private readonly removal = Buffer.alloc(UNBREAK.size);

  constructor(
    private readonly channel: Channel,
    private readonly others: (pid: number) => Holder[],
  ) {}

  /** Bytecode has the ABI's register numbers; without conditions every hit counts. */
  insert(
    pid: number,
    type: BreakType,
    addr: bigint,
    length: number,
    { conditions = [], actions = [], persist = false }: BreakpointCode = NO_CODE,
  ): void {
    const own = this.of(pid);
    const key = place(type, addr, length);
    const record = this.insertion;
    record.fill(0);
    record.writeInt32LE(pid, BREAK.at.pid);
    record.writeUInt32LE(type, BREAK.at.type);
    record.writeBigUInt64LE(addr, BREAK.at.addr);
    record.writeUInt32LE(length, BREAK.at.len);
    record.writeUInt32LE(persist ? PERSIST : 0, BREAK.at.flags);
    const codes = [...conditions, ...actions];
    if (codes.length > 0) {
      const at = this.channel.addressOf((this.passed[0] = this.codes(codes)));
      const behind = at + BigInt(conditions.length * CODE.size);
      record.writeBigUInt64LE(conditions.length > 0 ? at : 0n, BREAK.at.conditions);
      record.writeUInt32LE(conditions.length, BREAK.at.nconditions);
      record.writeBigUInt64LE(actions.length > 0 ? behind : 0n, BREAK.at.actions);
      record.writeUInt32LE(actions.length, BREAK.at.nactions);
    }
    let result = this.channel.call(Call.Break, record);
    // where a provider cannot decide it stops at every hit, and the client decides
    const undecided = result === -Errno.EOPNOTSUPP && type === HARDWARE && actions.length === 0;
    if (undecided && conditions.length > 0) {
      record.writeUInt32LE(0, BREAK.at.nconditions);
      result = this.channel.call(Call.Break, record);
    }
    if (result < 0) throw this.refused(-result, pid, type, addr);
    own.set(key, record.readUInt32LE(BREAK.at.id));
    const stats = this.statsOf(pid, key, type, addr);
    stats.conditional = record.readUInt32LE(BREAK.at.nconditions) > 0;
    stats.actions = actions.length;
  }

  /** A place that has none is left as it is. */
  remove(pid: number, type: BreakType, addr: bigint, length: number): void {
    const own = this.ids.get(pid);
    const key = place(type, addr, length);
    const id = own?.get(key);
    if (own === undefined || id === undefined) return;
    own.delete(key);
    const stats = this.past.get(pid)?.get(key);
    if (stats !== undefined) {
      this.add(stats, id);
      stats.inserted = false;
    }
    this.removal.writeUInt32LE(id, UNBREAK.at.id);
    const result = this.channel.call(Call.Unbreak, this.removal);
    // ESRCH: it went with its address space, and we did not read of that yet
    if (result < 0 && result !== -Errno.ESRCH) {
      throw failure(result, `remove the ${KINDS[type]} at 0x${addr.toString(16)}`);
    }
  }

  /** Every place that was ever hit or has code, as counted until now. */
  stats(): BreakpointStats[] {
    const out: BreakpointStats[] = [];
    for (const [pid, places] of this.past)
      for (const [key, past] of places) {
        const id = this.ids.get(pid)?.get(key);
        const now = { ...past };
        if (id !== undefined) this.add(now, id);
        out.push(now);
      }
    return out;
  }

  /** To the counts of the past those of the present insertion. gdb removes all at every stop. */
  private add(stats: BreakpointStats, id: number): void {
    const record = this.query;
    record.fill(0);
    record.writeUInt32LE(id, BREAK_STATS.at.id);
    if (this.channel.call(Call.BreakStats, record) < 0) return;
    for (const [name, index] of COUNTS) {
      const count = this.counts[index]!;
      if (count !== 0n) stats[name] += count;
    }
  }

  private statsOf(pid: number, key: string, type: BreakType, addr: bigint): BreakpointStats {
    let places = this.past.get(pid);
    if (places === undefined) this.past.set(pid, (places = new Map()));
    const known = places.get(key);
    if (known !== undefined) {
      known.inserted = true;
      return known;
    }
    if (places.size >= REMEMBERED) {
      const oldest = [...places].find(([, { inserted }]) => !inserted);
      if (oldest !== undefined) places.delete(oldest[0]);
    }
    const counts = { hits: 0n, evaluated: 0n, trueHits: 0n, falseHits: 0n, errors: 0n };
    const fresh = {
      ...{ pid, type, addr, inserted: true, conditional: false, actions: 0 },
      ...{ ...counts, costNs: 0n, native: 0n },
    };
    places.set(key, fresh);
    return fresh;
  }

  private codes(conditions: readonly Buffer[]): Buffer {
    const codes = Buffer.alloc(conditions.length * CODE.size);
    conditions.forEach((code, i) => {
      codes.writeBigUInt64LE(this.channel.addressOf(code), i * CODE.size + CODE.at.bytes);
      codes.writeUInt32LE(code.length, i * CODE.size + CODE.at.len);
    });
    return codes;
  }

  /** The address space is gone: exec, death, detach. */
  forget(pid: number): void {
    this.ids.delete(pid);
    this.past.delete(pid);
  }

  private of(pid: number): Map<string, number> {
    let own = this.ids.get(pid);
    if (own === undefined) {
      own = new Map();
      this.ids.set(pid, own);
    }
    return own;
  }

  private refused(errno: number, pid: number, type: BreakType, addr: bigint): EngineError {
    const where = `insert a ${KINDS[type]} at 0x${addr.toString(16)} of process ${pid}`;
    if (errno !== Errno.ENOSPC || type === 0) return failure(errno, where);
    const holders = this.others(pid).map((h) => `"${h.label}" (pid ${h.pid}, user ${h.uid})`);
    const who = holders.length > 0 ? ` used by ${[...new Set(holders)].join(', ')}` : ' used by us';
    return new EngineError(
      errno,
      native.errnoName(errno),
      `cannot ${where}: every debug register is in use,${who}; remove one there first`,
    );
  }
}
