import type { XsaveLayout } from '../../native';
import type { ArchDescriptor, RegsetReader } from './descriptor';
import { NT_386_TLS, NT_PRSTATUS, NT_PRXFPREG, NT_X86_XSTATE } from './notes';
import type { RegisterRow } from './register-table';
import { RegisterTable } from './register-table';
import { describe, hasAvx512 } from './x86-describe';
import { EFLAGS, MXCSR, V2UI128, VEC128 } from './x86-types';
import {
  GENERAL_SET,
  I386_DWARF,
  avx512Rows,
  avxRows,
  pkeysRows,
  sseRows,
  x87Rows,
} from './x86-vectors';
import { AVX, PKRU, hasComponent } from './x86-xsave';
import type { XmlFeature } from './xml';

const EM_386 = 3;

// fields of struct user_regs_struct32, in its order (<asm/user32.h>), four bytes each
const USER_REGS = 'ebx ecx edx esi edi ebp eax ds es fs gs orig_eax eip cs eflags esp ss'.split(
  ' ',
);

// struct user_regs_struct of the 64-bit kernel (<asm/user_64.h>): ours are among them
const NATIVE = (
  'r15 r14 r13 r12 ebp ebx r11 r10 r9 r8 eax ecx edx esi edi orig_eax eip cs eflags esp ss ' +
  'fs_base gs_base ds es fs gs'
).split(' ');
const NATIVE_WORDS: ReadonlyMap<string, number> = new Map(
  USER_REGS.map((name) => [name, NATIVE.indexOf(name)]),
);

// in gdb's order; DWARF numbers of the psABI
const INTEGER: readonly (readonly [name: string, dwarf: number, type: string])[] = [
  ['eax', 0, 'int32'],
  ['ecx', 1, 'int32'],
  ['edx', 2, 'int32'],
  ['ebx', 3, 'int32'],
  ['esp', 4, 'data_ptr'],
  ['ebp', 5, 'data_ptr'],
  ['esi', 6, 'int32'],
  ['edi', 7, 'int32'],
  ['eip', 8, 'code_ptr'],
  ['eflags', 9, 'i386_eflags'],
  ['cs', 41, 'int32'],
  ['ss', 42, 'int32'],
  ['ds', 43, 'int32'],
  ['es', 40, 'int32'],
  ['fs', 44, 'int32'],
  ['gs', 45, 'int32'],
];
const ROLES: Readonly<Record<string, { generic: string; alt: string }>> = {
  esp: { generic: 'sp', alt: 'sp' },
  ebp: { generic: 'fp', alt: 'fp' },
  eip: { generic: 'pc', alt: 'pc' },
  eflags: { generic: 'flags', alt: 'flags' },
};

function userReg(name: string, type: string, more: Partial<RegisterRow>): RegisterRow {
  return {
    name,
    size: 4,
    note: NT_PRSTATUS,
    offset: 4 * USER_REGS.indexOf(name),
    stored: 4,
    type,
    set: GENERAL_SET,
    encoding: 'uint',
    format: 'hex',
    ...more,
  };
}

const GS_OFFSET = 4 * USER_REGS.indexOf('gs');
const USER_DESC_SIZE = 16; // entry_number, base_addr, limit, flags: __u32 each

function threadPointer(regset: RegsetReader): bigint | undefined {
  const regs = regset(NT_PRSTATUS);
  const tls = regset(NT_386_TLS);
  if (regs === undefined || tls === undefined || regs.length < GS_OFFSET + 4) return undefined;
  const entry = (regs.readUInt32LE(GS_OFFSET) & 0xffff) >> 3; // a selector: index, TI, RPL
  for (let at = 0; at + USER_DESC_SIZE <= tls.length; at += USER_DESC_SIZE) {
    if (tls.readUInt32LE(at) === entry) return BigInt(tls.readUInt32LE(at + 4));
  }
  return undefined;
}

/** i386 (a 32-bit process of a 64-bit kernel) of a machine with this XSAVE layout. */
export function describeI386(layout: XsaveLayout | undefined): ArchDescriptor {
  const note = layout ? NT_X86_XSTATE : NT_PRXFPREG;
  const table = new RegisterTable();
  const features: XmlFeature[] = [];
  const feature = (
    name: string,
    types: XmlFeature['types'],
    rows: readonly RegisterRow[],
  ): void => {
    features.push({ name: `org.gnu.gdb.i386.${name}`, types, registers: table.add(rows) });
  };
  const core = INTEGER.map(([name, dwarf, type]) => userReg(name, type, { dwarf, ...ROLES[name] }));
  feature('core', [EFLAGS], [...core, ...x87Rows(note, I386_DWARF)]);
  feature('sse', [...VEC128, MXCSR], sseRows(note, 8, I386_DWARF));
  feature('linux', [], [userReg('orig_eax', 'int', {})]);
  if (layout && hasComponent(layout, AVX)) feature('avx', [], avxRows(layout, 8));
  if (hasAvx512(layout)) feature('avx512', [V2UI128], avx512Rows(layout, 8, I386_DWARF));
  if (layout && hasComponent(layout, PKRU)) feature('pkeys', [], pkeysRows(layout));
  const described = describe(
    {
      name: 'i386',
      machine: EM_386,
      wordSize: 4,
      pc: 'eip',
      sp: 'esp',
      fp: 'ebp',
      watch: { registers: 4, maxLength: 4 },
      syscall: {
        nr: 'orig_eax',
        args: ['ebx', 'ecx', 'edx', 'esi', 'edi', 'ebp'],
        result: 'eax',
      },
      threadPointer,
    },
    table,
    features,
    layout,
  );
  return { ...described, nativeWords: NATIVE_WORDS };
}
