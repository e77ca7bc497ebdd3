import type { XsaveLayout } from '../../native';
import { NT_X86_XSTATE } from './notes';
import type { RegisterRow } from './register-table';
import {
  AVX,
  HI16_ZMM,
  MXCSR,
  OPMASK,
  PKRU,
  SSE,
  ST_SPACE,
  X87,
  XMM_SPACE,
  ZMM_HI256,
} from './x86-xsave';

// Rows of the extended registers that x86-64 and i386 have in common; they differ in how many.

export const FLOAT_SET = 'Floating Point Registers';
export const VECTOR_SET = 'Vector Registers';
export const GENERAL_SET = 'General Purpose Registers';
export const SYSTEM_SET = 'System Registers';

const VECTOR = { set: VECTOR_SET, encoding: 'vector', format: 'vector-uint8' } as const;

/** DWARF numbers are consecutive from the one given. */
interface Numbering {
  st: number;
  xmm: number;
  xmm16: number | undefined;
  k: number;
  fctrl: number | undefined;
  fstat: number | undefined;
  mxcsr: number;
}

/** System V psABI, x86-64 figure 3.36 and i386 table 2.14. */
export const X86_64_DWARF: Numbering = {
  st: 33,
  xmm: 17,
  xmm16: 67,
  k: 118,
  fctrl: 65,
  fstat: 66,
  mxcsr: 64,
};
export const I386_DWARF: Numbering = {
  st: 11,
  xmm: 21,
  xmm16: undefined,
  k: 93,
  fctrl: 37,
  fstat: 38,
  mxcsr: 39,
};

function repeat(count: number, row: (i: number) => RegisterRow): RegisterRow[] {
  return Array.from({ length: count }, (_, i) => row(i));
}

/** st0-7 and the control registers. note: where the fxsave area is. */
export function x87Rows(note: number, dwarf: Numbering): RegisterRow[] {
  const stack = repeat(8, (i) => ({
    name: `st${i}`,
    size: 10,
    note,
    offset: ST_SPACE + 16 * i,
    stored: 10,
    xfeature: X87,
    type: 'i387_ext',
    dwarf: dwarf.st + i,
    ...VECTOR,
    set: FLOAT_SET,
  }));
  const control = (name: string, offset: number, stored: number, number?: number): RegisterRow => ({
    name,
    size: 4,
    note,
    offset,
    stored,
    xfeature: X87,
    type: 'int',
    group: 'float',
    set: FLOAT_SET,
    encoding: 'uint',
    format: 'hex',
    ...(number !== undefined && { dwarf: number }),
  });
  return [
    ...stack,
    control('fctrl', 0, 2, dwarf.fctrl),
    control('fstat', 2, 2, dwarf.fstat),
    control('ftag', 4, 2),
    control('fiseg', 12, 2),
    control('fioff', 8, 4),
    control('foseg', 20, 2),
    control('fooff', 16, 4),
    control('fop', 6, 2),
  ];
}

/** xmm0... and mxcsr. */
export function sseRows(note: number, count: number, dwarf: Numbering): RegisterRow[] {
  const xmm = repeat(count, (i) => ({
    name: `xmm${i}`,
    size: 16,
    note,
    offset: XMM_SPACE + 16 * i,
    stored: 16,
    xfeature: SSE,
    type: 'vec128',
    dwarf: dwarf.xmm + i,
    ...VECTOR,
  }));
  return [
    ...xmm,
    {
      name: 'mxcsr',
      size: 4,
      note,
      offset: MXCSR,
      stored: 4,
      xfeature: SSE,
      type: 'i386_mxcsr',
      group: 'vector',
      set: VECTOR_SET,
      encoding: 'uint',
      format: 'hex',
      dwarf: dwarf.mxcsr,
    },
  ];
}

function extended(
  layout: XsaveLayout,
  component: number,
  name: string,
  size: number,
  at: number,
  type: string,
): RegisterRow {
  return {
    name,
    size,
    note: NT_X86_XSTATE,
    offset: layout.components[component]!.offset + at,
    stored: size,
    xfeature: component,
    type,
    ...VECTOR,
  };
}

/** Upper halves of ymm0... */
export function avxRows(layout: XsaveLayout, count: number): RegisterRow[] {
  return repeat(count, (i) => extended(layout, AVX, `ymm${i}h`, 16, 16 * i, 'uint128'));
}

/** xmm16-31 and the upper halves of ymm16-31: parts of whole zmm registers. */
export function highVectorRows(layout: XsaveLayout, dwarf: Numbering): RegisterRow[] {
  const xmm = repeat(16, (i) => ({
    ...extended(layout, HI16_ZMM, `xmm${16 + i}`, 16, 64 * i, 'vec128'),
    ...(dwarf.xmm16 !== undefined && { dwarf: dwarf.xmm16 + i }),
  }));
  const ymm = repeat(16, (i) =>
    extended(layout, HI16_ZMM, `ymm${16 + i}h`, 16, 64 * i + 16, 'uint128'),
  );
  return [...xmm, ...ymm];
}

/** k0-7 and the upper halves of zmm0...; low: how many of them extend ymm registers. */
export function avx512Rows(layout: XsaveLayout, low: number, dwarf: Numbering): RegisterRow[] {
  const k = repeat(8, (i): RegisterRow => ({
    ...extended(layout, OPMASK, `k${i}`, 8, 8 * i, 'uint64'),
    encoding: 'uint',
    format: 'hex',
    dwarf: dwarf.k + i,
  }));
  const zmm = repeat(low, (i) => extended(layout, ZMM_HI256, `zmm${i}h`, 32, 32 * i, 'v2ui128'));
  return [...k, ...zmm];
}

/** Upper halves of zmm16-31. */
export function highZmmRows(layout: XsaveLayout): RegisterRow[] {
  return repeat(16, (i) => extended(layout, HI16_ZMM, `zmm${16 + i}h`, 32, 64 * i + 32, 'v2ui128'));
}

export function pkeysRows(layout: XsaveLayout): RegisterRow[] {
  return [
    {
      ...extended(layout, PKRU, 'pkru', 4, 0, 'uint32'),
      set: SYSTEM_SET,
      encoding: 'uint',
      format: 'hex',
    },
  ];
}
