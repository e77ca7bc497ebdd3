import { registerWord, translateRegisters } from './agent';
import type { ArchDescriptor } from './arch/descriptor';
import { Call } from './channel/calls';
import type { Channel } from './channel/channel';
import {
  BlockType,
  COLLECT_ABSOLUTE,
  COLLECT_STEP,
  CollectType,
  TP_ENABLED,
  TRACE_CIRCULAR,
  TraceCommand,
  VARIABLE_SET,
} from './channel/enums';
import {
  BLOCK,
  CODE,
  COLLECT,
  FRAME,
  TRACE_CONTROL,
  TRACE_READ,
  TRACEPOINT,
  VARIABLE,
} from './channel/records';
import { decodeFrame, decodeTraceStatus } from './channel/codec';
import { Errno, EngineError, failure } from './errors';
import type {
  Collect,
  FrameBlock,
  FrameHead,
  TracepointSpec,
  TraceStatus,
  Tracing,
} from './tracepoints-api';

const ALIGN = 8;

/** Tracing over a channel. */
export class Tracepoints implements Tracing {
  private readonly control = Buffer.alloc(TRACE_CONTROL.size);
  private readonly read = Buffer.alloc(TRACE_READ.size);
  private readonly frame = Buffer.alloc(FRAME.size);
  private readonly cell = Buffer.alloc(VARIABLE.size);

  constructor(
    private readonly channel: Channel,
    private readonly archOf: (pid: number) => ArchDescriptor | undefined,
  ) {}

  define(spec: TracepointSpec): void {
    const what = `define tracepoint ${spec.number} at 0x${spec.addr.toString(16)}`;
    const arch = this.archOf(spec.pid);
    if (arch === undefined) throw failure(Errno.ESRCH, what);
    const keep: Buffer[] = []; // the record's pointers lead there
    const record = this.named(spec);
    record.writeUInt32LE(spec.enabled ? TP_ENABLED : 0, TRACEPOINT.at.flags);
    record.writeUInt32LE(spec.step, TRACEPOINT.at.step);
    record.writeBigUInt64LE(spec.pass, TRACEPOINT.at.pass);
    if (spec.condition !== undefined) {
      const code = this.translated(spec.condition, arch, what);
      const head = Buffer.alloc(CODE.size);
      head.writeBigUInt64LE(this.channel.addressOf(code), CODE.at.bytes);
      head.writeUInt32LE(code.length, CODE.at.len);
      record.writeBigUInt64LE(this.channel.addressOf(head), TRACEPOINT.at.condition);
      keep.push(code, head);
    }
    const actions = Buffer.alloc(spec.collect.length * COLLECT.size);
    spec.collect.forEach((collect, i) => {
      const at = actions.subarray(i * COLLECT.size, (i + 1) * COLLECT.size);
      this.encode(collect, at, arch, what, keep);
    });
    if (actions.length > 0) {
      record.writeBigUInt64LE(this.channel.addressOf(actions), TRACEPOINT.at.actions);
      record.writeUInt32LE(spec.collect.length, TRACEPOINT.at.nactions);
      keep.push(actions);
    }
    const result = this.channel.call(Call.Tracepoint, record);
    keep.length = 0;
    if (result < 0) throw failure(result, what);
  }

  counts(pid: number, number: number, addr: bigint): { hits: bigint; usage: bigint } | undefined {
    const record = this.named({ pid, number, addr });
    const result = this.channel.call(Call.TraceQuery, record);
    if (result < 0) return undefined;
    return {
      hits: record.readBigUInt64LE(TRACEPOINT.at.hits),
      usage: record.readBigUInt64LE(TRACEPOINT.at.usage),
    };
  }

  clear(): void {
    this.command(TraceCommand.Clear, 'forget the trace');
  }
  start(): void {
    this.command(TraceCommand.Start, 'start tracing');
  }
  stop(): void {
    this.command(TraceCommand.Stop, 'stop tracing');
  }
  setup(circular: boolean, size = 0): void {
    this.command(TraceCommand.Setup, 'set up the trace buffer', circular, size);
  }
  status(): TraceStatus {
    this.command(TraceCommand.Status, 'ask how tracing goes');
    const { running, flags, ...status } = decodeTraceStatus(this.control);
    return {
      ...status,
      running: running !== 0,
      circular: (flags & TRACE_CIRCULAR) !== 0,
      frames: Number(status.frames),
      created: Number(status.created),
    };
  }

  head(index: number): FrameHead | undefined {
    return this.bytes(index, 0, this.frame) < FRAME.size ? undefined : decodeFrame(this.frame);
  }

