import type { XsaveLayout } from '../../native';
import type { ArchDescriptor, RegisterSpec } from './descriptor';
import type { RegisterTable } from './register-table';
import { X86Transfer } from './x86-transfer';
import { AVX, HI16_ZMM, OPMASK, ZMM_HI256, hasComponent } from './x86-xsave';
import type { XmlFeature } from './xml';
import { targetXml } from './xml';

const AVX512 = [AVX, OPMASK, ZMM_HI256, HI16_ZMM] as const;

/** gdb's avx512 feature names registers of all three components, and needs avx below it. */
export function hasAvx512(layout: XsaveLayout | undefined): layout is XsaveLayout {
  return AVX512.every((component) => hasComponent(layout, component));
}

/** syscall and int $0x80: what 64-bit and 32-bit code can use, and either the other's. */
const SYSTEM_CALLS = [Buffer.from([0x0f, 0x05]), Buffer.from([0xcd, 0x80])];

/** gdb's registers of a Linux process where nothing describes them (tdesc_amd64_linux and kin). */
const PLAIN = /\.(core|sse|linux|segments)$/;

/** What x86-64 and i386 tell apart besides their registers. */
export interface X86Identity extends Pick<
  ArchDescriptor,
  'name' | 'machine' | 'wordSize' | 'watch'
> {
  syscall: Omit<ArchDescriptor['syscall'], 'instructions'>;
  pc: string;
  sp: string;
  fp: string;
  threadPointer: ArchDescriptor['threadPointer'];
}

/** The descriptor of a finished register table. */
export function describe(
  identity: X86Identity,
  table: RegisterTable,
  features: readonly XmlFeature[],
  layout: XsaveLayout | undefined,
): ArchDescriptor {
  const { registers, size } = table;
  const byName = new Map(registers.map((reg) => [reg.name, reg]));
  const named = (name: string): RegisterSpec => byName.get(name)!;
  const last = features.findLast((feature) => PLAIN.test(feature.name))!.registers.at(-1)!;
  const transfer = new X86Transfer(registers, size, layout);
  const [pc, sp, fp] = [named(identity.pc), named(identity.sp), named(identity.fp)];
  return {
    name: identity.name,
    machine: identity.machine,
    wordSize: identity.wordSize,
    targetXml: targetXml(identity.name, features),
    registers,
    byNumber: new Map(registers.map((reg) => [reg.num, reg])),
    byName,
    gSize: size,
    plainGSize: last.gOffset + last.size,
    notes: [...new Set(registers.map((reg) => reg.note))],
    expedited: [
      { num: fp.num, from: 'fp' },
      { num: sp.num, from: 'sp' },
      { num: pc.num, from: 'pc' },
    ],
    pc,
    sp,
    fp,
    breakpoint: { bytes: Uint8Array.of(0xcc), kinds: [1] },
    watch: identity.watch,
    syscall: { ...identity.syscall, instructions: SYSTEM_CALLS },
    threadPointer: identity.threadPointer,
    toG: (regset, out, outOffset) => transfer.toG(regset, out, outOffset),
    fromG: (g, regset) => transfer.fromG(g, regset),
    getRegister: (spec, regset) => transfer.get(spec, regset),
    setRegister: (spec, value, regset) => transfer.set(spec, value, regset),
  };
}
