import { Call } from './channel/calls';
import type { Channel } from './channel/channel';
import { BREAK, BREAK_STATS, CODE, UNBREAK } from './channel/records';
import { long, RecordView, word } from './channel/record-view';
import { Errno, EngineError, failure } from './errors';
import { native } from '../native';
import type { BreakpointCode, BreakpointStats, BreakType, Holder } from './engine-api';
import { PlaceMap, type Place } from './place-map';

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
).map(([name, field]) => [name, long(BREAK_STATS.at[field])] as const);
const NO_CODE: BreakpointCode = {};

/** What is known of a place: its name with the provider while there is one, and its counts. */
interface Known extends Place {
  id: number | undefined;
  readonly stats: BreakpointStats;
}

/** The breakpoints and watchpoints of one engine: what the provider calls each place. */
export class Breakpoints {
  private readonly places = new PlaceMap<Known>();
  private readonly query = new RecordView(BREAK_STATS.size);
  private readonly insertion = new RecordView(BREAK.size);
  /** Kept, as the provider reads it by its address. */
  private readonly passed: Buffer[] = [];
  private readonly removal = new RecordView(UNBREAK.size);

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
    const { bytes, i32, u32, u64 } = this.insertion;
    bytes.fill(0);
    i32[word(BREAK.at.pid)] = pid;
    u32[word(BREAK.at.type)] = type;
    u64[long(BREAK.at.addr)] = addr;
    u32[word(BREAK.at.len)] = length;
    u32[word(BREAK.at.flags)] = persist ? PERSIST : 0;
    if (conditions.length + actions.length > 0) {
      const codes = (this.passed[0] = this.codes([...conditions, ...actions]));
      const at = this.channel.addressOf(codes);
      const behind = at + BigInt(conditions.length * CODE.size);
      u64[long(BREAK.at.conditions)] = conditions.length > 0 ? at : 0n;
      u32[word(BREAK.at.nconditions)] = conditions.length;
      u64[long(BREAK.at.actions)] = actions.length > 0 ? behind : 0n;
      u32[word(BREAK.at.nactions)] = actions.length;
    }
    let result = this.channel.call(Call.Break, bytes);
    // where a provider cannot decide it stops at every hit, and the client decides
    const undecided = result === -Errno.EOPNOTSUPP && type === HARDWARE && actions.length === 0;
    if (undecided && conditions.length > 0) {
      u32[word(BREAK.at.nconditions)] = 0;
      result = this.channel.call(Call.Break, bytes);
    }
    if (result < 0) throw this.refused(-result, pid, type, addr);
    const known = this.places.get(pid, type, addr, length) ?? this.add(pid, type, addr, length);
    known.id = u32[word(BREAK.at.id)]!;
    known.stats.inserted = true;
    known.stats.conditional = u32[word(BREAK.at.nconditions)]! > 0;
    known.stats.actions = actions.length;
  }

  /** A place that has none is left as it is. */
  remove(pid: number, type: BreakType, addr: bigint, length: number): void {
    const known = this.places.get(pid, type, addr, length);
    if (known?.id === undefined) return;
    this.count(known.id, known.stats);
    this.removal.u32[word(UNBREAK.at.id)] = known.id;
    known.id = undefined;
    known.stats.inserted = false;
    const result = this.channel.call(Call.Unbreak, this.removal.bytes);
    // ESRCH: it went with its address space, and we did not read of that yet
    if (result < 0 && result !== -Errno.ESRCH) {
      throw failure(result, `remove the ${KINDS[type]} at 0x${addr.toString(16)}`);
    }
  }

  /** Every place that was ever hit or has code, as counted until now. */
  stats(): BreakpointStats[] {
    return [...this.places.all()].map(({ id, stats }) => {
      const now = { ...stats };
      if (id !== undefined) this.count(id, now);
      return now;
    });
  }

  /** To the counts of the past those of the present insertion. gdb removes all at every stop. */
  private count(id: number, stats: BreakpointStats): void {
    const { bytes, u32, u64 } = this.query;
    bytes.fill(0);
    u32[word(BREAK_STATS.at.id)] = id;
    if (this.channel.call(Call.BreakStats, bytes) < 0) return;
    for (const [name, index] of COUNTS) {
      // most are zero, and reading a word makes no bigint of it
      if (u32[2 * index] !== 0 || u32[2 * index + 1] !== 0) stats[name] += u64[index]!;
    }
  }

  private add(pid: number, type: BreakType, addr: bigint, length: number): Known {
    if (this.places.addresses(pid) >= REMEMBERED) this.forgetOldest(pid);
    const known: Known = {
      ...{ pid, type, addr, length, id: undefined },
      stats: {
        ...{ pid, type, addr, inserted: true, conditional: false, actions: 0 },
        ...{ hits: 0n, evaluated: 0n, trueHits: 0n, falseHits: 0n, errors: 0n },
        ...{ costNs: 0n, native: 0n },
      },
    };
    this.places.set(known);
    return known;
  }

  private forgetOldest(pid: number): void {
    for (const known of this.places.of(pid))
      if (!known.stats.inserted) {
        this.places.delete(known);
        return;
      }
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
    this.places.forget(pid);
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
