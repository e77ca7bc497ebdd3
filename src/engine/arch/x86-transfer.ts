import type { XsaveLayout } from '../../native';
import type { RegisterSpec, RegsetReader } from './descriptor';
import { NT_X86_XSTATE } from './notes';
import { abridgeTags, expandTags } from './x86-tags';
import {
  FCTRL_INIT,
  FTAG_INIT,
  MXCSR_BITS,
  MXCSR_INIT,
  activate,
  componentBit,
  stateBits,
} from './x86-xsave';

/** Bytes that are contiguous both in a regset and in the g packet. */
interface Run {
  note: number;
  from: number;
  to: number;
  length: number;
  /** Bytes the regset must have: the tags depend on all of the x87 area. */
  end: number;
  /** Any of these XSTATE_BV bits makes the bytes live; 0: always live. */
  bits: number;
  /** What a write activates. */
  component: number;
  /** Value while not live; little-endian. */
  init: number;
  /** ftag is computed, fop has 11 valid bits. */
  special: 'ftag' | 'fop' | undefined;
  /** Registers covered: indices [first, first + count). */
  first: number;
  count: number;
}

const FOP_MASK = 0x7ff;
const FTAG_SIZE = 2;
const X87_END = 160;
const SMALL = 32; // bytes below which a loop beats Buffer.copy

const ZEROES = Buffer.alloc(1024); // the longest run: zmm0h-zmm15h are half of it

const INIT: Readonly<Record<string, number>> = {
  fctrl: FCTRL_INIT,
  ftag: FTAG_INIT,
  mxcsr: MXCSR_INIT,
};

function runOf(reg: RegisterSpec, index: number): Run {
  const component = reg.note === NT_X86_XSTATE ? reg.xfeature : undefined;
  const own = component === undefined ? 0 : componentBit(component);
  return {
    note: reg.note,
    from: reg.offset,
    to: reg.gOffset,
    length: reg.stored,
    bits: reg.name === 'mxcsr' && own ? MXCSR_BITS : own,
    component: component ?? 0,
    init: INIT[reg.name] ?? 0,
    end: reg.name === 'ftag' ? X87_END : reg.offset + reg.stored,
    special: reg.name === 'ftag' || reg.name === 'fop' ? reg.name : undefined,
    first: index,
    count: 1,
  };
}

function merge(runs: readonly Run[]): Run[] {
  const merged: Run[] = [];
  for (const run of runs) {
    const last = merged.at(-1);
    const joins =
      last !== undefined &&
      !last.special &&
      !run.special &&
      last.init === 0 &&
      run.init === 0 &&
      last.note === run.note &&
      last.bits === run.bits &&
      last.from + last.length === run.from &&
      last.to + last.length === run.to;
    if (joins) {
      last.length += run.length;
      last.end = run.end;
      last.count++;
    } else {
      merged.push({ ...run });
    }
  }
  return merged;
}

function copy(dst: Buffer, to: number, src: Buffer, from: number, length: number): void {
  if (length > SMALL) src.copy(dst, to, from, from + length);
  else for (let i = 0; i < length; i++) dst[to + i] = src[from + i]!;
}

/** What moves registers between raw regsets and the g packet, planned once per descriptor. */
export class X86Transfer {
  private readonly single: readonly Run[];
  private readonly plan: readonly { note: number; runs: readonly Run[] }[];
  private readonly indexByNumber: ReadonlyMap<number, number>;

  constructor(
    private readonly registers: readonly RegisterSpec[],
    private readonly gSize: number,
    private readonly layout: XsaveLayout | undefined,
  ) {
    this.single = registers.map(runOf);
    const runs = merge(this.single);
    this.plan = [...new Set(runs.map((run) => run.note))].map((note) => ({
      note,
      runs: runs.filter((run) => run.note === note),
    }));
    this.indexByNumber = new Map(registers.map((reg, i) => [reg.num, i]));
  }

  toG(regset: RegsetReader, out: Buffer, outOffset: number): boolean[] {
    const available = new Array<boolean>(this.registers.length).fill(true);
    out.fill(0, outOffset, outOffset + this.gSize);
    for (const { note, runs } of this.plan) {
      const buf = regset(note);
      const live = buf === undefined ? 0 : stateBits(buf);
      for (const run of runs) {
        if (buf === undefined || buf.length < run.end) {
          available.fill(false, run.first, run.first + run.count);
        } else {
          load(run, buf, live, out, outOffset + run.to);
        }
      }
    }
    return available;
  }

