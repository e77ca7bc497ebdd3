import type { XsaveLayout } from '../../native';
import type { ArchDescriptor } from './descriptor';
import { NT_PRFPREG, NT_PRSTATUS, NT_X86_XSTATE } from './notes';
import type { RegisterRow } from './register-table';
import { RegisterTable } from './register-table';
import { describe, hasAvx512 } from './x86-describe';
import { EFLAGS, MXCSR, V2UI128, VEC128 } from './x86-types';
import {
  GENERAL_SET,
  X86_64_DWARF,
  avx512Rows,
  avxRows,
  highVectorRows,
  highZmmRows,
  pkeysRows,
  sseRows,
  x87Rows,
} from './x86-vectors';
import { AVX, PKRU, hasComponent } from './x86-xsave';
import type { XmlFeature } from './xml';

const EM_X86_64 = 62;

// fields of struct user_regs_struct, in its order (<asm/user_64.h>), eight bytes each
const USER_REGS = (
  'r15 r14 r13 r12 rbp rbx r11 r10 r9 r8 rax rcx rdx rsi rdi orig_rax rip cs eflags rsp ss ' +
  'fs_base gs_base ds es fs gs'
).split(' ');

// in gdb's order; DWARF numbers of the psABI
const INTEGER: readonly (readonly [name: string, dwarf: number, generic?: string])[] = [
  ['rax', 0],
  ['rbx', 3],
  ['rcx', 2, 'arg4'],
  ['rdx', 1, 'arg3'],
  ['rsi', 4, 'arg2'],
  ['rdi', 5, 'arg1'],
  ['rbp', 6, 'fp'],
  ['rsp', 7, 'sp'],
  ['r8', 8, 'arg5'],
  ['r9', 9, 'arg6'],
  ['r10', 10],
  ['r11', 11],
  ['r12', 12],
  ['r13', 13],
  ['r14', 14],
  ['r15', 15],
  ['rip', 16, 'pc'],
];
const SEGMENTS: readonly (readonly [name: string, dwarf: number])[] = [
  ['cs', 51],
  ['ss', 52],
  ['ds', 53],
  ['es', 50],
  ['fs', 54],
  ['gs', 55],
];
const POINTERS: Readonly<Record<string, string>> = {
  rbp: 'data_ptr',
  rsp: 'data_ptr',
  rip: 'code_ptr',
};
const ALT: Readonly<Record<string, string>> = { rbp: 'fp', rsp: 'sp', rip: 'pc' };

function userReg(name: string, size: 4 | 8, type: string, more: Partial<RegisterRow>): RegisterRow {
  return {
    name,
    size,
    note: NT_PRSTATUS,
    offset: 8 * USER_REGS.indexOf(name),
    stored: size,
    type,
    set: GENERAL_SET,
    encoding: 'uint',
    format: 'hex',
    ...more,
  };
}

function coreRows(): RegisterRow[] {
  return [
    ...INTEGER.map(([name, dwarf, generic]) =>
      userReg(name, 8, POINTERS[name] ?? 'int64', {
        dwarf,
        ...(generic !== undefined && { generic }),
        ...(ALT[name] !== undefined && { alt: ALT[name] }),
      }),
    ),
    userReg('eflags', 4, 'i386_eflags', { alt: 'rflags', generic: 'flags', dwarf: 49 }),
    ...SEGMENTS.map(([name, dwarf]) => userReg(name, 4, 'int32', { dwarf })),
  ];
}

/** x86-64 of a machine with this XSAVE layout; without one, x87 and SSE alone. */
export function describeX86_64(layout: XsaveLayout | undefined): ArchDescriptor {
  const note = layout ? NT_X86_XSTATE : NT_PRFPREG;
  const table = new RegisterTable();
  const features: XmlFeature[] = [];
  const feature = (
    name: string,
    types: XmlFeature['types'],
    rows: readonly RegisterRow[],
  ): void => {
    features.push({ name: `org.gnu.gdb.i386.${name}`, types, registers: table.add(rows) });
  };
  feature('core', [EFLAGS], [...coreRows(), ...x87Rows(note, X86_64_DWARF)]);
  feature('sse', [...VEC128, MXCSR], sseRows(note, 16, X86_64_DWARF));
  feature('linux', [], [userReg('orig_rax', 8, 'int', {})]);
  feature(
    'segments',
    [],
    [userReg('fs_base', 8, 'int', { dwarf: 58 }), userReg('gs_base', 8, 'int', { dwarf: 59 })],
  );
  if (layout && hasComponent(layout, AVX)) feature('avx', [], avxRows(layout, 16));
  if (hasAvx512(layout)) {
    feature(
      'avx512',
      [...VEC128, V2UI128],
      [
        ...highVectorRows(layout, X86_64_DWARF),
        ...avx512Rows(layout, 16, X86_64_DWARF),
        ...highZmmRows(layout),
      ],
    );
  }
  if (layout && hasComponent(layout, PKRU)) feature('pkeys', [], pkeysRows(layout));
  const fsBase = table.registers.find((reg) => reg.name === 'fs_base')!;
  return describe(
    {
      name: 'i386:x86-64',
      machine: EM_X86_64,
      wordSize: 8,
      pc: 'rip',
      sp: 'rsp',
      fp: 'rbp',
      watch: { registers: 4, maxLength: 8 },
      syscall: { nr: 'orig_rax', args: ['rdi', 'rsi', 'rdx', 'r10', 'r8', 'r9'], result: 'rax' },
      threadPointer: (regset) => {
        const raw = regset(NT_PRSTATUS);
        return raw && raw.length >= fsBase.offset + 8
          ? raw.readBigUInt64LE(fsBase.offset)
          : undefined;
      },
    },
    table,
    features,
    layout,
  );
}
