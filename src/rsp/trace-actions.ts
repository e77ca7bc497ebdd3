import type { ArchDescriptor } from '../engine/arch/descriptor';
import { NT_PRSTATUS } from '../engine/arch/notes';
import type { Collect } from '../engine/tracepoints-api';
import type { Args } from './args';

/** A base register of this number means that there is none. */
const NO_BASE = 0xffffffff;
const CODE_MAX = 4096;
const LENGTH_MAX = 0xffffffff;

/** One action of a QTDP packet, and its text for qTfP. */
export interface TraceAction {
  step: boolean;
  text: string;
  collect: Collect[];
}

/** "LEN,BYTES" of an agent expression. */
export function bytecode(a: Args): Buffer {
  const length = a.num(CODE_MAX);
  const code = a.lit(',').hexBytes();
  if (code.length !== length) a.fail(`${length} bytes of bytecode`);
  return code;
}

/** The regsets that hold the registers of a mask, whose bit N is register N. */
function regsets(mask: string, arch: ArchDescriptor): number[] {
  const notes = new Set([NT_PRSTATUS]);
  const bits = mask === '' ? 0n : BigInt(`0x${mask}`);
  for (const { num, note } of arch.registers) if ((bits >> BigInt(num)) & 1n) notes.add(note);
  return [...notes];
}

function memory(a: Args, step: boolean): Collect {
  const negative = a.take('-');
  const reg = a.num(LENGTH_MAX);
  const addr = a.lit(',').big();
  const length = a.lit(',').num(LENGTH_MAX);
  const based = !negative && reg !== NO_BASE;
  return { kind: 'memory', step, reg: based ? reg : undefined, addr, length };
}

/**
 * The actions of one packet (GDB manual, "Tracepoint Packets"): from "S" on they are those of
 * while-stepping. known: the actions of earlier packets for the same tracepoint.
 */
export function traceActions(
  a: Args,
  arch: ArchDescriptor,
  known: readonly TraceAction[],
): TraceAction[] {
  const actions: TraceAction[] = [];
  let step = known.some((action) => action.step);
  while (!a.done && a.buf[a.at] !== '-'.charCodeAt(0)) {
    if (a.take('S')) step = true;
    const start = a.at;
    const collect: Collect[] = [];
    if (a.take('R')) {
      const mask = a.until('LMRSX-');
      if (!/^[0-9a-fA-F]*$/.test(mask)) a.fail('a mask of registers in hex');
      const have = [...known, ...actions].filter((other) => other.step === step);
      for (const note of regsets(mask, arch))
        if (!have.some((o) => o.collect.some((c) => c.kind === 'regs' && c.note === note)))
          collect.push({ kind: 'regs', step, note });
    } else if (a.take('M')) collect.push(memory(a, step));
    else if (a.take('X')) collect.push({ kind: 'code', step, code: bytecode(a) });
    // data of static tracepoints: only an agent inside the program has any
    else if (!a.take('L')) a.fail('an action: R, M, X or L');
    actions.push({ step, text: a.buf.toString('latin1', start, a.at), collect });
  }
  return actions;
}
