import type { ArchDescriptor } from './arch/descriptor';

/** Bytes of operand behind each opcode that has one (GDB manual, appendix "Bytecode Descriptions"). */
const OPERAND: ReadonlyMap<number, number> = new Map([
  [0x0d, 1], // trace_quick
  [0x16, 1], // ext
  [0x20, 2], // if_goto
  [0x21, 2], // goto
  [0x22, 1], // const8
  [0x23, 2], // const16
  [0x24, 4], // const32
  [0x25, 8], // const64
  [0x26, 2], // reg
  [0x2a, 1], // zero_ext
  [0x2c, 2], // getv
  [0x2d, 2], // setv
  [0x2e, 2], // tracev
  [0x30, 2], // trace16
  [0x32, 1], // pick
]);
const REG = 0x26;
const PRINTF = 0x34;
const NT_PRSTATUS = 1;
const WORD = 8;

/** The word of NT_PRSTATUS where the ABI's bytecode finds a register of the target description. */
export function registerWord(arch: ArchDescriptor, number: number): number | undefined {
  const spec = arch.byNumber.get(number);
  if (spec?.note !== NT_PRSTATUS) return undefined;
  if (arch.nativeWords) return arch.nativeWords.get(spec.name);
  return spec.offset % WORD === 0 ? spec.offset / WORD : undefined;
}

/**
 * A client's agent expression with its register numbers made the ABI's (kernel/uapi/ntrace.h,
 * struct ntrace_code); undefined if it reads a register the provider does not serve, or ends within
 * an instruction. Everything else is left to the provider's verifier.
 */
export function translateRegisters(code: Buffer, arch: ArchDescriptor): Buffer | undefined {
  const out = Buffer.from(code);
  for (let at = 0; at < out.length;) {
    const opcode = out[at]!;
    let operand = OPERAND.get(opcode) ?? 0;
    // count of arguments, length of the format, the format
    if (opcode === PRINTF) operand = at + 4 <= out.length ? 3 + out.readUInt16BE(at + 2) : 3;
    if (at + operand >= out.length && operand > 0) return undefined;
    if (opcode === REG) {
      const index = registerWord(arch, out.readUInt16BE(at + 1));
      if (index === undefined) return undefined;
      out.writeUInt16BE(index, at + 1);
    }
    at += 1 + operand;
  }
  return out;
}
