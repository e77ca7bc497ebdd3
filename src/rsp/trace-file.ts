import fs from 'node:fs';
import type { ArchDescriptor } from '../engine/arch/descriptor';
import type { Engine } from '../engine/engine';
import type { FrameBlock, FrameHead } from '../engine/tracepoints-api';
import { definitionPieces, statusText, variablePiece } from './trace-listing';
import { frameRegsets } from './trace-frame';
import type { TraceRun } from './trace-run';

const MAX_BLOCK = 0xffff; // lengths of memory have 16 bits
const MAGIC = '\x7fTRACE0\n';

function memoryBlocks(addr: bigint, data: Buffer): Buffer[] {
  const out: Buffer[] = [];
  for (let at = 0; at < data.length; at += MAX_BLOCK) {
    const piece = data.subarray(at, at + MAX_BLOCK);
    const head = Buffer.alloc(11);
    head.write('M');
    head.writeBigUInt64LE(addr + BigInt(at), 1);
    head.writeUInt16LE(piece.length, 9);
    out.push(head, piece);
  }
  return out;
}

/**
 * A frame as trace files and qTBuffer have it (GDB manual, "Trace File Format"). registers: bytes
 * of an R block; registers that were not collected are zero there, the format has no other way.
 */
export function fileFrame(
  head: FrameHead,
  blocks: readonly FrameBlock[],
  arch: ArchDescriptor,
  registers: number,
): Buffer {
  const parts: Buffer[] = [];
  const regset = frameRegsets(blocks);
  if (regset) {
    const g = Buffer.alloc(Math.max(arch.gSize, registers));
    arch.toG(regset, g, 0);
    parts.push(Buffer.from('R'), g.subarray(0, registers));
  }
  for (const block of blocks)
    if (block.kind === 'memory') parts.push(...memoryBlocks(block.addr, block.data));
    else if (block.kind === 'variable') {
      const cell = Buffer.alloc(13);
      cell.write('V');
      cell.writeInt32LE(block.number, 1);
      cell.writeBigInt64LE(block.value, 5);
      parts.push(cell);
    }
  const data = Buffer.concat(parts);
  const start = Buffer.alloc(6);
  start.writeUInt16LE(head.number & 0xffff, 0);
  start.writeUInt32LE(data.length, 2);
  return Buffer.concat([start, data]);
}

/** All frames as one stream of file frames, read mostly from front to back. */
export class FrameStream {
  private index = 0;
  /** Offset in the stream of the frame at hand. */
  private start = 0;
  private frame: Buffer | undefined;
  private made = -1;

  constructor(
    private readonly engine: Engine,
    private readonly arch: ArchDescriptor,
    private readonly registers: number,
  ) {}

  /** Bytes from offset on, fewer at the end; undefined behind it. */
  read(offset: number, length: number): Buffer | undefined {
    const { created } = this.engine.tracing.status();
    if (offset < this.start || created !== this.made) {
      this.index = this.start = 0;
      this.frame = undefined;
      this.made = created;
    }
    const pieces: Buffer[] = [];
    for (let at = offset, end = offset + length; at < end;) {
      this.frame ??= this.convert(this.index);
      if (!this.frame) {
        if (at > this.start) return undefined;
        break;
      }
      const piece = this.frame.subarray(at - this.start, end - this.start);
      pieces.push(piece);
      at += piece.length;
      if (at - this.start < this.frame.length) break;
      this.start += this.frame.length;
      this.index++;
      this.frame = undefined;
    }
    return Buffer.concat(pieces);
  }

  private convert(index: number): Buffer | undefined {
    const { tracing } = this.engine;
    const head = tracing.head(index);
    return head && fileFrame(head, tracing.blocks(index), this.arch, this.registers);
  }
}

/** Writes a file for gdb's "target tfile". Throws what the file system says. */
export function saveTrace(
  path: string,
  run: TraceRun,
  engine: Engine,
  arch: ArchDescriptor,
  registers: number,
): void {
  const lines = [
    `R ${registers.toString(16)}`,
    `status ${statusText(run)}`,
    ...[...run.variables.values()].map((v) => `tsv ${variablePiece(v)}`),
    ...run.definitions.flatMap(definitionPieces).map((piece) => `tp ${piece}`),
    ...arch.targetXml
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => `tdesc ${line}`),
  ];
  const file = fs.openSync(path, 'w', 0o666);
  try {
    fs.writeSync(file, Buffer.from(`${MAGIC}${lines.join('\n')}\n\n`, 'latin1'));
    for (let index = 0, head; (head = engine.tracing.head(index)); index++)
      fs.writeSync(file, fileFrame(head, engine.tracing.blocks(index), arch, registers));
    fs.writeSync(file, Buffer.alloc(4)); // no tracepoint has this number: the end
  } finally {
    fs.closeSync(file);
  }
}
