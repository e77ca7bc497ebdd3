import { Call } from './channel/calls';
import type { Channel } from './channel/channel';
import { BREAK, CODE, UNBREAK } from './channel/records';
import { Errno, EngineError, failure } from './errors';
import { native } from '../native';
import type { BreakType, Holder } from './engine-api';

const KINDS = ['breakpoint', 'hardware breakpoint', 'watchpoint', 'read watchpoint', 'watchpoint'];

function place(type: BreakType, addr: bigint, length: number): string {
  return `${type}:${length}:${addr.toString(16)}`;
}

/** The breakpoints and watchpoints of one engine: what the provider calls each place. */
export class Breakpoints {
  /** By process, then by place. */
  private readonly ids = new Map<number, Map<string, number>>();
  private readonly insertion = Buffer.alloc(BREAK.size);
  private readonly removal = Buffer.alloc(UNBREAK.size);

  constructor(
    private readonly channel: Channel,
    private readonly others: (pid: number) => Holder[],
  ) {}

  /** conditions: bytecode with the ABI's register numbers; none: every hit stops. */
  insert(
    pid: number,
    type: BreakType,
    addr: bigint,
    length: number,
    conditions: readonly Buffer[] = [],
  ): void {
    const own = this.of(pid);
    const key = place(type, addr, length);
    const record = this.insertion;
    record.fill(0);
    record.writeInt32LE(pid, BREAK.at.pid);
    record.writeUInt32LE(type, BREAK.at.type);
    record.writeBigUInt64LE(addr, BREAK.at.addr);
    record.writeUInt32LE(length, BREAK.at.len);
    const codes = this.codes(conditions);
    if (conditions.length > 0) {
      record.writeBigUInt64LE(this.channel.addressOf(codes), BREAK.at.conditions);
      record.writeUInt32LE(conditions.length, BREAK.at.nconditions);
    }
    const result = this.channel.call(Call.Break, record);
    if (result < 0) throw this.refused(-result, pid, type, addr);
    own.set(key, record.readUInt32LE(BREAK.at.id));
  }

  /** A place that has none is left as it is. */
  remove(pid: number, type: BreakType, addr: bigint, length: number): void {
    const own = this.ids.get(pid);
    const key = place(type, addr, length);
    const id = own?.get(key);
    if (own === undefined || id === undefined) return;
    own.delete(key);
    this.removal.writeUInt32LE(id, UNBREAK.at.id);
    const result = this.channel.call(Call.Unbreak, this.removal);
    // ESRCH: it went with its address space, and we did not read of that yet
    if (result < 0 && result !== -Errno.ESRCH) {
      throw failure(result, `remove the ${KINDS[type]} at 0x${addr.toString(16)}`);
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
    this.ids.delete(pid);
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
