import type { ArchDescriptor, RegsetReader } from '../engine/arch/descriptor';
import type { FrameBlock } from '../engine/tracepoints-api';
import type { SelectedFrame, TraceRun } from './trace-run';

/** The regsets of a frame; undefined: it has no registers at all. */
export function frameRegsets(blocks: readonly FrameBlock[]): RegsetReader | undefined {
  const sets = new Map<number, Buffer>();
  for (const block of blocks) if (block.kind === 'regs') sets.set(block.note, block.data);
  return sets.size === 0 ? undefined : (note) => sets.get(note);
}

/** Where the thread stood, as a register: known even where no registers were collected. */
function programCounter({ head }: SelectedFrame, { pc }: ArchDescriptor): Buffer {
  const value = Buffer.alloc(8);
  value.writeBigUInt64LE(head.pc);
  return value.subarray(0, pc.size);
}

/** A g packet's data of a frame, and whether each register is available. */
export function frameG(frame: SelectedFrame, arch: ArchDescriptor, g: Buffer): boolean[] {
  const regset = frameRegsets(frame.blocks);
  const available = arch.toG(regset ?? (() => undefined), g, 0);
  if (!regset) {
    programCounter(frame, arch).copy(g, arch.pc.gOffset);
    available[arch.registers.indexOf(arch.pc)] = true;
  }
  return available;
}

/** One register of a frame; undefined where it is unavailable. */
export function frameRegister(
  frame: SelectedFrame,
  arch: ArchDescriptor,
  num: number,
): Buffer | undefined {
  const regset = frameRegsets(frame.blocks);
  const spec = arch.byNumber.get(num);
  if (!spec) return undefined;
  if (regset) return arch.getRegister(spec, regset);
  return num === arch.pc.num ? programCounter(frame, arch) : undefined;
}

/** Bytes of a frame from addr on, as many as one block has; 0: none. */
export function frameMemory(
  { blocks }: SelectedFrame,
  addr: bigint,
  out: Buffer,
  length: number,
): number {
  for (const block of blocks) {
    if (block.kind !== 'memory') continue;
    const offset = addr - block.addr;
    if (offset < 0n || offset >= BigInt(block.data.length)) continue;
    const from = Number(offset);
    const count = Math.min(length, block.data.length - from);
    block.data.copy(out, 0, from, from + count);
    return count;
  }
  return 0;
}

/** Is all of it memory that the client takes for unchanged? */
export function isConstant({ constant }: TraceRun, addr: bigint, length: number): boolean {
  const end = addr + BigInt(length);
  return constant.some((region) => addr >= region.start && end <= region.end);
}

/** The traceframe-info object (GDB manual, "Traceframe Info Format"). */
export function frameInfo({ blocks }: SelectedFrame): string {
  let xml = '<traceframe-info>\n';
  for (const block of blocks)
    if (block.kind === 'memory') {
      const length = block.data.length.toString(16);
      xml += `<memory start="0x${block.addr.toString(16)}" length="0x${length}"/>\n`;
    } else if (block.kind === 'variable') xml += `<tvar id="${block.number}"/>\n`;
  return `${xml}</traceframe-info>\n`;
}
