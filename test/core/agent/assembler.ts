// Agent expressions from their disassembly, as gdb's "maint agent" prints it.

/** Mnemonic: opcode and bytes of operand (GDB manual, appendix on agent expressions). */
export const OPCODES: Readonly<Record<string, readonly [opcode: number, operand: number]>> = {
  float: [0x01, 0],
  add: [0x02, 0],
  sub: [0x03, 0],
  mul: [0x04, 0],
  div_signed: [0x05, 0],
  div_unsigned: [0x06, 0],
  rem_signed: [0x07, 0],
  rem_unsigned: [0x08, 0],
  lsh: [0x09, 0],
  rsh_signed: [0x0a, 0],
  rsh_unsigned: [0x0b, 0],
  trace: [0x0c, 0],
  trace_quick: [0x0d, 1],
  log_not: [0x0e, 0],
  bit_and: [0x0f, 0],
  bit_or: [0x10, 0],
  bit_xor: [0x11, 0],
  bit_not: [0x12, 0],
  equal: [0x13, 0],
  less_signed: [0x14, 0],
  less_unsigned: [0x15, 0],
  ext: [0x16, 1],
  ref8: [0x17, 0],
  ref16: [0x18, 0],
  ref32: [0x19, 0],
  ref64: [0x1a, 0],
  ref_float: [0x1b, 0],
  ref_double: [0x1c, 0],
  ref_long_double: [0x1d, 0],
  l_to_d: [0x1e, 0],
  d_to_l: [0x1f, 0],
  if_goto: [0x20, 2],
  goto: [0x21, 2],
  const8: [0x22, 1],
  const16: [0x23, 2],
  const32: [0x24, 4],
  const64: [0x25, 8],
  reg: [0x26, 2],
  end: [0x27, 0],
  dup: [0x28, 0],
  pop: [0x29, 0],
  zero_ext: [0x2a, 1],
  swap: [0x2b, 0],
  getv: [0x2c, 2],
  setv: [0x2d, 2],
  tracev: [0x2e, 2],
  tracenz: [0x2f, 0],
  trace16: [0x30, 2],
  pick: [0x32, 1],
  rot: [0x33, 0],
};

/** One instruction in hex: "const8 5", "reg 6", "printf 2 <text>". */
function instruction(text: string): string {
  const printf = /^printf (\d+) ([\s\S]*)$/.exec(text);
  if (printf) {
    const format = Buffer.from(`${printf[2] ?? ''}\0`, 'latin1');
    return `34${hex(BigInt(printf[1] ?? 0), 1)}${hex(BigInt(format.length), 2)}${format.toString('hex')}`;
  }
  const [name = '', operand] = text.split(' ');
  const row = OPCODES[name];
  if (!row) throw new Error(`no agent opcode "${name}"`);
  if (row[1] > 0 !== (operand !== undefined)) throw new Error(`wrong operand: "${text}"`);
  return hex(BigInt(row[0]), 1) + (operand === undefined ? '' : hex(BigInt(operand), row[1]));
}

function hex(value: bigint, bytes: number): string {
  const digits = BigInt.asUintN(8 * bytes, value).toString(16);
  if (digits.length > 2 * bytes) throw new Error(`${value} does not fit ${bytes} bytes`);
  return digits.padStart(2 * bytes, '0');
}

/** Code in hex from instructions set apart by "; ". */
export function assemble(text: string): string {
  return text.split('; ').map(instruction).join('');
}

/** Code in hex from what "maint agent-eval" or "maint agent-printf" printed. */
export function fromListing(listing: string): string {
  const found = [...listing.matchAll(/^ *\d+ {2}(\w+)(?: (-?\d+)| "([\s\S]*?)", (\d+) args)?$/gm)];
  return found
    .map(([, name = '', operand, format, count]) =>
      format === undefined
        ? instruction(operand === undefined ? name : `${name} ${operand}`)
        : instruction(`printf ${count} ${format}`),
    )
    .join('');
}