  fromG(g: Buffer, regset: RegsetReader): number[] {
    const changed: number[] = [];
    for (const { note, runs } of this.plan) {
      const buf = regset(note);
      if (buf === undefined) continue;
      let touched = false;
      for (const run of runs) {
        if (buf.length < run.end || g.length < run.to + run.length) continue;
        if (this.store(run, buf, g, run.to)) touched = true;
      }
      if (touched) changed.push(note);
    }
    return changed;
  }

  get(spec: RegisterSpec, regset: RegsetReader): Buffer | undefined {
    const run = this.runFor(spec);
    const buf = regset(run.note);
    if (buf === undefined || buf.length < run.end) return undefined;
    const value = Buffer.alloc(spec.size);
    load(run, buf, stateBits(buf), value, 0);
    return value;
  }

  set(spec: RegisterSpec, value: Buffer, regset: RegsetReader): number[] {
    const run = this.runFor(spec);
    const buf = regset(run.note);
    if (buf === undefined || buf.length < run.end) return [];
    const whole = Buffer.alloc(Math.max(spec.size, value.length));
    value.copy(whole);
    return this.store(run, buf, whole, 0) ? [run.note] : [];
  }

  private runFor(spec: RegisterSpec): Run {
    const index = this.indexByNumber.get(spec.num);
    if (index === undefined) throw new RangeError(`register ${spec.name} is of another machine`);
    return this.single[index]!;
  }

  /** True if the regset changed. */
  private store(run: Run, buf: Buffer, src: Buffer, at: number): boolean {
    const live = run.bits === 0 || (stateBits(buf) & run.bits) !== 0;
    if (run.special === 'ftag') {
      const tags = abridgeTags(src.readUInt16LE(at));
      if (tags === (live ? buf.readUInt8(run.from) : 0)) return false;
      this.touch(run, buf);
      buf.writeUInt16LE(tags, run.from);
      return true;
    }
    if (run.special === 'fop') {
      const old = live ? buf.readUInt16LE(run.from) : 0;
      const opcode = (src.readUInt16LE(at) & FOP_MASK) | (old & ~FOP_MASK);
      if (opcode === old) return false;
      this.touch(run, buf);
      buf.writeUInt16LE(opcode, run.from);
      return true;
    }
    if (live ? same(run, buf, src, at) : isInitial(run, src, at)) return false;
    this.touch(run, buf);
    copy(buf, run.from, src, at, run.length);
    return true;
  }

  private touch(run: Run, buf: Buffer): void {
    // mxcsr belongs to two components; it needs only one of them to be live
    if (run.bits === 0 || this.layout === undefined) return;
    if ((stateBits(buf) & run.bits) === 0) activate(buf, this.layout, run.component);
  }
}

/** Fills out[at, ...) whose bytes are zero. */
function load(run: Run, buf: Buffer, live: number, out: Buffer, at: number): void {
  if (run.bits !== 0 && (live & run.bits) === 0) {
    if (run.init !== 0) out.writeUIntLE(run.init, at, 2);
  } else if (run.special === 'ftag') {
    out.writeUIntLE(expandTags(buf), at, FTAG_SIZE);
  } else if (run.special === 'fop') {
    out.writeUInt16LE(buf.readUInt16LE(run.from) & FOP_MASK, at);
  } else {
    copy(out, at, buf, run.from, run.length);
  }
}

function same(run: Run, buf: Buffer, src: Buffer, at: number): boolean {
  if (run.length > SMALL) {
    return buf.compare(src, at, at + run.length, run.from, run.from + run.length) === 0;
  }
  for (let i = 0; i < run.length; i++) if (buf[run.from + i] !== src[at + i]) return false;
  return true;
}

function isInitial(run: Run, src: Buffer, at: number): boolean {
  if (run.length > SMALL) {
    return src.compare(ZEROES, 0, run.length, at, at + run.length) === 0; // those have init 0
  }
  let rest = run.init;
  for (let i = 0; i < run.length; i++, rest >>>= 8) if (src[at + i] !== (rest & 0xff)) return false;
  return true;
}