  blocks(index: number): FrameBlock[] {
    const head = this.head(index);
    if (head === undefined) return [];
    const all = Buffer.allocUnsafeSlow(head.size);
    const end = this.bytes(index, 0, all);
    const blocks: FrameBlock[] = [];
    for (let at = FRAME.size; at + BLOCK.size <= end;) {
      const name = all.readUInt32LE(at + BLOCK.at.name);
      const data = at + BLOCK.size;
      const length = all.readUInt32LE(at + BLOCK.at.len);
      switch (all.readUInt32LE(at + BLOCK.at.type) as BlockType) {
        case BlockType.Regs:
          blocks.push({ kind: 'regs', note: name, data: all.subarray(data, data + length) });
          break;
        case BlockType.Memory: {
          const addr = all.readBigUInt64LE(at + BLOCK.at.addr);
          blocks.push({ kind: 'memory', addr, data: all.subarray(data, data + length) });
          break;
        }
        case BlockType.Variable:
          blocks.push({ kind: 'variable', number: name, value: all.readBigInt64LE(data) });
      }
      at = data + Math.ceil(length / ALIGN) * ALIGN;
    }
    return blocks;
  }

  variable(number: number): bigint | undefined {
    const { cell } = this;
    cell.fill(0);
    cell.writeUInt32LE(number, VARIABLE.at.number);
    if (this.channel.call(Call.Variable, cell) < 0) return undefined;
    return cell.readBigInt64LE(VARIABLE.at.value);
  }
  setVariable(number: number, value: bigint): void {
    const { cell } = this;
    cell.writeUInt32LE(number, VARIABLE.at.number);
    cell.writeUInt32LE(VARIABLE_SET, VARIABLE.at.flags);
    cell.writeBigInt64LE(BigInt.asIntN(64, value), VARIABLE.at.value);
    const result = this.channel.call(Call.Variable, cell);
    if (result < 0) throw failure(result, `set trace state variable ${number}`);
  }

  private named({ pid, number, addr }: { pid: number; number: number; addr: bigint }): Buffer {
    const record = Buffer.alloc(TRACEPOINT.size);
    record.writeInt32LE(pid, TRACEPOINT.at.pid);
    record.writeUInt32LE(number, TRACEPOINT.at.number);
    record.writeBigUInt64LE(addr, TRACEPOINT.at.addr);
    return record;
  }

  private translated(code: Buffer, arch: ArchDescriptor, what: string): Buffer {
    const out = translateRegisters(code, arch);
    if (out !== undefined) return out;
    const why = 'an expression uses a register other than the general ones';
    throw new EngineError(Errno.EOPNOTSUPP, 'EOPNOTSUPP', `cannot ${what}: ${why}; collect it`);
  }

  private encode(
    collect: Collect,
    at: Buffer,
    arch: ArchDescriptor,
    what: string,
    keep: Buffer[],
  ): void {
    at.writeUInt32LE(collect.step ? COLLECT_STEP : 0, COLLECT.at.flags);
    switch (collect.kind) {
      case 'regs':
        at.writeUInt32LE(CollectType.Regs, COLLECT.at.type);
        at.writeUInt32LE(collect.note, COLLECT.at.note);
        return;
      case 'memory': {
        const { reg } = collect;
        const word = reg === undefined ? COLLECT_ABSOLUTE : registerWord(arch, reg);
        if (word === undefined) throw failure(Errno.EINVAL, `${what}: register ${reg} is no base`);
        at.writeUInt32LE(CollectType.Memory, COLLECT.at.type);
        at.writeUInt32LE(word, COLLECT.at.reg);
        at.writeBigUInt64LE(BigInt.asUintN(64, collect.addr), COLLECT.at.addr);
        at.writeBigUInt64LE(BigInt(collect.length), COLLECT.at.len);
        return;
      }
      case 'code': {
        const code = this.translated(collect.code, arch, what);
        at.writeUInt32LE(CollectType.Code, COLLECT.at.type);
        at.writeBigUInt64LE(this.channel.addressOf(code), COLLECT.at.bytes);
        at.writeUInt32LE(code.length, COLLECT.at.code_len);
        keep.push(code);
      }
    }
  }

  private command(command: TraceCommand, what: string, circular = false, size = 0): void {
    const { control } = this;
    control.fill(0);
    control.writeUInt32LE(command, TRACE_CONTROL.at.command);
    control.writeUInt32LE(circular ? TRACE_CIRCULAR : 0, TRACE_CONTROL.at.flags);
    control.writeBigUInt64LE(BigInt(size), TRACE_CONTROL.at.size);
    const result = this.channel.call(Call.TraceControl, control);
    if (result < 0) throw failure(result, what);
  }

  private bytes(index: number, offset: number, to: Buffer): number {
    const { read } = this;
    read.writeBigUInt64LE(BigInt(index), TRACE_READ.at.frame);
    read.writeBigUInt64LE(BigInt(offset), TRACE_READ.at.offset);
    read.writeBigUInt64LE(this.channel.addressOf(to), TRACE_READ.at.buf);
    read.writeUInt32LE(to.length, TRACE_READ.at.len);
    if (this.channel.call(Call.TraceRead, read) < 0) return 0;
    return read.readUInt32LE(TRACE_READ.at.got);
  }
}
